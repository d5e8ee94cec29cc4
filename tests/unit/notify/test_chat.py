"""Which answers belong in a chat, and what becomes of them when the customer is away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deskwire_notify.channels.chat import ByMail, ChatPatience, GiveUp, Wait, goes_by_chat, when_away
from deskwire_notify.mails.addresses import addressees
from deskwire_notify.rules import acknowledgement
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Address
from deskwire_shared.ticket.state import Message, Ticket

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PATIENCE = ChatPatience(grace=timedelta(seconds=30), give_up=timedelta(hours=72))
VISITOR = Address(address="chat:abc")
CORA = Address(address="cora@example.org", name="Cora")
BOSS = Address(address="boss@example.org")
SAID = Message(id="said", kind="customer", at=NOW, author="cora", text="Hello", address=CORA, channel="chat")
REPLY = Message(id="reply", kind="agent", at=NOW, author="ada", text="Hi", to=(CORA,), delivery="waiting")


def a_chat(*messages: Message, requester: Address = CORA) -> Ticket:
    return Ticket(id="t", exists=True, channel="chat", requester=requester, messages=messages)


def test_an_answer_to_what_was_said_in_a_chat_belongs_there() -> None:
    assert goes_by_chat(a_chat(SAID, REPLY), REPLY)


def test_an_answer_to_a_mail_goes_by_mail_though_the_ticket_was_a_chat() -> None:
    mailed = replace(SAID, id="mailed", channel="email")
    assert not goes_by_chat(a_chat(SAID, mailed, REPLY), REPLY)


def test_what_a_machine_sent_in_between_does_not_change_the_way() -> None:
    out_of_office = replace(SAID, id="mailed", channel="email", machine="auto_reply")
    assert goes_by_chat(a_chat(SAID, out_of_office, REPLY), REPLY)


@pytest.mark.parametrize("reply", [replace(REPLY, to=(BOSS,)), replace(REPLY, cc=(BOSS,)), replace(REPLY, to=())])
def test_what_others_are_to_read_goes_by_mail(reply: Message) -> None:
    assert not goes_by_chat(a_chat(SAID, reply), reply)


def test_an_answer_to_who_had_no_address_then_still_belongs_in_the_chat() -> None:
    said, reply = replace(SAID, address=VISITOR), replace(REPLY, to=(VISITOR,))
    assert goes_by_chat(a_chat(said, reply), reply)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, Wait(NOW + PATIENCE.grace)), (29, Wait(NOW + PATIENCE.grace)), (30, ByMail())]
)
def test_a_customer_with_an_address_gets_a_mail_after_a_while(seconds: int, expected: object) -> None:
    assert when_away(a_chat(SAID, REPLY), REPLY, NOW + timedelta(seconds=seconds), PATIENCE) == expected


def test_the_while_begins_when_the_answer_could_leave() -> None:
    held = replace(REPLY, deliver_after=NOW + timedelta(seconds=10))
    assert when_away(a_chat(SAID, held), held, NOW + timedelta(seconds=30), PATIENCE) == Wait(
        NOW + timedelta(seconds=40)
    )


def test_an_answer_waits_for_who_has_told_no_address_and_is_given_up_in_the_end() -> None:
    chat = a_chat(SAID, REPLY, requester=VISITOR)
    assert when_away(chat, REPLY, NOW + timedelta(hours=71), PATIENCE) == Wait(NOW + timedelta(hours=72))
    assert when_away(chat, REPLY, NOW + timedelta(hours=72), PATIENCE) == GiveUp()


def test_a_mail_goes_to_the_address_that_was_told_later() -> None:
    reply = replace(REPLY, to=(VISITOR, BOSS))
    assert addressees(a_chat(SAID, reply), reply) == (CORA, BOSS)


def test_nobody_is_told_by_mail_that_their_chat_was_received() -> None:
    decided = acknowledgement(
        a_chat(SAID),
        opened_by=Actor(kind="customer", id="cora"),
        channel=Channel(name="Help", medium="chat"),
        requester=None,
        mailboxes=(),
        now=NOW,
    )
    assert decided is None
