"""What happens: commits by cursor, live as server-sent events, and a ticket as of any moment."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request
from pydantic import AwareDatetime
from sse_starlette import EventSourceResponse

from deskwire_query.api.parameters import (
    LAST_SEQUENCE,
    EventsReader,
    OwnWrite,
    Sequence,
    TicketInPath,
    TicketsReader,
)
from deskwire_query.api.state import PartsOfDesk
from deskwire_query.live import Hub
from deskwire_query.reading.explanations import Explained, explanations, names_in, told
from deskwire_query.reading.history import events_after, readable, ticket_as_of
from deskwire_query.streaming import while_allowed
from deskwire_shared.contracts.subjects import TICKETS

MOST_EVENTS: Final = 500

router = APIRouter(tags=["events"])


@dataclass(frozen=True, slots=True)
class TicketThen:
    """A ticket as it was."""

    as_of: AwareDatetime | None
    ticket: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Events:
    """Commits in the order of the log; ask for what follows with `after` set to `next_after`."""

    stream: str
    items: list[dict[str, Any]]
    next_after: int


@dataclass(frozen=True, slots=True)
class Explanations:
    """Why a ticket is as it is: its changes in their order."""

    ticket_id: str
    number: int
    items: list[Explained]


@router.get("/tickets/{ticket}/history", summary="Read a ticket as of a moment")
async def read_history(
    ticket: TicketInPath,
    _principal: TicketsReader,
    parts: PartsOfDesk,
    _own_write: OwnWrite,
    at: Annotated[AwareDatetime | None, Query(description="The moment; left out, now.")] = None,
) -> TicketThen:
    """Fold a ticket from its history, up to a moment."""
    found = await parts.reader.ticket(ticket)
    return TicketThen(at, readable(await ticket_as_of(parts.reader, parts.codec, found.id, at)))


@router.get("/tickets/{ticket}/explanation", summary="Explain a ticket")
async def read_explanation(
    ticket: TicketInPath, _principal: TicketsReader, parts: PartsOfDesk, _own_write: OwnWrite
) -> Explanations:
    """Say of each change which rule, promise or strategy made it, and follow its causes back to where it began."""
    found = await parts.reader.ticket(ticket)
    name = names_in(parts.directory)
    explained = await explanations(parts.reader, parts.codec, found.id)
    return Explanations(found.id, found.number, [told(one, name) for one in explained])


@router.get("/events", summary="Read commits by cursor")
async def read_events(
    _principal: EventsReader,
    parts: PartsOfDesk,
    after: Annotated[Sequence, Query(description="The `next_after` of the answer before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 100,
) -> Events:
    """Read what was committed behind a sequence, notes included; personal data is readable until it is erased."""
    items = await events_after(parts.reader, parts.codec, after=after, limit=limit)
    return Events(TICKETS, items, items[-1]["sequence"] if items else after)


@router.get("/stream", summary="Hear of commits as they happen", response_class=EventSourceResponse)
async def stream(
    request: Request,
    _principal: TicketsReader,
    parts: PartsOfDesk,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
    after: Annotated[Sequence | None, Query(description="As Last-Event-ID, for the first connection.")] = None,
) -> EventSourceResponse:
    """Hear which tickets change; each event's id is its sequence, so a lost connection goes on where it was.

    `commit` events name ticket, version and facts; `reset` says that too much was missed: load everything anew.
    `typing` names a ticket whose customer writes in a chat at this moment. The stream ends with the session or token.
    """
    parts.hub.require_room()
    behind, seconds = _sequence(last_event_id) if last_event_id else after, parts.settings.heartbeat_seconds
    return EventSourceResponse(while_allowed(request, _frames(parts.hub, behind), every=seconds), ping=seconds)


async def _frames(hub: Hub, after: int | None) -> AsyncGenerator[bytes]:
    async with aclosing(hub.bursts(after)) as bursts:
        async for burst in bursts:
            yield b"".join(announcement.frame for announcement in burst)


def _sequence(event_id: str) -> int:
    """Read the id of an event; what is none of ours asks for everything, and is answered with a reset."""
    return min(int(event_id), LAST_SEQUENCE) if event_id.isascii() and event_id.isdigit() else 0
