"""E-mail as a channel: a mail is kept as it came, read, and accepted once for each mailbox it was sent to."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

from structlog import get_logger

from deskwire_intake.channels.email.deliveries import Delivery, delivery_of, raw_mail_key, with_trace
from deskwire_intake.channels.email.mailboxes import Mailbox, Mailboxes
from deskwire_intake.channels.email.messages import EMAIL, inbound_message
from deskwire_intake.channels.email.trust import NOBODY, TrustedRelays
from deskwire_intake.channels.passing import passes
from deskwire_intake.channels.port import (
    Accept,
    Accepted,
    CannotBeHandled,
    OwnMailCameBack,
    Parked,
    Parking,
    nothing_to_keep,
)
from deskwire_intake.figures import Figures
from deskwire_intake.ledger.entering import Ledger, became
from deskwire_intake.mail import ParsedMail
from deskwire_intake.mail.headers import read_headers
from deskwire_intake.mail.identifiers import single_message_id
from deskwire_intake.matching import loop
from deskwire_intake.reading import MailReader
from deskwire_shared.contracts.intake_ledger import LedgerEntry, message_digest
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.objects import Objects

log = get_logger(__name__)


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
