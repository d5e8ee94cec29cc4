"""Builds a desk's read models from histories, without a log: for tests of projections, search and reads."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from deskwire_query import catalogue, generations
from deskwire_query.catalogue import Generation, Position
from deskwire_query.database import Database, open_database
from deskwire_query.projections.desk import Desk
from deskwire_query.projections.log import Logged
from deskwire_query.reading.reader import Reader
from deskwire_query.search.choosing import search_index
from deskwire_query.tables import desk_tables
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import Address, AnyFact, Opened
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.eventstore.port import UNWRITTEN, Tip

MONDAY: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA: Final = Actor(kind="agent", id="ada")
CORA: Final = Address(address="cora@example.org", name="Cora Customer")


def opening(number: int, **changes: Any) -> Opened:
    """Say that a mail of Cora's opened a ticket."""
    usual: dict[str, Any] = {
        "person_id": "cora",
        "requester_id": "cora",
        "message_id": f"m{number}",
        "number": number,
        "channel": "email",
        "author": CORA,
        "subject": "The printer is on fire",
        "text": "Please help.",
    }
    return Opened(**{**usual, **changes})


def ticket_id(number: int) -> str:
    """Name a ticket by its number."""
    return derived_id("ticket", str(number))


@dataclass
class History:
    """Commits of several tickets in the order of a log, with their stored bytes."""

    keys: MemoryKeyRing = field(default_factory=MemoryKeyRing)
    logged: list[Logged] = field(default_factory=list)
    tips: dict[str, Tip] = field(default_factory=dict)

    async def add(
        self, number: int, *facts: AnyFact, at: datetime | None = None, actor: Actor = ADA, because: int | None = None
    ) -> Logged:
        """Append a commit to a ticket; a minute after the last one unless told when, `because` of an earlier one."""
        sequence = len(self.logged) + 1
        tip = self.tips.get(ticket_id(number), UNWRITTEN)
        commit = Commit(
            commit_id=derived_id("commit", str(sequence)),
            command_id=f"k{sequence}",
            ticket_id=ticket_id(number),
            version=tip.version + len(facts),
            at=at or MONDAY + timedelta(minutes=sequence),
            actor=actor,
            correlation_id="r1",
            causation_id=derived_id("commit", str(because)) if because else None,
            facts=facts,
        )
        commit, stored = await Codec(self.keys).encode(commit, after=tip)
        self.tips[commit.ticket_id] = Tip(sequence, commit.version, commit.chain)
        self.logged.append(Logged(sequence, commit.ticket_id, stored, commit))
        return self.logged[-1]


@dataclass
class QueryDesk:
    """A living generation of read models, and what reads it."""

    database: Database
    generation: Generation
    directory: MemoryDirectory
    history: History = field(default_factory=History)

    @property
    def reader(self) -> Reader:
        """A reader of the tables."""
        return Reader(self.database, self.directory)

    async def open(self, number: int, **changes: Any) -> str:
        """Open a ticket and give its id."""
        await self.add(number, opening(number, **changes))
        return ticket_id(number)

    async def add(
        self, number: int, *facts: AnyFact, at: datetime | None = None, actor: Actor = ADA, because: int | None = None
    ) -> None:
        """Append a commit and project it."""
        await self.apply([await self.history.add(number, *facts, at=at, actor=actor, because=because)])

    async def apply(self, batch: Sequence[Logged]) -> None:
        """Project commits in one transaction."""
        position = self.generation.position
        new = Position(position.stream, position.epoch, batch[-1].sequence, batch[-1].commit_id)
        desk = Desk(desk_tables(self.generation.number), search_index(self.database))
        async with self.database.writing() as connection:
            await catalogue.advance(connection, self.generation, new)
            await desk.apply(connection, batch)
        self.generation = self.generation.at(new)


@asynccontextmanager
async def query_desk(url: str) -> AsyncIterator[QueryDesk]:
    """Make empty read models at a database's address."""
    database = open_database(url)
    await catalogue.create_catalogue(database)
    async with database.writing() as connection:
        generation = await catalogue.create_generation(connection, Position("TICKETS", "first"))
    generation = await generations.complete(database, generation)
    async with database.writing() as connection:
        generation = await catalogue.set_state(connection, generation, "living")
    keys = MemoryKeyRing()
    try:
        yield QueryDesk(database, generation, MemoryDirectory(keys, lambda: MONDAY), History(keys))
    finally:
        await database.close()
