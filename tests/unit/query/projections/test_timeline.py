"""The timeline: one entry a fact, and what later facts make of earlier ones."""

from typing import Any

from deskwire_query.projections import timeline
from deskwire_query.projections.timeline import Amendment
from deskwire_shared.contracts.facts import (
    FACTS,
    Address,
    AgentReplied,
    Attachment,
    CustomerReplied,
    NoteAdded,
    Redacted,
    ReplyBounced,
    ReplyDelivered,
    ReplyWithdrawn,
    RequesterChanged,
    Split,
    StatusChanged,
    SubjectChanged,
    UnknownFact,
)
from deskwire_shared.testing.ticket import NOON, TICKET_ID, a_commit, opened

FILE = Attachment(key="k", filename="a.png", content_type="image/png", size=3, sha256="0")


def noted(*facts: Any) -> list[Any]:
    return list(timeline.project(a_commit(*facts, after=4), sequence=9))


def test_every_fact_of_a_commit_is_an_entry_at_its_own_version() -> None:
    entries = noted(StatusChanged(before="new", after="open"), opened())
    assert [(entry["version"], entry["fact"], entry["kind"]) for entry in entries] == [
        (5, "status_changed", "change"), (6, "opened", "customer"),
    ]  # fmt: skip
    assert {(entry["ticket_id"], entry["sequence"], entry["at"]) for entry in entries} == {(TICKET_ID, 9, NOON)}


def test_a_customers_message_shows_who_wrote_what_to_whom() -> None:
    to, cc = Address(address="desk@example.com"), Address(address="boss@example.org", name="Boss")
    (entry,) = noted(
        opened(to=(to,), cc=(cc,), html="<b>Help</b>", quoted="> old", signature="-- \nCora", attachments=(FILE,))
    )
    assert (entry["author_name"], entry["author_address"]) == ("Cora Customer", "cora@example.org")
    assert (entry["text"], entry["html"], entry["quoted"]) == ("Please help.", "<b>Help</b>", "> old")
    assert entry["signature"] == "-- \nCora"
    assert entry["details"]["cc"] == [{"address": "boss@example.org", "name": "Boss"}]
    assert [file["filename"] for file in entry["attachments"]] == ["a.png"]


def test_a_machines_message_is_known_as_one() -> None:
    said = CustomerReplied(person_id="p", author_id="p", message_id="m", channel="email", text="", machine="auto_reply",
                           author=Address(address="a@b.c"))  # fmt: skip
    assert noted(said)[0]["details"]["machine"] == "auto_reply"


def test_an_answer_waits_until_it_is_delivered() -> None:
    (entry,) = noted(AgentReplied(person_id="p", message_id="r1", agent_id="ada", text="Hi", automated=True))
    assert (entry["kind"], entry["delivery"], entry["details"]["automated"]) == ("reply", "waiting", True)


def test_a_note_is_a_note() -> None:
    (entry,) = noted(NoteAdded(person_id="p", message_id="n1", agent_id="ada", text="Psst", mentions=("bob",)))
    assert (entry["kind"], entry["author_id"], entry["details"]["mentions"]) == ("note", "ada", ["bob"])


def test_what_becomes_of_an_answer_is_seen_at_the_answer() -> None:
    amendment, entry = noted(ReplyDelivered(message_id="r1"))
    assert amendment == Amendment(TICKET_ID, "r1", {"delivery": "delivered", "delivery_reason": ""})
    assert entry["fact"] == "reply_delivered"
    bounced, _ = noted(ReplyBounced(person_id="p", message_id="r1", reason="no such user"))
    assert bounced.changes == {"delivery": "bounced", "delivery_reason": "no such user"}
    assert noted(ReplyWithdrawn(message_id="r1"))[0].changes["delivery"] == "withdrawn"


def test_an_answer_that_is_still_tried_is_no_bounce() -> None:
    amendment, _ = noted(ReplyBounced(person_id="p", message_id="r1", permanent=False, reason="busy"))
    assert amendment.changes == {"delivery_reason": "busy"}


def test_redaction_takes_words_and_files_away() -> None:
    amendment, entry = noted(Redacted(message_id="m1", agent_id="ada", reason="a password"))
    assert amendment.changes == {
        "redacted": True, "subject": "", "text": "", "html": None, "quoted": None, "signature": None,
        "attachments": [],
    }  # fmt: skip
    assert entry["details"]["data"] == {"agent_id": "ada", "reason": "a password"}


def test_messages_that_became_a_ticket_of_their_own_lead_to_it() -> None:
    first, second, _ = noted(Split(into="t2", into_number=2, message_ids=("m1", "m2")))
    assert [(one.message_id, one.changes) for one in (first, second)] == [
        ("m1", {"moved_to": "t2"}), ("m2", {"moved_to": "t2"}),
    ]  # fmt: skip


def test_a_new_requester_is_shown_by_name() -> None:
    (entry,) = noted(
        RequesterChanged(person_id="q", before="p", after="q", requester=Address(address="q@e.org", name="Q"))
    )
    assert (entry["author_name"], entry["details"]["data"]) == ("Q", {"before": "p", "after": "q"})


def test_a_change_says_what_was_and_what_is() -> None:
    (entry,) = noted(SubjectChanged(person_id="p", before="old", after="new"))
    assert entry["details"]["data"] == {"before": "old", "after": "new"}


def test_a_fact_from_the_future_is_not_shown() -> None:
    assert noted(UnknownFact(type="ticket.teleported.v1")) == []


def test_every_fact_has_a_short_name() -> None:
    names = {timeline.short_name(model) for model in FACTS.values()}
    assert len(names) == len(FACTS)
    assert "sla_breached" in names
