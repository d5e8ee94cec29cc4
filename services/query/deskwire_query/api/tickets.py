"""Tickets: lists, single ones, their timelines, search and saved views."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from deskwire_query.api.parameters import (
    MOST,
    OwnWrite,
    SearchQuery,
    TicketInPath,
    TicketListQuery,
    TicketsReader,
    visible_views,
)
from deskwire_query.api.state import PartsOfDesk
from deskwire_query.reading.read_models import (
    LAST_VERSION,
    Page,
    SearchHit,
    TicketDetail,
    TicketFilter,
    TicketRow,
    TimelineEntry,
)

router = APIRouter(tags=["tickets"])


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened on a ticket; `next_after_version` is what to ask for next, None at the end."""

    items: tuple[TimelineEntry, ...]
    next_after_version: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, the best first."""

    items: tuple[SearchHit, ...]


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved view with how many tickets stand in it, counted up to ten thousand."""

    id: str
    name: str
    shared: bool
    count: int


@router.get("/tickets", summary="List tickets")
async def list_tickets(
    asked: Annotated[TicketListQuery, Query()], principal: TicketsReader, parts: PartsOfDesk, _own_write: OwnWrite
) -> Page[TicketRow]:
    """List tickets by filters, in an order, page by page."""
    return await parts.reader.list_tickets(
        asked.wanted(principal, parts.directory),
        sort=asked.sort,
        descending=asked.order == "desc",
        after=asked.cursor,
        limit=asked.limit,
    )


@router.get("/tickets/{ticket}", summary="Read a ticket")
async def read_ticket(
    ticket: TicketInPath, _principal: TicketsReader, parts: PartsOfDesk, _own_write: OwnWrite
) -> TicketDetail:
    """Read one ticket by its id or number."""
    return await parts.reader.ticket(ticket)


@router.get("/tickets/{ticket}/timeline", summary="Read what happened on a ticket")
async def read_timeline(
    ticket: TicketInPath,
    _principal: TicketsReader,
    parts: PartsOfDesk,
    _own_write: OwnWrite,
    after_version: Annotated[int, Query(ge=0, le=LAST_VERSION)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Timeline:
    """Read messages, notes and changes, oldest first."""
    found = await parts.reader.ticket(ticket)
    items = await parts.reader.timeline(found.id, after_version=after_version, limit=limit)
    return Timeline(items, items[-1].version if len(items) == limit else None)


@router.get("/search", summary="Search tickets")
async def search(
    asked: Annotated[SearchQuery, Query()], principal: TicketsReader, parts: PartsOfDesk, _own_write: OwnWrite
) -> Found:
    """Find tickets by words and filters, the most relevant and newest first."""
    wanted = asked.wanted(principal, parts.directory)
    return Found(await parts.reader.search(asked.q, me=principal.id, wanted=wanted, limit=asked.limit))


@router.get("/views", summary="List saved views")
async def list_views(principal: TicketsReader, parts: PartsOfDesk, _own_write: OwnWrite) -> list[SavedView]:
    """List the views that the asker can see, with their counts."""
    views = visible_views(principal, parts.directory)
    wanted = {view_id: TicketFilter(conditions=view.conditions) for view_id, view in views.items()}
    counts = await parts.reader.counts(wanted)
    return [SavedView(i, view.name, view.agent_id is None, counts[i]) for i, view in views.items()]
