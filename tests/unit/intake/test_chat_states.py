"""How a chat stands and what of it its customer may see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deskwire_intake.channels.chat.states import (
    behind,
    removed_from,
    state_of,
    subject_of,
    transcript,
    waiting_replies,
)
from deskwire_shared.contracts.facts import Address
from deskwire_shared.ticket.state import Delivery, Message, Ticket

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
VISITOR = Address(address="chat:abc", name="Visitor")
CORA = Address(address="cora@example.org", name="Cora")
SUPPLIER = Address(address="lamps@example.net", name="Lamps")
ADA = "ada"


def a_message(text: str = "Hello", **changes: Any) -> Message:
    usual = Message(id=text.lower(), kind="customer", at=NOW, author="cora", text=text, address=CORA, channel="chat")
    return replace(usual, **changes)


def an_answer(text: str = "Hi", delivery: Delivery = "delivered", **changes: Any) -> Message:
    usual = Message(id=text.lower(), kind="agent", at=NOW, author=ADA, text=text, to=(CORA,), delivery=delivery)
    return replace(usual, **changes)


def a_chat(*messages: Message, **changes: Any) -> Ticket:
    usual = Ticket(id="t", exists=True, status="open", requester_id="cora", requester=CORA, messages=messages)
    return replace(usual, **changes)


def _texts(ticket: Ticket) -> list[str]:
    return [line.text for line in transcript(ticket, str.title)]


@pytest.mark.parametrize(
    ("ticket", "is_open", "state"),
    [
        (Ticket.unborn("t"), True, "ready"),
        (Ticket.unborn("t"), False, "away"),
        (a_chat(), True, "queued"),
        (a_chat(), False, "away"),
        (a_chat(assignee_id=ADA), True, "with_agent"),
        (a_chat(assignee_id=ADA), False, "away"),
        (a_chat(assignee_id=ADA, first_response_at=NOW), False, "with_agent"),
        (a_chat(status="solved", assignee_id=ADA), True, "solved"),
        (a_chat(status="closed"), True, "ended"),
        (a_chat(status="closed", merged_into="other"), True, "ended"),
    ],
)
def test_a_chat_stands_as_its_ticket_does(ticket: Ticket, is_open: bool, state: str) -> None:
    assert state_of(ticket, is_open=is_open) == state


def test_customers_see_their_words_and_the_answers_that_reached_them() -> None:
    ticket = a_chat(a_message("Hello"), an_answer("Hi"), an_answer("Later", "waiting"), an_answer("No", "withdrawn"))
    assert _texts(ticket) == ["Hello", "Hi"]


def test_nobody_sees_notes_hidden_words_and_what_moved_to_another_ticket() -> None:
    note = a_message("A difficult one", kind="note")
    ticket = a_chat(note, a_message("Secret", redacted=True), a_message("Elsewhere", moved_to="other"), a_message())
    assert _texts(ticket) == ["Hello"]
    assert removed_from(ticket) == {"secret", "elsewhere"}


def test_what_others_say_on_the_ticket_is_not_the_customers_to_see() -> None:
    asked = an_answer("Dear supplier", to=(SUPPLIER,))
    told = a_message("Our price", author="lamps", address=SUPPLIER, channel="email")
    assert _texts(a_chat(a_message(), asked, told)) == ["Hello"]


def test_a_customer_who_goes_on_by_mail_sees_all_of_it() -> None:
    assert _texts(a_chat(a_message("Hello"), a_message("By mail", channel="email"))) == ["Hello", "By mail"]


def test_what_was_answered_before_the_address_was_told_is_still_theirs() -> None:
    before = a_message("Hello", author="visitor", address=VISITOR)
    assert _texts(a_chat(before, an_answer("Hi", to=(VISITOR,)))) == ["Hello", "Hi"]


def test_who_comes_back_is_told_what_is_behind_what_they_have_seen() -> None:
    lines = transcript(a_chat(a_message("One"), a_message("Two"), a_message("Three")), str.title)
    assert [line.text for line in behind(lines, "one") or ()] == ["Two", "Three"]
    assert behind(lines, "three") == ()
    assert behind(lines, "unknown") is None


def test_an_answer_that_can_be_taken_back_does_not_wait_for_the_customer() -> None:
    held = an_answer("Held", "waiting", deliver_after=NOW + timedelta(seconds=10))
    ticket = a_chat(held, an_answer("Waits", "waiting"))
    assert [message.text for message in waiting_replies(ticket, NOW)] == ["Waits"]


def test_the_first_words_are_the_subject() -> None:
    assert subject_of("  My lamp\n is broken ") == "My lamp is broken"
    assert len(subject_of("word " * 100)) <= 80
    assert subject_of("word " * 100).endswith("…")
