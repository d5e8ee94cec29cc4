"""What a ticket owes its customer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from deskwire_notify.rules import (
    ACKNOWLEDGE_WITHIN,
    Acknowledge,
    Withhold,
    acknowledgement,
    acknowledgement_mail_id,
    held_replies,
    replies_to_send,
    reply_mail_id,
)
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import (
    Acknowledged,
    Address,
    AgentReplied,
    MachineKind,
    Merged,
    NoteAdded,
    Redacted,
    ReplyBounced,
    ReplyDelivered,
    ReplyWithdrawn,
    StatusChanged,
)
from deskwire_shared.testing.ticket import CUSTOMER_ID, NOON, a_ticket
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.state import Ticket

REPLY = AgentReplied(person_id=CUSTOMER_ID, message_id="r1", agent_id="ada", text="Use water.")
MAIL = Channel(name="Support", medium="email", address="support@acme.example")
CORA = Customer(address="cora@example.org")
BY_CUSTOMER = Actor(kind="customer", id=CUSTOMER_ID)


def decided(ticket: Ticket, **changes: object) -> Acknowledge | Withhold | None:
    usual = {
        "opened_by": BY_CUSTOMER,
        "channel": MAIL,
        "requester": CORA,
        "mailboxes": {"support@acme.example"},
        "now": NOON,
    }
    return acknowledgement(ticket, **{**usual, **changes})  # type: ignore[arg-type]


def a_ticket_from(address: str) -> Ticket:
    return a_ticket(requester=Address(address=address))


def test_a_reply_leaves_at_once() -> None:
    ticket = a_ticket(REPLY)
    assert replies_to_send(ticket, NOON) == (ticket.messages[1],)


def test_a_reply_that_can_still_be_taken_back_is_held_until_its_moment() -> None:
    moment = NOON + timedelta(seconds=10)
    ticket = a_ticket(REPLY.model_copy(update={"deliver_after": moment}))
    assert replies_to_send(ticket, NOON) == ()
    assert held_replies(ticket, NOON) == ((ticket.messages[1], moment),)
    assert replies_to_send(ticket, moment) == (ticket.messages[1],)
    assert held_replies(ticket, moment) == ()


@pytest.mark.parametrize(
    "fate",
    [
        ReplyDelivered(message_id="r1"),
        ReplyBounced(person_id=CUSTOMER_ID, message_id="r1"),
        ReplyWithdrawn(message_id="r1"),
        Redacted(message_id="r1", agent_id="ada"),
    ],
)
def test_a_reply_with_a_fate_does_not_leave_again(fate: ReplyDelivered) -> None:
    assert replies_to_send(a_ticket(REPLY, fate), NOON) == ()


def test_a_reply_that_is_only_late_is_still_to_be_sent() -> None:
    late = ReplyBounced(person_id=CUSTOMER_ID, message_id="r1", permanent=False)
    assert len(replies_to_send(a_ticket(REPLY, late), NOON)) == 1


def test_a_note_never_leaves() -> None:
    note = NoteAdded(person_id=CUSTOMER_ID, message_id="n1", agent_id="ada", text="rude customer")
    assert replies_to_send(a_ticket(note), NOON) == ()


def test_a_customers_ticket_is_acknowledged() -> None:
    assert decided(a_ticket()) == Acknowledge()
    assert decided(a_ticket(), requester=None) == Acknowledge()


def test_nobody_expects_an_acknowledgement_twice() -> None:
    assert decided(a_ticket(Acknowledged(message_id="a1", template_id="t1"))) is None


@pytest.mark.parametrize(
    "channel",
    [None, MAIL.model_copy(update={"acknowledge": False}), MAIL.model_copy(update={"active": False})],
)
def test_a_channel_may_do_without_acknowledgements(channel: Channel | None) -> None:
    assert decided(a_ticket(), channel=channel) is None


def test_a_ticket_that_does_not_exist_is_not_acknowledged() -> None:
    assert decided(fold("t", [])) is None


def test_spam_is_never_acknowledged() -> None:
    ticket = a_ticket()
    spam = replace(ticket, messages=(replace(ticket.messages[0], spam=True),))
    assert isinstance(decided(spam), Withhold)


@pytest.mark.parametrize("machine", ["auto_reply", "bounce", "list"])
def test_a_machine_is_never_acknowledged(machine: MachineKind) -> None:
    ticket = a_ticket()
    by_machine = replace(ticket, messages=(replace(ticket.messages[0], machine=machine),))
    assert isinstance(decided(by_machine), Withhold)


@pytest.mark.parametrize(
    "address",
    ["no-reply@shop.example", "NOREPLY+7@shop.example", "donotreply@x.example", "MAILER-DAEMON@x.example",
     "postmaster@x.example", "support+t1@acme.example", "[erased]", "+491234"],
)  # fmt: skip
def test_an_address_nobody_reads_is_not_acknowledged(address: str) -> None:
    assert isinstance(decided(a_ticket_from(address)), Withhold)


@pytest.mark.parametrize("address", ["noreplying@x.example", "post@x.example", "bouncer@x.example"])
def test_an_address_that_only_looks_like_nobodys_is_acknowledged(address: str) -> None:
    assert decided(a_ticket_from(address)) == Acknowledge()


def test_a_blocked_customer_is_not_acknowledged() -> None:
    blocked = CORA.model_copy(update={"blocked": True})
    assert decided(a_ticket(), requester=blocked) == Withhold("the customer is blocked")


def test_a_ticket_an_agent_opened_is_not_acknowledged() -> None:
    assert decided(a_ticket(), opened_by=Actor(kind="agent", id="ada")) == Withhold("an agent opened the ticket")


def test_a_customer_who_was_answered_needs_no_acknowledgement() -> None:
    assert isinstance(decided(a_ticket(REPLY)), Withhold)
    assert isinstance(decided(a_ticket(StatusChanged(before="new", after="solved"))), Withhold)
    assert isinstance(decided(a_ticket(Merged(into="t2", into_number=2))), Withhold)


def test_an_acknowledgement_that_would_come_too_late_is_withheld() -> None:
    assert decided(a_ticket(), now=NOON + ACKNOWLEDGE_WITHIN) == Acknowledge()
    late = NOON + ACKNOWLEDGE_WITHIN + timedelta(seconds=1)
    assert decided(a_ticket(), now=late) == Withhold("it would come too late")


def test_a_mail_has_the_same_id_at_every_attempt() -> None:
    ticket = a_ticket(REPLY)
    assert reply_mail_id(ticket.id, ticket.messages[1]) == reply_mail_id(ticket.id, ticket.messages[1])
    assert acknowledgement_mail_id("t1") != acknowledgement_mail_id("t2")


def test_a_reply_gives_its_mail_its_own_id_so_that_a_bounce_names_it() -> None:
    ticket = a_ticket(REPLY.model_copy(update={"message_id": "abcdefgh234567ab"}))
    assert reply_mail_id(ticket.id, ticket.messages[1]) == "abcdefgh234567ab"
