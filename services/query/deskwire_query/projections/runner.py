"""Keeps a generation of tables true to the log: batch by batch, each commit exactly once.

Rows and position are written in one transaction that demands the old position, so of two projectors one
is overtaken and starts again from where the other has come to.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from structlog import get_logger

from deskwire_query import catalogue
from deskwire_query.catalogue import Generation, Position
from deskwire_query.database import Database
from deskwire_query.projections.desk import Desk
from deskwire_query.projections.log import TRANSIENT, Logged, TicketLog, delivered, erased_people, read_commits
from deskwire_query.search.choosing import search_index
from deskwire_query.tables import desk_tables
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.follower import Delivery, Follower

BATCH: Final = 1_000
FILLING_BATCH: Final = 2_000
REMEMBERED: Final = 1_000
FILLING_REMEMBERED: Final = 20_000
REFOLDED_AT_ONCE: Final = 50
"""Tickets of an erased person that are projected anew in one transaction."""
TICK_SECONDS: Final = 1.0

Applied = Callable[[Generation, frozenset[str], int], Awaitable[None]]
"""Is told of every batch that has been written: how far, which tickets, and how many commits are left."""
Unreadable = Callable[[Logged], Awaitable[None]]
"""Is told of every commit that cannot be decoded, before the batch with it is written."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """What read models are made from, and where they are kept."""

    database: Database
    log: TicketLog
    codec: Codec


@asynccontextmanager
async def _ahead(read: Callable[[], Awaitable[list[Logged]]]) -> AsyncIterator[Callable[[], Awaitable[list[Logged]]]]:
    """Read the next batch while the last one is being written."""
    reading = asyncio.ensure_future(read())

    async def next_batch() -> list[Logged]:
        nonlocal reading
        batch = await reading
        reading = asyncio.ensure_future(read())
        return batch

    try:
        yield next_batch
    finally:
        with suppress(*TRANSIENT):  # what was read ahead is not wanted any more
            await end(reading)


async def nobody_told(*_told: object) -> None:
    """Tell nobody."""


class Runner:
    """Carries one generation on."""

    def __init__(
        self,
        sources: Sources,
        generation: Generation,
        *,
        applied: Applied = nobody_told,
        unreadable: Unreadable = nobody_told,
    ) -> None:
        filling = generation.state == "filling"
        self._sources = sources
        self._applied = applied
        self._unreadable = unreadable
        self._batch = FILLING_BATCH if filling else BATCH
        self._desk = Desk(
            desk_tables(generation.number),
            search_index(sources.database),
            indexed=not filling,
            remembered=FILLING_REMEMBERED if filling else REMEMBERED,
        )
        self.generation = generation
        self.pending = 0

    @property
    def position(self) -> Position:
        """Where in the log the generation stands."""
        return self.generation.position

    async def follow(self) -> None:
        """Carry the generation on for ever. Raises Overtaken, LogChanged and the errors of NATS and the database."""
        async with self._following() as follower, _opened(self._keys()) as keys:
            restarts = follower.restarts
            while True:
                deliveries = await follower.batch(self._batch, within=TICK_SECONDS)
                if follower.restarts != restarts:
                    await self._sources.log.require(self.position)
                    restarts = follower.restarts
                self.pending = follower.pending
                await self._apply(await read_commits(delivered(deliveries), self._sources.codec))
                await self._take_in(await keys.batch(self._batch, within=0))

    async def catch_up(self) -> None:
        """Carry the generation on to the end that the log has now. Raises like `follow`."""
        last = await self._sources.log.last_sequence()
        if self.position.sequence >= last:
            return
        async with self._following() as follower, _ahead(lambda: self._full_batch(follower, last)) as batches:
            while self.position.sequence < last:
                self.pending = max(0, last - self.position.sequence)
                await self._apply(await batches())
            self.pending = 0

    async def _full_batch(self, follower: Follower, last: int) -> list[Logged]:
        """Read as much as is written at once; every transaction has its price."""
        deliveries = await follower.batch(self._batch, within=TICK_SECONDS)
        while 0 < len(deliveries) < self._batch and deliveries[-1].sequence < last:
            deliveries += await follower.batch(self._batch - len(deliveries), within=TICK_SECONDS)
        return await read_commits(delivered(deliveries), self._sources.codec)

    async def _apply(self, batch: list[Logged]) -> None:
        """Write commits. Raises Overtaken when somebody else did."""
        if not batch:
            return
        for logged in batch:
            if logged.commit is None:
                log.error("commit cannot be read", sequence=logged.sequence, reason=logged.reason)
                await self._unreadable(logged)
        tickets = await self._write(batch)
        await self._applied(self.generation, tickets, self.pending)

    async def _write(self, batch: list[Logged]) -> frozenset[str]:
        last = batch[-1]
        new = replace(self.position, sequence=last.sequence, commit_id=last.commit_id)
        try:
            async with self._sources.database.writing() as connection:
                await catalogue.advance(connection, self.generation, new)
                tickets = await self._desk.apply(connection, batch)
        except BaseException:
            self._desk.forget()
            raise
        self.generation = self.generation.at(new)
        return tickets

    async def _take_in(self, changes: list[Delivery]) -> None:
        """Take in changes of people's keys: who was erased has to be gone from what was projected, too."""
        if not changes:
            return
        for person_id in erased_people(changes):
            await self._erase(person_id)
        async with self._sources.database.writing() as connection:
            self.generation = await catalogue.advance_keys(connection, self.generation, changes[-1].sequence)

    async def _erase(self, person_id: str) -> None:
        """Project the tickets of a person anew, without the keys that are gone."""
        self._sources.codec.forget(person_id)
        async with self._sources.database.writing() as connection:
            await self._desk.forget_person(connection, person_id)
            tickets = await self._desk.tickets_of(connection, person_id)
        for start in range(0, len(tickets), REFOLDED_AT_ONCE):
            await self._refold(tickets[start : start + REFOLDED_AT_ONCE])
        log.info("person erased from the read models", person_id=person_id, tickets=len(tickets))
        await self._applied(self.generation, frozenset(tickets), self.pending)

    async def _refold(self, ticket_ids: list[str]) -> None:
        try:
            async with self._sources.database.writing() as connection:
                await catalogue.advance(connection, self.generation, self.position)
                history = await self._desk.history(connection, ticket_ids)
                await self._desk.clear(connection, ticket_ids)
                await self._desk.apply(connection, await read_commits(history, self._sources.codec))
        except BaseException:
            self._desk.forget()
            raise

    @asynccontextmanager
    async def _following(self) -> AsyncIterator[Follower]:
        position = await self._sources.log.require(self.position)
        self.generation = self.generation.at(position)
        async with _opened(self._sources.log.follow(position)) as follower:
            self.pending = follower.pending
            yield follower

    def _keys(self) -> Follower:
        return self._sources.log.follow_keys(self.generation.keys_sequence)


@asynccontextmanager
async def _opened(follower: Follower) -> AsyncIterator[Follower]:
    try:
        await follower.open()
        yield follower
    finally:
        await follower.close()
