"""The HTTP application of routing: rehearsals of draft rules and of assignment, mounted at `/routing`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi_problem.error import Problem
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft, DocumentId, DraftIncomplete
from deskwire_routing.rehearsal.assignment.recording import TooManyEvents
from deskwire_routing.rehearsal.assignment.report import AssignmentRehearsal
from deskwire_routing.rehearsal.assignment.run import AskedAssignment, RehearsalTooLong
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.report import Rehearsal
from deskwire_routing.rehearsal.rules.run import Asked, TooManyTickets
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.runtime.http_access import requires
from deskwire_shared.runtime.http_bodies import require_json
from deskwire_shared.runtime.problems import Describe, answer_with_problems, plainly, problem

LONGEST: Final = timedelta(days=366)
RETRY_AFTER_SECONDS: Final = 10
MOST_RULES: Final = 500

ReportsReader = Annotated[Principal, Depends(requires("reports:read"))]
Rehearse = Callable[[Asked], Awaitable[Rehearsal]]
"""Rehearses draft rules on a span."""
RehearseAssignment = Callable[[AskedAssignment], Awaitable[AssignmentRehearsal]]
"""Rehearses draft teams, agents and calendars on a span."""


class RehearsalUnderWay(Exception):
    """Somebody else's rehearsal is not done yet."""

    def __init__(self) -> None:
        super().__init__("one draft is rehearsed at a time, and another one is under way")


class Draft(BaseModel):
    """What to try out, and the span of time to try it on.

    Rules by id, in place of those that have the same ids now, or `alone`; or an assignment: teams, agents and
    calendars; or both: then assignment is rehearsed on what the rules would have made of the past.
    """

    model_config = ConfigDict(extra="forbid")

    rules: Annotated[dict[DocumentId, Rule], Field(min_length=1, max_length=MOST_RULES)] | None = None
    assignment: AssignmentDraft | None = None
    alone: bool = False
    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if not timedelta() < self.until - self.since <= LONGEST:
            raise ValueError(f"`until` has to be behind `since`, {LONGEST.days} days at the most")
        if self.rules is None and self.assignment is None:
            raise ValueError("`rules`, `assignment` or both are rehearsed: give one of them")
        return self


router = APIRouter(prefix="/v1", dependencies=[Depends(require_json)])


@router.post("/rehearsals", summary="Rehearse draft rules or assignment on past tickets")
async def rehearse(draft: Draft, _principal: ReportsReader, request: Request) -> Rehearsal | AssignmentRehearsal:
    """Tell what drafts would have changed in a span of time; nothing is changed by it."""
    turn: asyncio.Lock = request.app.state.turn
    if turn.locked():
        raise RehearsalUnderWay
    async with turn:
        span = Span(draft.since, draft.until)
        if draft.assignment is not None:
            assigning: RehearseAssignment = request.app.state.rehearse_assignment
            return await assigning(AskedAssignment(draft.assignment, span, draft.rules or {}, alone=draft.alone))
        ruling: Rehearse = request.app.state.rehearse
        return await ruling(Asked(rules=draft.rules or {}, span=span, alone=draft.alone))


def _under_way(error: RehearsalUnderWay) -> Problem:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "rehearsal-under-way",
        "Another rehearsal is under way",
        str(error),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


ERRORS: Final[dict[type[Exception], Describe]] = {
    TooManyTickets: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-tickets", "The span holds too many tickets"),
    TooManyEvents: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-events", "The span holds too many events"),
    RehearsalTooLong: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "rehearsal-too-long", "The rehearsal takes too long"),
    DraftIncomplete: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "draft-incomplete", "The draft is not complete"),
    RehearsalUnderWay: _under_way,
}


def rehearsal_api(rehearse: Rehearse, rehearse_assignment: RehearseAssignment) -> FastAPI:
    """Build the application; who mounts it puts its `identity` into the state."""
    app = FastAPI(
        title="Deskwire routing", version=version("deskwire-routing"), docs_url=None, redoc_url=None,
        telemetry={"auto_configure": False},
    )  # fmt: skip
    app.state.rehearse, app.state.rehearse_assignment = rehearse, rehearse_assignment
    app.state.turn = asyncio.Lock()
    app.include_router(router)
    answer_with_problems(app, more=ERRORS)
    return app
