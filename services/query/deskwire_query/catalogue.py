"""Which generations of tables there are, how far each has come, and which one lives.

A generation is `filling` (tables without secondary indexes), then `complete` (catching up), then `living`.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, Self

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, CreateTable

from deskwire_query.database import Database
from deskwire_query.tables import SCHEMA, catalogue, desk_tables, generations

CATALOGUE_LOCK: Final = 0x6465736B
"""The number of our advisory lock in PostgreSQL."""

State = Literal["filling", "complete", "living"]


class NothingLives(Exception):
    """No generation of this program's schema is complete yet."""


class Overtaken(Exception):
    """Somebody else has moved the position, or the generation is gone."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log; `commit_id` names the commit there, `epoch` the life of the stream."""

    stream: str
    epoch: str
    sequence: int = 0
    commit_id: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation of tables and its position."""

    number: int
    state: State
    position: Position
    keys_sequence: int = 0
    """The last change of people's keys that the tables have taken in."""
    schema: int = SCHEMA

    def at(self, position: Position) -> Self:
        """Give the same generation further on."""
        return replace(self, position=position)


async def create_catalogue(database: Database) -> None:
    """Make the catalogue's table where it is missing."""
    async with database.writing() as connection:
        await take_turns(connection)
        await connection.run_sync(catalogue.create_all)


async def take_turns(connection: AsyncConnection) -> None:
    """Let nobody else change the catalogue until this transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(CATALOGUE_LOCK)))


async def list_generations(connection: AsyncConnection) -> list[Generation]:
    """List every generation, oldest first."""
    rows = await connection.execute(select(generations).order_by(generations.c.generation))
    return [_generation(row) for row in rows]


async def living(connection: AsyncConnection) -> Generation:
    """Find the generation that answers. Raises NothingLives."""
    c = generations.c
    wanted = select(generations).where(c.state == "living", c.schema_version == SCHEMA)
    row = (await connection.execute(wanted.order_by(c.generation.desc()).limit(1))).first()
    if row is None:
        raise NothingLives("the read models are being built")
    return _generation(row)


async def find(connection: AsyncConnection, number: int) -> Generation:
    """Find a generation as it is now. Raises Overtaken when it is gone."""
    row = (await connection.execute(select(generations).where(generations.c.generation == number))).first()
    if row is None:
        raise Overtaken(f"generation {number} is gone")
    return _generation(row)


async def create_generation(connection: AsyncConnection, position: Position, keys_sequence: int = 0) -> Generation:
    """Make the tables of a new generation, to be filled from a position."""
    known = await list_generations(connection)
    number = max((generation.number for generation in known), default=0) + 1
    await connection.execute(
        insert(generations).values(
            generation=number,
            schema_version=SCHEMA,
            state="filling",
            stream=position.stream,
            epoch=position.epoch,
            sequence=position.sequence,
            commit_id=position.commit_id,
            keys_sequence=keys_sequence,
        )
    )
    for table in desk_tables(number).metadata.sorted_tables:
        await connection.execute(CreateTable(table))
    return Generation(number, "filling", position, keys_sequence)


async def create_indexes(connection: AsyncConnection, number: int) -> None:
    """Make the secondary indexes of a generation that has been filled."""
    for index in desk_tables(number).indexes:
        await connection.execute(CreateIndex(index))


async def advance(connection: AsyncConnection, generation: Generation, new: Position) -> None:
    """Move a position from where the caller knows it to be. Raises Overtaken when it is elsewhere."""
    old = generation.position
    c = generations.c
    moved = await connection.execute(
        update(generations)
        .where(c.generation == generation.number, c.sequence == old.sequence, c.commit_id == old.commit_id)
        .values(sequence=new.sequence, commit_id=new.commit_id)
    )
    if moved.rowcount != 1:
        raise Overtaken(f"generation {generation.number} is no longer at sequence {old.sequence}")


async def advance_keys(connection: AsyncConnection, generation: Generation, sequence: int) -> Generation:
    """Note that changes of keys up to a sequence have been taken in."""
    this_one = generations.c.generation == generation.number
    await connection.execute(update(generations).where(this_one).values(keys_sequence=sequence))
    return replace(generation, keys_sequence=sequence)


async def set_state(connection: AsyncConnection, generation: Generation, state: State) -> Generation:
    """Let a generation be in another state. Raises Overtaken when it is gone."""
    moved = await connection.execute(
        update(generations).where(generations.c.generation == generation.number).values(state=state)
    )
    if moved.rowcount != 1:
        raise Overtaken(f"generation {generation.number} is gone")
    return replace(generation, state=state)


async def forget(connection: AsyncConnection, generation: Generation) -> None:
    """Take a generation out of the catalogue; whoever fills it is overtaken."""
    await connection.execute(delete(generations).where(generations.c.generation == generation.number))


def _generation(row: Row[tuple[object, ...]]) -> Generation:
    position = Position(row.stream, row.epoch, row.sequence, row.commit_id)
    return Generation(row.generation, row.state, position, row.keys_sequence, row.schema_version)
