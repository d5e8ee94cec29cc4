"""What rehearsals of all services have in common over HTTP: who may ask, how long a span, and one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final, Self

from fastapi import Depends, FastAPI, Request
from fastapi_problem.error import Problem
from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from deskwire_shared.contracts.access import Principal
from deskwire_shared.runtime.http_access import requires
from deskwire_shared.runtime.problems import RETRY_AFTER_SECONDS, problem

LONGEST: Final = timedelta(days=366)

ReportsReader = Annotated[Principal, Depends(requires("reports:read"))]


class RehearsalUnderWay(Exception):
    """Somebody else's rehearsal is not done yet."""

    def __init__(self) -> None:
        super().__init__("one draft is rehearsed at a time, and another one is under way")


class AskedSpan(BaseModel):
    """The span of time on which something is tried out."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if not timedelta() < self.until - self.since <= LONGEST:
            raise ValueError(f"`until` has to be behind `since`, {LONGEST.days} days at the most")
        return self


def rehearse_one_at_a_time(app: FastAPI) -> None:
    """Let `turn` work in the requests of an application."""
    app.state.turn = asyncio.Lock()


@asynccontextmanager
async def turn(request: Request) -> AsyncIterator[None]:
    """Rehearse alone. Raises RehearsalUnderWay."""
    lock: asyncio.Lock = request.app.state.turn
    if lock.locked():
        raise RehearsalUnderWay
    async with lock:
        yield


def under_way(error: RehearsalUnderWay) -> Problem:
    """Tell that another rehearsal is under way."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "rehearsal-under-way",
        "Another rehearsal is under way",
        str(error),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
