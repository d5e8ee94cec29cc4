"""The contract of search, on every database it runs on."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    Assigned,
    Attachment,
    CustomerReplied,
    Merged,
    NoteAdded,
    Redacted,
    Routed,
    StatusChanged,
    SubjectChanged,
    TagsChanged,
)
from deskwire_shared.contracts.staff import Agent, Team
from query_desk import MONDAY, QueryDesk, query_desk, ticket_id

HOSTILE = [
        '"', '""', '"unclosed', "'", "*", "printer*", "AND", "OR NOT", "NEAR(a b)", "subject:", "is:", ":", "a:b:c",
        "(", ")", "printer )", "-printer", "^printer", "{x} : y", "\\", "%", "_", "&", "|", "!", "<->", ":*", "a'b",
        "\0", "printer\0fire", "\ud83d\udd25".encode("utf-16", "surrogatepass").decode("utf-16"), "is:nonsense",
        "x" * 5_000, " ".join(f"w{n}" for n in range(500)), "客" * 400, "#", "#99999999999999999999", "9" * 18,
        "from:", 'from:"', 'tag:"a b"', "'; DROP TABLE tickets; --", "\u202e", "e\u0301" * 100,
    ]  # fmt: skip
ADMIN = Actor(kind="agent", id="root")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest_asyncio.fixture
async def desk(database_url: str) -> AsyncIterator[QueryDesk]:
    async with query_desk(database_url) as desk:
        yield desk


async def found(desk: QueryDesk, text: str, *, me: str | None = None, limit: int = 20) -> list[int]:
    """The numbers of the tickets that a search finds, in its order."""
    return [hit.ticket.number for hit in await desk.reader.search(text, me=me, limit=limit)]


async def test_a_ticket_is_found_by_a_word_of_its_subject(desk: QueryDesk) -> None:
    await desk.open(1, subject="The printer is on fire")
    await desk.open(2, subject="Invoice missing")
    assert await found(desk, "printer") == [1]


async def test_a_ticket_is_found_by_a_word_of_any_message(desk: QueryDesk) -> None:
    await desk.open(1)
    await desk.add(1, AgentReplied(person_id="cora", message_id="r1", agent_id="ada", text="Try the extinguisher"))
    await desk.add(1, NoteAdded(person_id="cora", message_id="n1", agent_id="ada", text="Insured by Phoenix"))
    await desk.add(1, CustomerReplied(
        person_id="cora", author_id="cora", message_id="c2", channel="email",
        author=Address(address="cora@example.org"), text="Now it is soaked"))  # fmt: skip
    for word in ("extinguisher", "phoenix", "soaked"):
        assert await found(desk, word) == [1]


async def test_words_of_different_messages_are_found_together(desk: QueryDesk) -> None:
    await desk.open(1, text="smoke")
    await desk.add(1, NoteAdded(person_id="cora", message_id="n1", agent_id="ada", text="mirrors"))
    assert await found(desk, "smoke mirrors") == [1]
    assert await found(desk, "smoke absent") == []


async def test_the_beginning_of_a_word_is_enough(desk: QueryDesk) -> None:
    await desk.open(1, subject="Extinguishers")
    assert await found(desk, "ext") == [1]


@pytest.mark.parametrize("asked", ["cafe", "café", "CAFÉ", "cafe\u0301"])
async def test_accents_and_case_do_not_matter(desk: QueryDesk, asked: str) -> None:
    await desk.open(1, subject="Das Café in Genève")
    assert await found(desk, asked) == [1]


@pytest.mark.parametrize("asked", ["客户", "支持", "户支", "客户支持", "支", "打印机"])
async def test_any_part_of_a_sentence_without_blanks_is_found(desk: QueryDesk, asked: str) -> None:
    await desk.open(1, subject="打印机着火了", text="请联系客户支持部门")
    await desk.open(2, subject="发票", text="没有收到")
    assert await found(desk, asked) == [1]


async def test_characters_that_do_not_stand_together_are_not_found(desk: QueryDesk) -> None:
    await desk.open(1, subject="客户支持")
    assert await found(desk, "客支") == []


@pytest.mark.parametrize("asked", ["4711", "#4711"])
async def test_a_ticket_is_found_by_its_number_before_all_others(desk: QueryDesk, asked: str) -> None:
    await desk.open(4711, subject="Unrelated")
    await desk.open(2, subject="4711 4711 4711", at=None)
    assert (await found(desk, asked))[0] == 4711


@pytest.mark.parametrize("asked", ["zoe@acme.example", "zoe", "acme", "acme.example", "Zoë Zimmer", "cme.exam"])
async def test_a_ticket_is_found_by_whoever_asks(desk: QueryDesk, asked: str) -> None:
    await desk.open(1, author=Address(address="zoe@acme.example", name="Zoë Zimmer"))
    await desk.open(2)
    assert await found(desk, asked) == [1]


@pytest.mark.parametrize("asked", ["INV-2026-00815", "00815", "2026-008", "v-2026"])
async def test_a_part_of_an_order_number_is_found(desk: QueryDesk, asked: str) -> None:
    await desk.open(1, text="About invoice INV-2026-00815, please.")
    await desk.open(2, text="About invoice INV-2025-00001, please.")
    assert await found(desk, asked) == [1]


async def test_the_name_of_a_file_is_found(desk: QueryDesk) -> None:
    file = Attachment(key="k", filename="screenshot.png", content_type="image/png", size=1, sha256="0")
    await desk.open(1, attachments=(file,))
    assert await found(desk, "screenshot") == [1]


async def test_a_quoted_phrase_is_found_only_as_it_stands(desk: QueryDesk) -> None:
    await desk.open(1, text="paper jam in tray two")
    await desk.open(2, text="jam on the paper")
    assert await found(desk, '"paper jam"') == [1]
    assert sorted(await found(desk, "paper jam")) == [1, 2]
    assert await found(desk, '"paper ja"') == []


async def test_filters_narrow_a_search(desk: QueryDesk) -> None:
    await desk.directory.put("ann", Agent(email="ann@desk.example", name="Ann Agent"), actor=ADMIN)
    await desk.directory.put("t1", Team(name="Billing"), actor=ADMIN)
    await desk.open(1, subject="printer")
    await desk.add(1, StatusChanged(before="new", after="open"), Assigned(agent_id="ann"), Routed(team_id="t1"),
                   TagsChanged(added=("vip",), tags=("vip",)))  # fmt: skip
    bob = Address(address="bob@example.org", name="Bob")
    await desk.open(2, subject="printer", requester_id="bob", author=bob, priority="urgent")
    for asked in ("is:open", "assignee:ann", "assignee:me", "team:billing", "tag:vip", "from:cora", "printer is:open"):
        assert await found(desk, asked, me="ann") == [1], asked
    for asked in ("is:new", "is:unassigned", "assignee:none", "from:bob", "from:bob@example.org", "priority:urgent"):
        assert await found(desk, f"printer {asked}") == [2], asked
    assert await found(desk, "printer is:solved") == []
    assert await found(desk, "assignee:nobody-we-know") == []


async def test_the_newer_of_two_equally_good_tickets_comes_first(desk: QueryDesk) -> None:
    for number in (1, 2, 3):
        await desk.open(number, subject="printer on fire")
    assert await found(desk, "printer") == [3, 2, 1]


async def test_a_word_in_the_subject_counts_for_more_than_one_in_a_text(desk: QueryDesk) -> None:
    await desk.open(1, subject="Turbine broken", text="help")
    await desk.open(2, subject="Question", text=f"a turbine is among the {'many other ' * 20} things I own")
    for number in range(3, 30):
        await desk.open(number, subject="Something else", text="entirely")
    assert await found(desk, "turbine") == [1, 2]


async def test_a_ticket_is_found_by_the_signature_of_a_mail(desk: QueryDesk) -> None:
    await desk.open(1, signature="-- \nCora\nTurbines Inc.")
    assert await found(desk, "turbines") == [1]


async def test_the_words_of_a_redacted_message_are_not_found(desk: QueryDesk) -> None:
    await desk.open(1, text="my password is swordfish-77")
    await desk.add(1, Redacted(message_id="m1", agent_id="ada"))
    assert await found(desk, "swordfish") == []
    assert await found(desk, "fish-77") == []
    assert await found(desk, "printer") == [1]


async def test_an_old_subject_is_not_found_any_more(desk: QueryDesk) -> None:
    await desk.open(1, subject="secret project")
    await desk.add(1, SubjectChanged(person_id="cora", before="secret project", after="project"))
    assert await found(desk, "secret") == []
    assert await found(desk, "project") == [1]


async def test_merged_tickets_are_found_only_when_asked_for(desk: QueryDesk) -> None:
    await desk.open(1)
    await desk.open(2)
    await desk.add(1, Merged(into=ticket_id(2), into_number=2))
    assert await found(desk, "printer") == [2]
    assert sorted(await found(desk, "printer is:merged")) == [1, 2]


async def test_nothing_that_is_typed_is_an_error(desk: QueryDesk) -> None:
    await desk.open(1)
    for asked in HOSTILE:
        assert len(await found(desk, asked)) <= 1, asked


async def test_an_empty_search_finds_nothing(desk: QueryDesk) -> None:
    await desk.open(1)
    assert await found(desk, "") == []
    assert await found(desk, "  ") == []


async def test_no_more_is_found_than_was_asked_for(desk: QueryDesk) -> None:
    for number in range(1, 6):
        await desk.open(number)
    assert await found(desk, "printer", limit=2) == [5, 4]
    assert len(await found(desk, "printer", limit=100_000)) == 5


async def test_a_hit_shows_the_words_around_the_match(desk: QueryDesk) -> None:
    await desk.open(1, text=f"{'lorem ipsum ' * 50}the Café burns{' dolor' * 50}")
    (hit,) = await desk.reader.search("cafe")
    assert "the Café burns" in hit.snippet
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["Café"]
    assert len(hit.snippet) < 200


async def test_a_text_with_nul_characters_is_kept_and_found(desk: QueryDesk) -> None:
    await desk.open(1, subject="nul\0byte", text="before\0after", author=Address(address="x\0@example.org", name="\0"))
    assert await found(desk, "after") == [1]
    assert (await desk.reader.ticket("1")).subject == "nul\ufffdbyte"


async def test_a_long_conversation_keeps_its_first_and_its_latest_words(desk: QueryDesk) -> None:
    await desk.open(1, text="alpha")
    for turn in range(60):
        note = NoteAdded(person_id="cora", message_id=f"n{turn}", agent_id="ada", text=f"turn{turn}x")
        await desk.add(1, note, at=MONDAY + timedelta(hours=turn))
    assert await found(desk, "alpha") == [1]
    assert await found(desk, "turn59x") == [1]
    assert await found(desk, "turn3x") == []
