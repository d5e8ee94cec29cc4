"""What must leave the desk for a ticket as it is now: a pure decision."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from deskwire_notify.mails.addresses import is_own, mailable
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.ticket.chats import CHAT
from deskwire_shared.ticket.state import Message, Ticket

ACKNOWLEDGE_WITHIN = timedelta(hours=12)
"""Later than that, "we have received your request" is no news any more."""

_NOBODY = re.compile(
    r"((no|do[-_.]?not|donot)[-_.]?reply|mailer-daemon|postmaster|bounces?)([-_.+].*)?@", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The customer is to be told that the ticket exists."""


@dataclass(frozen=True, slots=True)
class Withhold:
    """The customer could be told that the ticket exists, but must not be."""

    reason: str


def replies_to_send(ticket: Ticket, now: datetime) -> tuple[Message, ...]:
    """List the replies whose time to leave has come."""
    return tuple(message for message in ticket.messages if _is_waiting(message) and not _is_held(message, now))


def held_replies(ticket: Ticket, now: datetime) -> tuple[tuple[Message, datetime], ...]:
    """List the replies that can still be taken back, each with the moment it leaves."""
    return tuple(
        (message, message.deliver_after)
        for message in ticket.messages
        if _is_waiting(message) and message.deliver_after is not None and message.deliver_after > now
    )


def way_out(ticket: Ticket, reply: Message, channels: Mapping[str, Channel]) -> Literal["email", "webhook"]:
    """Choose the way a reply leaves by: mail to whoever has a mail address, else back to where they wrote from."""
    if any(mailable(person.address) for person in (*reply.to, *reply.cc)):
        return "email"
    said = conversation_to_answer(ticket, reply)
    channel = channels.get(said.channel_id or "") if said else None
    return "webhook" if channel is not None and channel.medium == "webhook" else "email"


def conversation_to_answer(ticket: Ticket, reply: Message) -> Message | None:
    """Find what a reply answers in a conversation: the last words in one before it, of a recipient if there are any."""
    before = ticket.messages[: ticket.messages.index(reply)]
    said = [message for message in reversed(before) if message.conversation is not None]
    to = {person.address for person in reply.to}
    of_recipients = (message for message in said if message.address is not None and message.address.address in to)
    return next(of_recipients, said[0] if said else None)


def acknowledgement(
    ticket: Ticket,
    *,
    opened_by: Actor,
    channel: Channel | None,
    requester: Customer | None,
    mailboxes: Collection[str],
    now: datetime,
) -> Acknowledge | Withhold | None:
    """Decide whether the customer is told that the ticket exists; None when nobody expects it."""
    if not ticket.exists or ticket.acknowledged or channel is None or not (channel.acknowledge and channel.active):
        return None
    if channel.medium == CHAT:  # the widget has told them
        return None
    reason = (
        _unwelcome(ticket, mailboxes)
        or _needless(ticket, opened_by, now)
        or ("the customer is blocked" if requester is not None and requester.blocked else None)
    )
    return Withhold(reason) if reason else Acknowledge()


def reply_mail_id(ticket_id: str, message: Message) -> str:
    """Name the mail that carries a reply; the same one at every attempt, on every replica."""
    return message.id if _ID.match(message.id) else derived_id("reply mail", ticket_id, message.id)


def acknowledgement_mail_id(ticket_id: str) -> str:
    """Name the mail that acknowledges a ticket."""
    return derived_id("acknowledgement mail", ticket_id)


_ID = re.compile(r"[a-z2-7]{16}\Z")


def _is_waiting(message: Message) -> bool:
    return message.kind == "agent" and message.delivery == "waiting" and not message.redacted


def _is_held(message: Message, now: datetime) -> bool:
    return message.deliver_after is not None and message.deliver_after > now


def _unwelcome(ticket: Ticket, mailboxes: Collection[str]) -> str | None:
    """Say why an automatic answer would start a loop, bother a list or reach nobody."""
    machine = ticket.messages[0].machine
    address = mailable(ticket.requester.address) if ticket.requester else None
    if ticket.messages[0].spam:
        return "spam"
    if machine is not None:
        return {"auto_reply": "an automatic reply", "bounce": "a bounce", "list": "a mailing list"}[machine]
    if address is None:
        return "the customer has no mail address"
    if is_own(address, mailboxes):
        return "the sender is a mailbox of this desk"
    if _NOBODY.match(address):
        return "nobody reads mail at the sender's address"
    return None


def _needless(ticket: Ticket, opened_by: Actor, now: datetime) -> str | None:
    if opened_by.kind == "agent":
        return "an agent opened the ticket"
    if ticket.is_merged:
        return "the ticket was merged"
    if ticket.status in {"solved", "closed"} or any(message.answers_the_customer for message in ticket.messages):
        return "the customer was answered already"
    if ticket.opened_at is not None and now - ticket.opened_at > ACKNOWLEDGE_WITHIN:
        return "it would come too late"
    return None
