"""How what was said is kept on a ticket."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from deskwire_shared.contracts.facts import Address, AgentReplied, CustomerMessage, NoteAdded
from deskwire_shared.contracts.personal import ERASED
from deskwire_shared.ticket.state import Message, Ticket


def customer_message(fact: CustomerMessage, author_id: str, at: datetime) -> Message:
    """Keep what a customer said."""
    return Message(
        id=fact.message_id,
        kind="customer",
        at=at,
        author=author_id,
        address=fact.author,
        subject=fact.subject,
        text=fact.text,
        html=fact.html,
        to=fact.to,
        cc=fact.cc,
        attachments=fact.attachments,
        channel=fact.channel,
        channel_id=fact.channel_id,
        conversation=fact.conversation,
        internet_message_id=fact.internet_message_id,
        references=fact.references,
        machine=fact.machine,
        spam=fact.spam,
        protection=fact.protection,
        authentication=fact.authentication,
    )


def reply_message(fact: AgentReplied, at: datetime) -> Message:
    """Keep an agent's answer, which waits to be delivered."""
    return Message(
        id=fact.message_id,
        kind="agent",
        at=at,
        author=fact.agent_id,
        text=fact.text,
        html=fact.html,
        to=fact.to,
        cc=fact.cc,
        attachments=fact.attachments,
        automated=fact.automated,
        delivery="waiting",
        deliver_after=fact.deliver_after,
    )


def note_message(fact: NoteAdded, at: datetime) -> Message:
    """Keep a note."""
    return Message(
        id=fact.message_id,
        kind="note",
        at=at,
        author=fact.agent_id,
        text=fact.text,
        mentions=fact.mentions,
        attachments=fact.attachments,
    )


def hidden(message: Message) -> Message:
    """Take the words out of a message."""
    return replace(message, redacted=True, subject="", text="", html=None, attachments=())


def with_messages(ticket: Ticket, ids: Collection[str], change: Callable[[Message], Message]) -> Ticket:
    """Change some messages of a ticket."""
    messages = tuple(change(message) if message.id in ids else message for message in ticket.messages)
    return replace(ticket, messages=messages)


def addresses_of(*people: Address) -> frozenset[str]:
    """Name the addresses of people as they are compared: trimmed, in small letters."""
    return frozenset(person.address.strip().lower() for person in people) - {"", ERASED}
