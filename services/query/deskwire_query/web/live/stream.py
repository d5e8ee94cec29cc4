"""The stream behind an open page: what changes on its list, its rail and in its chat, and who else is there."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field
from sse_starlette import EventSourceResponse
from starlette.responses import Response

from deskwire_query.streaming import while_allowed
from deskwire_query.web.access import Reader
from deskwire_query.web.desk import TheDesk
from deskwire_query.web.live.presence import Looking, Sighting
from deskwire_query.web.live.screens import Screen
from deskwire_query.web.workspace.views import START

LAST_SEQUENCE: Final = 2**62

router = APIRouter()


class Watched(BaseModel, frozen=True):
    """What a page shows."""

    view: str = Field(default=START, max_length=80)
    """Empty for a search."""
    tab: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,40}$")
    after: int = Field(default=0, ge=0, le=LAST_SEQUENCE)


@router.get("/live")
async def live(
    request: Request,
    desk: TheDesk,
    principal: Reader,
    watched: Annotated[Watched, Query()],
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> EventSourceResponse:
    """Tell an open page what changes: `rows`, `counts`, `typing`, `presence`, and `reset` when it has to start over."""
    desk.screens.require_room()
    screen = Screen(agent_id=principal.id, view=watched.view, tab=watched.tab)
    after = watched.after if last_event_id is None else _sequence(last_event_id)
    frames = desk.screens.watch(screen, after=after)
    return EventSourceResponse(
        while_allowed(request, frames, every=desk.heartbeat_seconds), ping=desk.heartbeat_seconds
    )


@router.post("/presence", status_code=204)
async def look(desk: TheDesk, principal: Reader, looking: Looking) -> Response:
    """Say what a page shows; it is said again every few seconds while that lasts."""
    await desk.presence.tell(Sighting(agent_id=principal.id, name=principal.name, looking=looking))
    return Response(status_code=204)


def _sequence(event_id: str) -> int:
    """Read the id of an event; what is none of ours asks for everything."""
    return min(int(event_id), LAST_SEQUENCE) if event_id.isascii() and event_id.isdigit() else 0
