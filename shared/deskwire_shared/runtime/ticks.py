"""Hears the ticks of a service's timers, and lets it look at each ticket whose timer waited for one.

The few timers of a usual tick are looked at by whoever hears it. Many are dealt out in parts among all replicas. A
look that fails is handed on as a message of its own, so that it is put back or parked without holding up the others.
"""

import asyncio
import json
from collections.abc import Collection
from typing import Any, Final

import nats.errors
from nats.aio.client import Client
from pydantic_core import from_json
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from deskwire_shared.contracts.subjects import TIMERS, tick_due_subject, timer_due_subject, timers_of_tick
from deskwire_shared.eventstore.batch_get import BatchReader
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.process_manager import Heard, HeardMessage, React
from deskwire_shared.runtime.timers import PART, DueTimer, DueTimers, Timers

AT_ONCE: Final = 32
"""Tickets looked at in the same moment because of the time."""

LISTING_SECONDS: Final = 10.0
"""How long the server may take to list the timers of a tick."""

MOST_LISTED: Final = 100_000
"""Subjects that the server lists in one answer."""

log = get_logger(__name__)


class TimersLag(Exception):
    """The server that was asked has not seen the tick yet that another one told us of; it is asked again later."""


class Ticks:
    """Lets a service react to the timers that are due."""

    def __init__(self, connection: Client, timers: Timers, react: React, *, most_listed: int = MOST_LISTED) -> None:
        self._connection = connection
        self._timers = timers
        self._react = react
        self._most_listed = most_listed
        self._reader = BatchReader(connection, TIMERS)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._dealing = asyncio.Lock()

    async def hear(self, heard: Heard) -> None:
        """Take a tick, some of many timers, or one timer by itself."""
        match heard.subject.split(".")[3:]:
            case [tick, "tick", "due"]:
                await self._on_tick(int(tick), heard)
            case [_, "part", _]:
                await self._all_dealt()
                part = DueTimers.model_validate_json(heard.messages[-1].data)
                await self._look(part.timers, part.body, heard)
                await self._timers.forget_part(heard.subject, heard.sequence)
            case _:
                await self._react(heard)

    async def _on_tick(self, tick: int, heard: Heard) -> None:
        due = await self._due(tick, heard.sequence)
        if len(due) > PART:
            async with self._dealing:
                await self._timers.fire_all(due, once=f"{tick}-{heard.sequence}")
        else:
            await self._look(due, b"", heard)
        await self._timers.forget_tick(tick, heard.sequence)

    async def _all_dealt(self) -> None:
        """Let the other replicas have their share before this one starts on its own."""
        async with self._dealing:
            return

    async def _due(self, tick: int, sequence: int) -> list[DueTimer]:
        """Find the timers that wait for a tick that came at a place in the stream."""
        wanted, came = timers_of_tick(self._timers.service, tick), tick_due_subject(self._timers.service, tick)
        subjects = await self._listed(wanted) or await self._read(wanted, came, sequence)
        return [DueTimer(*subject.split(".")[-2:]) for subject in subjects if subject != came]

    async def _listed(self, wanted: str) -> Collection[str]:
        """Let the leader list subjects without their messages; nothing when they are more than fit into its answer."""
        question = json.dumps({"subjects_filter": wanted}).encode()
        try:
            answer = await self._connection.request(
                f"$JS.API.STREAM.INFO.{TIMERS}", question, timeout=LISTING_SECONDS
            )  # fmt: skip
        except (nats.errors.Error, TimeoutError) as error:
            raise EventStoreError(f"the timers of {wanted} are not listed: {error!r}") from error
        info: dict[str, Any] = from_json(answer.data)
        if "error" in info:
            raise EventStoreError(f"the timers of {wanted} are not listed: {info['error'].get('description')}")
        subjects: dict[str, int] = info["state"].get("subjects") or {}
        return subjects if info.get("total", 0) <= self._most_listed else ()

    async def _read(self, wanted: str, came: str, sequence: int) -> Collection[str]:
        """Read all messages; any replica answers, so what shows that it does not lag is that it knows of the tick."""
        places = {message.subject: message.sequence for message in await self._reader.read(wanted)}
        if places.get(came, 0) < sequence:
            raise TimersLag(f"{came} at sequence {sequence} is not known yet")
        return places

    async def _look(self, due: Collection[DueTimer], body: bytes, heard: Heard) -> None:
        async with asyncio.TaskGroup() as tasks:
            for timer in due:
                tasks.create_task(self._look_at(timer, body, heard))

    async def _look_at(self, timer: DueTimer, body: bytes, heard: Heard) -> None:
        alone = Heard(
            timer.ticket_id,
            heard.sequence,
            timer_due_subject(self._timers.service, timer.ticket_id, timer.name),
            frozenset(),
            heard.stored_at,
            (HeardMessage(heard.sequence, body),),
        )
        with bound_contextvars(ticket_id=timer.ticket_id):
            async with self._slots:
                try:
                    await self._react(alone)
                except Exception as error:  # whatever it is, the timer is told again by itself
                    log.warning("look failed, the timer is told by itself", timer=timer.name, exc_info=error)
                    await self._timers.fire(timer.ticket_id, timer.name, body)
