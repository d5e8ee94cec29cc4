"""How a chat stands and what was said in it, as its customer may see it: pure functions over the ticket."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deskwire_shared.contracts.personal import ERASED
from deskwire_shared.ticket.chats import CHAT, is_for_customer
from deskwire_shared.ticket.state import Message, Ticket

ChatState = Literal["ready", "away", "queued", "with_agent", "solved", "ended"]


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said in a chat."""

    id: str
    by: Literal["customer", "agent"]
    name: str
    text: str
    at: datetime
    files: tuple[str, ...] = ()
    """Their names, in the order they stand in on the message."""


def has_ended(ticket: Ticket) -> bool:
    """Whether nothing can be said any more; a chat that lives on as another ticket has ended here."""
    return ticket.is_closed or ticket.is_merged


def state_of(ticket: Ticket, *, is_open: bool) -> ChatState:
    """How a chat stands."""
    if has_ended(ticket):
        return "ended"
    if ticket.status == "solved":
        return "solved"
    if ticket.assignee_id is not None and (is_open or ticket.first_response_at is not None):
        return "with_agent"
    if not is_open:
        return "away"
    return "queued" if ticket.exists else "ready"


def transcript(ticket: Ticket, name_of: Callable[[str], str]) -> tuple[Line, ...]:
    """What the customer may read: their own words, and the answers that have reached them by any way."""
    return tuple(_lines(ticket, name_of))


def _lines(ticket: Ticket, name_of: Callable[[str], str]) -> Iterator[Line]:
    for message in ticket.messages:
        if message.redacted or message.moved_to is not None or message.machine is not None:
            continue
        if message.kind == "customer" and (message.channel == CHAT or message.author == ticket.requester_id):
            yield line_of(message, message.address.name if message.address else "")
        elif message.kind == "agent" and message.delivery == "delivered" and is_for_customer(ticket, message):
            yield line_of(message, name_of(message.author))


def line_of(message: Message, name: str) -> Line:
    """A message as a line of a transcript."""
    by: Literal["customer", "agent"] = "customer" if message.kind == "customer" else "agent"
    files = tuple(file.filename for file in message.attachments)
    return Line(message.id, by, "" if name == ERASED else name, message.text, message.at, files)


def behind(lines: tuple[Line, ...], last_seen: str) -> tuple[Line, ...] | None:
    """What follows the last line somebody has seen; None when it is not there, and all has to be told."""
    for number, line in enumerate(lines):
        if line.id == last_seen:
            return lines[number + 1 :]
    return None


def removed_from(ticket: Ticket) -> frozenset[str]:
    """The messages whose words are hidden for good, or stand on another ticket."""
    return frozenset(message.id for message in ticket.messages if message.redacted or message.moved_to is not None)


def waiting_replies(ticket: Ticket, now: datetime) -> tuple[Message, ...]:
    """The answers that nobody has seen yet and that need not wait any longer."""
    return tuple(
        message
        for message in ticket.messages
        if message.kind == "agent"
        and message.delivery == "waiting"
        and not message.redacted
        and (message.deliver_after is None or message.deliver_after <= now)
    )


def subject_of(text: str, longest: int = 80) -> str:
    """What a chat is about: the start of its first message."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
