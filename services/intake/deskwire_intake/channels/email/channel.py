"""E-mail as a channel: a mail is kept as it came, read, and accepted once for each mailbox it was sent to."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from time import perf_counter
from typing import Final

from structlog import get_logger

from deskwire_intake.channels.email.mailboxes import Mailbox, Mailboxes
from deskwire_intake.channels.email.trust import NOBODY, TrustedRelays
from deskwire_intake.channels.passing import passes
from deskwire_intake.channels.port import (
    Accept,
    Accepted,
    CannotBeHandled,
    HasNoSender,
    InboundMessage,
    IncomingFile,
    OwnMailCameBack,
    Parked,
    Parking,
    UndeliveredReply,
    nothing_to_keep,
)
from deskwire_intake.figures import Figures
from deskwire_intake.fitting import fitted_line
from deskwire_intake.ledger.entering import Ledger, became
from deskwire_intake.mail import Address as MailAddress
from deskwire_intake.mail import Attachment, ParsedMail, fingerprint
from deskwire_intake.mail.headers import read_headers
from deskwire_intake.mail.identifiers import single_message_id
from deskwire_intake.matching import candidates, loop, thread_root
from deskwire_intake.reading import MailReader
from deskwire_shared.contracts.facts import Address, MachineKind
from deskwire_shared.contracts.intake_ledger import LedgerEntry, Via, message_digest
from deskwire_shared.contracts.threading_tokens import reply_of_message_id, ticket_of_message_id
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.objects import Objects

EMAIL: Final = "email"

log = get_logger(__name__)

_RECOGNISABLE = re.compile(rb"^(?:date|message-id)[ \t]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A mail as it was handed over: the envelope and the bytes."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    client: str = ""
    """Who handed it over, for the `Received` field."""
    via: Via = "smtp"
    source: str = ""
    """What it is called where it came from; see `LedgerEntry.source`."""


@dataclass(frozen=True, kw_only=True)
class EmailChannel:
    """Takes mails in."""

    accept: Accept
    mailboxes: Mailboxes
    reader: MailReader
    objects: Objects
    parking: Parking
    ledger: Ledger
    figures: Figures
    clock: Clock
    key: bytes
    trust: TrustedRelays = NOBODY

    async def receive(self, delivery: Delivery) -> list[Accepted | Parked]:
        """Keep a mail and enter it on its tickets; what no later try could handle is parked.

        Raises what a later try may not meet: the mail is not ours yet then.
        """
        started = perf_counter()
        raw_key, raw = raw_mail_key(delivery), with_trace(delivery, self.clock.now())
        keeping = asyncio.ensure_future(self.objects.put(raw_key, raw))
        _, results = await asyncio.gather(keeping, self._read_and_enter(delivery, raw, raw_key, keeping))
        self.figures.seconds.labels(EMAIL).observe(perf_counter() - started)
        return results

    async def take_in_again(self, raw_key: str) -> list[Accepted | Parked]:
        """Take in a mail that was kept before, as when it came; what is on its ticket already is not doubled.

        Raises ObjectMissing, or what a later try may not meet.
        """
        raw = await self.objects.get(raw_key)
        delivery = delivery_of(raw)
        return await self._read_and_enter(delivery, raw, raw_key, nothing_to_keep())

    async def _read_and_enter(
        self, delivery: Delivery, raw: bytes, raw_key: str, keeping: Awaitable[object]
    ) -> list[Accepted | Parked]:
        mail = await self._read(raw)
        arrivals = [_Arrival(box, raw_key, delivery, keeping) for box in self._boxes(delivery.recipients)]
        return [await self._settle(mail, arrival) for arrival in arrivals]

    async def _read(self, raw: bytes) -> ParsedMail | CannotBeHandled:
        try:
            return await self.reader.read(raw)
        except CannotBeHandled as unreadable:  # told to each mailbox, once the raw mail is safe
            return unreadable

    def _boxes(self, recipients: Iterable[str]) -> list[Mailbox]:
        """The mailboxes of a mail, each once."""
        found = (self.mailboxes.find(recipient) for recipient in recipients)
        return list(dict.fromkeys(box for box in found if box is not None))

    async def _settle(self, mail: ParsedMail | CannotBeHandled, arrival: "_Arrival") -> Accepted | Parked:
        result = await self._enter(mail, arrival)
        await self.ledger.enter(_ledger_entry(mail, arrival, result, self.clock.now()))
        return result

    async def _enter(self, mail: ParsedMail | CannotBeHandled, arrival: "_Arrival") -> Accepted | Parked:
        if isinstance(mail, CannotBeHandled):
            return await self._park(mail, arrival)
        try:
            self._refuse_loop(mail, arrival.box)
            message = inbound_message(
                mail, arrival.box, arrival.raw_key, arrival.delivery.sender, self.key, trust=self.trust
            )
            accepted = await self.accept(message, arrival.keeping)
        except Exception as error:
            if passes(error):
                raise
            return await self._park(error, arrival)
        self.figures.count(EMAIL, "repeated" if accepted.repeated else "accepted")
        return accepted

    def _refuse_loop(self, mail: ParsedMail, box: Mailbox) -> None:
        found = loop(mail, {box.address, *self.mailboxes.addresses()}, self.key)
        if found is not None:
            raise OwnMailCameBack(found.reason)

    async def _park(self, error: Exception, arrival: "_Arrival") -> Parked:
        await arrival.keeping
        expected = isinstance(error, CannotBeHandled)
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        address = arrival.box.address
        number = await self.parking.park(
            arrival.raw_key, b"", {"mailbox": address}, reason=reason, once=(arrival.raw_key, address)
        )
        exc_info = None if expected else error
        log.warning("mail parked", raw_key=arrival.raw_key, number=number, reason=reason, exc_info=exc_info)
        self.figures.count(EMAIL, "parked")
        return Parked(number, reason, is_expected=expected)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A mail at one of the mailboxes it was sent to; `keeping` ends when its raw bytes are safe."""

    box: Mailbox
    raw_key: str
    delivery: Delivery
    keeping: Awaitable[object]


def _ledger_entry(
    mail: ParsedMail | CannotBeHandled, arrival: _Arrival, result: Accepted | Parked, at: datetime
) -> LedgerEntry:
    read = mail if isinstance(mail, ParsedMail) else None
    message_id = read.message_id if read else _message_id(arrival.delivery.content)
    return LedgerEntry(
        at=at,
        via=arrival.delivery.via,
        channel_id=arrival.box.channel_id,
        mailbox=arrival.box.address,
        source=arrival.delivery.source,
        raw_key=arrival.raw_key,
        size=len(arrival.delivery.content),
        content_digest=read.content_digest if read else "",
        message_digest=message_digest(message_id) if message_id else None,
        **became(result),
    )


def _message_id(unreadable: bytes) -> str | None:
    headers, _ = read_headers(unreadable, 0, len(unreadable), set())
    return single_message_id(headers.first("message-id"))


def raw_mail_key(delivery: Delivery) -> str:
    """Where a mail is kept as it came; the same delivery, sent again, is kept once."""
    digest = hashlib.sha256()
    for part in (delivery.sender, *delivery.recipients):
        digest.update(_wire(part) + b"\n")
    digest.update(delivery.content)
    name = digest.hexdigest()
    return f"raw/{name[:2]}/{name}"


def with_trace(delivery: Delivery, at: datetime) -> bytes:
    """Write the envelope above a mail, as the last server on its way does (RFC 5321, 4.4).

    So all that is known of a mail stands in its raw bytes, and it can be taken in again from them.
    """
    lines = [
        f"Return-Path: <{delivery.sender.strip('<>')}>",
        *(f"Delivered-To: {recipient}" for recipient in delivery.recipients),
        f"Received: from {delivery.client or 'unknown'} by deskwire; {format_datetime(at)}",
    ]
    return b"".join(_wire(line) + b"\r\n" for line in lines) + delivery.content


def dated(content: bytes, at: datetime) -> bytes:
    """Date a mail that carries neither Date nor Message-ID, as a server may that takes it in (RFC 6409, 8.1).

    Nothing else would tell the same alarm of today from that of yesterday, and the second would pass for a repeat.
    """
    header = content[: content.find(b"\r\n\r\n") + 1] or content
    if _RECOGNISABLE.search(header):
        return content
    return f"Date: {format_datetime(at)}\r\n".encode() + content


def delivery_of(raw: bytes) -> Delivery:
    """Read the envelope back from above a mail, where `with_trace` wrote it."""
    ours = raw.partition(b"\r\nReceived: ")[0]
    headers, _ = read_headers(ours, 0, len(ours), set())
    recipients = tuple(value.decode("utf-8", "surrogateescape") for value in headers.raw("delivered-to"))
    return Delivery(sender=headers.first("return-path").strip("<>"), recipients=recipients, content=raw, via="replay")


def inbound_message(
    mail: ParsedMail, box: Mailbox, raw_key: str, sender: str, key: bytes, *, trust: TrustedRelays = NOBODY
) -> InboundMessage:
    """Turn a mail into what its author said. Raises HasNoSender."""
    return InboundMessage(
        medium=EMAIL,
        mailbox=box.address,
        channel_id=box.channel_id,
        follow_up_days=box.follow_up_days,
        fingerprint=fingerprint(box.address, mail),
        content_digest=mail.content_digest,
        thread_key=mail.message_id,
        thread_root=None if _lies_in_no_thread(mail, trust) else thread_root(mail, key),
        raw_key=raw_key,
        author=_author(mail, sender),
        subject=mail.subject,
        text=mail.text,
        new_text=mail.reply_text,
        html=mail.html,
        to=_people(mail.to),
        cc=_people(mail.cc),
        references=_references(mail),
        files=tuple(_file(one) for one in mail.attachments),
        machine=_machine(mail),
        spam=trust.calls_spam(mail),
        protection=mail.protection,
        authentication=trust.vouch(mail),
        undelivered=_undelivered(mail, key),
        candidates=candidates(mail, key),
    )


def _lies_in_no_thread(mail: ParsedMail, trust: TrustedRelays) -> bool:
    """Whether a mail must not stand for the thread it names: spam, a machine's, or of somebody who is another."""
    vouched = trust.vouch(mail)
    is_doubtful = vouched is not None and vouched.sender == "failed"
    return is_doubtful or trust.calls_spam(mail) or not mail.may_reopen


def _author(mail: ParsedMail, sender: str) -> Address:
    if mail.from_ is not None:
        return Address(address=mail.from_.address, name=fitted_line(mail.from_.name))
    if "@" in sender:
        return Address(address=sender)
    raise HasNoSender


def _people(addresses: Iterable[MailAddress]) -> tuple[Address, ...]:
    return tuple(Address(address=one.address, name=one.name) for one in addresses)


def _references(mail: ParsedMail) -> tuple[str, ...]:
    nearest = (mail.in_reply_to,) if mail.in_reply_to else ()
    return tuple(dict.fromkeys((*mail.references, *nearest)))


def _file(attachment: Attachment) -> IncomingFile:
    return IncomingFile(
        filename=attachment.filename,
        content_type=attachment.content_type,
        sha256=attachment.sha256,
        content=attachment.content,
        content_id=attachment.content_id,
        inline=attachment.inline,
        invitation=attachment.invitation,
        mail=attachment.mail,
    )


def _machine(mail: ParsedMail) -> MachineKind | None:
    if mail.machine.bounce is not None:
        return "bounce"
    if mail.is_auto_reply:
        return "auto_reply"
    return "list" if mail.machine.is_bulk else None


def _undelivered(mail: ParsedMail, key: bytes) -> UndeliveredReply | None:
    """Find the reply of ours that a bounce is about, by the Message-ID that we gave it."""
    bounce = mail.machine.bounce
    if bounce is None or bounce.message_id is None:
        return None
    ticket_id, message_id = ticket_of_message_id(bounce.message_id, key), reply_of_message_id(bounce.message_id, key)
    if ticket_id is None or message_id is None:
        return None
    return UndeliveredReply(
        ticket_id=ticket_id,
        message_id=message_id,
        permanent=mail.is_bounce,
        reason=" ".join(filter(None, (bounce.status, bounce.diagnostic))),
        recipients=bounce.failed or bounce.delayed,
    )


def _wire(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
