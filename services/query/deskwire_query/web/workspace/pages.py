"""The workspace: the rail of views, the list of a view and, beside it, one ticket."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Final, get_args

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from deskwire_query.live import NotCaughtUp
from deskwire_query.reading.read_models import Page, SearchHit, Sort, TicketRow
from deskwire_query.web.access import Reader
from deskwire_query.web.desk import Desk, TheDesk
from deskwire_query.web.people import People
from deskwire_query.web.rendering import PART, marked, page
from deskwire_query.web.ticket.pages import shown_ticket
from deskwire_query.web.workspace.attendance import attendance_of
from deskwire_query.web.workspace.views import START, Rail, TicketView, rail_for
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Priority, Status
from deskwire_shared.contracts.rules import Macro
from deskwire_shared.contracts.staff import Agent, Team

PAGE: Final = 50
MOST_ROWS: Final = 200
TICKET_PARTS: Final = ("pane", "ticket")
"""The parts of a page that show no list."""
CHOOSABLE_STATUSES: Final = ("open", "pending", "on_hold", "solved", "closed")
SORT_NAMES: Final[dict[Sort, str]] = {
    "updated": "Updated",
    "opened": "Opened",
    "due": "Due",
    "priority": "Priority",
    "number": "Number",
}

router = APIRouter()


class Asked(BaseModel, frozen=True):
    """What the address of a workspace page asks for."""

    view: str = Field(default=START, max_length=80)
    sort: Sort | None = None
    descending: bool | None = None
    q: str = Field(default="", max_length=400)
    cursor: str | None = Field(default=None, max_length=500)
    rows: int = Field(default=PAGE, ge=1, le=MOST_ROWS)
    after: int = Field(default=0, ge=0, le=2**62)


Question = Annotated[Asked, Query()]


@router.get("/")
async def workspace(request: Request, desk: TheDesk, principal: Reader, asked: Question) -> Response:
    """Show a view's list, or the tickets that match a search."""
    await _caught_up(desk, asked)
    return page(request, "workspace.html", {**await _around(request, desk, principal, asked), "ticket": None})


@router.get("/tickets/{number}")
async def ticket_page(request: Request, desk: TheDesk, principal: Reader, number: str, asked: Question) -> Response:
    """Show a ticket beside the list it was opened from."""
    await _caught_up(desk, asked)
    ticket, around = await asyncio.gather(
        shown_ticket(desk, principal, number), _around(request, desk, principal, asked)
    )
    return page(request, "workspace.html", {**around, "ticket": ticket})


@router.get("/palette")
async def palette(desk: TheDesk, principal: Reader, q: Annotated[str, Query(max_length=400)] = "") -> Response:
    """Find tickets for the palette."""
    hits = await desk.reads.search(q, me=principal.id, limit=8) if q.strip() else ()
    return JSONResponse([_palette_entry(hit.ticket) for hit in hits])


def _palette_entry(row: TicketRow) -> dict[str, object]:
    return {
        "id": row.id,
        "number": row.number,
        "subject": row.subject,
        "requester": row.requester_name or row.requester_address,
        "status": row.status,
    }


async def _caught_up(desk: Desk, asked: Asked) -> None:
    """Let agents see what they have just done; a page that cannot wait any longer is brought up to date live."""
    if asked.after:
        with suppress(NotCaughtUp):
            await desk.reached(asked.after)


async def _around(request: Request, desk: Desk, principal: Principal, asked: Asked) -> dict[str, object]:
    """Collect what stands around a ticket, as far as the asked part of the page shows it."""
    part = request.headers.get(PART)
    rail = rail_for(principal.id, desk.directory, desk.clock.now())
    context = {
        "me": principal,
        "now": desk.clock.now(),
        "people": People(desk.directory),
        "rail": rail,
        "view": _chosen(rail, asked),
        "asked": asked,
        "attendance": attendance_of(principal, desk.directory, desk.clock.now()),
    }
    return context if part in TICKET_PARTS else context | await _list(desk, principal, rail, asked)


async def _list(desk: Desk, principal: Principal, rail: Rail, asked: Asked) -> dict[str, object]:
    position = await desk.reads.position()  # first: what comes after it is told live
    found, counts = await asyncio.gather(_rows(desk, principal, _chosen(rail, asked), asked), _counts(desk, rail))
    return {
        "counts": counts,
        "rows": found.items,
        "next_cursor": found.next,
        "position": position,
        "sort_names": SORT_NAMES,
        "first_steps": None if position else _first_steps(desk),
        "choices": _choices(desk, principal),
    }


def _chosen(rail: Rail, asked: Asked) -> TicketView:
    view = rail.find(asked.view)
    sort = asked.sort or view.sort
    default = view.descending if sort == view.sort else sort != "due"
    return replace(view, sort=sort, descending=default if asked.descending is None else asked.descending)


async def _counts(desk: Desk, rail: Rail) -> dict[str, int]:
    return await desk.reads.counts({view.key: view.wanted for view in rail.all})


async def _rows(desk: Desk, principal: Principal, view: TicketView, asked: Asked) -> Page[TicketRow]:
    if asked.q.strip():
        hits = await desk.reads.search(asked.q, me=principal.id, limit=PAGE)
        return Page(tuple(_with_snippet(hit) for hit in hits))
    return await desk.reads.list_tickets(
        view.wanted, sort=view.sort, descending=view.descending, after=asked.cursor, limit=asked.rows
    )


def _with_snippet(hit: SearchHit) -> TicketRow:
    return replace(hit.ticket, excerpt=marked(hit.snippet, hit.marks) or hit.ticket.excerpt)


def _first_steps(desk: Desk) -> dict[str, str]:
    """Say how a newcomer gets a first ticket."""
    host, _, port = desk.smtp_address.rpartition(":")
    channels = desk.directory.all(Channel).values()
    mailbox = next((each.address for each in channels if each.medium == "email" and each.active and each.address), "")
    script = (
        "import smtplib; "
        f"smtplib.SMTP('{host}', {port}).sendmail('ann@example.com', '{mailbox}', "
        f"'From: Ann Lee <ann@example.com>\\nTo: {mailbox}\\nSubject: Where is my order?\\n\\n"
        "Hello, order 1042 has not arrived yet. Can you check?')"
    )
    return {"smtp": desk.smtp_address, "mailbox": mailbox, "python": f'python3 -c "{script}"'}


def _choices(desk: Desk, principal: Principal) -> dict[str, object]:
    """List what an agent can choose from when they change a ticket."""
    agents = {key: agent for key, agent in desk.directory.all(Agent).items() if agent.active}
    return {
        "me": principal.id,
        "may": sorted(principal.permissions),
        "agents": [{"id": key, "name": agent.name or agent.email} for key, agent in sorted(
            agents.items(), key=lambda item: (item[0] != principal.id, item[1].name.lower()))],
        "teams": [{"id": key, "name": team.name} for key, team in desk.directory.all(Team).items()],
        "statuses": [status for status in get_args(Status) if status in CHOOSABLE_STATUSES],
        "priorities": list(get_args(Priority)),
        "macros": [{"id": key, "name": macro.name} for key, macro in sorted(
            desk.directory.all(Macro).items(), key=lambda item: item[1].name.lower())],
    }  # fmt: skip
