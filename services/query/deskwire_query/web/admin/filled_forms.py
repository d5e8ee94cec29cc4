"""A form of the administration with what it holds: found, read from what was sent, shown."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, get_args

from fastapi import HTTPException
from starlette.datastructures import FormData
from starlette.responses import Response

from deskwire_query.web.admin.asides import Aside, aside_of
from deskwire_query.web.admin.differences import Difference
from deskwire_query.web.admin.directory import find, next_order, secrets_kept
from deskwire_query.web.admin.forms.condition_fields import MEDIA
from deskwire_query.web.admin.forms.controls import Drawing, Problems
from deskwire_query.web.admin.forms.derived import label_of
from deskwire_query.web.admin.forms.form import Form, unplaced
from deskwire_query.web.admin.forms.trees import MalformedForm, Tree, plant
from deskwire_query.web.admin.sections import NEW, form_for
from deskwire_query.web.admin.sources import sources_for
from deskwire_query.web.admin.visits import Visit
from deskwire_shared.contracts.channels import Medium
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory

REHEARSAL_SPAN: Final = timedelta(days=30)
OF_THE_PAGE: Final = frozenset({"csrf_token", "revision", "edit", "medium"})
"""What a form sends beside the document."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form with what it holds."""

    document_id: str
    form: Form
    tree: Tree
    existing: Document | None
    revision: int
    """The one that whoever fills it in has seen."""
    problems: Problems = field(default_factory=Problems)
    fresh: str = ""
    unsaved: tuple[Difference, ...] = ()
    """What was written on top of a revision that is not the last one any more."""

    @property
    def is_new(self) -> bool:
        """Whether there is no document yet."""
        return self.document_id == NEW


async def existing_document(visit: Visit, document_id: str) -> tuple[Document | None, int]:
    """The document that a form is about, with its revision; None for a new one."""
    if document_id == NEW and not visit.section.grows_by_itself:
        return None, 0
    document, revision = await find(visit.desk, visit.section, document_id)
    if document is None:
        raise HTTPException(404, "This is not in the directory.")
    return document, revision


async def stored_form(visit: Visit, document_id: str, medium: Medium) -> Filled:
    """Fill the form of a new or an existing document; a new one comes last in the order."""
    existing, revision = await existing_document(visit, document_id)
    form = form_for(visit.section, existing, medium)
    tree = form.fill(existing)
    if existing is None and visit.section.ordered:
        tree["order"] = [str(next_order(visit.desk, visit.section))]
    return Filled(document_id=document_id, form=form, tree=tree, existing=existing, revision=revision)


async def sent_form(visit: Visit, document_id: str) -> Filled:
    """Read a form that was sent."""
    sent = await visit.request.form()
    existing, _ = await existing_document(visit, document_id)
    given = sent.get("medium", "email")
    form = form_for(visit.section, existing, next((each for each in get_args(Medium) if each == given), "email"))
    return Filled(
        document_id=document_id, form=form, tree=_planted(sent), existing=existing, revision=_revision(sent)
    )  # fmt: skip


async def show(visit: Visit, filled: Filled, *, status: int = 200) -> Response:
    """Show a form with what it holds and what is wrong with it."""
    sources = await sources_for(visit.desk.directory, visit.section.model, filled.tree)
    drawing = Drawing(sources=sources, problems=filled.problems, fresh=filled.fresh)
    parts = filled.form.draw(filled.tree, drawing)
    context = {
        "document_id": filled.document_id,
        "document": filled.existing,
        "revision": filled.revision,
        "medium": filled.form.always.get("medium", ""),
        "media": MEDIA,
        "parts": parts,
        "problems": unplaced(filled.problems, parts),
        "wrong": len(filled.problems.found),
        "unsaved": filled.unsaved,
        "aside": _aside(visit, filled),
        "kept": await _kept(visit, filled),
        "saved": "saved" in visit.request.query_params,
        "rehearsal_days": REHEARSAL_SPAN.days,
        "names": _names(visit.desk.directory),
    }
    return visit.page("admin_form.html", context, status=status)


def _names(directory: Directory) -> dict[str, str]:
    """The names behind the ids that a rehearsal tells."""
    teams = {key: team.name for key, team in directory.all(Team).items()}
    return teams | {key: agent.name or agent.email for key, agent in directory.all(Agent).items()}


def _aside(visit: Visit, filled: Filled) -> Aside:
    existing = (filled.document_id, filled.existing) if filled.existing is not None else None
    today = visit.desk.clock.now().date()
    return aside_of(visit.section.model, filled.tree, existing, visit.desk.public_url, today)


async def _kept(visit: Visit, filled: Filled) -> tuple[str, ...]:
    if filled.is_new:
        return ()
    return tuple(map(label_of, await secrets_kept(visit.desk, visit.section.model, filled.document_id)))


def _planted(sent: FormData) -> Tree:
    pairs = [(name, value) for name, value in sent.multi_items() if isinstance(value, str) and name not in OF_THE_PAGE]
    try:
        return plant(pairs)
    except MalformedForm as error:
        raise HTTPException(400, str(error)) from error


def _revision(sent: FormData) -> int:
    given = str(sent.get("revision", "0"))
    return int(given) if given.isdecimal() and len(given) < 10 else 0  # noqa: PLR2004  # digits
