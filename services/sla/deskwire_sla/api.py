"""The HTTP application of sla: rehearsals of drafts, mounted at `/sla`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi_problem.error import Problem
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.runtime.http_access import requires
from deskwire_shared.runtime.http_bodies import require_json
from deskwire_shared.runtime.problems import Describe, answer_with_problems, plainly, problem
from deskwire_shared.runtime.running import CommandFailed
from deskwire_shared.runtime.telemetry import HTTP_TELEMETRY
from deskwire_sla.drafts import Draft, DraftIncomplete
from deskwire_sla.rehearsal import Rehearsal, TooManyTickets

LONGEST: Final = timedelta(days=366)
RETRY_AFTER_SECONDS: Final = 10

DocumentId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
ReportsReader = Annotated[Principal, Depends(requires("reports:read"))]
Rehearse = Callable[[Draft, datetime, datetime], Awaitable[Rehearsal]]
"""Rehearses a draft on the tickets opened in a span."""


class RehearsalUnderWay(Exception):
    """Somebody else's rehearsal is not done yet."""

    def __init__(self) -> None:
        super().__init__("one draft is rehearsed at a time, and another one is under way")


class Asked(BaseModel):
    """A draft by the ids of the documents it stands for, and the span in which tickets were opened."""

    model_config = ConfigDict(extra="forbid")

    policies: Annotated[dict[DocumentId, SlaPolicy], Field(max_length=100)] = {}
    calendars: Annotated[dict[DocumentId, Calendar], Field(max_length=100)] = {}
    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.policies and not self.calendars:
            raise ValueError("give a policy or a calendar to try out")
        if not timedelta() < self.until - self.since <= LONGEST:
            raise ValueError(f"`until` has to be behind `since`, {LONGEST.days} days at the most")
        return self


router = APIRouter(prefix="/v1", dependencies=[Depends(require_json)])


@router.post("/rehearsals", summary="Rehearse policies and calendars on past tickets")
async def rehearse(asked: Asked, _principal: ReportsReader, request: Request) -> Rehearsal:
    """Tell what past tickets would have met and missed under a draft; nothing is changed by it."""
    turn: asyncio.Lock = request.app.state.turn
    if turn.locked():
        raise RehearsalUnderWay
    async with turn:
        work: Rehearse = request.app.state.rehearse
        return await work(Draft(asked.policies, asked.calendars), asked.since, asked.until)


def _under_way(error: RehearsalUnderWay) -> Problem:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "rehearsal-under-way",
        "Another rehearsal is under way",
        str(error),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


ERRORS: Final[dict[type[Exception], Describe]] = {
    DraftIncomplete: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "draft-incomplete", "The draft names what is not there"),
    TooManyTickets: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-tickets", "The span holds too many tickets"),
    RehearsalUnderWay: _under_way,
    CommandFailed: plainly(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The log does not answer"),
}


def rehearsal_api(rehearse: Rehearse) -> FastAPI:
    """Build the application; who mounts it puts its `identity` into the state."""
    app = FastAPI(
        telemetry=HTTP_TELEMETRY,
        title="Deskwire service levels",
        version=version("deskwire-sla"),
        docs_url=None,
        redoc_url=None,
    )
    app.state.rehearse, app.state.turn = rehearse, asyncio.Lock()
    app.include_router(router)
    answer_with_problems(app, more=ERRORS)
    return app
