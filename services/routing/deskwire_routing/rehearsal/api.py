"""The HTTP application of routing: rehearsals of draft rules and of assignment, mounted at `/routing`."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import Field, model_validator

from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft, DocumentId, DraftIncomplete
from deskwire_routing.rehearsal.assignment.recording import TooManyEvents
from deskwire_routing.rehearsal.assignment.report import AssignmentRehearsal
from deskwire_routing.rehearsal.assignment.run import AskedAssignment, RehearsalTooLong
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.report import Rehearsal
from deskwire_routing.rehearsal.rules.run import Asked, TooManyTickets
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.runtime.http_bodies import require_json
from deskwire_shared.runtime.problems import Describe, answer_with_problems, plainly
from deskwire_shared.runtime.rehearsing import (
    AskedSpan,
    RehearsalUnderWay,
    ReportsReader,
    rehearse_one_at_a_time,
    turn,
    under_way,
)
from deskwire_shared.runtime.telemetry import HTTP_TELEMETRY

MOST_RULES: Final = 500

Rehearse = Callable[[Asked], Awaitable[Rehearsal]]
"""Rehearses draft rules on a span."""
RehearseAssignment = Callable[[AskedAssignment], Awaitable[AssignmentRehearsal]]
"""Rehearses draft teams, agents and calendars on a span."""


class Draft(AskedSpan):
    """What to try out, and the span of time to try it on.

    Rules by id, in place of those that have the same ids now, or `alone`; or an assignment: teams, agents and
    calendars; or both: then assignment is rehearsed on what the rules would have made of the past.
    """

    rules: Annotated[dict[DocumentId, Rule], Field(min_length=1, max_length=MOST_RULES)] | None = None
    assignment: AssignmentDraft | None = None
    alone: bool = False

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.rules is None and self.assignment is None:
            raise ValueError("`rules`, `assignment` or both are rehearsed: give one of them")
        return self


router = APIRouter(prefix="/v1", dependencies=[Depends(require_json)])


@router.post("/rehearsals", summary="Rehearse draft rules or assignment on past tickets")
async def rehearse(draft: Draft, _principal: ReportsReader, request: Request) -> Rehearsal | AssignmentRehearsal:
    """Tell what drafts would have changed in a span of time; nothing is changed by it."""
    async with turn(request):
        span = Span(draft.since, draft.until)
        if draft.assignment is not None:
            assigning: RehearseAssignment = request.app.state.rehearse_assignment
            return await assigning(AskedAssignment(draft.assignment, span, draft.rules or {}, alone=draft.alone))
        ruling: Rehearse = request.app.state.rehearse
        return await ruling(Asked(rules=draft.rules or {}, span=span, alone=draft.alone))


ERRORS: Final[dict[type[Exception], Describe]] = {
    TooManyTickets: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-tickets", "The span holds too many tickets"),
    TooManyEvents: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-events", "The span holds too many events"),
    RehearsalTooLong: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "rehearsal-too-long", "The rehearsal takes too long"),
    DraftIncomplete: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "draft-incomplete", "The draft is not complete"),
    RehearsalUnderWay: under_way,
}


def rehearsal_api(rehearse: Rehearse, rehearse_assignment: RehearseAssignment) -> FastAPI:
    """Build the application; who mounts it puts its `identity` into the state."""
    app = FastAPI(
        title="Deskwire routing", version=version("deskwire-routing"), docs_url=None, redoc_url=None,
        telemetry=HTTP_TELEMETRY,
    )  # fmt: skip
    app.state.rehearse, app.state.rehearse_assignment = rehearse, rehearse_assignment
    rehearse_one_at_a_time(app)
    app.include_router(router)
    answer_with_problems(app, more=ERRORS)
    return app
