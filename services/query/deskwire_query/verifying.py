"""Checks the read models against the log: the ledger byte for byte, every chain, and what was projected.

All of it is read from one snapshot, so it may run while the desk is at work.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query import catalogue
from deskwire_query.catalogue import Position
from deskwire_query.projections.log import LogChanged, TicketLog
from deskwire_query.projections.runner import Sources, nobody_told
from deskwire_query.tables import DeskTables, desk_tables
from deskwire_query.ticket_check import LedgerEntry, Projected, check_ticket
from deskwire_shared.eventstore.follower import Delivery

BATCH: Final = 2_000
TICKETS_AT_ONCE: Final = 300
MOST_DIFFERENCES: Final = 1_000
FOLLOW_SECONDS: Final = 10.0

Row = Mapping[str, Any]
Progress = Callable[[str, int, int], Awaitable[None]]
"""Is told how far the check is: the stage (`log`, `tickets`), what is done and what there is."""


@dataclass(slots=True)
class Verified:
    """What was looked at, and everything that is not as it must be."""

    commits: int = 0
    tickets: int = 0
    lag: int = 0
    """Commits that the log holds behind the ones that were looked at."""
    differences: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that looking further tells nothing new."""
        return len(self.differences) >= MOST_DIFFERENCES


async def verify(sources: Sources, *, progress: Progress = nobody_told) -> Verified:
    """Check the living read models. Raises NothingLives when there are none."""
    verified = Verified()
    async with sources.database.reading() as connection:
        generation = await catalogue.living(connection)
        check = _Check(connection, desk_tables(generation.number), sources, progress, verified)
        await check.log(generation.position)
        await check.tickets()
    return verified


@dataclass(frozen=True, slots=True)
class _Check:
    """A check of one generation, from one snapshot."""

    connection: AsyncConnection
    tables: DeskTables
    sources: Sources
    progress: Progress
    verified: Verified

    async def log(self, position: Position) -> None:
        """Compare the ledger with the log, up to the position of the read models."""
        log, end = self.sources.log, position.sequence
        try:
            await log.require(position)
        except LogChanged as changed:
            self.verified.differences.append(str(changed))
        self.verified.lag = max(0, await log.last_sequence() - end)
        reached = 0
        async for deliveries in _deliveries(log, await log.origin(), min(end, await log.last_sequence())):
            last = deliveries[-1].sequence
            self.verified.differences += _unequal(deliveries, await self._ledger(reached, last))
            self.verified.commits += len(deliveries)
            reached = last
            await self.progress("log", reached, end)
            if self.verified.is_full:
                return
        await self._nothing_behind(reached)

    async def tickets(self) -> None:
        """Compare what was projected of every ticket with its history in the ledger."""
        total = await self._count(select(func.count(self.tables.ledger.c.ticket_id.distinct())))
        async for ids in self._pages():
            histories, projected = await self._histories(ids), await self._projected(ids)
            await self.sources.codec.warm(entry.stored for history in histories.values() for entry in history)
            for ticket_id in ids:
                found = await check_ticket(
                    ticket_id, histories[ticket_id], projected[ticket_id], self.tables, self.sources.codec
                )
                self.verified.differences += [f"ticket {ticket_id}: {difference}" for difference in found]
            self.verified.tickets += len(ids)
            await self.progress("tickets", self.verified.tickets, total)
            if self.verified.is_full:
                return
        await self._no_strangers()

    async def _ledger(self, after: int, until: int) -> dict[int, bytes]:
        c = self.tables.ledger.c
        asked = select(c.sequence, c.stored).where(c.sequence > after, c.sequence <= until)
        return {row.sequence: row.stored for row in await self.connection.execute(asked)}

    async def _nothing_behind(self, reached: int) -> None:
        more = await self._count(select(func.count()).where(self.tables.ledger.c.sequence > reached))
        if more:
            self.verified.differences.append(f"the ledger holds {more} commits behind {reached} that the log does not")

    async def _pages(self) -> AsyncIterator[list[str]]:
        c, last = self.tables.ledger.c, ""
        while True:
            asked = select(c.ticket_id).where(c.ticket_id > last).distinct().order_by(c.ticket_id)
            ids = list((await self.connection.execute(asked.limit(TICKETS_AT_ONCE))).scalars())
            if not ids:
                return
            yield ids
            last = ids[-1]

    async def _histories(self, ids: Sequence[str]) -> dict[str, list[LedgerEntry]]:
        c = self.tables.ledger.c
        asked = select(c.ticket_id, c.sequence, c.stored).where(c.ticket_id.in_(ids)).order_by(c.ticket_id, c.sequence)
        rows = (await self.connection.execute(asked)).all()
        return {
            ticket_id: [LedgerEntry(row.sequence, row.stored) for row in found]
            for ticket_id, found in groupby(rows, attrgetter("ticket_id"))
        }

    async def _projected(self, ids: Sequence[str]) -> dict[str, Projected]:
        projected = {ticket_id: Projected() for ticket_id in ids}
        tables = self.tables
        for row in await self._rows(tables.tickets, tables.tickets.c.id.in_(ids)):
            projected[row["id"]].ticket = row
        for row in await self._rows(tables.documents, tables.documents.c.ticket_id.in_(ids)):
            projected[row["ticket_id"]].document = row
        for row in await self._rows(tables.timeline, tables.timeline.c.ticket_id.in_(ids)):
            projected[row["ticket_id"]].entries[row["version"]] = row
        for row in await self._rows(tables.tags, tables.tags.c.ticket_id.in_(ids)):
            projected[row["ticket_id"]].tags.add(row["tag"])
        return projected

    async def _rows(self, table: Table, where: Any) -> list[Row]:
        return [dict(row) for row in (await self.connection.execute(select(table).where(where))).mappings()]

    async def _no_strangers(self) -> None:
        """Look for rows of tickets that no commit tells of."""
        known = select(self.tables.ledger.c.ticket_id)
        for table, key in (
            (self.tables.tickets, self.tables.tickets.c.id),
            (self.tables.timeline, self.tables.timeline.c.ticket_id),
            (self.tables.documents, self.tables.documents.c.ticket_id),
        ):
            strangers = await self._count(select(func.count(key.distinct())).where(key.not_in(known)))
            if strangers:
                self.verified.differences.append(f"{table.name} holds {strangers} tickets that the ledger does not")

    async def _count(self, asked: Any) -> int:
        return int((await self.connection.execute(asked)).scalar_one())


async def _deliveries(log: TicketLog, origin: Position, end: int) -> AsyncIterator[list[Delivery]]:
    """Read the log from its beginning to a sequence."""
    reached = 0
    follower = log.follow(origin)
    try:
        await follower.open()
        while reached < end:
            deliveries = [one for one in await follower.batch(BATCH, within=FOLLOW_SECONDS) if one.sequence <= end]
            if not deliveries:
                return
            yield deliveries
            reached = deliveries[-1].sequence
    finally:
        await follower.close()


def _unequal(deliveries: Sequence[Delivery], ledger: Mapping[int, bytes]) -> Iterator[str]:
    for delivery in deliveries:
        kept = ledger.get(delivery.sequence)
        if kept is None:
            yield f"commit {delivery.sequence} of the log is not in the ledger"
        elif kept != delivery.data:
            yield f"commit {delivery.sequence} is another one in the ledger than in the log"
    for sequence in ledger.keys() - {delivery.sequence for delivery in deliveries}:
        yield f"commit {sequence} of the ledger is not in the log"
