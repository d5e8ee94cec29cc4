"""By which way a reply leaves: by mail, or back to where its recipient wrote from."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from deskwire_notify.rules import conversation_to_answer, way_out
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.webhook_channels import WebhookChannel
from deskwire_shared.ticket.state import Message, Ticket

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANN, BOB = Address(address="telegram:1"), Address(address="tel:+4930")
MAIL = Address(address="ann@example.net")
CHANNELS = {
    "telegram": Channel(name="t", medium="webhook", webhook=WebhookChannel(mapping="telegram")),
    "support": Channel(name="s", medium="email", address="support@example.com"),
    "chat": Channel(name="c", medium="chat"),
}


def said(message_id: str, author: Address, **changes: Any) -> Message:
    usual: dict[str, Any] = {"channel_id": "telegram", "conversation": message_id}
    return Message(
        id=message_id, kind="customer", at=NOON, author="x", address=author, text="?", **{**usual, **changes}
    )


def reply(*to: Address, **changes: Any) -> Message:
    return Message(id="reply", kind="agent", at=NOON, author="ada", text="!", to=to, **changes)


def a_ticket(*messages: Message) -> Ticket:
    return replace(Ticket.unborn("t"), exists=True, messages=messages)


def way(answer: Message, *before: Message) -> str:
    return way_out(a_ticket(*before, answer), answer, CHANNELS)


def test_who_wrote_by_webhook_is_answered_by_webhook() -> None:
    assert way(reply(ANN), said("1", ANN)) == "webhook"


def test_who_has_a_mail_address_is_answered_by_mail() -> None:
    assert way(reply(MAIL), said("1", MAIL)) == "email"
    assert way(reply(ANN, cc=(MAIL,)), said("1", ANN)) == "email"


@pytest.mark.parametrize("channel_id", ["chat", "support", "gone", None])
def test_what_no_webhook_channel_heard_is_not_answered_by_webhook(channel_id: str | None) -> None:
    assert way(reply(ANN), said("1", ANN, channel_id=channel_id)) == "email"


def test_a_ticket_that_an_agent_opened_has_no_conversation() -> None:
    assert way(reply(BOB), said("1", BOB, channel_id=None, conversation=None)) == "email"


def test_the_conversation_is_the_last_one_of_the_recipient_before_the_reply() -> None:
    answer = reply(ANN)
    ticket = a_ticket(said("1", ANN), said("2", ANN), said("3", BOB), answer, said("4", ANN))
    found = conversation_to_answer(ticket, answer)
    assert found is not None
    assert found.conversation == "2"


def test_a_recipient_who_never_wrote_is_answered_in_the_last_conversation() -> None:
    answer = reply(Address(address="telegram:9"))
    found = conversation_to_answer(a_ticket(said("1", ANN), said("2", BOB), answer), answer)
    assert found is not None
    assert found.conversation == "2"
