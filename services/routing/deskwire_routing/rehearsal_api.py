"""The HTTP application of routing: rehearsals of draft rules, mounted at `/routing`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi_problem.error import Problem
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from deskwire_routing.rehearsal import Span
from deskwire_routing.rehearsal_report import Rehearsal
from deskwire_routing.rehearsal_run import Asked, TooManyTickets
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.runtime.http_access import requires
from deskwire_shared.runtime.http_bodies import require_json
from deskwire_shared.runtime.problems import Describe, answer_with_problems, plainly, problem

LONGEST: Final = timedelta(days=366)
RETRY_AFTER_SECONDS: Final = 10
MOST_RULES: Final = 500

DocumentId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
ReportsReader = Annotated[Principal, Depends(requires("reports:read"))]
Rehearse = Callable[[Asked], Awaitable[Rehearsal]]
"""Rehearses drafts on a span."""


class RehearsalUnderWay(Exception):
    """Somebody else's rehearsal is not done yet."""

    def __init__(self) -> None:
        super().__init__("one set of rules is rehearsed at a time, and another one is under way")


class Draft(BaseModel):
    """Rules by id, in place of those that have the same ids now, or `alone`, and the span of time to try them on."""

    model_config = ConfigDict(extra="forbid")

    rules: Annotated[dict[DocumentId, Rule], Field(min_length=1, max_length=MOST_RULES)]
    alone: bool = False
    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if not timedelta() < self.until - self.since <= LONGEST:
            raise ValueError(f"`until` has to be behind `since`, {LONGEST.days} days at the most")
        return self


router = APIRouter(prefix="/v1", dependencies=[Depends(require_json)])


@router.post("/rehearsals", summary="Rehearse draft rules on past tickets")
async def rehearse(draft: Draft, _principal: ReportsReader, request: Request) -> Rehearsal:
    """Tell what draft rules would have changed in a span of time; nothing is changed by it."""
    turn: asyncio.Lock = request.app.state.turn
    if turn.locked():
        raise RehearsalUnderWay
    async with turn:
        work: Rehearse = request.app.state.rehearse
        return await work(Asked(rules=draft.rules, span=Span(draft.since, draft.until), alone=draft.alone))


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
    RehearsalUnderWay: _under_way,
}


def rehearsal_api(rehearse: Rehearse) -> FastAPI:
    """Build the application; who mounts it puts its `identity` into the state."""
    app = FastAPI(
        title="Deskwire routing", version=version("deskwire-routing"), docs_url=None, redoc_url=None,
        telemetry={"auto_configure": False},
    )  # fmt: skip
    app.state.rehearse, app.state.turn = rehearse, asyncio.Lock()
    app.include_router(router)
    answer_with_problems(app, more=ERRORS)
    return app
