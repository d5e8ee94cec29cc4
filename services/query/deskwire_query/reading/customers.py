"""Reads the customers that the desk has met."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query.reading.cursors import read_cursor, write_cursor
from deskwire_query.reading.listing import behind, count_up_to, list_columns, mentions
from deskwire_query.reading.read_models import CustomerNotFound, CustomerRow, CustomerView, Page, TicketFilter
from deskwire_query.reading.rows import ticket_row
from deskwire_query.reading.selecting import selected
from deskwire_query.search.question import UNSOLVED
from deskwire_query.tables import DeskTables
from deskwire_shared.contracts.directory import Customer

LAST_TICKETS: Final = 10
MOST_COUNTED: Final = 10_000
ORDER: Final = "seen"


async def find(
    connection: AsyncConnection, tables: DeskTables, customer_id: str, document: Customer | None
) -> CustomerView:
    """Read a customer by what the desk has seen and what the directory knows. Raises CustomerNotFound."""
    people, tickets = tables.people, tables.tickets
    person = (await connection.execute(select(people).where(people.c.id == customer_id))).mappings().first()
    if person is None and document is None:
        raise CustomerNotFound(customer_id[:64])
    theirs = TicketFilter(requester_id=customer_id)
    newest = select(*list_columns(tables)).where(selected(tables, theirs)).order_by(tickets.c.updated_at.desc())
    rows = (await connection.execute(newest.limit(LAST_TICKETS))).mappings().all()
    unsolved = TicketFilter(requester_id=customer_id, statuses=UNSOLVED)
    counts = [count_up_to(tables, each, MOST_COUNTED).scalar_subquery() for each in (theirs, unsolved)]
    ticket_count, open_count = (await connection.execute(select(*counts))).one()
    seen: Mapping[Any, Any] = person or {"name": "", "address": "", "last_seen_at": None}
    known = document or Customer(address=seen["address"], name=seen["name"])
    return CustomerView(
        id=customer_id,
        name=known.name or seen["name"],
        address=known.address,
        organisation_id=known.organisation_id,
        locale=known.locale,
        notes=known.notes,
        blocked=known.blocked,
        ticket_count=ticket_count,
        open_count=open_count,
        last_seen_at=seen["last_seen_at"],
        tickets=tuple(ticket_row(row) for row in rows),
    )


async def page(
    connection: AsyncConnection, tables: DeskTables, text: str, *, after: str | None, limit: int
) -> Page[CustomerRow]:
    """List customers by name or address, the ones seen last first. Raises InvalidCursor."""
    c = tables.people.c
    seen = type_coerce(c.last_seen_at, BigInteger)
    asked = select(tables.people, seen.label("place"))
    if text:
        asked = asked.where(mentions(text, c.name, c.address))
    if after is not None:
        asked = asked.where(behind(seen, c.id, read_cursor(after, ORDER, (int, str)), descending=True))
    found = (await connection.execute(asked.order_by(seen.desc(), c.id.desc()).limit(limit + 1))).mappings().all()
    shown = found[:limit]
    following = write_cursor(ORDER, shown[-1]["place"], shown[-1]["id"]) if len(found) > limit else None
    fields = ("id", "name", "address", "last_seen_at")
    return Page(tuple(CustomerRow(**{name: row[name] for name in fields}) for row in shown), following)
