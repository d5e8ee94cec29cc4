"""What can be done to a document beside its form: look at its past, bring it back, delete, switch and move it."""

# ruff: noqa: FAST003  # the visit reads the section

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import Response

from deskwire_query.web.admin.differences import Difference, Names, differences
from deskwire_query.web.admin.directory import find, in_order, renumber, require_sound
from deskwire_query.web.admin.filled_forms import existing_document
from deskwire_query.web.admin.forms.form import Rejected
from deskwire_query.web.admin.sections import BY_KIND
from deskwire_query.web.admin.uses import names_by_id, uses_of
from deskwire_query.web.admin.visits import AVisit, Visit
from deskwire_query.web.errors import error_page
from deskwire_query.web.people import People
from deskwire_shared.contracts.directory import Entry
from deskwire_shared.contracts.document import Document
from deskwire_shared.directory.port import RevisionConflict

MOST_REVISIONS: Final = 100
IN_BETWEEN: Final = "Somebody changed this in between. Look at it again."
AFTERWARDS: Final = {
    "agents": "What they wrote stays, under the name of a former agent. "
    "To let somebody go, it is better to take away that they may sign in.",
    "teams": "Tickets in its queue stay there, under the name of a former team, until they are given to another one.",
    "customers": "Their tickets stay. If they write again, they are there again.",
    "organisations": "Its customers stay, and belong to no organisation.",
    "channels": "Nothing comes in by it any more. Tickets that came by it stay, but cannot be answered by it.",
    "policies": "Promises that it made are made anew by the other policies.",
    "calendars": "Nothing counts in it any more.",
    "rules": "What it did stays done.",
    "macros": "Agents no longer find it.",
    "templates": "The built-in words take its place.",
    "views": "Its tickets stay; only the selection goes.",
    "webhooks": "Its address is told nothing any more.",
    "tokens": "Whatever uses it can no longer sign in, from this moment on.",
}

router = APIRouter(prefix="/admin")

Revision = Annotated[int, Form(ge=0)]
Stored = tuple[Entry, Document | None]


@dataclass(frozen=True, kw_only=True)
class Told:
    """A revision as the page tells it."""

    revision: int
    at: datetime
    who: str
    deleted: bool
    first: bool
    differences: tuple[Difference, ...]


@router.get("/{section}/{document_id}/history")
async def history_page(visit: AVisit, document_id: str) -> Response:
    """Tell who changed what when."""
    history: list[Stored] = list(await visit.desk.directory.history(visit.section.model, document_id))
    if not history:
        raise HTTPException(404, "This is not in the directory.")
    names, people = names_by_id(visit.desk.directory), People(visit.desk.directory)
    told = [_told(before, now, names, people) for before, now in pairwise([None, *history]) if now is not None]
    context = {
        "document_id": document_id,
        "title": next((_name(document) for _, document in reversed(history) if document is not None), document_id),
        "revisions": told[: -MOST_REVISIONS - 1 : -1],
        "now": visit.desk.clock.now(),
    }
    return visit.page("admin_history.html", context)


@router.post("/{section}/{document_id}/restore")
async def restore(visit: AVisit, document_id: str, revision: Revision, seen: Revision) -> Response:
    """Store an older revision once more, as the newest one."""
    history = await visit.desk.directory.history(visit.section.model, document_id)
    document = next((document for entry, document in history if entry.revision == revision), None)
    if document is None:
        raise HTTPException(404, "This revision is not there.")
    return await _put(visit, document_id, document, seen)


@router.get("/{section}/{document_id}/delete")
async def deletion_page(visit: AVisit, document_id: str) -> Response:
    """Say what uses a document and what becomes of it all, before it is deleted."""
    document, revision = await existing_document(visit, document_id)
    context = {
        "document_id": document_id,
        "title": _name(document),
        "revision": revision,
        "uses": uses_of(visit.desk.directory, visit.section.kind, document_id),
        "sections_by_kind": BY_KIND,
        "afterwards": AFTERWARDS[visit.section.key],
    }
    return visit.page("admin_delete.html", context)


@router.post("/{section}/{document_id}/delete")
async def delete(visit: AVisit, document_id: str, revision: Revision) -> Response:
    """Delete a document that nothing uses; its history stays."""
    desk, model = visit.desk, visit.section.model
    if uses_of(desk.directory, visit.section.kind, document_id):
        return await deletion_page(visit, document_id)

    async def work() -> None:
        require_sound(desk, document_id, None)
        await desk.directory.delete(model, document_id, actor=visit.principal.actor, expected_revision=revision)

    return await _done(visit, work(), f"?deleted={document_id}")


@router.post("/{section}/{document_id}/active")
async def switch(visit: AVisit, document_id: str, revision: Revision) -> Response:
    """Switch a document on or off."""
    document, _ = await find(visit.desk, visit.section, document_id)
    if document is None or not visit.section.switched:
        raise HTTPException(404, "This cannot be switched.")
    turned = {**document.model_dump(), "active": not getattr(document, "active", False)}
    return await _put(visit, document_id, visit.section.model.model_validate(turned), revision)


@router.post("/{section}/{document_id}/move")
async def move(visit: AVisit, document_id: str, direction: Annotated[Literal["up", "down"], Form()]) -> Response:
    """Move a document one place up or down in its order."""
    ids = [key for key, _ in in_order(visit.section, visit.desk.directory.all(visit.section.model))]
    if not visit.section.ordered or document_id not in ids:
        raise HTTPException(404, "This cannot be moved.")
    place = ids.index(document_id)
    ids.remove(document_id)
    ids.insert(max(0, place + (-1 if direction == "up" else 1)), document_id)
    return await _done(visit, renumber(visit.desk, visit.section, ids, visit.principal))


async def _put(visit: Visit, document_id: str, document: Document, revision: int) -> Response:
    async def work() -> None:
        require_sound(visit.desk, document_id, document)
        actor = visit.principal.actor
        await visit.desk.directory.put(document_id, document, actor=actor, expected_revision=revision)

    return await _done(visit, work())


async def _done(visit: Visit, work: Awaitable[None], query: str = "") -> Response:
    """Do something and show the list; say plainly when it is refused."""
    try:
        await work
    except Rejected as error:
        return error_page(visit.request, 409, str(error))
    except RevisionConflict:
        return error_page(visit.request, 409, IN_BETWEEN)
    return visit.to_list(query)


def _told(before: Stored | None, now: Stored, names: Names, people: People) -> Told:
    entry, document = now
    return Told(
        revision=entry.revision,
        at=entry.at,
        who=people.actor(entry.actor),
        deleted=entry.deleted,
        first=before is None or before[1] is None,
        differences=() if entry.deleted else differences(before[1] if before else None, document, names),
    )


def _name(document: Document | None) -> str:
    return str(getattr(document, "name", "") or getattr(document, "address", ""))
