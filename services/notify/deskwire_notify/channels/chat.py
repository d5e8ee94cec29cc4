"""The way back into a chat: an answer is shown where its customer is, else it goes by mail, else it waits for them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import nats.errors
from nats.aio.client import Client
from structlog import get_logger

from deskwire_notify.figures import Figures
from deskwire_notify.recording import caused_by, commit_of_reply
from deskwire_notify.rules import reply_mail_id
from deskwire_shared.contracts.subjects import chat_reply_subject
from deskwire_shared.eventstore.port import History
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.ticket.chats import CHAT, is_answered_by_chat, is_for_customer_alone, is_mailable
from deskwire_shared.ticket.commands import RecordBounce, RecordDelivery, TicketCommand
from deskwire_shared.ticket.refusals import ReplyWasWithdrawn
from deskwire_shared.ticket.state import Message, Ticket

ANSWER_SECONDS: Final = 4.0
"""Longer than a process waits for a browser to show an answer."""
SHOWN: Final = b"shown"
GONE: Final = "The customer has not come back to the chat, and has told no mail address."

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ByMail:
    """The answer leaves by mail."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The customer may come back; it is looked at again at that moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The answer reaches nobody."""


@dataclass(frozen=True, slots=True)
class ChatPatience:
    """How long a customer may be away before an answer goes by mail, or is given up where there is no address."""

    grace: timedelta
    give_up: timedelta


@dataclass(frozen=True, slots=True)
class Carried:
    """What is left to be sent by mail, and when to look at which answers again."""

    left: tuple[Message, ...]
    looks: Mapping[str, datetime] = field(default_factory=dict)


def goes_by_chat(ticket: Ticket, reply: Message) -> bool:
    """Whether an answer belongs in a chat: its customer spoke there last, and nobody else is to read it."""
    return is_answered_by_chat(ticket, reply) and is_for_customer_alone(ticket, reply)


def when_away(ticket: Ticket, reply: Message, now: datetime, patience: ChatPatience) -> ByMail | Wait | GiveUp:
    """Decide what becomes of an answer whose customer is not in the chat."""
    left_at = max(reply.at, reply.deliver_after or reply.at)
    if is_mailable(ticket.requester):
        mailed_at = left_at + patience.grace
        return ByMail() if now >= mailed_at else Wait(mailed_at)
    given_up_at = left_at + patience.give_up
    return GiveUp() if now >= given_up_at else Wait(given_up_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatSender:
    """Shows answers to customers who are in their chats, whichever process holds their sockets."""

    connection: Client
    recorder: Recorder
    clock: Clock
    figures: Figures
    patience: ChatPatience

    async def carry(self, ticket: Ticket, history: History, replies: Sequence[Message]) -> Carried:
        """Show the answers that belong in a chat, in their order. Raises EventStoreError."""
        left: list[Message] = []
        looks: dict[str, datetime] = {}
        is_there = True
        for reply in replies:
            if not goes_by_chat(ticket, reply):
                left.append(reply)
                continue
            is_there = is_there and await self._show(ticket, reply, history)
            if is_there:
                await self._record(history, reply, RecordDelivery(message_id=reply.id, channel=CHAT), "delivered")
                continue
            match when_away(ticket, reply, self.clock.now(), self.patience):
                case ByMail():
                    left.append(reply)
                case Wait(until=until):
                    looks[reply_mail_id(ticket.id, reply)] = until
                case GiveUp():
                    await self._record(history, reply, RecordBounce(message_id=reply.id, reason=GONE), "bounced")
        return Carried(tuple(left), looks)

    async def _show(self, ticket: Ticket, reply: Message, history: History) -> bool:
        """Ask whoever holds the customer's socket to show an answer; whether it was shown."""
        asked = json.dumps({"message_id": reply.id, "sequence": history.tip.sequence}).encode()
        try:
            answer = await self.connection.request(chat_reply_subject(ticket.id), asked, timeout=ANSWER_SECONDS)
        except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
            return False
        return bool(answer.data == SHOWN)

    async def _record(self, history: History, reply: Message, command: TicketCommand, outcome: str) -> None:
        origin = commit_of_reply(history, reply.id)
        cause = caused_by(origin, reply_mail_id(origin.ticket_id, reply), "settled", self.clock.now())
        try:
            await self.recorder.record(origin.ticket_id, command, cause)
        except ReplyWasWithdrawn:
            log.warning("answer shown in the moment it was withdrawn", message_id=reply.id)
            return
        self.figures.attempts.labels("chat", outcome).inc()
        log.info("chat answer settled", message_id=reply.id, outcome=outcome)
