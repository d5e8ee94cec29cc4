"""Read models on a real log: a hand that writes, projectors that follow, and a look at the tables."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import nats
from nats.aio.client import Client
from sqlalchemy import func, select

from deskwire_query import catalogue, generations
from deskwire_query.catalogue import Generation, Overtaken
from deskwire_query.database import Database, open_database
from deskwire_query.projections.log import TicketLog
from deskwire_query.projections.runner import Runner, Sources
from deskwire_query.tables import desk_tables
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.jetstream import JetStreamEventStore
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.eventstore.port import UNWRITTEN, Recorded, Tip
from deskwire_shared.runtime.streams import migrate
from query_desk import ADA, MONDAY, opening, ticket_id

DEADLINE = 20.0


@dataclass
class World:
    """A log, a database, and a hand that writes to the log."""

    connection: Client
    sources: Sources
    store: JetStreamEventStore
    keys: JetStreamKeyRing
    tips: dict[int, Tip]

    @property
    def database(self) -> Database:
        return self.sources.database

    async def write(self, number: int, *facts: Any) -> Recorded:
        """Append a commit to a ticket; the first one opens it."""
        tip = self.tips.get(number, UNWRITTEN)
        facts = facts or (opening(number),)
        commit = Commit(
            commit_id=f"c{number}.{tip.version}", command_id=f"k{number}.{tip.version}", ticket_id=ticket_id(number),
            version=tip.version + len(facts), at=MONDAY, actor=ADA, correlation_id="r", facts=facts,
        )  # fmt: skip
        recorded = await self.store.append(commit, after=tip)
        self.tips[number] = Tip(recorded.sequence, commit.version, recorded.commit.chain)
        return recorded

    async def living(self) -> Generation:
        """Find the living generation, built when there is none."""
        generation = await generations.find_or_start(self.sources)
        if generation.state != "living":
            generation = await generations.build(self.sources, generation)
            generation, _ = await generations.promote(self.sources, generation)
        return generation

    async def dump(self, generation: Generation) -> dict[str, list[Any]]:
        """Everything that stands in a generation's tables."""
        found = {}
        async with self.database.reading() as connection:
            for table in desk_tables(generation.number).metadata.sorted_tables:
                keys = list(table.primary_key)
                rows = await connection.execute(select(table).order_by(*keys))
                found[table.name.partition("_")[2]] = [tuple(row) for row in rows]
        return found

    async def count(self, generation: Generation, name: str) -> int:
        table = getattr(desk_tables(generation.number), name)
        async with self.database.reading() as connection:
            return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


@asynccontextmanager
async def a_world(nats_address: str, database_address: str) -> AsyncIterator[World]:
    connection = await nats.connect(nats_address)
    await migrate(connection.jetstream())
    database = open_database(database_address)
    await catalogue.create_catalogue(database)
    keys = JetStreamKeyRing(connection)
    await keys.start()
    codec = Codec(keys)
    sources = Sources(database, TicketLog(connection), codec)
    try:
        yield World(connection, sources, JetStreamEventStore(connection, codec), keys, {})
    finally:
        await database.close()
        await connection.close()


@asynccontextmanager
async def projectors(world: World, number: int) -> AsyncIterator[None]:
    """Let some projectors work on one desk; whatever stops one of them fails the test."""

    async def project() -> None:
        while True:
            with suppress(Overtaken):
                await Runner(world.sources, await world.living()).follow()

    tasks = [asyncio.create_task(project()) for _ in range(number)]
    try:
        yield
    finally:
        for task in tasks:
            await end(task)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():
            await asyncio.sleep(0.01)
