"""Which ticket an inbound mail belongs to: a pure decision over what the mail says and what was looked up."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from deskwire_intake.mail.parsed import ParsedMail
from deskwire_shared.contracts.threading_tokens import is_loop_token, ticket_of, ticket_of_message_id, without_detail

MAX_SUBJECT_NUMBER_DIGITS = 12

_SUBJECT_NUMBER = re.compile(rf"\[#([0-9]{{1,{MAX_SUBJECT_NUMBER_DIGITS}}})\]")


@dataclass(frozen=True, slots=True)
class TicketToken:
    """One of our signed reply addresses among the recipients."""

    ticket_id: str


@dataclass(frozen=True, slots=True)
class OwnReference:
    """The signed Message-ID of a mail of ours in the thread."""

    ticket_id: str


@dataclass(frozen=True, slots=True)
class ForeignReference:
    """The Message-ID of a mail that somebody else sent; anyone who saw it can write it."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The Message-ID of the mail itself: an answer to it may have come first, and have opened the ticket for both."""

    message_id: str


@dataclass(frozen=True, slots=True)
class SubjectNumber:
    """A ticket number in the subject; anyone can write it."""

    number: int


Candidate = TicketToken | OwnReference | Expected | ForeignReference | SubjectNumber


@dataclass(frozen=True, slots=True)
class ResolvedTicket:
    """The ticket that a candidate leads to, after merges, with the addresses of those who take part in it.

    `requesters` are those whose matter it is, `first_message_id` is what the mail was called that opened it.
    """

    ticket_id: str
    participants: frozenset[str]
    requesters: frozenset[str] = frozenset()
    first_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, None when that is in doubt, and to whom."""

    address: str | None
    addressed: frozenset[str] = frozenset()

    def takes_part(self, ticket: ResolvedTicket) -> bool:
        """Whether they may write on a ticket."""
        return self.address is not None and self.address.lower() in _lowered(ticket.participants)

    def knows_requester(self, ticket: ResolvedTicket) -> bool:
        """Whether a ticket is their own matter, or that of somebody they write to."""
        known = _lowered(self.addressed) | ({self.address.lower()} if self.address else set())
        return not known.isdisjoint(_lowered(ticket.requesters))


@dataclass(frozen=True, slots=True)
class Reply:
    """The mail continues a ticket."""

    ticket_id: str
    found_by: Candidate


@dataclass(frozen=True, slots=True)
class NewTicket:
    """The mail opens a ticket; it may be suggested to link it to another one that it points at without proof."""

    suggested_ticket_id: str | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """The mail is our own coming back and opens or continues nothing."""

    reason: str


Match = Reply | NewTicket


def loop(mail: ParsedMail, mailboxes: Collection[str], key: bytes) -> Loop | None:
    """Recognise a mail that this desk sent itself."""
    if mail.message_id is not None and ticket_of_message_id(mail.message_id, key):
        return Loop("own Message-ID")
    if any(is_loop_token(token, key) for token in mail.machine.loop_tokens):
        return Loop("own loop header")
    own = {without_detail(mailbox.lower()) for mailbox in mailboxes}
    if mail.from_ is not None and without_detail(mail.from_.address.lower()) in own:
        return Loop("own mailbox as sender")
    return None


def candidates(mail: ParsedMail, key: bytes) -> tuple[Candidate, ...]:
    """List what in a mail may lead to a ticket: signed tokens first, then the thread, the subject last."""
    found: tuple[Candidate, ...] = (
        *_tokens(mail, key),
        *_own_references(mail, key),
    )
    anyones = tuple(_foreign_references(mail, key))
    expected = (Expected(mail.message_id),) if anyones and not found and mail.message_id else ()
    return tuple(dict.fromkeys((*found, *expected, *anyones, *_numbers(mail))))


def thread_root(mail: ParsedMail, key: bytes) -> str | None:
    """Name the oldest mail of the thread that is not ours, by its Message-ID."""
    oldest_first = reversed(_thread(mail))
    return next((found for found in oldest_first if ticket_of_message_id(found, key) is None), None)


def choose(candidates: tuple[Candidate, ...], resolved: Mapping[Candidate, ResolvedTicket], writer: Writer) -> Match:
    """Choose the ticket; what anyone could write counts only for those who take part in the ticket already."""
    suggested: str | None = None
    named = {one.message_id for one in candidates if isinstance(one, ForeignReference)}
    for candidate in candidates:
        ticket = resolved.get(candidate)
        if ticket is None:
            continue
        if _may_join(candidate, ticket, writer):
            return Reply(ticket.ticket_id, candidate)
        if isinstance(candidate, SubjectNumber) or ticket.first_message_id in named:
            suggested = suggested or ticket.ticket_id
    return NewTicket(suggested)


def _may_join(candidate: Candidate, ticket: ResolvedTicket, writer: Writer) -> bool:
    """Tell whether a candidate proves enough.

    Who opens a ticket chooses under which foreign Message-ID, and whom they copy in. So by such an id nobody joins
    but who turns to the requester themselves: a stranger cannot lie in wait for other people's mails.
    """
    match candidate:
        case TicketToken() | OwnReference():
            return True
        case SubjectNumber():
            return writer.takes_part(ticket)
        case ForeignReference():
            return writer.takes_part(ticket) and writer.knows_requester(ticket)
        case Expected(message_id):
            same_name = ticket.first_message_id == message_id
            return not same_name and writer.takes_part(ticket) and writer.knows_requester(ticket)


def subject_number(subject: str) -> int | None:
    """Read the ticket number from a subject like `Re: [#1234] Printer`."""
    number = _SUBJECT_NUMBER.search(subject)
    return int(number[1]) if number else None


def _tokens(mail: ParsedMail, key: bytes) -> Iterator[TicketToken]:
    for address in (*mail.delivered_to, *(recipient.address for recipient in (*mail.to, *mail.cc))):
        ticket_id = ticket_of(address, key)
        if ticket_id is not None:
            yield TicketToken(ticket_id)


def _thread(mail: ParsedMail) -> tuple[str, ...]:
    """List the Message-IDs of a thread, the nearest first."""
    nearest = (mail.in_reply_to,) if mail.in_reply_to else ()
    return (*nearest, *reversed(mail.references))


def _own_references(mail: ParsedMail, key: bytes) -> Iterator[OwnReference]:
    for message_id in _thread(mail):
        ticket_id = ticket_of_message_id(message_id, key)
        if ticket_id is not None:
            yield OwnReference(ticket_id)


def _foreign_references(mail: ParsedMail, key: bytes) -> Iterator[ForeignReference]:
    return (ForeignReference(found) for found in _thread(mail) if ticket_of_message_id(found, key) is None)


def _numbers(mail: ParsedMail) -> tuple[SubjectNumber, ...]:
    number = subject_number(mail.subject)
    return () if number is None else (SubjectNumber(number),)


def _lowered(addresses: Collection[str]) -> set[str]:
    return {address.lower() for address in addresses}
