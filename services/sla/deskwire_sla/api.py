"""The HTTP application of sla: rehearsals of drafts, mounted at `/sla`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import Field, StringConstraints, model_validator

from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.policies import SlaPolicy
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
from deskwire_shared.runtime.running import CommandFailed
from deskwire_shared.runtime.telemetry import HTTP_TELEMETRY
from deskwire_sla.drafts import Draft, DraftIncomplete
from deskwire_sla.rehearsal import Rehearsal, TooManyTickets

DocumentId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Rehearse = Callable[[Draft, datetime, datetime], Awaitable[Rehearsal]]
"""Rehearses a draft on the tickets opened in a span."""


class Asked(AskedSpan):
    """A draft by the ids of the documents it stands for, and the span in which tickets were opened."""

    policies: dict[DocumentId, SlaPolicy] = Field(default_factory=dict, max_length=100)
    calendars: dict[DocumentId, Calendar] = Field(default_factory=dict, max_length=100)

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.policies and not self.calendars:
            raise ValueError("give a policy or a calendar to try out")
        return self


router = APIRouter(prefix="/v1", dependencies=[Depends(require_json)])


@router.post("/rehearsals", summary="Rehearse policies and calendars on past tickets")
async def rehearse(asked: Asked, _principal: ReportsReader, request: Request) -> Rehearsal:
    """Tell what past tickets would have met and missed under a draft; nothing is changed by it."""
    async with turn(request):
        work: Rehearse = request.app.state.rehearse
        return await work(Draft(asked.policies, asked.calendars), asked.since, asked.until)


ERRORS: Final[dict[type[Exception], Describe]] = {
    DraftIncomplete: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "draft-incomplete", "The draft names what is not there"),
    TooManyTickets: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-tickets", "The span holds too many tickets"),
    RehearsalUnderWay: under_way,
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
    app.state.rehearse = rehearse
    rehearse_one_at_a_time(app)
    app.include_router(router)
    answer_with_problems(app, more=ERRORS)
    return app
