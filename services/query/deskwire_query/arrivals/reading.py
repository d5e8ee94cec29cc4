"""Answers what came in: entries a page at a time, the latest first, and how many of each kind there are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query.arrivals.tables import arrivals
from deskwire_query.database import Database
from deskwire_query.reading.cursors import read_cursor, write_cursor
from deskwire_query.reading.listing import bounded
from deskwire_query.reading.read_models import Page
from deskwire_shared.contracts.intake_ledger import Decision, Via, message_digest

ORDER: Final = "ledger"


class ArrivalNotFound(LookupError):
    """The ledger holds no such entry."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"there is no entry {asked} in the ledger")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalFilter:
    """Which entries are wanted."""

    channel_id: str | None = None
    via: Via | None = None
    decision: Decision | None = None
    ticket_id: str | None = None
    message_id: str | None = None
    """The Message-ID of a mail."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of a parked message when it was looked at again."""

    ticket_id: str | None
    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRow:
    """An entry of the ledger."""

    id: str
    at: datetime
    via: Via
    channel_id: str | None
    mailbox: str
    source: str
    raw_key: str | None
    size: int
    content_digest: str
    message_digest: str | None
    decision: Decision
    ticket_id: str | None
    number: int | None
    parked: int | None
    reason: str
    replayed: Replayed | None = None
    """For what was parked and is on a ticket by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalCount:
    """How many messages came to one place by one way, and what became of them."""

    channel_id: str | None
    via: Via
    decision: Decision
    count: int


class ArrivalReader:
    """Reads the ledger of intake."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: ArrivalFilter, *, after: str | None = None, limit: int = 50) -> Page[ArrivalRow]:
        """List entries, the latest first. Raises InvalidCursor."""
        c, most = arrivals.c, bounded(limit)
        asked = select(arrivals).where(*_conditions(wanted))
        if after is not None:
            (place,) = read_cursor(after, ORDER, (int,))
            asked = asked.where(c.entry < place)
        async with self._database.reading() as connection:
            found = (await connection.execute(asked.order_by(c.entry.desc()).limit(most + 1))).all()
            shown = found[:most]
            replayed = await _replayed(connection, [row.raw_key for row in shown if row.decision == "parked"])
        following = write_cursor(ORDER, shown[-1].entry) if len(found) > len(shown) else None
        return Page(tuple(_row(row, replayed) for row in shown), following)

    async def counts(self, wanted: ArrivalFilter) -> tuple[ArrivalCount, ...]:
        """Count entries by channel, way and decision."""
        c = arrivals.c
        kinds = (c.channel_id, c.via, c.decision)
        asked = select(*kinds, func.count().label("total")).where(*_conditions(wanted)).group_by(*kinds)
        async with self._database.reading() as connection:
            found = await connection.execute(asked.order_by(*kinds))
        return tuple(
            ArrivalCount(channel_id=row.channel_id, via=row.via, decision=row.decision, count=row.total)
            for row in found
        )

    async def one(self, entry_id: str) -> ArrivalRow:
        """Give an entry. Raises ArrivalNotFound."""
        if not (entry_id.isascii() and entry_id.isdigit() and len(entry_id) < len(str(2**63))):
            raise ArrivalNotFound(entry_id[:20])
        async with self._database.reading() as connection:
            asked = select(arrivals).where(arrivals.c.entry == int(entry_id))
            row = (await connection.execute(asked)).first()
            replayed = await _replayed(connection, [row.raw_key] if row else [])
        if row is None:
            raise ArrivalNotFound(entry_id)
        return _row(row, replayed)


Key = tuple[str, str, str | None]


async def _replayed(connection: AsyncConnection, raw_keys: Collection[str | None]) -> dict[Key, Replayed]:
    """What became of parked messages later, by where they are kept and where they were sent."""
    c = arrivals.c
    asked = select(c.raw_key, c.mailbox, c.channel_id, c.ticket_id, c.number).where(
        c.raw_key.in_([key for key in raw_keys if key]), c.via == "replay", c.decision != "parked"
    )
    found = (await connection.execute(asked)).all() if raw_keys else ()
    return {
        (row.raw_key, row.mailbox, row.channel_id): Replayed(ticket_id=row.ticket_id, number=row.number)
        for row in found
    }


def _row(row: Row[Any], replayed: dict[Key, Replayed]) -> ArrivalRow:
    values = dict(row._mapping)  # noqa: SLF001  # its public name
    number = values.pop("entry")
    again = replayed.get((row.raw_key, row.mailbox, row.channel_id)) if row.decision == "parked" else None
    return ArrivalRow(id=str(number), replayed=again, **values)


def _conditions(wanted: ArrivalFilter) -> list[ColumnElement[bool]]:
    c = arrivals.c
    conditions: list[ColumnElement[bool]] = []
    exact = {
        c.channel_id: wanted.channel_id,
        c.via: wanted.via,
        c.decision: wanted.decision,
        c.ticket_id: wanted.ticket_id,
    }
    conditions += [column == value for column, value in exact.items() if value is not None]
    if wanted.message_id is not None:
        conditions.append(c.message_digest == message_digest(wanted.message_id))
    if wanted.since is not None:
        conditions.append(c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(c.at < wanted.until)
    return conditions
