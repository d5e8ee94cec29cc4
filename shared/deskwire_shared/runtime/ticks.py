"""Hears the ticks of a service's timers, and lets it look at each ticket whose timer waited for one.

The few timers of a usual tick are looked at by whoever hears it. Many are dealt out in parts among all replicas. A
look that fails is handed on as a message of its own, so that it is put back or parked without holding up the others.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from nats.aio.client import Client
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from deskwire_shared.contracts.subjects import TIMERS, tick_due_subject, timer_due_subject, timers_of_tick
from deskwire_shared.eventstore.batch_get import BatchReader, StoredMessage, TooManySubjects
from deskwire_shared.runtime.process_manager import Heard, HeardMessage, React
from deskwire_shared.runtime.timers import PART, DueTimer, DueTimers, Timers

AT_ONCE: Final = 32
"""Tickets looked at in the same moment because of the time."""

log = get_logger(__name__)


class TimersLag(Exception):
    """The server that was asked has not seen the tick yet that another one told us of; it is asked again later."""


class Ticks:
    """Lets a service react to the timers that are due."""

    def __init__(self, connection: Client, timers: Timers, react: React) -> None:
        self._timers = timers
        self._react = react
        self._reader = BatchReader(connection, TIMERS)
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def hear(self, heard: Heard) -> None:
        """Take a tick, some of many timers, or one timer by itself."""
        match heard.subject.split(".")[3:]:
            case [tick, "tick", "due"]:
                await self._on_tick(int(tick), heard)
            case [_, "part", _]:
                await self._look(DueTimers.model_validate_json(heard.messages[-1].data).timers, heard)
                await self._timers.forget_part(heard.subject, heard.sequence)
            case _:
                await self._react(heard)

    async def _on_tick(self, tick: int, heard: Heard) -> None:
        due = await self._due(tick, heard.sequence)
        if len(due) > PART:
            await self._timers.fire_all(due, once=f"{tick}-{heard.sequence}")
        else:
            await self._look(due, heard)
        await self._timers.forget_tick(tick, heard.sequence)

    async def _due(self, tick: int, sequence: int) -> list[DueTimer]:
        """Find the timers that were set before the tick came; a replica that lags may not know of all."""
        stored = await self._stored(timers_of_tick(self._timers.service, tick))
        came = stored.pop(tick_due_subject(self._timers.service, tick), None)
        if came is None or came.sequence < sequence:
            raise TimersLag(f"tick {tick} at sequence {sequence} is not known yet")
        return [_due_timer(message) for message in stored.values() if message.sequence < sequence]

    async def _stored(self, subject: str) -> dict[str, StoredMessage]:
        try:
            found = await self._reader.read_last([subject])
        except TooManySubjects:
            found = await self._reader.read(subject)
        return {message.subject: message for message in found}

    async def _look(self, due: Collection[DueTimer], heard: Heard) -> None:
        async with asyncio.TaskGroup() as tasks:
            for timer in due:
                tasks.create_task(self._look_at(timer, heard))

    async def _look_at(self, timer: DueTimer, heard: Heard) -> None:
        alone = Heard(
            timer.ticket_id,
            heard.sequence,
            timer_due_subject(self._timers.service, timer.ticket_id, timer.name),
            frozenset(),
            heard.stored_at,
            (HeardMessage(heard.sequence, timer.body),),
        )
        with bound_contextvars(ticket_id=timer.ticket_id):
            async with self._slots:
                try:
                    await self._react(alone)
                except Exception as error:  # whatever it is, the timer is told again by itself
                    log.warning("look failed, the timer is told by itself", timer=timer.name, exc_info=error)
                    await self._timers.fire(timer.ticket_id, timer.name, timer.body)


def _due_timer(message: StoredMessage) -> DueTimer:
    *_, ticket_id, name = message.subject.split(".")
    return DueTimer(ticket_id=ticket_id, name=name, body=message.data)
