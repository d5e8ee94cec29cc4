"""What people and services may wish for a ticket: one frozen dataclass per wish."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deskwire_shared.contracts.facts import (
    Address,
    Asker,
    AssignmentDecision,
    Attachment,
    FieldValue,
    LinkKind,
    MachineKind,
    Metric,
    Priority,
    SlaClock,
    Status,
    TicketType,
)
from deskwire_shared.contracts.mails import Authentication, Protection

WakeReason = Literal["due", "reply", "agent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerWords:
    """What a customer said; opens a ticket or replies on one."""

    message_id: str
    channel: str
    author: Address
    text: str
    subject: str = ""
    channel_id: str | None = None
    raw_key: str | None = None
    machine: MachineKind | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    html: str | None = None
    quoted: str | None = None
    signature: str | None = None
    internet_message_id: str | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    conversation: str | None = None
    spam: bool = False
    protection: Protection | None = None
    authentication: Authentication | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTicket(CustomerWords):
    """Start a ticket with a customer's first message."""

    number: int
    requester_id: str
    priority: Priority = "normal"
    ticket_type: TicketType | None = None
    tags: tuple[str, ...] = ()
    follow_up_of: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveReply(CustomerWords):
    """Take in what a customer wrote on an existing ticket."""

    author_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SendReply:
    """Answer the customer; without `to` the requester is answered. `status` is set along."""

    message_id: str
    agent_id: str
    text: str
    html: str | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    automated: bool = False
    deliver_after: datetime | None = None
    status: Status | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawReply:
    """Take a reply back at a moment before its `deliver_after`."""

    message_id: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class AddNote:
    """Leave a note that no customer sees."""

    message_id: str
    agent_id: str
    text: str
    mentions: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RedactMessage:
    """Hide the words of a message for good."""

    message_id: str
    agent_id: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordDelivery:
    """Note that the next mail server (or channel) took a reply."""

    message_id: str
    channel: str = "email"
    attempts: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordBounce:
    """Note that a reply cannot be delivered; not `permanent` means that it is only late."""

    message_id: str
    permanent: bool = True
    reason: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordAcknowledgement:
    """Note that the customer was told that the ticket exists, or why not."""

    message_id: str
    template_id: str
    outcome: Literal["sent", "suppressed"] = "sent"
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeSubject:
    """Give the ticket another subject."""

    subject: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangePriority:
    """Give the ticket another priority."""

    priority: Priority


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeType:
    """Give the ticket another type, or none."""

    ticket_type: TicketType | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeTags:
    """Add and remove tags; what is in both is removed."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeField:
    """Set a custom field; `None` empties it."""

    name: str
    value: FieldValue


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeRequester:
    """Give the ticket to another customer."""

    requester_id: str
    requester: Address


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeFollowers:
    """Let agents follow or no longer follow; who is in both no longer follows."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkTicket:
    """Say that another ticket has to do with this one."""

    ticket_id: str
    number: int
    kind: LinkKind = "related"


@dataclass(frozen=True, kw_only=True, slots=True)
class AddTask:
    """Say that something has to be done for this ticket."""

    task_id: str
    title: str
    assignee_id: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteTask:
    """Say that a task is done."""

    task_id: str
    agent_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LogTime:
    """Say how long an agent worked on the ticket."""

    agent_id: str
    seconds: int
    activity: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RateTicket:
    """Let the customer say how it went, from 1 (bad) to 5 (good)."""

    score: int
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteTicket:
    """Put the ticket in a team's queue, or in none; the assignee stays only when told so."""

    team_id: str | None
    rule_id: str | None = None
    reason: str = ""
    keep_assignee: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AssignTicket:
    """Make an agent responsible."""

    agent_id: str
    strategy: str = "manual"
    decision: AssignmentDecision | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnassignTicket:
    """Make nobody responsible."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeStatus:
    """Put the ticket in another status."""

    status: Status


@dataclass(frozen=True, kw_only=True, slots=True)
class SnoozeTicket:
    """Put the ticket out of sight until a moment."""

    until: datetime
    at: datetime
    agent_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WakeTicket:
    """Bring a snoozed ticket back; one that is woken as `due` at a moment before its time sleeps on."""

    reason: WakeReason
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeTicket:
    """Let this ticket live on as another one."""

    into: str
    into_number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveMerge:
    """Take in another ticket; its participants may write here from now on."""

    source: str
    source_number: int
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitTicket:
    """Say that messages of this ticket became a ticket of their own."""

    message_ids: tuple[str, ...]
    into: str
    into_number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplySla:
    """Let these clocks hold instead of all earlier ones."""

    policy_id: str | None
    policy_revision: int = 0
    calendar_id: str | None = None
    calendar_revision: int = 0
    clocks: tuple[SlaClock, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WarnSla:
    """Note that a target is close; `stage` counts the warnings of a run from 1."""

    metric: Metric
    cycle: int
    stage: int = 1
    policy_id: str
    used: int
    target: int
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BreachSla:
    """Note that a target was missed."""

    metric: Metric
    cycle: int
    policy_id: str
    target: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetSla:
    """Note that a target was reached, in time or `late`."""

    metric: Metric
    cycle: int
    policy_id: str
    used: int
    target: int
    late: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyRule:
    """Note that a rule held and acted.

    `trigger` names the occasion, such as `customer_replied:<message id>`: a revision of a rule is
    noted once per occasion. `stopped` says why it was kept from acting.
    """

    rule_id: str
    rule_name: str
    rule_revision: int
    trigger: str
    conditions: tuple[str, ...] = ()
    stopped: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestWebhook:
    """Have a webhook told of the ticket, on behalf of a rule, a policy or a macro."""

    request_id: str
    webhook_id: str
    webhook_name: str
    asked_by: Asker
    asker_id: str
    asker_name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordWebhookDelivery:
    """Note that a webhook took what it was told."""

    request_id: str
    status: int
    attempts: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordWebhookFailure:
    """Note that a webhook was not told and is not tried again."""

    request_id: str
    status: int | None = None
    reason: str = ""
    attempts: int = 1


ConversationCommand = (
    OpenTicket | ReceiveReply | SendReply | WithdrawReply | AddNote | RedactMessage
    | RecordDelivery | RecordBounce | RecordAcknowledgement
)  # fmt: skip
FieldCommand = (
    ChangeSubject | ChangePriority | ChangeType | ChangeTags | ChangeField | ChangeRequester
    | ChangeFollowers | LinkTicket | AddTask | CompleteTask | LogTime | RateTicket
)  # fmt: skip
LifecycleCommand = (
    RouteTicket | AssignTicket | UnassignTicket | ChangeStatus | SnoozeTicket | WakeTicket
    | MergeTicket | ReceiveMerge | SplitTicket
)  # fmt: skip
WebhookCommand = RequestWebhook | RecordWebhookDelivery | RecordWebhookFailure
PolicyCommand = ApplySla | WarnSla | BreachSla | MeetSla | ApplyRule

SingleCommand = ConversationCommand | FieldCommand | LifecycleCommand | WebhookCommand | PolicyCommand


@dataclass(frozen=True, kw_only=True, slots=True)
class Several:
    """Several wishes at once: each is decided after the one before, all facts land in one commit."""

    commands: tuple[SingleCommand, ...]


TicketCommand = SingleCommand | Several
