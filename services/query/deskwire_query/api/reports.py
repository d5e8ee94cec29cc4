"""Counts and times for reports."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from deskwire_query.api.parameters import ReportsReader, TicketQuery
from deskwire_query.api.state import PartsOfDesk
from deskwire_query.reading.read_models import CountBy, ResponseTimes

LONGEST: Final = timedelta(days=3 * 366)

router = APIRouter(prefix="/reports", tags=["reports"])


class Span(BaseModel):
    """From when until when."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _lasts(self) -> "Span":
        if not timedelta() < self.until - self.since <= LONGEST:
            raise ValueError("`until` has to be behind `since`, three years at the most")
        return self


@router.get("/counts", summary="Count tickets")
async def count_tickets(
    asked: Annotated[TicketQuery, Query()], principal: ReportsReader, parts: PartsOfDesk
) -> CountBy:
    """Count tickets by status, team, agent and priority."""
    return await parts.reader.count_by(asked.wanted(principal, parts.directory))


@router.get("/response-times", summary="First response times")
async def response_times(
    asked: Annotated[Span, Query()], _principal: ReportsReader, parts: PartsOfDesk
) -> ResponseTimes:
    """Tell how fast first answers were to the tickets opened in a span."""
    return await parts.reader.response_times(since=asked.since, until=asked.until)
