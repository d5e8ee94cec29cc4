"""A desk in memory that mails come to, and what its agents do meanwhile."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from deskwire_intake.channels.email.channel import EmailChannel
from deskwire_intake.channels.email.deliveries import Delivery
from deskwire_intake.channels.email.mailboxes import Mailboxes
from deskwire_intake.channels.email.trust import TrustedRelays
from deskwire_intake.channels.port import Accepted, Parked
from deskwire_intake.customers import Customers
from deskwire_intake.figures import Figures
from deskwire_intake.handlers import Intake
from deskwire_intake.ledger.entering import LedgerUnavailable
from deskwire_intake.mail import ParsedMail
from deskwire_intake.reading import MailReader, read_mail
from deskwire_intake.scanning import NO_SCANNER, Scanner
from deskwire_intake.threads import Threads
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.intake_ledger import LedgerEntry
from deskwire_shared.contracts.threading_tokens import message_id_for, reply_address
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.numbers import MemoryNumbers
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.ticket.commands import MergeTicket, ReceiveMerge, SendReply, TicketCommand
from deskwire_shared.ticket.state import Ticket
from unit.intake.inbound import a_mail

KEY = b"site"
SUPPORT = "support@example.com"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ADA = Actor(kind="agent", id="ada")


@dataclass
class MemoryParking:
    """Parked things in a list of references and reasons."""

    parked: list[tuple[str, str]] = field(default_factory=list)
    once: dict[tuple[str, ...], int] = field(default_factory=dict)

    async def park(
        self, reference: str, data: bytes, headers: dict[str, str], *, reason: str, once: tuple[str, ...] = ()
    ) -> int:
        if once in self.once:
            return self.once[once]
        self.parked.append((reference, reason))
        if once:
            self.once[once] = len(self.parked)
        return len(self.parked)


@dataclass
class MemoryLedger:
    """Entries of the ledger in a list."""

    entries: list[LedgerEntry] = field(default_factory=list)
    is_available: bool = True

    async def enter(self, entry: LedgerEntry) -> None:
        if not self.is_available:
            raise LedgerUnavailable
        self.entries.append(entry)


class ReaderAtHand(MailReader):
    """Reads every mail at once, without processes that would have to be ended."""

    async def read(self, raw: bytes) -> ParsedMail:
        return read_mail(raw)


class MailDesk:
    """A desk in memory."""

    def __init__(self, *, trusted: Collection[str] = (), scanner: Scanner | None = None) -> None:
        self.clock = ManualClock(NOW)
        keys = MemoryKeyRing()
        self.store = MemoryEventStore(Codec(keys))
        self.directory = MemoryDirectory(keys, self.clock.now)
        self.recorder = Recorder(self.store)
        self.numbers = MemoryNumbers()
        self.customers = Customers(self.directory, keys, KEY)
        self.objects = Objects(MemoryStore())
        self.parking = MemoryParking()
        self.ledger = MemoryLedger()
        self.registry = CollectorRegistry()
        self.threads = Threads(self.recorder, self.numbers)
        intake = Intake(
            recorder=self.recorder,
            threads=self.threads,
            numbers=self.numbers,
            customers=self.customers,
            objects=self.objects,
            scanner=scanner or NO_SCANNER,
            clock=self.clock,
            ledger=self.ledger,
        )
        self.channel = EmailChannel(
            accept=intake.accept,
            mailboxes=Mailboxes(self.directory),
            reader=ReaderAtHand(seconds=5, inline_bytes=1_000_000),
            objects=self.objects,
            parking=self.parking,
            ledger=self.ledger,
            figures=Figures(self.registry),
            clock=self.clock,
            key=KEY,
            trust=TrustedRelays(frozenset(trusted)),
        )

    async def deliver(
        self, raw: bytes, *, to: Sequence[str] = (SUPPORT,), sender: str = "ann@example.net"
    ) -> list[Accepted | Parked]:
        return await self.channel.receive(Delivery(sender=sender, recipients=tuple(to), content=raw))

    async def accept(self, raw: bytes, *, to: Sequence[str] = (SUPPORT,)) -> Accepted:
        (accepted,) = await self.deliver(raw, to=to)
        assert isinstance(accepted, Accepted), accepted
        return accepted

    async def accept_each(self, raw: bytes, *, to: Sequence[str]) -> list[Accepted]:
        results = await self.deliver(raw, to=to)
        return [one for one in results if isinstance(one, Accepted)]

    async def refuse(self, raw: bytes, *, to: Sequence[str] = (SUPPORT,)) -> str:
        """Deliver a mail that has to be parked; the reason."""
        (parked,) = await self.deliver(raw, to=to)
        assert isinstance(parked, Parked), parked
        return parked.reason

    async def opened(self, **mail: str | bytes) -> Ticket:
        """A ticket opened by a mail of Ann's."""
        return await self.ticket((await self.accept(a_mail(b"Hello\n", **mail))).ticket_id)

    async def ticket(self, ticket_id: str) -> Ticket:
        return await self.recorder.ticket(ticket_id)

    async def history(self, ticket_id: str) -> tuple[Commit, ...]:
        return (await self.store.load(ticket_id)).commits

    async def do(self, ticket_id: str, command: TicketCommand) -> Ticket:
        cause = Cause(new_id(), ADA, self.clock.now())
        return (await self.recorder.record(ticket_id, command, cause)).ticket

    async def answer(self, ticket_id: str) -> str:
        """An agent answers; the Message-ID under which the answer leaves."""
        reply_id = new_id()
        await self.do(ticket_id, SendReply(message_id=reply_id, agent_id="ada", text="Try again."))
        return message_id_for(reply_id, ticket_id, KEY, "example.com")

    async def merge(self, source: Ticket, target: Ticket) -> None:
        await self.recorder.record_together(
            {
                source.id: lambda _: MergeTicket(into=target.id, into_number=target.number),
                target.id: lambda _: ReceiveMerge(source=source.id, source_number=source.number),
            },
            Cause(new_id(), ADA, self.clock.now()),
        )

    async def open_mailbox(self, address: str, **settings: int) -> None:
        channel = Channel(name=address, medium="email", address=address, **settings)
        await self.directory.put(new_id(), channel, actor=ADA)

    async def block(self, address: str) -> None:
        customer = Customer(address=address, blocked=True)
        await self.directory.put(self.customers.id_of(address), customer, actor=ADA)

    def later(self, **step: int) -> None:
        self.clock.advance(timedelta(**step))


def token_of(ticket: Ticket) -> str:
    """The address at which answers to a ticket arrive."""
    return reply_address(SUPPORT, ticket.id, KEY)


def texts(ticket: Ticket) -> list[str]:
    return [message.text for message in ticket.messages]
