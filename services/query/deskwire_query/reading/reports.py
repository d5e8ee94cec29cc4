"""Counts and times for reports."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query.reading.read_models import NOBODY, CountBy, ResponseTimes, TicketFilter
from deskwire_query.reading.selecting import selected
from deskwire_query.search.question import UNSOLVED
from deskwire_query.tables import DeskTables

MICROSECONDS = 1_000_000


async def count_by(connection: AsyncConnection, tables: DeskTables, wanted: TicketFilter) -> CountBy:
    """Count tickets by status, team, agent and priority."""
    c = tables.tickets.c
    all_of_them = selected(tables, wanted)
    unsolved = and_(all_of_them, c.status.in_(UNSOLVED))
    return CountBy(
        by_status=await _grouped(connection, c.status, all_of_them),
        by_team=await _grouped(connection, c.team_id, unsolved),
        by_agent=await _grouped(connection, c.assignee_id, unsolved),
        by_priority=await _grouped(connection, c.priority, all_of_them),
    )


async def response_times(
    connection: AsyncConnection, tables: DeskTables, *, since: datetime, until: datetime
) -> ResponseTimes:
    """Tell how fast first answers were to the tickets opened in a span."""
    c = tables.tickets.c
    span = and_(c.opened_at >= since, c.opened_at < until, c.merged_into.is_(None))
    counted = select(func.count(), func.count(c.first_response_at)).where(span)
    opened, answered = (await connection.execute(counted)).one()
    taken = type_coerce(c.first_response_at, BigInteger) - type_coerce(c.opened_at, BigInteger)
    ordered = select(taken).where(span, c.first_response_at.is_not(None)).order_by(taken)
    return ResponseTimes(
        opened=opened,
        answered=answered,
        median_seconds=await _at_share(connection, ordered, answered, 0.5),
        p90_seconds=await _at_share(connection, ordered, answered, 0.9),
    )


async def _grouped(
    connection: AsyncConnection, column: ColumnElement[Any], where: ColumnElement[bool]
) -> dict[str, int]:
    rows = await connection.execute(select(column, func.count()).where(where).group_by(column))
    return {NOBODY if value is None else value: count for value, count in rows}


async def _at_share(connection: AsyncConnection, ordered: Select[int], count: int, share: float) -> float | None:
    """Give the value below which that share of all values lies, from microseconds in seconds."""
    if not count:
        return None
    nearest = ordered.offset(min(count - 1, int(count * share))).limit(1)
    return (await connection.execute(nearest)).scalar_one() / MICROSECONDS
