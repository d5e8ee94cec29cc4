"""What can be asked for in the address of a request, each with its limit."""

from typing import Annotated, Final, Literal

from fastapi import Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from deskwire_query.api.state import PartsOfDesk
from deskwire_query.reading.read_models import NO_CONDITIONS, Sort, TicketFilter
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.directory import View
from deskwire_shared.contracts.facts import Priority, Status, TicketType
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.http_access import requires

LAST_SEQUENCE: Final = 2**62
MOST: Final = 200
ME: Final = "me"

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
Words = Annotated[str, StringConstraints(max_length=400, pattern=r"^[^\x00]*$")]
CursorOfPage = Annotated[str | None, Field(max_length=500, description="The `next` of the page before.")]
LimitOfPage = Annotated[int, Field(ge=1, le=MOST)]
Sequence = Annotated[int, Field(ge=0, le=LAST_SEQUENCE)]
IdInPath = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f]+$")]
TicketInPath = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f]+$", description="A ticket's id or number.")]

TicketsReader = Annotated[Principal, Depends(requires("tickets:read"))]
CustomersReader = Annotated[Principal, Depends(requires("customers:read"))]
ReportsReader = Annotated[Principal, Depends(requires("reports:read"))]
EventsReader = Annotated[Principal, Depends(requires("feed:internal"))]


class ViewNotFound(LookupError):
    """No view that the asker can see has that id."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"there is no view {asked}")


async def _wait_for_own_write(
    parts: PartsOfDesk,
    after: Annotated[
        Sequence | None, Query(description="The sequence a command answered with: see its effect.")
    ] = None,
) -> None:
    if after is not None:
        await parts.hub.wait_for(after, within=parts.settings.wait_seconds)


OwnWrite = Annotated[None, Depends(_wait_for_own_write)]
"""Lets a read wait, within reason, for what the asker has just written."""


class TicketQuery(BaseModel):
    """Which tickets are wanted."""

    status: Annotated[list[Status], Field(max_length=6)] = []
    priority: Annotated[list[Priority], Field(max_length=4)] = []
    type: TicketType | None = None
    team: Annotated[Id | None, Field(description="A team's id, or `none`.")] = None
    assignee: Annotated[Id | None, Field(description="An agent's id, `me` or `none`.")] = None
    requester: Id | None = None
    follower: Annotated[Id | None, Field(description="An agent's id, or `me`.")] = None
    channel: Id | None = None
    tag: Annotated[list[Id], Field(max_length=10, description="All of them.")] = []
    breached: bool | None = None
    snoozed: bool | None = None
    merged: bool = False
    due_before: AwareDatetime | None = None
    opened_after: AwareDatetime | None = None
    opened_before: AwareDatetime | None = None
    updated_after: AwareDatetime | None = None
    view: Annotated[Id | None, Field(description="A saved view that has to hold as well.")] = None

    def wanted(self, principal: Principal, directory: Directory) -> TicketFilter:
        """Give the filter. Raises ViewNotFound."""
        return TicketFilter(
            statuses=tuple(self.status),
            priorities=tuple(self.priority),
            ticket_type=self.type,
            team_id=self.team,
            assignee_id=_named(self.assignee, principal),
            requester_id=self.requester,
            follower_id=_named(self.follower, principal),
            channel=self.channel,
            tags=tuple(self.tag),
            breached=self.breached,
            snoozed=self.snoozed,
            merged=self.merged,
            due_before=self.due_before,
            opened_after=self.opened_after,
            opened_before=self.opened_before,
            updated_after=self.updated_after,
            conditions=NO_CONDITIONS if self.view is None else _conditions(self.view, principal, directory),
        )


class TicketListQuery(TicketQuery):
    """Which tickets are listed, in which order, behind which place."""

    model_config = ConfigDict(extra="forbid")

    sort: Sort = "updated"
    order: Literal["desc", "asc"] = "desc"
    cursor: CursorOfPage = None
    limit: LimitOfPage = 50
    after: Sequence | None = None


class SearchQuery(TicketQuery):
    """What is looked for."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[Words, Field(description="Words, quoted phrases, and filters such as `is:open from:ann tag:vip`.")]
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    after: Sequence | None = None


class CustomerListQuery(BaseModel):
    """Which customers are listed."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[Words, Field(description="A part of the name or address.")] = ""
    cursor: CursorOfPage = None
    limit: LimitOfPage = 50


def visible_views(principal: Principal, directory: Directory) -> dict[str, View]:
    """Give the views that everybody or the asker alone can see, in their order."""
    views = {i: v for i, v in directory.all(View).items() if v.agent_id in {None, principal.id}}
    return dict(sorted(views.items(), key=lambda item: (item[1].order, item[1].name)))


def _conditions(view_id: str, principal: Principal, directory: Directory) -> Conditions:
    view = visible_views(principal, directory).get(view_id)
    if view is None:
        raise ViewNotFound(view_id)
    return view.conditions


def _named(asked: str | None, principal: Principal) -> str | None:
    return principal.id if asked == ME else asked
