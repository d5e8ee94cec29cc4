"""What came in by which way, and what became of it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from deskwire_query.api.parameters import CursorOfPage, Id, LimitOfPage
from deskwire_query.api.state import PartsOfDesk
from deskwire_query.arrivals.reading import ArrivalCount, ArrivalFilter, ArrivalRow
from deskwire_query.reading.read_models import Page
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.intake_ledger import Decision, Via
from deskwire_shared.runtime.http_access import requires

LONGEST_MESSAGE_ID: Final = 998

router = APIRouter(prefix="/intake/ledger", tags=["ledger of intake"])

Administrator = Annotated[Principal, Depends(requires("admin"))]


class LedgerCountQuery(BaseModel):
    """Which entries are counted."""

    model_config = ConfigDict(extra="forbid")

    channel: Annotated[Id | None, Field(description="A channel's id.")] = None
    via: Via | None = None
    decision: Decision | None = None
    ticket: Annotated[Id | None, Field(description="A ticket's id.")] = None
    message_id: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_MESSAGE_ID, pattern=r"^[^\x00]*$", description="A mail's Message-ID."),
    ] = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def wanted(self) -> ArrivalFilter:
        """Give the filter."""
        return ArrivalFilter(
            channel_id=self.channel,
            via=self.via,
            decision=self.decision,
            ticket_id=self.ticket,
            message_id=self.message_id,
            since=self.since,
            until=self.until,
        )


class LedgerQuery(LedgerCountQuery):
    """Which entries are listed, behind which place."""

    cursor: CursorOfPage = None
    limit: LimitOfPage = 50


@router.get("", summary="List the ledger of intake")
async def list_arrivals(
    asked: Annotated[LedgerQuery, Query()], _principal: Administrator, parts: PartsOfDesk
) -> Page[ArrivalRow]:
    """List every message that came, the latest first: by which way, what became of it, and where it is."""
    return await parts.reader.arrivals.page(asked.wanted(), after=asked.cursor, limit=asked.limit)


@router.get("/counts", summary="Count the ledger of intake")
async def count_arrivals(
    asked: Annotated[LedgerCountQuery, Query()], _principal: Administrator, parts: PartsOfDesk
) -> tuple[ArrivalCount, ...]:
    """Count messages by channel, way and what became of them."""
    return await parts.reader.arrivals.counts(asked.wanted())
