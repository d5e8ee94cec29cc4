"""Reads the living read models: every SQL question of the pages and the API."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query import catalogue
from deskwire_query.arrivals.reading import ArrivalReader
from deskwire_query.catalogue import Generation
from deskwire_query.database import Database
from deskwire_query.reading import customers, reports
from deskwire_query.reading.cursors import read_cursor, write_cursor
from deskwire_query.reading.listing import (
    MOST,
    behind,
    bounded,
    count_by_owner,
    count_up_to,
    list_columns,
    member_of,
    mentions,
    rows_of,
    sort_column,
)
from deskwire_query.reading.membership import belongs, is_plain
from deskwire_query.reading.read_models import (
    NOBODY,
    Changed,
    CountBy,
    CustomerRow,
    CustomerView,
    Page,
    ResponseTimes,
    SearchHit,
    Sort,
    TicketDetail,
    TicketFilter,
    TicketNotFound,
    TicketRow,
    TimelineEntry,
)
from deskwire_query.reading.rows import ticket_detail, ticket_row, timeline_entry
from deskwire_query.reading.selecting import selected
from deskwire_query.search.choosing import search_index
from deskwire_query.search.question import Names, Question, understand
from deskwire_query.search.snippets import snippet
from deskwire_query.tables import DeskTables, desk_tables
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory

MOST_COUNTED: Final = 10_000
"""A view is counted no further: nobody reads the difference, and a million rows take a second."""
COUNTED_AT_ONCE: Final = 50
"""Views that are counted in one statement."""
KNOWN_SECONDS: Final = 1.0
"""How long the living generation is taken as known; far less than its tables outlive it."""


@dataclass(slots=True)
class Known:
    """The living generation as it was found a moment ago."""

    generation: Generation
    until: float


class LedgerRow(NamedTuple):
    """A commit as the ledger keeps it."""

    sequence: int
    ticket_id: str
    version: int
    facts: str
    stored: bytes


class Reader:
    """Answers from the living generation; see `Reads` for what each question means.

    Every question raises NothingLives while no generation is complete.
    """

    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self.arrivals = ArrivalReader(database)
        self._directory = directory
        self._index = search_index(database)
        self._known: Known | None = None

    async def list_tickets(
        self,
        wanted: TicketFilter,
        *,
        sort: Sort = "updated",
        descending: bool = True,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[TicketRow]:
        """See `Reads.list_tickets`."""
        async with self._reading() as (connection, tables):
            place = sort_column(tables, sort)
            number = tables.tickets.c.number
            order = f"{sort} {'down' if descending else 'up'}"
            asked = select(*list_columns(tables), place.label("place")).where(selected(tables, wanted))
            if after is not None:
                asked = asked.where(behind(place, number, read_cursor(after, order, (int, int)), descending=descending))
            columns = [place.desc(), number.desc()] if descending else [place, number]
            found = (await connection.execute(asked.order_by(*columns).limit(bounded(limit) + 1))).mappings().all()
        shown = found[: bounded(limit)]
        more = len(found) > len(shown)
        following = write_cursor(order, shown[-1]["place"], shown[-1]["number"]) if more else None
        return Page(tuple(ticket_row(row) for row in shown), following)

    async def ticket(self, id_or_number: str) -> TicketDetail:
        """See `Reads.ticket`."""
        async with self._reading() as (connection, tables):
            c = tables.tickets.c
            number = id_or_number.removeprefix("#")
            is_number = number.isascii() and number.isdigit() and len(number) < len(str(2**63))
            named = c.number == int(number) if is_number else c.id == id_or_number
            row = (await connection.execute(select(tables.tickets).where(named).limit(1))).mappings().first()
        if row is None:
            raise TicketNotFound(id_or_number[:64])
        return ticket_detail(row)

    async def rows(self, ticket_ids: Sequence[str]) -> tuple[TicketRow, ...]:
        """See `Reads.rows`."""
        async with self._reading() as (connection, tables):
            return await rows_of(connection, tables, ticket_ids[:MOST])

    async def changed(self, ticket_ids: Sequence[str], selections: Sequence[TicketFilter]) -> Changed:
        """See `Reads.changed`; the rows tell plain selections apart, the database the others."""
        asked = [wanted for wanted in selections if not is_plain(wanted)]
        async with self._reading() as (connection, tables):
            columns = [member_of(tables, wanted).label(f"member_{at}") for at, wanted in enumerate(asked)]
            question = select(*list_columns(tables), *columns).where(tables.tickets.c.id.in_(ticket_ids[:MOST]))
            found = (await connection.execute(question)).mappings().all()
        rows = tuple(ticket_row(row) for row in found)
        plain = [wanted for wanted in selections if is_plain(wanted)]
        members = {one: frozenset(row.id for row in rows if belongs(row, one)) for one in plain}
        members |= {one: frozenset(row["id"] for row in found if row[f"member_{at}"]) for at, one in enumerate(asked)}
        return Changed(rows=rows, members=members)

    async def timeline(self, ticket_id: str, *, after_version: int = 0, limit: int = MOST) -> tuple[TimelineEntry, ...]:
        """See `Reads.timeline`."""
        async with self._reading() as (connection, tables):
            c = tables.timeline.c
            asked = select(tables.timeline).where(c.ticket_id == ticket_id, c.version > after_version)
            found = (await connection.execute(asked.order_by(c.version).limit(bounded(limit)))).mappings()
            return tuple(timeline_entry(row) for row in found)

    async def search(
        self, text: str, *, me: str | None = None, wanted: TicketFilter | None = None, limit: int = 20
    ) -> tuple[SearchHit, ...]:
        """See `Reads.search`."""
        question = understand(text, Names(me, self._find_agent, self._find_team), wanted)
        async with self._reading() as (connection, tables):
            found = await self._find(connection, tables, question, bounded(limit))
            rows = await rows_of(connection, tables, found)
            said = await _texts(connection, tables, found)
        return tuple(_hit(row, said.get(row.id, ()), question) for row in rows)

    async def counts(self, views: Mapping[str, TicketFilter]) -> dict[str, int]:
        """See `Reads.counts`; a view is counted up to ten thousand, tickets of many agents all at once."""
        owned = _by_owner(views)
        grouped = {name for owners in owned.values() for name in owners}
        others = [name for name in views if name not in grouped]
        counted: dict[str, int] = {}
        async with self._reading() as (connection, tables):
            for start in range(0, len(others), COUNTED_AT_ONCE):
                names = others[start : start + COUNTED_AT_ONCE]
                counts = [count_up_to(tables, views[name], MOST_COUNTED).scalar_subquery() for name in names]
                row = (await connection.execute(select(*counts))).one()
                counted |= zip(names, row, strict=True)
            for wanted, owners in owned.items():
                rows = await connection.execute(count_by_owner(tables, wanted, owners.values()))
                found = {owner: count for owner, count in rows}  # noqa: C416  # rows are no pairs to the type checker
                counted |= {name: min(found.get(owner, 0), MOST_COUNTED) for name, owner in owners.items()}
        return counted

    async def customer(self, customer_id: str) -> CustomerView:
        """See `Reads.customer`."""
        document = await self._directory.fetch(Customer, customer_id)
        async with self._reading() as (connection, tables):
            return await customers.find(connection, tables, customer_id, document)

    async def customers(self, text: str = "", *, after: str | None = None, limit: int = 50) -> Page[CustomerRow]:
        """See `Reads.customers`."""
        async with self._reading() as (connection, tables):
            return await customers.page(connection, tables, text, after=after, limit=bounded(limit))

    async def count_by(self, wanted: TicketFilter) -> CountBy:
        """See `Reads.count_by`."""
        async with self._reading() as (connection, tables):
            return await reports.count_by(connection, tables, wanted)

    async def response_times(self, *, since: datetime, until: datetime) -> ResponseTimes:
        """See `Reads.response_times`."""
        async with self._reading() as (connection, tables):
            return await reports.response_times(connection, tables, since=since, until=until)

    async def position(self) -> int:
        """See `Reads.position`."""
        async with self._database.reading() as connection:
            return (await catalogue.living(connection)).position.sequence

    async def commits(self, *, after: int, limit: int) -> list[LedgerRow]:
        """Read the ledger behind a sequence, in the order of the log."""
        async with self._reading() as (connection, tables):
            c = tables.ledger.c
            asked = _ledger(tables).where(c.sequence > after).order_by(c.sequence).limit(limit)
            return [_ledger_row(row) for row in await connection.execute(asked)]

    async def history(self, ticket_id: str, *, until: datetime | None, limit: int) -> list[LedgerRow]:
        """Read a ticket's commits up to a moment, oldest first."""
        async with self._reading() as (connection, tables):
            c = tables.ledger.c
            asked = _ledger(tables).where(c.ticket_id == ticket_id, c.at.is_not(None))
            if until is not None:
                asked = asked.where(c.at <= until)
            return [_ledger_row(row) for row in await connection.execute(asked.order_by(c.sequence).limit(limit))]

    async def redacted(self, ticket_ids: Sequence[str]) -> frozenset[tuple[str, str]]:
        """Name the messages of some tickets, by ticket and message, that are hidden for good."""
        async with self._reading() as (connection, tables):
            c = tables.timeline.c
            hidden = select(c.ticket_id, c.message_id).where(c.ticket_id.in_(ticket_ids), c.redacted)
            return frozenset((row.ticket_id, row.message_id) for row in await connection.execute(hidden))

    async def _find(self, connection: AsyncConnection, tables: DeskTables, question: Question, limit: int) -> list[str]:
        c = tables.tickets.c
        among = selected(tables, question.wanted)
        if question.sender:
            among = and_(among, c.requester_id.in_(_senders(tables, question.sender)))
        found: list[str] = []
        if question.number is not None:
            numbered = select(c.id).where(c.number == question.number)
            found += (await connection.execute(numbered)).scalars()
        if question.chunks:
            found += await self._index.find(connection, tables, question.chunks, among=among, limit=limit)
        elif not question.is_empty:
            newest = select(c.id).where(among).order_by(c.updated_at.desc()).limit(limit)
            found += (await connection.execute(newest)).scalars()
        return list(dict.fromkeys(found))[:limit]

    def _find_agent(self, name: str) -> str | None:
        agents = self._directory.all(Agent)
        if name in agents:
            return name
        wanted = name.casefold()
        return next(
            (i for i, agent in agents.items() if wanted in (agent.email.casefold(), *agent.name.casefold().split())),
            None,
        )

    def _find_team(self, name: str) -> str | None:
        teams = self._directory.all(Team)
        wanted = name.casefold()
        return name if name in teams else next((i for i, t in teams.items() if t.name.casefold() == wanted), None)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[tuple[AsyncConnection, DeskTables]]:
        async with self._database.reading() as connection:
            if self._known is None or time.monotonic() > self._known.until:
                generation = await catalogue.living(connection)
                self._known = Known(generation, time.monotonic() + KNOWN_SECONDS)
            yield connection, desk_tables(self._known.generation.number)


def _by_owner(views: Mapping[str, TicketFilter]) -> dict[TicketFilter, dict[str, str]]:
    """Sort views of agents' own tickets by what else they want; the agent of each by its name."""
    found: dict[TicketFilter, dict[str, str]] = {}
    for name, wanted in views.items():
        if wanted.assignee_id is not None and wanted.assignee_id != NOBODY:
            found.setdefault(replace(wanted, assignee_id=None), {})[name] = wanted.assignee_id
    return {wanted: owners for wanted, owners in found.items() if len(owners) > 1}


def _senders(tables: DeskTables, named: str) -> Select[str]:
    """Find customers by a part of their name or address: there are fewer of them than tickets."""
    c = tables.people.c
    return select(c.id).where(mentions(named, c.name, c.address))


async def _texts(connection: AsyncConnection, tables: DeskTables, ids: Sequence[str]) -> dict[str, list[str]]:
    c = tables.documents.c
    found = await connection.execute(select(c.ticket_id, c.messages).where(c.ticket_id.in_(ids)))
    return {ticket_id: [said for _, said in messages] for ticket_id, messages in found}


def _hit(row: TicketRow, texts: Sequence[str], question: Question) -> SearchHit:
    piece, marks = snippet(texts, question.chunks)
    return SearchHit(ticket=row, snippet=piece, marks=marks)


def _ledger(tables: DeskTables) -> Select[int, str, int, str, bytes]:
    c = tables.ledger.c
    return select(c.sequence, c.ticket_id, c.version, c.facts, c.stored)


def _ledger_row(row: Row[int, str, int, str, bytes]) -> LedgerRow:
    return LedgerRow(row.sequence, row.ticket_id, row.version, row.facts, row.stored)
