"""Why something on a ticket is as it is: a small panel below a change, asked for when an agent wants to know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Path
from starlette.responses import HTMLResponse

from deskwire_query.reading.explanations import names_in
from deskwire_query.reading.read_models import LAST_VERSION
from deskwire_query.web.access import Reader
from deskwire_query.web.desk import TheDesk
from deskwire_query.web.people import People
from deskwire_query.web.rendering import environment
from deskwire_query.web.ticket.sentences import words_of
from deskwire_shared.ticket.explaining import Step, reasons

SAID: Final = frozenset({"opened", "customer_replied", "agent_replied", "note_added"})
"""Facts that the page shows as messages."""

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class CauseWords:
    """A cause in a sentence, and where it stands on the page."""

    at: datetime
    words: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Why:
    """What a panel shows."""

    reasons: tuple[str, ...]
    causes: tuple[CauseWords, ...]


@router.get("/tickets/{ticket_id}/why/{version}")
async def why(
    desk: TheDesk, principal: Reader, ticket_id: str, version: Annotated[int, Path(ge=1, le=LAST_VERSION)]
) -> HTMLResponse:
    """Show what spoke for a change and what caused it."""
    del principal
    detail = await desk.reads.ticket(ticket_id)
    found = next((one for one in await desk.explained(detail.id) if one.version == version), None)
    if found is None:
        raise HTTPException(404, "There is nothing to explain here.")
    people = People(desk.directory)
    shown = Why(
        reasons=reasons(found, names_in(desk.directory)),
        causes=tuple(_cause(step, people, detail.id) for step in reversed(found.causes)),
    )
    actor = people.actor(found.actor)
    return HTMLResponse(environment().get_template("why.html").render(why=shown, now=desk.clock.now(), actor=actor))


def _cause(step: Step, people: People, ticket_id: str) -> CauseWords:
    name = step.fact.type.split(".")[1]
    actor = people.actor(step.actor)
    words = _said(name, actor) if name in SAID else words_of(name, step.fact.model_dump(mode="json"), people, actor)
    place = "m" if name in SAID else "v"
    return CauseWords(at=step.at, words=words, anchor=f"#{place}{step.version}-{ticket_id}")


def _said(name: str, actor: str) -> str:
    verb = {"opened": "opened the ticket", "customer_replied": "wrote", "agent_replied": "answered"}
    return f"{actor} {verb.get(name, 'left a note')}"
