"""What a mail says, once its bytes have been read."""

from dataclasses import dataclass, field
from datetime import datetime

from deskwire_shared.contracts.mails import EnclosedMail, Invitation, Protection


@dataclass(frozen=True, slots=True)
class Address:
    """A person or mailbox as a mail header names it."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail; `inline` ones are shown by the HTML body through their content id."""

    filename: str
    content_type: str
    size: int
    sha256: str
    content_id: str | None
    inline: bool
    content: bytes = field(repr=False)
    invitation: Invitation | None = None
    mail: EnclosedMail | None = None


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report that a mail of ours could not be delivered."""

    failed: tuple[str, ...] = ()
    delayed: tuple[str, ...] = ()
    status: str | None = None
    diagnostic: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Which signs a mail carries of having been sent by a machine."""

    auto_submitted: str | None = None
    is_auto_reply: bool = False
    is_bulk: bool = False
    declines_answers: bool = False
    bounce: Bounce | None = None
    loop_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What one method of authentication came to: `dkim`, `pass`, and properties like `("header.d", "example.net")`."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def property(self, *names: str) -> str:
        """The first of some properties that is told."""
        told = dict(self.properties)
        return next((told[name] for name in names if name in told), "")


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """What one server says about who sent a mail; anybody can write such a field."""

    relay: str
    results: tuple[MethodResult, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """What is written above a mail about its way; anybody can write it."""

    hops: tuple[str, ...] = ()
    authentication: tuple[AuthenticationResults, ...] = ()
    spam_signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A mail in plain data: decoded, bounded and free of NUL bytes."""

    subject: str
    from_: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    date: datetime | None
    text: str
    html: str | None
    reply_text: str
    signature: str | None
    """What of the newly written text is its author's signature: its end."""
    attachments: tuple[Attachment, ...]
    machine: Machine
    way: Way
    protection: Protection | None
    content_digest: str
    defects: tuple[str, ...]

    @property
    def is_auto_reply(self) -> bool:
        """Whether a machine wrote it (RFC 3834), so that it must not reopen a ticket."""
        return self.machine.is_auto_reply

    @property
    def is_bounce(self) -> bool:
        """Whether it reports that a mail was not delivered for good."""
        bounce = self.machine.bounce
        return bounce is not None and (bool(bounce.failed) or not bounce.delayed)

    @property
    def may_be_acknowledged(self) -> bool:
        """Whether an automatic answer to it could neither start a loop nor bother a list."""
        machine = self.machine
        by_machine = machine.is_auto_reply or machine.bounce is not None
        return not (by_machine or machine.is_bulk or machine.declines_answers)

    @property
    def may_reopen(self) -> bool:
        """Whether it may set a solved ticket back to work: a human wrote it."""
        return not (self.machine.is_auto_reply or self.machine.bounce is not None)
