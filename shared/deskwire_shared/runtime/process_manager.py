"""Runs a process manager: hears commits, lets the service react to the ticket, parks what cannot be handled.

A reaction is idempotent by state: it loads the ticket as it is now, so order and redelivery do not matter.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from faststream.middlewares import AckPolicy
from faststream.nats import JStream, NatsBroker
from faststream.nats.message import NatsMessage
from nats.aio.msg import Msg
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.runtime.parking import Parked, ParkingLot

AT_ONCE = 32
"""Tickets worked on at the same time."""

TRIES = 6
BACKOFF_SECONDS = (1, 5, 15, 60, 300)
"""How long a failed message waits before the next try; after the last it is parked."""

SEQUENCE_HEADER = "Deskwire-Sequence"
"""Where a parked message stood in its stream."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """A message as it was stored."""

    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What woke the process manager: the newest message of the batch for one ticket.

    `stored_at` is when the server stored it, by the server's clock; `messages` is the whole batch, oldest first.
    """

    ticket_id: str
    sequence: int
    subject: str
    facts: frozenset[str]
    stored_at: datetime
    messages: tuple[HeardMessage, ...] = ()


React = Callable[[Heard], Awaitable[None]]


class ProcessManager:
    """One durable consumer of a service, and what it does with a ticket."""

    def __init__(
        self,
        consumer: str,
        stream: str,
        subject: str,
        react: React,
        *,
        parking: ParkingLot,
        facts: Collection[str] = (),
    ) -> None:
        self._consumer = consumer
        self._stream = stream
        self._subject = subject
        self._react = react
        self._parking = parking
        self._facts = frozenset(facts)
        self._slots = asyncio.Semaphore(AT_ONCE)

    def subscribe(self, broker: NatsBroker) -> None:
        """Hear the consumer that `deskwire migrate` made, together with the other replicas of the service."""
        subscriber = broker.subscriber(
            self._subject,
            queue=self._consumer,  # also the name of the durable consumer
            stream=JStream(self._stream, declare=False),
            ack_policy=AckPolicy.MANUAL,
            max_workers=AT_ONCE,
            decoder=_whole,
        )

        @subscriber
        async def handle(message: NatsMessage) -> None:
            await self.handle([message.raw_message])

    async def handle(self, messages: Sequence[Msg]) -> None:
        """React to a batch; every message is acknowledged, put back or parked by itself."""
        by_ticket: dict[str, list[Msg]] = {}
        for message in messages:
            by_ticket.setdefault(self._ticket_of(message.subject), []).append(message)
        await asyncio.gather(*(self._handle_ticket(ticket, heard) for ticket, heard in by_ticket.items()))

    async def _handle_ticket(self, ticket_id: str, messages: list[Msg]) -> None:
        heard = _heard(ticket_id, messages)
        if self._facts and heard.facts and not heard.facts & self._facts:
            await asyncio.gather(*(message.ack() for message in messages))
            return
        with bound_contextvars(ticket_id=ticket_id, consumer=self._consumer, sequence=heard.sequence):
            async with self._slots:
                try:
                    await self._react(heard)
                except Exception as error:  # noqa: BLE001  # whatever it is, the message is put back or parked
                    await self._put_back(messages, error)
                else:
                    await asyncio.gather(*(message.ack() for message in messages))

    async def _put_back(self, messages: list[Msg], error: Exception) -> None:
        for message in messages:
            tries = message.metadata.num_delivered or 1
            if tries < TRIES:
                log.warning("reaction failed, will be tried again", tries=tries, error=repr(error), exc_info=error)
                await message.nak(delay=BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS)) - 1])
                continue
            log.error("reaction failed too often, message parked", tries=tries, error=repr(error), exc_info=error)
            headers = {**(message.headers or {}), SEQUENCE_HEADER: str(_sequence(message))}
            await self._parking.park(message.subject, message.data, headers, reason=repr(error))
            await message.ack()

    async def replay(self, parked: Parked) -> None:
        """React to a parked message once more."""
        ticket_id = self._ticket_of(parked.reference)
        sequence = int(parked.headers.get(SEQUENCE_HEADER, 0))
        facts = frozenset(filter(None, parked.headers.get(FACTS_HEADER, "").split(",")))
        message = HeardMessage(sequence, parked.data)
        with bound_contextvars(ticket_id=ticket_id, consumer=self._consumer, sequence=sequence):
            await self._react(Heard(ticket_id, sequence, parked.reference, facts, parked.at, (message,)))

    def _ticket_of(self, subject: str) -> str:
        """`ticket.<pp>.<ticket_id>` or `timer.due.<service>.<ticket_id>.<name>`."""
        tokens = subject.split(".")
        return tokens[3] if tokens[0] == "timer" else tokens[2]


async def _whole(message: NatsMessage) -> NatsMessage:
    """A process manager looks at subjects and headers, so the message itself is handed on, not what is in it."""
    return message


def _heard(ticket_id: str, messages: list[Msg]) -> Heard:
    facts: set[str] = set()
    for message in messages:
        facts.update(filter(None, (message.headers or {}).get(FACTS_HEADER, "").split(",")))
    messages = sorted(messages, key=_sequence)
    return Heard(
        ticket_id,
        _sequence(messages[-1]),
        messages[-1].subject,
        frozenset(facts),
        messages[-1].metadata.timestamp,
        tuple(HeardMessage(_sequence(message), message.data) for message in messages),
    )


def _sequence(message: Msg) -> int:
    return message.metadata.sequence.stream
