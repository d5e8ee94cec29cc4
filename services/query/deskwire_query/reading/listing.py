"""Lists in pages: which columns, in which order, behind which place."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, false, func, literal, or_, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query.reading.read_models import Sort, TicketFilter, TicketRow, UnsupportedCondition
from deskwire_query.reading.rows import LIST_COLUMNS, ticket_row
from deskwire_query.reading.selecting import selected
from deskwire_query.tables import DeskTables, due_order, storable

MOST: Final = 200

Column = ColumnElement[Any]


def bounded(limit: int) -> int:
    """Keep a limit within reason."""
    return max(1, min(limit, MOST))


def list_columns(tables: DeskTables) -> list[Column]:
    """Name the columns that lists show."""
    return [tables.tickets.c[name] for name in LIST_COLUMNS]


def sort_column(tables: DeskTables, sort: Sort) -> Column:
    """Name the column that tickets are sorted by; none of its values is missing."""
    c = tables.tickets.c
    columns: dict[Sort, Column] = {
        "updated": type_coerce(c.updated_at, BigInteger),
        "opened": type_coerce(c.opened_at, BigInteger),
        "due": due_order(tables.tickets),
        "priority": c.priority_rank,
        "number": c.number,
    }
    return columns[sort]


def behind(place: Column, tie: Column, cursor: Sequence[int | str], *, descending: bool) -> ColumnElement[bool]:
    """Say what comes behind a place in an order."""
    here, there = tuple_(place, tie), tuple_(literal(cursor[0], BigInteger), literal(cursor[1], tie.type))
    return here < there if descending else here > there


def mentions(text: str, *columns: Column) -> ColumnElement[bool]:
    """Say that one of some columns has a text in it."""
    wanted = storable(text.lower())
    return or_(*(func.lower(column).contains(wanted, autoescape=True) for column in columns))


def count_up_to(tables: DeskTables, wanted: TicketFilter, most: int) -> Select[int]:
    """Count tickets, no further than `most`."""
    some = select(literal(1)).select_from(tables.tickets).where(member_of(tables, wanted)).limit(most).subquery()
    return select(func.count()).select_from(some)


def count_by_owner(tables: DeskTables, wanted: TicketFilter, owners: Iterable[str]) -> Select[str, int]:
    """Count the tickets of each of some agents."""
    owner = tables.tickets.c.assignee_id
    return select(owner, func.count()).where(member_of(tables, wanted), owner.in_([*owners])).group_by(owner)


def member_of(tables: DeskTables, wanted: TicketFilter) -> ColumnElement[bool]:
    """Say whether a ticket is in a selection; in one that cannot be listed there is none."""
    try:
        return selected(tables, wanted)
    except UnsupportedCondition:
        return false()


async def rows_of(connection: AsyncConnection, tables: DeskTables, ids: Sequence[str]) -> tuple[TicketRow, ...]:
    """Read the rows of some tickets, in the order asked; unknown ones are left out."""
    asked = select(*list_columns(tables)).where(tables.tickets.c.id.in_(ids))
    found = {row["id"]: row for row in (await connection.execute(asked)).mappings()}
    return tuple(ticket_row(found[ticket_id]) for ticket_id in ids if ticket_id in found)
