"""The administration: every kind of document is listed, made and changed by forms that are described in `forms`."""

# ruff: noqa: FAST003  # the visit reads the section

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import JSONResponse, RedirectResponse, Response

from deskwire_query.web.access import Administrator
from deskwire_query.web.admin.asides import REHEARSED, mapping_name
from deskwire_query.web.admin.differences import differences
from deskwire_query.web.admin.directory import in_order, keep_secrets, require_password, require_sound
from deskwire_query.web.admin.filled_forms import (
    REHEARSAL_SPAN,
    Filled,
    existing_document,
    sent_form,
    show,
    stored_form,
)
from deskwire_query.web.admin.forms.automation import TRIGGERS
from deskwire_query.web.admin.forms.channels import MEDIUM_LEADS
from deskwire_query.web.admin.forms.condition_fields import MEDIA
from deskwire_query.web.admin.forms.controls import Problems
from deskwire_query.web.admin.forms.form import Rejected
from deskwire_query.web.admin.forms.staff import ASSIGNMENTS
from deskwire_query.web.admin.forms.trees import MalformedForm, Tree, edit
from deskwire_query.web.admin.sections import NEW
from deskwire_query.web.admin.uses import names_by_id
from deskwire_query.web.admin.visits import AVisit, Visit
from deskwire_query.web.desk import Desk
from deskwire_query.web.people import People
from deskwire_shared.contracts.channels import Channel, Medium
from deskwire_shared.contracts.directory import ApiToken, Customer
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import RevisionConflict

CUSTOMERS_SHOWN: Final = 50
CONFLICT: Final = "Somebody changed this in between. What it says now is below; make your change again."
FOUND_ELSEWHERE: Final = frozenset({"email", "web", "chat", "webhook"})
"""Media of channels with something beside the form: an address, a snippet, a connection to try."""

router = APIRouter(prefix="/admin")


@router.get("")
async def administration(principal: Administrator) -> Response:
    """Start with the people."""
    del principal
    return RedirectResponse("/admin/agents", 303)


@router.get("/{section}")
async def section_page(
    visit: AVisit,
    q: Annotated[str, Query(max_length=200)] = "",
    deleted: Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")] = "",
) -> Response:
    """List the documents of a section."""
    desk, model = visit.desk, visit.section.model
    if model is Customer:
        customers = (await desk.reads.customers(q, limit=CUSTOMERS_SHOWN)).items
        context = {"customers": customers, "q": q, "deleted": deleted, "now": desk.clock.now()}
        return visit.page("admin_customers.html", context)
    documents = in_order(visit.section, desk.directory.all(model))
    context = {
        "deleted": deleted,
        "documents": documents,
        "revision_of": {key: desk.directory.revision(model, key) for key, _ in documents},
        "people": People(desk.directory),
        "members": _members(desk),
        "media": MEDIA,
        "triggers": TRIGGERS,
        "assignments": ASSIGNMENTS,
        "mapping_name": mapping_name,
        "smtp_address": desk.smtp_address,
    }
    return visit.page("admin_list.html", context)


@router.get("/{section}/{document_id}")
async def form_page(visit: AVisit, document_id: str, medium: Medium | None = None) -> Response:
    """Show the form of a new or an existing document; what a new channel is comes first."""
    if visit.section.model is Channel and document_id == NEW and medium is None:
        return visit.page("admin_media.html", {"media": MEDIA, "leads": MEDIUM_LEADS})
    return await show(visit, await stored_form(visit, document_id, medium or "email"))


@router.post("/{section}/{document_id}")
async def save(visit: AVisit, document_id: str) -> Response:
    """Store what a form says, or draw it again with one more or one less."""
    filled = await sent_form(visit, document_id)
    asked = (await visit.request.form()).get("edit")
    if isinstance(asked, str):
        return await show(visit, replace(filled, fresh=_edited(filled.tree, asked)))
    try:
        return await _store(visit, filled)
    except Rejected as error:
        return await show(visit, replace(filled, problems=error.problems), status=422)
    except RevisionConflict:
        return await _show_conflict(visit, filled)


@router.post("/{section}/{document_id}/draft")
async def draft(visit: AVisit, document_id: str) -> Response:
    """Say what a form holds as a draft to rehearse on the past days."""
    if visit.section.model not in REHEARSED:
        raise HTTPException(404, "This is not rehearsed.")
    filled = await sent_form(visit, document_id)
    try:
        document = filled.form.read(filled.tree, filled.existing)
    except Rejected as error:
        return JSONResponse({"detail": str(error)}, 422, media_type="application/problem+json")
    _, name = REHEARSED[visit.section.model]
    drafts = {"draft" if filled.is_new else document_id: document.model_dump(mode="json")}
    until = visit.desk.clock.now()
    return JSONResponse({name: drafts, "since": (until - REHEARSAL_SPAN).isoformat(), "until": until.isoformat()})


async def _store(visit: Visit, filled: Filled) -> Response:
    document = filled.form.read(filled.tree, filled.existing)
    if isinstance(document, ApiToken):
        _require_scopes(visit, document)
        if filled.is_new:
            return await _make_token(visit, document)
    key = new_id() if filled.is_new else filled.document_id
    secrets = filled.form.given_secrets(filled.tree)
    if isinstance(document, Agent):
        require_password(secrets.get("password"), needed=filled.is_new)
        require_sound(visit.desk, key, document)
    if secrets:
        visit.principal.require("admin")
    await _put(visit, key, document, secrets, filled.revision)
    if isinstance(document, Channel) and document.medium in FOUND_ELSEWHERE:
        return RedirectResponse(f"/admin/channels/{key}?saved=1", 303)
    if isinstance(document, Webhook) and filled.is_new:
        return RedirectResponse(f"/admin/webhooks/{key}?saved=1", 303)  # where its signing secret is made
    return visit.to_list()


async def _put(visit: Visit, key: str, document: Document, secrets: dict[str, str], revision: int) -> None:
    """Store a document; its secrets come first, so that nobody signs in without them, but a password needs an agent."""
    desk, model = visit.desk, visit.section.model
    if secrets and desk.directory.revision(model, key) != revision:
        raise RevisionConflict(f"{key} is not at revision {revision}")
    if model is not Agent:
        await keep_secrets(desk, model, key, secrets)
    await desk.directory.put(key, document, actor=visit.principal.actor, expected_revision=revision)
    if model is Agent:
        await keep_secrets(desk, model, key, secrets)


def _require_scopes(visit: Visit, asked: ApiToken) -> None:
    """Let nobody give a token more than they may themselves. Raises NotPermitted."""
    for scope in asked.scopes:
        visit.principal.require(scope)


async def _make_token(visit: Visit, asked: ApiToken) -> Response:
    """Make an API token, and show it this once."""
    token = await visit.desk.sessions.create_token(
        asked.name, asked.scopes, actor=visit.principal.actor, expires_at=asked.expires_at
    )
    return visit.page("admin_token.html", {"token": token, "token_name": asked.name})


async def _show_conflict(visit: Visit, filled: Filled) -> Response:
    """Show what a document says now, and what was not stored."""
    existing, revision = await existing_document(visit, filled.document_id)
    unsaved = differences(existing, filled.form.read(filled.tree, existing), names_by_id(visit.desk.directory))
    problems = Problems()
    problems.add("", CONFLICT)
    now = replace(filled, existing=existing, revision=revision, tree=filled.form.fill(existing))
    return await show(visit, replace(now, problems=problems, unsaved=unsaved), status=422)


def _members(desk: Desk) -> dict[str, int]:
    members: dict[str, int] = {}
    for agent in desk.directory.all(Agent).values():
        for team_id in agent.team_ids if agent.active else ():
            members[team_id] = members.get(team_id, 0) + 1
    return members


def _edited(tree: Tree, asked: str) -> str:
    try:
        return edit(tree, asked)
    except MalformedForm as error:
        raise HTTPException(400, str(error)) from error
