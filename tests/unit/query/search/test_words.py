"""How texts and searches are cut into words."""

import pytest

from deskwire_query.projections import search as documents
from deskwire_query.reading.read_models import NOBODY
from deskwire_query.search.analysis import codes, fold, words
from deskwire_query.search.question import MOST_CHUNKS, MOST_WORDS, Chunk, Names, understand
from deskwire_query.search.snippets import snippet
from deskwire_shared.contracts.facts import NoteAdded, StatusChanged
from deskwire_shared.testing.ticket import a_commit, opened

NAMES = Names("ada", {"bob": "b1"}.get, {"billing": "t1"}.get)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Café, GENÈVE!", ["cafe", "geneve"]),
        ("snake_case and-dash", ["snake", "case", "and", "dash"]),
        ("Straße", ["strasse"]),
        ("客户支持", ["客户", "户支", "支持", "持"]),
        ("iPhone客户X", ["iphone", "客户", "户", "x"]),
        ("한국어 지원", ["한국어", "지원"]),
        ("", []),
        ("!?. 🔥", []),
    ],
)
def test_a_text_is_cut_into_folded_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_word_without_end_is_cut_into_pieces() -> None:
    assert words("x" * 100) == ["x" * 64, "x" * 36]
    assert words("é" * 100) == ["e" * 64, "e" * 36]


def test_folding_takes_case_and_accents_away() -> None:
    assert fold("ÀÉÎ ŁÓDŹ") == "aei łodz"


def test_codes_are_words_with_a_digit_and_addresses_each_once() -> None:
    assert codes(["Order INV-2026/7 (INV-2026/7) by zoe@acme.example, 42 and plain words"]) == (
        "inv-2026/7 zoe@acme.example"
    )


def test_words_quotes_and_filters_are_told_apart() -> None:
    question = understand('printer "on fire" is:open tag:VIP from:"Cora C"', NAMES)
    assert question.chunks == (Chunk(("printer",), "printer"), Chunk(("on", "fire"), "on fire", prefix=False))
    assert (question.wanted.statuses, question.wanted.tags, question.sender) == (("open",), ("vip",), "Cora C")


def test_people_and_teams_are_named_as_they_are_called() -> None:
    wanted = understand("assignee:bob team:billing", NAMES).wanted
    assert (wanted.assignee_id, wanted.team_id) == ("b1", "t1")
    assert understand("assignee:me", NAMES).wanted.assignee_id == "ada"
    assert understand("is:unassigned", NAMES).wanted.assignee_id == NOBODY


def test_what_is_no_filter_is_a_word() -> None:
    assert understand("is:nonsense http://x", NAMES).chunks[0].words == ("is", "nonsense")
    assert understand("foo:bar", NAMES).chunks[0].words == ("foo", "bar")


@pytest.mark.parametrize(("text", "number"), [("42", 42), ("#42", 42), (" #42 ", 42), ("42 x", None), ("#", None)])
def test_a_number_alone_is_a_ticket(text: str, number: int | None) -> None:
    assert understand(text, NAMES).number == number


def test_a_search_is_bounded() -> None:
    question = understand(" ".join(f"w{n}" for n in range(100)), NAMES)
    assert len(question.chunks) == MOST_CHUNKS
    assert len(understand('"' + "a " * 150 + '"', NAMES).chunks[0].words) == MOST_WORDS


def test_a_snippet_begins_near_the_first_match() -> None:
    text, marks = snippet(["nothing here", f"{'a ' * 200}Brändi {'b ' * 200}"], [Chunk(("brand",), "brand")])
    assert [text[start:end] for start, end in marks] == ["Brändi"]
    assert len(text) < 200


def test_a_snippet_marks_characters_inside_a_sentence() -> None:
    text, marks = snippet(["请联系客户支持部门"], [Chunk(("客户",), "客户")])
    assert [text[start:end] for start, end in marks] == ["客户"]


def test_without_a_match_the_first_text_is_shown() -> None:
    assert snippet(["", "Hello there"], [Chunk(("absent",), "absent")]) == ("Hello there", ())
    assert snippet([], []) == ("", ())


def test_a_commit_without_words_leaves_the_document_as_it_is() -> None:
    document = documents.project(None, a_commit(opened()), sequence=1)
    assert (
        documents.project(document, a_commit(StatusChanged(before="new", after="open"), after=1), sequence=2)
        is document
    )


def test_a_document_keeps_its_first_and_its_latest_messages() -> None:
    document = documents.project(None, a_commit(opened()), sequence=1)
    for turn in range(1, 100):
        note = NoteAdded(person_id="p", message_id=f"n{turn}", agent_id="ada", text=f"turn {turn}")
        document = documents.project(document, a_commit(note, after=turn), sequence=turn + 1)
    assert document is not None
    kept = [message_id for message_id, _ in document["messages"]]
    assert (len(kept), kept[0], kept[-1]) == (documents.MOST_MESSAGES, "m1", "n99")
