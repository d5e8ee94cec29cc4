"""Timers that survive every restart, on message schedules of the stream `TIMERS` (ADR-51).

The server is told of ticks alone, the quarters of a second at which something is due: a timer is a message that waits
for its tick, and one schedule a tick makes the server say that it has come. However many timers come due together,
they cost one write to the disk at that moment. `ticks.py` hears it.

A timer is a hint: whoever hears it looks at the ticket as it is then and decides anew.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError
from pydantic import BaseModel, ConfigDict

from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.subjects import (
    TIMERS,
    tick_due_subject,
    tick_subject,
    timer_due_subject,
    timer_subject,
    timers_due_subject,
    timers_of_tick,
)
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.clock import Clock, SystemClock

HEARD_WITHIN: Final = timedelta(days=30)
"""How long a fired timer waits to be heard, should its service be down."""

TICK: Final = timedelta(milliseconds=250)
"""How far apart ticks are; a timer waits for the first one that is not before its moment."""

SURELY_AHEAD: Final = timedelta(minutes=1)
"""How far a tick must be ahead for what was said of it to stand still, though the clocks of hosts differ."""

MOST_REMEMBERED: Final = 10_000
PART: Final = 16
"""Timers that are heard in one message when many are due: a killed process keeps 256 messages from the others."""

AT_ONCE: Final = 64
LONGEST_WAIT: Final = timedelta(days=90 * 365)
"""The server counts nanoseconds in 64 bits."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class DueTimer(NamedTuple):
    """A timer whose moment has come."""

    ticket_id: str
    name: str


class DueTimers(BaseModel):
    """Some of many timers that are due, as they are stored, with what they all say."""

    model_config = ConfigDict(frozen=True)

    timers: tuple[DueTimer, ...]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of one service, by ticket and name."""

    js: JetStreamContext
    service: str
    keep: timedelta = HEARD_WITHIN
    clock: Clock = field(default_factory=SystemClock)
    announced: set[int] = field(default_factory=set)
    """The ticks that the server was told of by this process lately."""

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        """Set a timer for a moment; the past fires at once. Raises EventStoreError.

        One that stands for another moment stands still: cancel it, or bear to hear it.
        """
        due = tick_after(at)
        tick = _number(due)
        with _translated(f"timer {name} of ticket {ticket_id} cannot be set"):
            ttl = _seconds(min(max(due - self.clock.now(), timedelta()), LONGEST_WAIT) + self.keep)
            subject = timer_subject(self.service, tick, ticket_id, name)
            await self.js.publish(subject, b"", stream=TIMERS, headers={"Nats-TTL": ttl})
            # Asked after the timer is stored: a tick that has come meanwhile has to come once more.
            if tick not in self.announced or due < self.clock.now() + SURELY_AHEAD:
                await self._announce(tick, due)

    async def stands(self, ticket_id: str, name: str, at: datetime) -> bool:
        """Say whether a timer waits for a moment. Raises EventStoreError."""
        subject = timer_subject(self.service, _number(tick_after(at)), ticket_id, name)
        with _translated(f"timer {name} of ticket {ticket_id} cannot be looked up"):
            try:
                await self.js.get_msg(TIMERS, subject=subject)
            except NotFoundError:
                return False
            return True

    async def cancel(self, ticket_id: str, name: str, at: datetime) -> None:
        """Forget a timer that was set for a moment. Raises EventStoreError."""
        subject = timer_subject(self.service, _number(tick_after(at)), ticket_id, name)
        with _translated(f"timer {name} of ticket {ticket_id} cannot be cancelled"):
            await self.js.purge_stream(TIMERS, subject=subject)

    async def fire(self, ticket_id: str, name: str, body: bytes = b"") -> None:
        """Let the service look at a ticket at once, as if a timer had fired. Raises EventStoreError."""
        subject = timer_due_subject(self.service, ticket_id, name)
        with _translated(f"{self.service} cannot be told of ticket {ticket_id}"):
            await self.js.publish(subject, body, stream=TIMERS, headers={"Nats-TTL": _seconds(self.keep)})

    async def fire_all(self, due: Sequence[DueTimer], body: bytes = b"", *, once: str) -> None:
        """Let the replicas of the service share many looks; `once` names the reason. Raises EventStoreError."""
        starts = iter(range(0, len(due), PART))

        async def fire_some() -> None:
            for start in starts:
                part = DueTimers(timers=tuple(due[start : start + PART]), body=body)
                await self._fire_part(once, start // PART, part)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(fire_some())

    async def forget_tick(self, tick: int, sequence: int) -> None:
        """Take away a tick that has come and the timers of it up to a place in the stream. Raises EventStoreError."""
        await self._forget(timers_of_tick(self.service, tick), sequence)

    async def forget_part(self, subject: str, sequence: int) -> None:
        """Take away some of many timers that were due. Raises EventStoreError."""
        await self._forget(subject, sequence)

    async def _forget(self, subject: str, sequence: int) -> None:
        with _translated(f"timers that fired on {subject} cannot be taken away"):
            await self.js.purge_stream(TIMERS, seq=sequence + 1, subject=subject)

    async def _announce(self, tick: int, due: datetime) -> None:
        headers = {
            "Nats-Schedule": f"@at {due.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}",
            "Nats-Schedule-Target": tick_due_subject(self.service, tick),
            "Nats-Schedule-TTL": _seconds(self.keep),
        }
        await self.js.publish(tick_subject(self.service, tick), b"", stream=TIMERS, headers=headers)
        if len(self.announced) >= MOST_REMEMBERED:
            self.announced.clear()
        self.announced.add(tick)

    async def _fire_part(self, once: str, number: int, part: DueTimers) -> None:
        body = part.model_dump_json()
        headers = {"Nats-Msg-Id": derived_id(self.service, once, body), "Nats-TTL": _seconds(self.keep)}
        with _translated(f"{self.service} cannot be told of {len(part.timers)} timers"):
            subject = timers_due_subject(self.service, once, number)
            await self.js.publish(subject, body.encode(), stream=TIMERS, headers=headers)


def tick_after(at: datetime) -> datetime:
    """Find the first tick that is not before a moment: what is heard too early would be set over and over."""
    return _EPOCH - (_EPOCH - at.astimezone(UTC)) // TICK * TICK


def _number(due: datetime) -> int:
    """Name a tick by its milliseconds since 1970."""
    return (due - _EPOCH) // _MILLISECOND


def _seconds(span: timedelta) -> str:
    return f"{max(1, span // timedelta(seconds=1))}s"


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError) as error:
        raise EventStoreError(f"{what}: {error!r}") from error
