"""Builds a generation of read models beside the living one and lets it take its place."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog import get_logger

from deskwire_query import catalogue
from deskwire_query.catalogue import Generation, NothingLives, Overtaken
from deskwire_query.database import Database
from deskwire_query.projections.log import LogChanged
from deskwire_query.projections.runner import Runner, Sources, nobody_told
from deskwire_query.search.choosing import search_index
from deskwire_query.tables import SCHEMA, DeskTables, desk_tables

INDEXED_AT_ONCE: Final = 1_000
SELDOM: Final = (50_000, 20, 1_000)
"""Thresholds of the garbage collector while a generation is filled; the usual ones cost a third of the time."""
GRACE_SECONDS: Final = 5.0
"""How long the tables of a generation outlive it, for reads that began before."""

Progress = Callable[[str, int, int], Awaitable[None]]
"""Is told how far a build is: the stage (`commits`, `search`), what is done and what there is."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The generation that lives now, and the name of the old ledger when that held what the log has lost."""

    generation: Generation
    kept_ledger: str | None = None


async def find_or_start(sources: Sources) -> Generation:
    """Give the living generation, else the one that is being built, else a new one."""
    origin, keys = await sources.log.origin(), await sources.log.keys_sequence()
    async with sources.database.writing() as connection:
        await catalogue.take_turns(connection)
        known = [found for found in await catalogue.list_generations(connection) if found.schema == SCHEMA]
        alive = [found for found in known if found.state == "living"]
        return [*known, *alive][-1] if known else await catalogue.create_generation(connection, origin, keys)


async def rebuild(
    sources: Sources, *, progress: Progress = nobody_told, grace_seconds: float = GRACE_SECONDS
) -> Rebuilt:
    """Make the read models anew from the log while the old ones answer, swap them in and drop the old ones.

    Raises Overtaken when another rebuild begins meanwhile.
    """
    generation = await _start_over(sources)
    generation = await build(sources, generation, progress=progress)
    generation, old = await promote(sources, generation)
    kept = None
    if old is not None:
        await asyncio.sleep(grace_seconds)
        kept = None if await _agrees(sources, old) else desk_tables(old.number).ledger.name
        await drop(sources.database, old, keep=kept)
    return Rebuilt(generation, kept)


async def build(sources: Sources, generation: Generation, *, progress: Progress = nobody_told) -> Generation:
    """Fill a generation, complete it and catch up with the log. Raises Overtaken when others work on it."""
    if generation.state == "filling":
        generation = await _fill(sources, generation, progress)
        generation = await complete(sources.database, generation, progress=progress)
    runner = Runner(sources, generation)
    await runner.catch_up()
    return runner.generation


async def complete(database: Database, generation: Generation, *, progress: Progress = nobody_told) -> Generation:
    """Make the indexes of a generation whose tables are filled. Raises Overtaken when others fill it further."""
    tables, index = desk_tables(generation.number), search_index(database)
    async with database.writing() as connection:
        await catalogue.take_turns(connection)
        found = await catalogue.find(connection, generation.number)
        if found.state != "filling":
            return found
        if found.position != generation.position:
            raise Overtaken(f"generation {generation.number} is being filled by another projector")
        await catalogue.create_indexes(connection, generation.number)
        await index.create(connection, tables)
        total, done = generation.position.sequence, 0
        async for documents in _documents(connection, tables):
            await index.add(connection, tables, documents)
            done = documents[-1]["opening"]
            await progress("search", done, total)
        await index.settle(connection, tables)
        for table in tables.metadata.sorted_tables:
            await connection.exec_driver_sql(f"ANALYZE {table.name}")  # or the first questions are planned blindly
        await progress("search", total, total)
        return await catalogue.set_state(connection, generation, "complete")


async def promote(sources: Sources, generation: Generation) -> tuple[Generation, Generation | None]:
    """Let a generation live once it is not behind the one that does; give both."""
    while True:
        async with sources.database.writing() as connection:
            await catalogue.take_turns(connection)
            old = await _living(connection)
            if old is None or old.position.sequence <= generation.position.sequence or not await _agrees(sources, old):
                alive = await catalogue.set_state(connection, generation, "living")
                if old is not None and old.number != alive.number:
                    await catalogue.forget(connection, old)
                return alive, old
        runner = Runner(sources, generation)
        await runner.catch_up()
        generation = runner.generation


async def drop(database: Database, generation: Generation, *, keep: str | None = None) -> None:
    """Drop the tables of a generation, whatever its schema was, apart from one that is to be kept."""
    tables = desk_tables(generation.number)
    async with database.writing() as connection:
        await catalogue.forget(connection, generation)
        await search_index(database).drop(connection, tables)
        for name in await connection.run_sync(_table_names, f"g{generation.number}_"):
            if name != keep:
                await connection.exec_driver_sql(f"DROP TABLE {name}")
    log.info("read models dropped", generation=generation.number, kept=keep)


async def drop_outdated(database: Database) -> None:
    """Drop the generations of older programs; call it when one of this program's schema lives."""
    async with database.reading() as connection:
        found = await catalogue.list_generations(connection)
    for generation in found:
        if generation.schema < SCHEMA:
            await drop(database, generation)


async def _start_over(sources: Sources) -> Generation:
    """Begin a new generation; what an earlier build left unfinished is given up."""
    async with sources.database.reading() as connection:
        found = await catalogue.list_generations(connection)
    for generation in found:
        if generation.state != "living" and generation.schema == SCHEMA:
            await drop(sources.database, generation)
    origin, keys = await sources.log.origin(), await sources.log.keys_sequence()
    async with sources.database.writing() as connection:
        await catalogue.take_turns(connection)
        return await catalogue.create_generation(connection, origin, keys)


async def _fill(sources: Sources, generation: Generation, progress: Progress) -> Generation:
    end = await sources.log.last_sequence()

    async def applied(reached: Generation, _tickets: frozenset[str], _pending: int) -> None:
        done = reached.position.sequence
        await progress("commits", done, max(end, done))

    runner = Runner(sources, generation, applied=applied)
    with _seldom_collected():
        await runner.catch_up()
    return runner.generation


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the garbage collector run seldom: a rebuild makes millions of objects, hardly a cycle among them."""
    usual = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


async def _documents(connection: AsyncConnection, tables: DeskTables) -> AsyncIterator[list[dict[str, Any]]]:
    table, after = tables.documents, 0
    while True:
        wanted = select(table).where(table.c.opening > after).order_by(table.c.opening).limit(INDEXED_AT_ONCE)
        found = [dict(row) for row in (await connection.execute(wanted)).mappings()]
        if not found:
            return
        yield found
        after = found[-1]["opening"]


async def _living(connection: AsyncConnection) -> Generation | None:
    try:
        return await catalogue.living(connection)
    except NothingLives:
        return None


async def _agrees(sources: Sources, generation: Generation) -> bool:
    """Whether the log still holds what a generation was made from."""
    try:
        await sources.log.require(generation.position)
    except LogChanged:
        return False
    return True


def _table_names(connection: Connection, prefix: str) -> list[str]:
    return [name for name in inspect(connection).get_table_names() if name.startswith(prefix)]
