"""What is said on a ticket, and what became of it on its way to the customer."""

from dataclasses import fields
from typing import Any, assert_never

from deskwire_shared.contracts.facts import (
    Acknowledged,
    AgentReplied,
    Attachment,
    CustomerReplied,
    NoteAdded,
    Opened,
    Redacted,
    ReplyBounced,
    ReplyDelivered,
    ReplyWithdrawn,
    TicketFact,
)
from deskwire_shared.contracts.personal import ERASED
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    AddNote,
    ConversationCommand,
    CustomerWords,
    OpenTicket,
    ReceiveReply,
    RecordAcknowledgement,
    RecordBounce,
    RecordDelivery,
    RedactMessage,
    SendReply,
    WithdrawReply,
)
from deskwire_shared.ticket.lifecycle import move, resume
from deskwire_shared.ticket.refusals import (
    EmptyMessage,
    MessageIdIsTaken,
    ReplyAlreadyDelivered,
    ReplyIsLeaving,
    ReplyWasWithdrawn,
    TicketAlreadyExists,
    TooMany,
    UnknownMessage,
)
from deskwire_shared.ticket.state import Message, MessageKind, Ticket
from deskwire_shared.ticket.wording import one_line, sorted_tags


def decide_conversation(command: ConversationCommand, ticket: Ticket) -> list[TicketFact]:  # noqa: PLR0911 - one case per wish
    """Turn a wish about messages into facts, or refuse."""
    match command:
        case OpenTicket():
            return _open(command, ticket)
        case ReceiveReply():
            return _receive(command, ticket)
        case SendReply():
            return _send(command, ticket)
        case WithdrawReply():
            return _withdraw(command, ticket)
        case AddNote():
            return _note(command, ticket)
        case RedactMessage():
            return _redact(command, ticket)
        case RecordDelivery():
            return _deliver(command, ticket)
        case RecordBounce():
            return _bounce(command, ticket)
        case RecordAcknowledgement():
            return _acknowledge(command, ticket)
        case _:
            assert_never(command)


def _open(command: OpenTicket, ticket: Ticket) -> list[TicketFact]:
    if ticket.exists:
        if _said_before(ticket, command.message_id, "customer", command.text):
            return []
        raise TicketAlreadyExists(ticket.id)
    return [
        Opened(
            **_words(command),
            person_id=command.requester_id,
            number=command.number,
            requester_id=command.requester_id,
            priority=command.priority,
            ticket_type=command.ticket_type,
            tags=sorted_tags(command.tags),
            follow_up_of=command.follow_up_of,
        )
    ]


def _receive(command: ReceiveReply, ticket: Ticket) -> list[TicketFact]:
    if _said_before(ticket, command.message_id, "customer", command.text):
        return []
    said = CustomerReplied(**_words(command), person_id=command.author_id, author_id=command.author_id)
    return [said] if command.machine or command.spam else [said, *resume(ticket)]


def _words(command: CustomerWords) -> dict[str, Any]:
    """Check what a customer said. An empty mail is kept, since its raw bytes stand behind it."""
    if not command.raw_key and not command.subject.strip():
        _require_something(command.text, command.html, command.attachments)
    _require_sizes(command.text, command.html, command.attachments)
    limits.require_text("quoted text", command.quoted or "", limits.TEXT_SIZE)
    limits.require_text("signature", command.signature or "", limits.TEXT_SIZE)
    limits.require_addresses((command.author,))
    limits.require_addresses(command.to + command.cc)
    limits.require_count("references", command.references, limits.REFERENCES)
    limits.require_lines("message id", (command.internet_message_id or "", *command.references))
    limits.require_lines("conversation", (command.conversation or "",))
    words = {field.name: getattr(command, field.name) for field in fields(CustomerWords)}
    return words | {"subject": one_line("subject", command.subject, limits.SUBJECT_LENGTH)}


def _send(command: SendReply, ticket: Ticket) -> list[TicketFact]:
    if _said_before(ticket, command.message_id, "agent", command.text):
        return []
    _require_something(command.text, command.html, command.attachments)
    _require_sizes(command.text, command.html, command.attachments)
    limits.require_modest(command.html)
    limits.require_addresses(command.to + command.cc)
    said = AgentReplied(
        person_id=ticket.requester_id,
        message_id=command.message_id,
        agent_id=command.agent_id,
        automated=command.automated,
        deliver_after=command.deliver_after,
        text=command.text,
        html=command.html,
        to=command.to or ((ticket.requester,) if ticket.requester else ()),
        cc=command.cc,
        attachments=command.attachments,
    )
    picked_up = "open" if ticket.status == "new" and not command.automated else ticket.status
    return [said, *move(ticket, command.status or picked_up)]


def _withdraw(command: WithdrawReply, ticket: Ticket) -> list[TicketFact]:
    reply = _reply(ticket, command.message_id)
    if reply.delivery == "withdrawn":
        return []
    if reply.delivery != "waiting":
        raise ReplyAlreadyDelivered
    if reply.deliver_after is None or command.at >= reply.deliver_after:
        raise ReplyIsLeaving
    return [ReplyWithdrawn(message_id=reply.id)]


def _note(command: AddNote, ticket: Ticket) -> list[TicketFact]:
    if _said_before(ticket, command.message_id, "note", command.text):
        return []
    _require_something(command.text, None, command.attachments)
    _require_sizes(command.text, None, command.attachments)
    limits.require_count("mentions", command.mentions, limits.MENTIONS)
    return [
        NoteAdded(
            person_id=ticket.requester_id,
            message_id=command.message_id,
            agent_id=command.agent_id,
            mentions=command.mentions,
            text=command.text,
            attachments=command.attachments,
        )
    ]


def _redact(command: RedactMessage, ticket: Ticket) -> list[TicketFact]:
    message = ticket.message(command.message_id)
    if message is None:
        raise UnknownMessage(command.message_id)
    if message.redacted:
        return []
    limits.require_lines("reason", (command.reason,))
    hidden = Redacted(message_id=message.id, agent_id=command.agent_id, reason=command.reason)
    # Words nobody may see must not leave the desk either.
    return [ReplyWithdrawn(message_id=message.id), hidden] if message.delivery == "waiting" else [hidden]


def _deliver(command: RecordDelivery, ticket: Ticket) -> list[TicketFact]:
    reply = _reply(ticket, command.message_id)
    if reply.delivery == "withdrawn":
        raise ReplyWasWithdrawn
    # A bounce may overtake the note of the delivery it followed on; the bounce is what counts.
    if reply.delivery in {"delivered", "bounced"}:
        return []
    return [ReplyDelivered(message_id=reply.id, channel=command.channel, attempts=command.attempts)]


def _bounce(command: RecordBounce, ticket: Ticket) -> list[TicketFact]:
    reply = _reply(ticket, command.message_id)
    if reply.delivery == "withdrawn":
        raise ReplyWasWithdrawn
    if reply.delivery == "bounced":
        return []
    limits.require_count("recipients", command.recipients, limits.RECIPIENTS)
    limits.require_lines("address", command.recipients)
    limits.require_text("reason", command.reason, limits.COMMENT_SIZE)
    return [
        ReplyBounced(
            person_id=ticket.requester_id,
            message_id=reply.id,
            permanent=command.permanent,
            reason=command.reason,
            recipients=command.recipients,
        )
    ]


def _acknowledge(command: RecordAcknowledgement, ticket: Ticket) -> list[TicketFact]:
    if ticket.acknowledged:
        return []
    limits.require_text("reason", command.reason, limits.COMMENT_SIZE)
    return [
        Acknowledged(
            message_id=command.message_id,
            template_id=command.template_id,
            outcome=command.outcome,
            reason=command.reason,
        )
    ]


def _reply(ticket: Ticket, message_id: str) -> Message:
    message = ticket.message(message_id)
    if message is None or message.kind != "agent":
        raise UnknownMessage(message_id)
    return message


def _said_before(ticket: Ticket, message_id: str, kind: MessageKind, text: str) -> bool:
    """Whether this is a repeat; other words under the same id are refused, lest they be lost."""
    known = ticket.message(message_id)
    if known is None:
        if len(ticket.messages) >= limits.MESSAGES:
            raise TooMany("messages", len(ticket.messages) + 1, limits.MESSAGES)
        return False
    if known.kind != kind or not (known.redacted or known.text in {text, ERASED}):
        raise MessageIdIsTaken(message_id)
    return True


def _require_something(text: str, html: str | None, attachments: tuple[Attachment, ...]) -> None:
    if not (text.strip() or (html or "").strip() or attachments):
        raise EmptyMessage


def _require_sizes(text: str, html: str | None, attachments: tuple[Attachment, ...]) -> None:
    limits.require_text("text", text, limits.TEXT_SIZE)
    limits.require_text("HTML", html or "", limits.HTML_SIZE)
    limits.require_attachments(attachments)
