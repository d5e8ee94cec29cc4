"""What spam and machines do to a ticket: they are kept, and change nothing else."""

from typing import Any

import pytest

from deskwire_shared.contracts.facts import Address, CustomerReplied, StatusChanged
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, a_ticket, given, opened
from deskwire_shared.ticket.commands import ReceiveReply
from deskwire_shared.ticket.refusals import TicketIsClosed

SOLVED = StatusChanged(before="new", after="solved")
CLOSED = StatusChanged(before="new", after="closed")
WORDS: dict[str, Any] = {"message_id": "m2", "channel": "email", "author": CUSTOMER, "text": "Out of office."}


def a_reply(**changes: Any) -> ReceiveReply:
    return ReceiveReply(author_id=CUSTOMER_ID, **WORDS, **changes)


def what_was_said(**changes: Any) -> CustomerReplied:
    return CustomerReplied(person_id=CUSTOMER_ID, author_id=CUSTOMER_ID, **WORDS, **changes)


def test_spam_is_kept_and_takes_nothing_up_again() -> None:
    given(opened(), SOLVED).when(a_reply(spam=True)).then(what_was_said(spam=True))


def test_whoever_sends_spam_does_not_become_somebody_who_may_write() -> None:
    spammer = Address(address="spam@example.org")
    ticket = a_ticket(what_was_said(spam=True).model_copy(update={"author": spammer, "author_id": "spammer"}))
    assert "spammer" not in ticket.participants
    assert spammer.address not in ticket.participant_addresses


def test_only_what_a_customer_wrote_themselves_is_by_them() -> None:
    said = [a_ticket(fact).messages[-1] for fact in (what_was_said(), what_was_said(spam=True))]
    by_machine = a_ticket(what_was_said(machine="list")).messages[-1]
    assert [message.is_by_the_customer for message in (*said, by_machine)] == [True, False, False]


@pytest.mark.parametrize("kind", [{"machine": "auto_reply"}, {"machine": "bounce"}, {"spam": True}])
def test_a_machines_answer_to_a_closed_ticket_is_noted_on_it(kind: dict[str, Any]) -> None:
    given(opened(), CLOSED).when(a_reply(**kind)).then(what_was_said(**kind))


def test_a_customers_answer_to_a_closed_ticket_is_not() -> None:
    given(opened(), CLOSED).when(a_reply()).refuses(TicketIsClosed)
