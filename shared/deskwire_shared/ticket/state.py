"""A ticket as its history has made it: everything a decision or a process manager needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import (
    Address,
    Attachment,
    FieldValue,
    LinkKind,
    MachineKind,
    Metric,
    Priority,
    SlaApplied,
    Status,
    TicketType,
)
from deskwire_shared.contracts.mails import Authentication, Protection

MessageKind = Literal["customer", "agent", "note"]
Delivery = Literal["none", "waiting", "delivered", "bounced", "withdrawn"]
SlaOutcome = tuple[Metric, int, Literal["warned", "breached", "met"]]
"""What became of one run of one clock: metric, cycle, outcome."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Something said on a ticket; `author` is the id of a person or, for agents' words, of an agent."""

    id: str
    kind: MessageKind
    at: datetime
    author: str
    text: str
    address: Address | None = None
    subject: str = ""
    html: str | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    mentions: tuple[str, ...] = ()
    channel: str = ""
    channel_id: str | None = None
    conversation: str | None = None
    internet_message_id: str | None = None
    references: tuple[str, ...] = ()
    machine: MachineKind | None = None
    spam: bool = False
    protection: Protection | None = None
    authentication: Authentication | None = None
    automated: bool = False
    delivery: Delivery = "none"
    deliver_after: datetime | None = None
    redacted: bool = False
    moved_to: str | None = None

    @property
    def is_by_the_customer(self) -> bool:
        """Whether a customer wrote it themselves: no machine did, and it is no spam."""
        return self.kind == "customer" and self.machine is None and not self.spam

    @property
    def answers_the_customer(self) -> bool:
        """Whether a human answer stands here that was not taken back."""
        return self.kind == "agent" and not self.automated and self.delivery != "withdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Something to be done for a ticket."""

    id: str
    title: str
    assignee_id: str | None = None
    due_at: datetime | None = None
    completed_by: str | None = None

    @property
    def is_completed(self) -> bool:
        """Whether it is done."""
        return self.completed_by is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Another ticket that has to do with this one."""

    ticket_id: str
    number: int
    kind: LinkKind


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookCall:
    """A webhook that is to be told of the ticket, or was."""

    request_id: str
    webhook_id: str
    webhook_name: str
    at: datetime
    outcome: Literal["waiting", "delivered", "failed"] = "waiting"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rating:
    """How it went, in the customer's eyes."""

    score: int
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A ticket at one version.

    `participants` are the ids of the people who may write here, `participant_addresses` the
    lower-cased addresses of those people and of everybody in To and Cc of the messages. `placements`
    counts the changes of queue, agent and status: while it stays the same, nobody has moved the ticket.
    `handled_at` is when an agent last did something, and
    `sla_stages` the last warning that was given of a run, by metric and cycle.
    """

    id: str
    exists: bool = False
    version: int = 0
    command_ids: frozenset[str] = frozenset()

    number: int = 0
    subject: str = ""
    status: Status = "new"
    priority: Priority = "normal"
    ticket_type: TicketType | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    channel: str = ""
    channel_id: str | None = None

    requester_id: str = ""
    requester: Address | None = None
    participants: frozenset[str] = frozenset()
    participant_addresses: frozenset[str] = frozenset()
    team_id: str | None = None
    assignee_id: str | None = None
    previous_assignee_id: str | None = None
    placements: int = 0
    followers: tuple[str, ...] = ()

    messages: tuple[Message, ...] = ()
    tasks: tuple[Task, ...] = ()
    links: tuple[Link, ...] = ()
    seconds_logged: int = 0
    rating: Rating | None = None
    acknowledged: bool = False

    snoozed_until: datetime | None = None
    merged_into: str | None = None
    merged_sources: frozenset[str] = frozenset()
    follow_up_of: str | None = None

    webhook_calls: tuple[WebhookCall, ...] = ()
    handled_at: datetime | None = None

    sla: SlaApplied | None = None
    sla_outcomes: frozenset[SlaOutcome] = frozenset()
    sla_stages: Mapping[tuple[Metric, int], int] = field(default_factory=dict)
    rules_applied: tuple[tuple[str, int, str], ...] = ()

    opened_at: datetime | None = None
    first_response_at: datetime | None = None
    solved_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    updated_by: Actor | None = None
    status_history: tuple[tuple[datetime, Status], ...] = ()
    priority_history: tuple[tuple[datetime, Priority], ...] = ()

    @classmethod
    def unborn(cls, ticket_id: str) -> "Ticket":
        """Give the ticket before its first fact."""
        return cls(id=ticket_id)

    @property
    def is_closed(self) -> bool:
        """Whether it is closed for good."""
        return self.status == "closed"

    @property
    def is_merged(self) -> bool:
        """Whether it lives on as another ticket."""
        return self.merged_into is not None

    @property
    def is_snoozed(self) -> bool:
        """Whether it is out of sight."""
        return self.snoozed_until is not None

    def message(self, message_id: str) -> Message | None:
        """Find what was said under an id."""
        return next((message for message in reversed(self.messages) if message.id == message_id), None)

    def webhook_call(self, request_id: str) -> WebhookCall | None:
        """Find the call of a webhook."""
        return next((call for call in reversed(self.webhook_calls) if call.request_id == request_id), None)

    def task(self, task_id: str) -> Task | None:
        """Find a task."""
        return next((task for task in self.tasks if task.id == task_id), None)
