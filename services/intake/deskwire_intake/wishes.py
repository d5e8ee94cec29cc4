"""What an inbound message wishes of a ticket: the words within the desk's limits, and what belongs to them."""

from typing import Any

from deskwire_intake.channels.port import InboundMessage
from deskwire_intake.fitting import fitted_addresses, fitted_line, fitted_references, fitted_subject, fitted_words
from deskwire_shared.contracts.facts import Attachment, LinkKind
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    ChangeField,
    ChangeStatus,
    LinkTicket,
    OpenTicket,
    ReceiveReply,
    Several,
    SingleCommand,
    TicketCommand,
)
from deskwire_shared.ticket.state import Ticket


def reply_with_more(message: InboundMessage, reply: ReceiveReply) -> TicketCommand:
    """A reply with what belongs to it: the status after it."""
    return _together(reply, *_status_after(message))


def opening_with_more(
    message: InboundMessage, opening: OpenTicket, other: Ticket | None, kind: LinkKind = "related"
) -> TicketCommand:
    """An opening with what belongs to it: the fields of the message, and a link to another ticket."""
    fields = tuple(ChangeField(name=name, value=value) for name, value in message.fields.items())
    links = () if other is None else (LinkTicket(ticket_id=other.id, number=other.number, kind=kind),)
    return _together(opening, *fields, *links, *_status_after(message))


def _status_after(message: InboundMessage) -> tuple[SingleCommand, ...]:
    return () if message.status is None else (ChangeStatus(status=message.status),)


def _together(command: SingleCommand, *more: SingleCommand) -> TicketCommand:
    return Several(commands=(command, *more)) if more else command


def said_under(message: InboundMessage, ticket_id: str) -> str:
    """The id of a message on a ticket: what reaches it through two mailboxes has one id there, and is said once."""
    return derived_id("message", ticket_id, message.thread_key or "", message.content_digest)


def follow_up_link(closed: Ticket, ticket_id: str, number: int) -> TicketCommand | None:
    """A ticket with as many links as it can bear gets no more; its successor still names it."""
    if len(closed.links) >= limits.LINKS:
        return None
    return LinkTicket(ticket_id=ticket_id, number=number, kind="follow_up")


def _signed(text: str, signature: str | None) -> tuple[str, str | None]:
    """Split the signature off a text that ends with it; below history that is kept it may stand elsewhere."""
    if signature is None or not text.endswith(signature):
        return text, None
    return text.removesuffix(signature).rstrip(), signature


def words_of(message: InboundMessage, ticket_id: str, text: str, attachments: tuple[Attachment, ...]) -> dict[str, Any]:
    """What the customer said, within the desk's limits, as the fields of `CustomerWords`."""
    quoted = message.text.removeprefix(text).strip("\n") or None
    text, signature = _signed(text, message.signature)
    text, html, quoted = fitted_words(text, message.html, quoted)
    to = fitted_addresses(message.to, limits.RECIPIENTS)
    return {
        "message_id": said_under(message, ticket_id),
        "channel": message.medium,
        "channel_id": message.channel_id,
        "author": message.author,
        "subject": fitted_subject(message.subject),
        "text": text,
        "html": html,
        "quoted": quoted,
        "signature": signature,
        "raw_key": message.raw_key,
        "machine": message.machine,
        "spam": message.spam,
        "protection": message.protection,
        "authentication": message.authentication,
        "conversation": message.conversation,
        "to": to,
        "cc": fitted_addresses(message.cc, limits.RECIPIENTS - len(to)),
        "internet_message_id": fitted_line(message.thread_key or "", limits.LINE_SIZE) or None,
        "references": fitted_references(message.references),
        "attachments": attachments,
    }
