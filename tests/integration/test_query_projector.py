"""The projector as a service runs it: it says what it has done, parks what it cannot read, and halts aloud."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry, Gauge

from deskwire_query import catalogue, generations, handlers, tables
from deskwire_query.handlers import Projector
from deskwire_query.projections import upkeep
from deskwire_query.tables import SCHEMA, desk_tables
from deskwire_shared.contracts.facts import StatusChanged
from deskwire_shared.contracts.subjects import PROJECTED_SUBJECT, TICKETS, ticket_subject
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.health import Unhealthy
from deskwire_shared.runtime.parking import ParkingLot, list_parked
from query_desk import MONDAY, ticket_id
from query_log import World, a_world, until


@pytest_asyncio.fixture
async def world(fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(handlers, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0.05)
    async with a_world(fresh_nats, f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}") as world:
        yield world


@asynccontextmanager
async def a_projector(world: World) -> AsyncIterator[tuple[Projector, CollectorRegistry]]:
    """A projector at work, with its figures."""
    registry = CollectorRegistry()
    projector = Projector(
        world.sources,
        world.connection,
        ParkingLot(world.connection.jetstream(), ManualClock(MONDAY), "query"),
        lag=Gauge("lag", "", registry=registry),
        position=Gauge("position", "", registry=registry),
    )
    running = asyncio.create_task(projector.run())
    try:
        yield projector, registry
    finally:
        await end(running)


async def is_healthy(projector: Projector) -> bool:
    try:
        await projector.upkeep.check()
    except Unhealthy:
        return False
    return True


async def has_reached(world: World, sequence: int) -> bool:
    async with world.database.reading() as connection:
        found = await catalogue.list_generations(connection)
    return [(one.state, one.position.sequence) for one in found if one.schema == SCHEMA] == [("living", sequence)]


async def test_every_batch_is_told_to_whoever_listens(world: World) -> None:
    notices: asyncio.Queue[Msg] = asyncio.Queue()
    await world.connection.subscribe(PROJECTED_SUBJECT, cb=notices.put)
    async with a_projector(world) as (projector, registry):
        await until(lambda: is_healthy(projector))
        await world.write(1)
        async with asyncio.timeout(10):
            notice = await notices.get()
        assert json.loads(notice.data) == {"sequence": 1, "tickets": [ticket_id(1)]}
        assert registry.get_sample_value("position") == 1


async def test_a_commit_that_cannot_be_read_is_parked_and_holds_up_nobody(world: World) -> None:
    async with a_projector(world) as (projector, _):
        await until(lambda: is_healthy(projector))
        await world.connection.jetstream().publish(ticket_subject(ticket_id(1)), b"no commit", stream=TICKETS)
        await world.write(2)
        await until(lambda: has_reached(world, 2))
        (parked,) = await list_parked(world.connection.jetstream())
    assert (parked.service, parked.reference, parked.data) == ("query", "TICKETS sequence 1", b"no commit")


async def test_a_projection_of_a_log_that_was_changed_halts_aloud_until_it_is_rebuilt(world: World) -> None:
    await world.write(1)
    generation = await world.living()
    async with world.database.writing() as connection:
        await catalogue.advance(connection, generation, replace(generation.position, commit_id="lost"))
    async with a_projector(world) as (projector, _):

        async def says_so() -> bool:
            try:
                await projector.upkeep.check()
            except Unhealthy as unhealthy:
                return "has halted" in str(unhealthy) and "deskwire rebuild" in str(unhealthy)
            return False

        await until(says_so)
        await world.write(1, StatusChanged(before="new", after="open"))
        await generations.rebuild(world.sources, grace_seconds=0)
        await until(lambda: is_healthy(projector))
        await world.write(2)
        await until(lambda: has_reached(world, 3))


async def test_a_new_schema_is_filled_beside_the_old_one_which_then_goes(world: World) -> None:
    await world.write(1)
    old = await world.living()
    async with world.database.writing() as connection:
        table = tables.generations
        await connection.execute(table.update().values(schema_version=SCHEMA - 1))
    async with a_projector(world) as (projector, _):
        await until(lambda: has_reached(world, 1))
        await until(lambda: is_healthy(projector))

        async def is_alone() -> bool:
            async with world.database.reading() as connection:
                return len(await catalogue.list_generations(connection)) == 1

        await until(is_alone)
    async with world.database.reading() as connection:
        names = await connection.run_sync(generations._table_names, f"g{old.number}_")
    assert names == []
    assert await world.count(await world.living(), "tickets") == 1


async def test_a_projector_outlives_its_database(world: World) -> None:
    async with a_projector(world) as (projector, _):
        await until(lambda: is_healthy(projector))
        living = await world.living()
        async with world.database.writing() as connection:
            await connection.exec_driver_sql(f"ALTER TABLE {desk_tables(living.number).ledger.name} RENAME TO aside")
        await world.write(1)

        async def is_in_trouble() -> bool:
            return not await is_healthy(projector)

        await until(is_in_trouble)
        async with world.database.writing() as connection:
            await connection.exec_driver_sql(f"ALTER TABLE aside RENAME TO {desk_tables(living.number).ledger.name}")
        await until(lambda: has_reached(world, 1))
        await until(lambda: is_healthy(projector))
