"""Which ticket an inbound mail belongs to: a pure decision over what the mail says and what was looked up."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from deskwire_intake.mail.parsed import ParsedMail
from deskwire_shared.contracts.threading_tokens import is_loop_token, ticket_of, ticket_of_message_id

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
class SubjectNumber:
    """A ticket number in the subject; anyone can write it."""

    number: int


Candidate = TicketToken | OwnReference | ForeignReference | SubjectNumber


@dataclass(frozen=True, slots=True)
class ResolvedTicket:
    """The ticket that a candidate leads to, after merges, with the addresses of those who take part in it."""

    ticket_id: str
    participants: frozenset[str]


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
    own = {_without_detail(mailbox) for mailbox in mailboxes}
    if mail.from_ is not None and _without_detail(mail.from_.address) in own:
        return Loop("own mailbox as sender")
    return None


def candidates(mail: ParsedMail, key: bytes) -> tuple[Candidate, ...]:
    """List what in a mail may lead to a ticket: signed tokens first, then the thread, the subject last."""
    found: tuple[Candidate, ...] = (
        *_tokens(mail, key),
        *_own_references(mail, key),
        *_foreign_references(mail, key),
        *_numbers(mail),
    )
    return tuple(dict.fromkeys(found))


def choose(
    candidates: tuple[Candidate, ...], resolved: Mapping[Candidate, ResolvedTicket], sender: str | None
) -> Match:
    """Choose the ticket; what anyone could write counts only for those who take part in the ticket already."""
    suggested: str | None = None
    for candidate in candidates:
        ticket = resolved.get(candidate)
        if ticket is None:
            continue
        if isinstance(candidate, TicketToken | OwnReference) or _takes_part(sender, ticket):
            return Reply(ticket.ticket_id, candidate)
        suggested = suggested or ticket.ticket_id
    return NewTicket(suggested)


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


def _takes_part(sender: str | None, ticket: ResolvedTicket) -> bool:
    return sender is not None and sender.lower() in {address.lower() for address in ticket.participants}


def _without_detail(address: str) -> str:
    """Read `support+anything@example.com` as `support@example.com`."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
