"""The first pages of the administration: who works here, how mails come in, what is promised and what rules do."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from deskwire_query.web.access import Administrator
from deskwire_query.web.admin_forms import FORMS, NEW, Problems, read_form
from deskwire_query.web.desk import Desk, TheDesk
from deskwire_query.web.people import People
from deskwire_query.web.rendering import page
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Calendar, Template
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import RevisionConflict
from deskwire_shared.runtime.secrets import MAX_PASSWORD, MIN_PASSWORD

SECTIONS: Final[dict[str, tuple[str, str, type[Document]]]] = {
    "agents": ("People", "user", Agent),
    "teams": ("Teams", "users", Team),
    "channels": ("Channels", "at-sign", Channel),
    "policies": ("SLA policies", "timer", SlaPolicy),
    "calendars": ("Calendars", "clock", Calendar),
    "rules": ("Rules", "wand-sparkles", Rule),
    "templates": ("Templates", "file-text", Template),
}
CONFLICT: Final = "Somebody changed this in between. What it says now is below; make your change again."

router = APIRouter(prefix="/admin")


@router.get("")
async def administration(principal: Administrator) -> Response:
    """Start with the people."""
    del principal
    return RedirectResponse("/admin/agents", 303)


@router.get("/{section}")
async def section_page(request: Request, desk: TheDesk, principal: Administrator, section: str) -> Response:
    """List the documents of a section."""
    return page(request, "admin_list.html", {"me": principal, **_section(desk, section)})


@router.get("/{section}/{document_id}")
async def form_page(
    request: Request, desk: TheDesk, principal: Administrator, section: str, document_id: str
) -> Response:
    """Show the form of a new or an existing document."""
    shown = _form(desk, section, document_id)
    return page(request, "admin_form.html", {"me": principal, **_section(desk, section), **shown})


@router.post("/{section}/{document_id}")
async def save(request: Request, desk: TheDesk, principal: Administrator, section: str, document_id: str) -> Response:
    """Store what a form says."""
    sent = await request.form()
    try:
        document = read_form(section, sent, _existing(desk, section, document_id))
        key = new_id() if document_id == NEW else document_id
        password = _password(section, document_id, sent)
        _keep_an_administrator(desk, key, document)
        await desk.directory.put(key, document, actor=principal.actor, expected_revision=_revision(sent))
    except (Problems, ValidationError, RevisionConflict) as error:
        shown = _form(desk, section, document_id) | {"problems": _problems(error)}
        if not isinstance(error, RevisionConflict):
            shown["values"] = {name: sent.getlist(name) for name in sent}
        return page(request, "admin_form.html", {"me": principal, **_section(desk, section), **shown}, status=422)
    if password:
        await desk.credentials.set_password(key, password)
    return RedirectResponse(f"/admin/{section}", 303)


def _section(desk: Desk, section: str) -> dict[str, object]:
    if section not in SECTIONS:
        raise HTTPException(404, "There is no such section.")
    name, _, model = SECTIONS[section]
    return {
        "sections": SECTIONS,
        "section": section,
        "name": name,
        "people": People(desk.directory),
        "editable": section in FORMS,
        "documents": sorted(desk.directory.all(model).items(), key=_order),
        "members": _members(desk),
        "smtp_address": desk.smtp_address,
    }


def _order(item: tuple[str, Document]) -> tuple[int, str]:
    return getattr(item[1], "order", 0), str(getattr(item[1], "name", "")).lower()


def _members(desk: Desk) -> dict[str, int]:
    members: dict[str, int] = {}
    for agent in desk.directory.all(Agent).values():
        for team_id in agent.team_ids if agent.active else ():
            members[team_id] = members.get(team_id, 0) + 1
    return members


def _existing(desk: Desk, section: str, document_id: str) -> Document | None:
    if section not in FORMS:
        raise HTTPException(404, "This section has no form yet.")
    if document_id == NEW:
        return None
    found = desk.directory.get(SECTIONS[section][2], document_id)
    if found is None:
        raise HTTPException(404, "This is not in the directory.")
    return found


def _form(desk: Desk, section: str, document_id: str) -> dict[str, object]:
    existing = _existing(desk, section, document_id)
    model = SECTIONS[section][2]
    return {
        "form": FORMS[section],
        "document_id": document_id,
        "revision": 0 if existing is None else desk.directory.revision(model, document_id),
        "values": FORMS[section].values(existing),
        "options": _options(desk),
        "problems": (),
    }


def _options(desk: Desk) -> Mapping[str, list[tuple[str, str]]]:
    return {
        "team": [(key, team.name) for key, team in desk.directory.all(Team).items()],
        "calendar": [(key, calendar.name) for key, calendar in desk.directory.all(Calendar).items()],
    }


def _revision(sent: FormData) -> int:
    given = str(sent.get("revision", "0"))
    return int(given) if given.isdecimal() else 0


def _password(section: str, document_id: str, sent: FormData) -> str:
    password = str(sent.get("password", "")) if section == "agents" else ""
    if (password or (section == "agents" and document_id == NEW)) and not (
        MIN_PASSWORD <= len(password) <= MAX_PASSWORD
    ):
        raise Problems((f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.",))
    return password


def _keep_an_administrator(desk: Desk, key: str, document: Document) -> None:
    """Refuse a change after which nobody could change anything."""
    if not isinstance(document, Agent):
        return
    after = {**desk.directory.all(Agent), key: document}
    if not any(agent.active and agent.role == "admin" for agent in after.values()):
        raise Problems(("Somebody must stay an administrator.",))
    if any(agent.email == document.email for other, agent in after.items() if other != key and agent.active):
        raise Problems(("Somebody else has this e-mail address.",))


def _problems(error: Problems | ValidationError | RevisionConflict) -> tuple[str, ...]:
    match error:
        case Problems():
            return error.sentences
        case RevisionConflict():
            return (CONFLICT,)
        case _:
            return tuple(f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
