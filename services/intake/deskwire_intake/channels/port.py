"""What a channel is: it turns raw input into an inbound message, and has it accepted onto a ticket.

Errors:

    CannotBeHandled          no try will ever do better: the channel parks its raw input with the reason
    ├── SenderIsBlocked
    ├── OwnMailCameBack
    ├── BelongsToNoTicket
    └── HasNoSender
    TicketKeepsMoving        passes: a later try will find the ticket at rest
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deskwire_intake.matching import Candidate
from deskwire_shared.contracts.facts import Address, Attachment, FieldValue, MachineKind, Priority, Status
from deskwire_shared.contracts.intake_ledger import Decision
from deskwire_shared.contracts.mails import Authentication, EnclosedMail, Invitation, Protection


class CannotBeHandled(Exception):
    """No try will ever do better; the message is the reason that is shown to people."""


class SenderIsBlocked(CannotBeHandled):
    """The customer may not write, or nobody of their organisation."""

    def __init__(self, who: str = "the sender") -> None:
        super().__init__(f"{who} is blocked")


class OwnMailCameBack(CannotBeHandled):
    """A mail of ours returned, and would go round for ever."""

    def __init__(self, sign: str) -> None:
        super().__init__(f"a mail of this desk came back to it: {sign}")


class BelongsToNoTicket(CannotBeHandled):
    """A machine's answer to nothing that is open opens nothing."""


class HasNoSender(CannotBeHandled):
    """Nobody could be answered."""

    def __init__(self) -> None:
        super().__init__("the message names no sender")


class TicketKeepsMoving(Exception):
    """The ticket was closed or merged again and again while a message was entered."""


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that came with a message."""

    filename: str
    content_type: str
    sha256: str
    content: bytes = field(repr=False)
    content_id: str | None = None
    inline: bool = False
    invitation: Invitation | None = None
    mail: EnclosedMail | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UndeliveredReply:
    """The report that a reply of ours did not arrive, or is late."""

    ticket_id: str
    message_id: str
    permanent: bool
    reason: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundMessage:
    """What somebody said to the desk, whatever the channel.

    `fingerprint` names it for ever in one mailbox, `thread_key` is what others refer to it by,
    `candidates` is what in it may lead to a ticket.
    """

    medium: str
    mailbox: str
    channel_id: str | None
    follow_up_days: int
    fingerprint: str
    content_digest: str
    thread_key: str | None
    raw_key: str | None
    """Where it is kept as it came; None when every word of it stands on the ticket."""
    author: Address
    subject: str
    text: str
    new_text: str
    """The text without the quoted history."""
    signature: str | None = None
    """What the new text ends with, when that is its author's signature."""
    html: str | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    references: tuple[str, ...] = ()
    thread_root: str | None = None
    """What the oldest message of its thread is referred to by, when that may have opened a ticket, or should."""
    files: tuple[IncomingFile, ...] = ()
    kept_files: tuple[Attachment, ...] = ()
    """Files that the channel has put in the object store already."""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    """Fields of the ticket, should the message open one."""
    ticket_id: str | None = None
    """The ticket that the channel has chosen for it: opened by it unless it is there."""
    conversation: str | None = None
    """Where the channel takes an answer."""
    priority: Priority = "normal"
    """The priority of the ticket, should the message open one; its tags likewise."""
    tags: tuple[str, ...] = ()
    status: Status | None = None
    """The ticket's status after the message, when the channel knows it."""
    machine: MachineKind | None = None
    spam: bool = False
    """Whether a relay that is trusted took it for spam."""
    protection: Protection | None = None
    authentication: Authentication | None = None
    """What a relay that is trusted says of the author."""
    undelivered: UndeliveredReply | None = None
    candidates: tuple[Candidate, ...] = ()

    @property
    def known_author(self) -> str | None:
        """The author's address, unless a relay says that somebody else writes under it."""
        is_doubtful = self.authentication is not None and self.authentication.sender == "failed"
        return None if is_doubtful else self.author.address


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message's entry in the log: it will never be lost, and never be there twice."""

    ticket_id: str
    number: int
    sequence: int
    decision: Decision

    @property
    def repeated(self) -> bool:
        """Whether it was there before."""
        return self.decision == "repeated"


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that waits for a person's decision."""

    number: int
    reason: str
    is_expected: bool = True
    """Whether the reason is one of our own words, and not that of an error nobody foresaw."""


class Parking(Protocol):
    """Where waits what cannot be handled."""

    async def park(
        self, reference: str, data: bytes, headers: dict[str, str], *, reason: str, once: tuple[str, ...] = ()
    ) -> int:
        """Keep something with the reason; its number. What `once` names is kept once while it waits."""
        ...


Accept = Callable[[InboundMessage, Awaitable[object]], Awaitable[Accepted]]
"""Enter a message on its ticket, once its raw input is safe, which the second argument waits for.

Raises CannotBeHandled, or an error of the moment that a later try may not meet.
"""


def nothing_to_keep() -> Awaitable[object]:
    """What a message waits for whose raw input is safe already, or that has none."""
    kept = asyncio.get_running_loop().create_future()
    kept.set_result(None)
    return kept
