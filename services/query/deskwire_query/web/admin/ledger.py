"""The ledger of intake for people: what came in, what became of it, and a second try for what was parked."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response, StreamingResponse

from deskwire_query.arrivals.reading import ArrivalCount, ArrivalFilter, ArrivalNotFound, ArrivalRow
from deskwire_query.web.access import allowed
from deskwire_query.web.admin.sections import GROUPS
from deskwire_query.web.desk import Desk, TheDesk
from deskwire_query.web.people import People
from deskwire_query.web.rendering import page
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.intake_ledger import Decision
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.parking import UnknownParked
from deskwire_shared.runtime.replaying import ReplayFailed

LEDGER: Final = "ledger"
SHOWN: Final = 50
SPANS: Final[dict[str, tuple[str, timedelta | None]]] = {
    "day": ("24 hours", timedelta(days=1)),
    "week": ("7 days", timedelta(days=7)),
    "month": ("30 days", timedelta(days=30)),
    "all": ("All that is kept", None),
}
DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)

router = APIRouter(prefix="/admin/ledger")

Auditor = Annotated[Principal, Depends(allowed("admin"))]
"""Somebody who may see every message as it came."""


class Asked(BaseModel):
    """What a person looks for; what makes no sense is not looked for."""

    channel: Annotated[str, Field(max_length=64)] = ""
    decision: Annotated[str, Field(max_length=16)] = ""
    span: Annotated[str, Field(max_length=8)] = "week"
    message: Annotated[str, Field(max_length=998)] = ""
    cursor: Annotated[str | None, Field(max_length=500)] = None

    def wanted(self, desk: Desk) -> ArrivalFilter:
        """Give the filter; a mail that is looked for by its Message-ID is found however old it is."""
        _, span = SPANS.get(self.span, SPANS["week"])
        message = self.message.strip().replace("\0", "")
        return ArrivalFilter(
            channel_id=self.channel or None,
            decision=next((known for known in DECISIONS if known == self.decision), None),
            message_id=message or None,
            since=desk.clock.now() - span if span and not message else None,
        )

    def further(self, cursor: str) -> str:
        """Give the address of the next page."""
        return "/admin/ledger?" + urlencode({**self.model_dump(exclude={"cursor"}), "cursor": cursor})


@router.get("")
async def ledger_page(
    request: Request, desk: TheDesk, principal: Auditor, asked: Annotated[Asked, Query()]
) -> Response:
    """List what came in, and count it."""
    return await _page(request, desk, principal, asked)


@router.post("/{entry_id}/replay")
async def replay(request: Request, desk: TheDesk, principal: Auditor, entry_id: str) -> Response:
    """Have a parked message handled once more."""
    entry = await _entry(desk, entry_id)
    if entry.parked is None:
        raise HTTPException(404, "This was not parked.")
    try:
        await desk.parked.replay(entry.parked)
    except UnknownParked:
        return await _page(request, desk, principal, Asked(decision="parked"), problem="It is no longer parked.")
    except ReplayFailed as failed:
        problem = f"It could not be handled this time either: {failed}"
        return await _page(request, desk, principal, Asked(decision="parked"), problem=problem)
    return RedirectResponse("/admin/ledger?decision=parked", 303)


@router.get("/{entry_id}/raw")
async def raw(desk: TheDesk, principal: Auditor, entry_id: str) -> Response:
    """Save a message as it came."""
    del principal
    entry = await _entry(desk, entry_id)
    if entry.raw_key is None:
        raise HTTPException(404, "Every word of this message stands on its ticket; nothing else was kept.")
    objects = Objects(desk.objects)
    size = await objects.size(entry.raw_key)
    if size is None:
        raise HTTPException(404, "The message is no longer in the store.")
    ending = "json" if entry.raw_key.startswith("hooks/") else "eml"
    headers = {
        "Content-Disposition": f'attachment; filename="{entry.id}.{ending}"',
        "Content-Length": str(size),
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(objects.stream(entry.raw_key), media_type="application/octet-stream", headers=headers)


async def _entry(desk: Desk, entry_id: str) -> ArrivalRow:
    try:
        return await desk.arrivals.one(entry_id)
    except ArrivalNotFound as error:
        raise HTTPException(404, "The ledger holds no such entry.") from error


async def _page(request: Request, desk: Desk, principal: Principal, asked: Asked, *, problem: str = "") -> Response:
    wanted = asked.wanted(desk)
    found = await desk.arrivals.page(wanted, after=asked.cursor, limit=SHOWN)
    context = {
        "me": principal,
        "now": desk.clock.now(),
        "sections": GROUPS,
        "section": LEDGER,
        "name": "Intake ledger",
        "people": People(desk.directory),
        "asked": asked,
        "channels": sorted((channel.name, key) for key, channel in desk.directory.all(Channel).items()),
        "decisions": DECISIONS,
        "spans": {key: words for key, (words, _) in SPANS.items()},
        "entries": found.items,
        "further": asked.further(found.next) if found.next else None,
        "totals": _totals(await desk.arrivals.counts(wanted)),
        "waiting": await _waiting(desk, found.items),
        "problem": problem,
    }
    return page(request, "ledger.html", context, status=422 if problem else 200)


def _totals(counts: Sequence[ArrivalCount]) -> list[tuple[str | None, str, dict[Decision, int]]]:
    """Give a line for each channel and way, and what became of its messages."""
    lines: dict[tuple[str | None, str], dict[Decision, int]] = {}
    for one in counts:
        lines.setdefault((one.channel_id, one.via), {})[one.decision] = one.count
    return [(channel_id, via, decided) for (channel_id, via), decided in lines.items()]


async def _waiting(desk: Desk, entries: Iterable[ArrivalRow]) -> frozenset[int]:
    return await desk.parked.waiting(one.parked for one in entries if one.parked is not None)
