"""What the read side answers: plain frozen values, whatever database they were read from.

Ids of agents, teams and channels are left as they are; their names stand in the directory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, Literal, Protocol, TypeVar

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.facts import (
    Address,
    Attachment,
    FieldValue,
    LinkKind,
    MachineKind,
    Metric,
    Priority,
    Status,
    TicketType,
)
from deskwire_shared.contracts.mails import Authentication, Protection

T = TypeVar("T")

Sort = Literal["updated", "opened", "due", "priority", "number"]
ClockState = Literal["running", "paused", "met"]
Delivery = Literal["none", "waiting", "delivered", "bounced", "withdrawn"]
EntryKind = Literal["customer", "reply", "note", "change"]

NOBODY: Final = "none"
"""As an assignee or team in a filter: there is none."""
NO_CONDITIONS: Final = Conditions()
LAST_VERSION: Final = 2**31 - 1
"""No history is longer, and no database asked for more."""


class TicketNotFound(LookupError):
    """No ticket is known by that id or number."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"there is no ticket {asked}")


class CustomerNotFound(LookupError):
    """No customer is known by that id."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"there is no customer {asked}")


class InvalidCursor(ValueError):
    """A cursor was not made by this desk, or for another order."""


class UnsupportedCondition(ValueError):
    """A view asks for something that tickets cannot be listed by."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the answers in order; `next` is the cursor of what follows, None at the end."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaClockView:
    """One promise on a ticket: its latest run. Times are in seconds of the policy's hours.

    `used` and `remaining` are as of when the clock last started, paused or ended; `due_at` is exact at any time.
    """

    metric: Metric
    cycle: int
    state: ClockState
    target: int
    used: int
    remaining: int = 0
    warn_at: datetime | None = None
    due_at: datetime | None = None
    warned: bool = False
    breached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A ticket as lists show it.

    `due_at` is the earliest moment at which a running clock breaches; `breached` whether one has.
    """

    id: str
    number: int
    version: int
    sequence: int
    """The stream sequence of the last commit that is shown."""
    subject: str
    status: Status
    priority: Priority
    ticket_type: TicketType | None
    tags: tuple[str, ...]
    channel: str
    channel_id: str | None
    requester_id: str
    requester_name: str
    requester_address: str
    team_id: str | None
    assignee_id: str | None
    excerpt: str
    """The beginning of the last message that is not a note."""
    message_count: int
    last_message_by: Literal["customer", "agent"]
    last_message_at: datetime
    opened_at: datetime
    updated_at: datetime
    first_response_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    snoozed_until: datetime | None
    merged_into: str | None
    clocks: tuple[SlaClockView, ...]
    due_at: datetime | None
    breached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """Another ticket that has to do with this one."""

    ticket_id: str
    number: int
    kind: LinkKind | Literal["merged_into", "merged_from", "split_into"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Something to be done for a ticket."""

    id: str
    title: str
    assignee_id: str | None = None
    due_at: datetime | None = None
    completed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDetail(TicketRow):
    """A ticket with everything its own page shows, apart from the timeline."""

    fields: Mapping[str, FieldValue]
    followers: tuple[str, ...]
    links: tuple[LinkView, ...]
    tasks: tuple[TaskView, ...]
    seconds_logged: int
    rating: int | None
    cc: tuple[Address, ...]
    """Who was in copy of the last message of the customer."""
    follow_up_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One fact worth showing; `version` is its place in the ticket's history and its id on the page.

    `kind` is what was said (`customer`, `reply`, `note`) or `change` for everything else. `fact` is the
    short name (`status_changed`), `data` its plain values. `text` is text, never mark-up; `html` is what
    the sender wrote, hostile, to be cleaned before it is shown.
    """

    ticket_id: str
    version: int
    sequence: int
    at: datetime
    actor: Actor
    kind: EntryKind
    fact: str
    correlation_id: str
    causation_id: str | None = None
    message_id: str | None = None
    author_id: str | None = None
    author_name: str = ""
    author_address: str = ""
    subject: str = ""
    text: str = ""
    html: str | None = None
    quoted: str | None = None
    signature: str | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    mentions: tuple[str, ...] = ()
    channel: str = ""
    machine: MachineKind | None = None
    spam: bool = False
    protection: Protection | None = None
    authentication: Authentication | None = None
    """What a trusted relay says of the sender."""
    raw_key: str | None = None
    """Where the message is kept as it came; it can be downloaded."""
    automated: bool = False
    delivery: Delivery = "none"
    delivery_reason: str = ""
    redacted: bool = False
    moved_to: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """A customer, from the directory where it knows them, with their last tickets."""

    id: str
    name: str
    address: str
    organisation_id: str | None
    locale: str | None
    notes: str
    blocked: bool
    ticket_count: int
    open_count: int
    last_seen_at: datetime | None
    tickets: tuple[TicketRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """A customer as lists show them."""

    id: str
    name: str
    address: str
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A ticket that matches, with a piece of the text around the first match; `marks` are the matched spans in it."""

    ticket: TicketRow
    snippet: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets are meant; what is left empty does not matter.

    Merged tickets are left out unless `merged` asks for them; snoozed ones unless `snoozed` does
    (None: both).
    """

    statuses: tuple[Status, ...] = ()
    priorities: tuple[Priority, ...] = ()
    ticket_type: TicketType | None = None
    team_id: str | None = None
    assignee_id: str | None = None
    requester_id: str | None = None
    follower_id: str | None = None
    channel: str | None = None
    tags: tuple[str, ...] = ()
    """All of them."""
    breached: bool | None = None
    due_before: datetime | None = None
    opened_after: datetime | None = None
    opened_before: datetime | None = None
    updated_after: datetime | None = None
    snoozed: bool | None = None
    merged: bool = False
    conditions: Conditions = NO_CONDITIONS
    """What a saved view asks for on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Some tickets as they are now, and which of them belong to some selections."""

    rows: tuple[TicketRow, ...]
    members: Mapping[TicketFilter, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountBy:
    """How many tickets there are of each value."""

    by_status: Mapping[str, int]
    by_team: Mapping[str, int]
    """Unsolved tickets; `none` for those of no team."""
    by_agent: Mapping[str, int]
    """Unsolved tickets; `none` for those of nobody."""
    by_priority: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTimes:
    """First responses to the tickets opened in a span; seconds of the clock on the wall."""

    opened: int
    answered: int
    median_seconds: float | None
    p90_seconds: float | None


class Reads(Protocol):
    """Everything the pages and the API read; `reader.py` is the implementation.

    Cursors are opaque. Every `limit` is between 1 and 200.
    """

    async def list_tickets(
        self,
        wanted: TicketFilter,
        *,
        sort: Sort = "updated",
        descending: bool = True,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[TicketRow]:
        """List tickets in an order. Raises InvalidCursor and UnsupportedCondition."""
        ...

    async def ticket(self, id_or_number: str) -> TicketDetail:
        """Read one ticket by its id, `42` or `#42`. Raises TicketNotFound."""
        ...

    async def rows(self, ticket_ids: Sequence[str]) -> tuple[TicketRow, ...]:
        """Read the rows of some tickets, such as those a notice names; unknown ones are left out."""
        ...

    async def changed(self, ticket_ids: Sequence[str], selections: Sequence[TicketFilter]) -> Changed:
        """Read the rows of tickets that have changed; to a selection that cannot be listed none belongs."""
        ...

    async def timeline(self, ticket_id: str, *, after_version: int = 0, limit: int = 200) -> tuple[TimelineEntry, ...]:
        """Read what happened on a ticket, oldest first."""
        ...

    async def search(
        self, text: str, *, me: str | None = None, wanted: TicketFilter | None = None, limit: int = 20
    ) -> tuple[SearchHit, ...]:
        """Find tickets by words and `is: from: tag: assignee: team: priority: channel:` filters; `me` is who asks."""
        ...

    async def counts(self, views: Mapping[str, TicketFilter]) -> dict[str, int]:
        """Count the tickets of some views by their keys."""
        ...

    async def customer(self, customer_id: str) -> CustomerView:
        """Read a customer. Raises CustomerNotFound."""
        ...

    async def customers(self, text: str = "", *, after: str | None = None, limit: int = 50) -> Page[CustomerRow]:
        """List customers by name or address, the ones seen last first."""
        ...

    async def count_by(self, wanted: TicketFilter) -> CountBy:
        """Count tickets by status, team, agent and priority."""
        ...

    async def response_times(self, *, since: datetime, until: datetime) -> ResponseTimes:
        """Tell how fast first answers were to the tickets opened in a span."""
        ...

    async def position(self) -> int:
        """Tell the stream sequence that the read models have reached."""
        ...
