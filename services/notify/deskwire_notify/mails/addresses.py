"""Which addresses a mail can be sent to, written as the mail system wants them."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.threading_tokens import without_detail
from deskwire_shared.ticket.chats import is_visitor
from deskwire_shared.ticket.state import Message, Ticket

LONGEST_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""

_LOCAL_PART = re.compile(r'[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]{1,64}\Z')
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z")


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who gets a mail, and which of the wished addresses no mail can be sent to."""

    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    unmailable: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address once, in the order of the headers."""
        return tuple(dict.fromkeys(person.address for person in (*self.to, *self.cc)))


def mailable(address: str) -> str | None:
    """Write an address as a mail server takes it, its domain in ASCII (IDNA); None for what is no mail address."""
    local, _, domain = address.strip().rpartition("@")
    ascii_domain = _ascii(domain)
    if not _LOCAL_PART.match(local) or not local.isprintable() or ascii_domain is None:
        return None
    written = f"{local}@{ascii_domain}"
    return written if len(written.encode()) <= LONGEST_ADDRESS else None


def addressees(ticket: Ticket, reply: Message) -> tuple[Address, ...]:
    """List whom a reply goes to; the customer of a chat may have told their address only after it was written."""
    requester = ticket.requester
    return tuple(requester if requester is not None and is_visitor(person) else person for person in reply.to)


def recipients(to: Iterable[Address], cc: Iterable[Address], mailboxes: Collection[str]) -> Recipients:
    """Sort out whom to send to: each address once, our own mailboxes never, lest the desk write to itself."""
    seen: set[str] = set()
    unmailable: list[str] = []

    def kept(people: Iterable[Address]) -> tuple[Address, ...]:
        found = []
        for person in people:
            address = mailable(person.address)
            if address is None:
                unmailable.append(person.address)
            elif address.lower() not in seen and not is_own(address, mailboxes):
                seen.add(address.lower())
                found.append(Address(address=address, name=person.name))
        return tuple(found)

    return Recipients(kept(to), kept(cc), tuple(unmailable))


def is_own(address: str, mailboxes: Collection[str]) -> bool:
    """Whether an address is one of the desk's mailboxes, `support+anything@` as `support@`."""
    return _mailbox(address) in set(map(_mailbox, mailboxes))


def _mailbox(address: str) -> str:
    return without_detail(address.strip().lower())


def _ascii(domain: str) -> str | None:
    try:
        written = domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return written if _DOMAIN.match(written) else None
