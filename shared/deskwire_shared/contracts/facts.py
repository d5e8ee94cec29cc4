"""The facts of a ticket. Past tense, frozen, stored under a written-down name, changed only by addition.

Each fact has one writer, named in its docstring. Fields marked `Personal[...]` belong to the person
named by `person_id` and are encrypted at rest.
"""

from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from deskwire_shared.contracts.mails import Authentication, EnclosedMail, Invitation, Protection
from deskwire_shared.contracts.personal import Personal

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
TicketType = Literal["question", "incident", "problem", "task"]
Metric = Literal["first_response", "next_response", "periodic_update", "resolution"]
LinkKind = Literal["related", "parent", "child", "follow_up", "duplicate", "split"]
Asker = Literal["rule", "policy", "macro"]
MachineKind = Literal["auto_reply", "bounce", "list"]
FieldValue = str | int | bool | tuple[str, ...] | None


class Part(BaseModel):
    """A value inside a fact."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(Part):
    """Something that happened to a ticket."""


class PersonalFact(Fact):
    """A fact with personal data, encrypted under the key of one person."""

    person_id: str


class Address(Part):
    """A mail address, or the identifier a channel gives a person, with the name shown for it."""

    address: str
    name: str = ""


class Attachment(Part):
    """A file in the object store; `key` is where, `sha256` what.

    `infected` names the virus that was found in it; such a file is given to nobody. `unscanned` is one that nothing
    looked into although it should have been.
    """

    key: str
    filename: str
    content_type: str
    size: int
    sha256: str
    content_id: str | None = None
    inline: bool = False
    infected: str | None = None
    unscanned: bool = False
    invitation: Invitation | None = None
    mail: EnclosedMail | None = None


class CustomerMessage(PersonalFact):
    """What a customer said, whatever the channel."""

    message_id: str
    channel: str
    channel_id: str | None = None
    raw_key: str | None = None
    machine: MachineKind | None = None
    spam: bool = False
    """Whether a trusted relay took it for spam."""
    protection: Protection | None = None
    author: Personal[Address]
    text: Personal[str]
    subject: Personal[str] = ""
    to: Personal[tuple[Address, ...]] = ()
    cc: Personal[tuple[Address, ...]] = ()
    html: Personal[str | None] = None
    quoted: Personal[str | None] = None
    signature: Personal[str | None] = None
    internet_message_id: Personal[str | None] = None
    references: Personal[tuple[str, ...]] = ()
    attachments: Personal[tuple[Attachment, ...]] = ()
    authentication: Personal[Authentication | None] = None
    conversation: Personal[str | None] = None
    """Where the channel takes an answer: a chat, a thread, a phone number; see `contracts.conversations`."""


class Opened(CustomerMessage):
    """A ticket exists. The first message is part of it. Writer: intake; routing when a rule opens a follow-up."""

    type: Literal["ticket.opened.v1"] = "ticket.opened.v1"
    number: int
    requester_id: str
    priority: Priority = "normal"
    ticket_type: TicketType | None = None
    tags: tuple[str, ...] = ()
    follow_up_of: str | None = None


class CustomerReplied(CustomerMessage):
    """A customer wrote again. Writer: intake."""

    type: Literal["ticket.customer_replied.v1"] = "ticket.customer_replied.v1"
    author_id: str


class AgentReplied(PersonalFact):
    """An agent answered the customer. Writer: intake; routing for replies by a rule."""

    type: Literal["ticket.agent_replied.v1"] = "ticket.agent_replied.v1"
    message_id: str
    agent_id: str
    automated: bool = False
    deliver_after: datetime | None = None
    text: Personal[str]
    html: Personal[str | None] = None
    to: Personal[tuple[Address, ...]] = ()
    cc: Personal[tuple[Address, ...]] = ()
    attachments: Personal[tuple[Attachment, ...]] = ()


class ReplyWithdrawn(Fact):
    """An agent took a reply back before it left the desk. Writer: intake."""

    type: Literal["ticket.reply_withdrawn.v1"] = "ticket.reply_withdrawn.v1"
    message_id: str


class NoteAdded(PersonalFact):
    """An agent left a note that no customer sees. Writer: intake; routing by a rule, sla by an escalation."""

    type: Literal["ticket.note_added.v1"] = "ticket.note_added.v1"
    message_id: str
    agent_id: str
    mentions: tuple[str, ...] = ()
    text: Personal[str]
    attachments: Personal[tuple[Attachment, ...]] = ()


class SubjectChanged(PersonalFact):
    """The subject is another one. Writer: intake; routing by a rule."""

    type: Literal["ticket.subject_changed.v1"] = "ticket.subject_changed.v1"
    before: Personal[str]
    after: Personal[str]


class PriorityChanged(Fact):
    """The priority is another one. Writer: intake; routing by a rule, sla by an escalation."""

    type: Literal["ticket.priority_changed.v1"] = "ticket.priority_changed.v1"
    before: Priority
    after: Priority


class TypeChanged(Fact):
    """The type of the ticket is another one. Writer: intake; routing by a rule."""

    type: Literal["ticket.type_changed.v1"] = "ticket.type_changed.v1"
    before: TicketType | None
    after: TicketType | None


class TagsChanged(Fact):
    """Tags were added or removed; `tags` is what holds now, sorted.

    Writer: intake; routing by a rule, sla by an escalation.
    """

    type: Literal["ticket.tags_changed.v1"] = "ticket.tags_changed.v1"
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class FieldChanged(Fact):
    """A custom field has another value. Writer: intake; routing by a rule."""

    type: Literal["ticket.field_changed.v1"] = "ticket.field_changed.v1"
    name: str
    before: FieldValue = None
    after: FieldValue = None


class RequesterChanged(PersonalFact):
    """The ticket belongs to another customer; `person_id` is the new one. Writer: intake."""

    type: Literal["ticket.requester_changed.v1"] = "ticket.requester_changed.v1"
    before: str
    after: str
    requester: Personal[Address]


class FollowersChanged(Fact):
    """Agents follow or no longer follow; `followers` is who does now.

    Writer: intake; routing by a rule, sla by an escalation.
    """

    type: Literal["ticket.followers_changed.v1"] = "ticket.followers_changed.v1"
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    followers: tuple[str, ...] = ()


class Routed(Fact):
    """The ticket stands in a team's queue. Writer: routing; intake when an agent moves it; sla by an escalation."""

    type: Literal["ticket.routed.v1"] = "ticket.routed.v1"
    before: str | None = None
    team_id: str | None
    rule_id: str | None = None
    reason: str = ""


class Considered(Part):
    """An agent who was considered for a ticket, and what spoke for or against them."""

    agent_id: str
    open_tickets: int
    capacity: int | None = None
    verdict: str


class AssignmentDecision(Part):
    """Why a ticket went to one agent and not another; of many candidates only the first are told."""

    team_id: str
    reason: str
    candidates: int
    considered: tuple[Considered, ...] = ()


class Assigned(Fact):
    """An agent is responsible. Writer: routing; intake when an agent does it by hand; sla by an escalation."""

    type: Literal["ticket.assigned.v1"] = "ticket.assigned.v1"
    before: str | None = None
    agent_id: str
    strategy: str = "manual"
    decision: AssignmentDecision | None = None


class Unassigned(Fact):
    """Nobody is responsible any more. Writer: routing; intake when an agent does it by hand; sla by an escalation."""

    type: Literal["ticket.unassigned.v1"] = "ticket.unassigned.v1"
    before: str
    reason: str = ""


class StatusChanged(Fact):
    """The ticket is in another status. Writer: intake; routing by a rule."""

    type: Literal["ticket.status_changed.v1"] = "ticket.status_changed.v1"
    before: Status
    after: Status


class Snoozed(Fact):
    """The ticket is out of sight until a moment. Writer: intake."""

    type: Literal["ticket.snoozed.v1"] = "ticket.snoozed.v1"
    until: datetime
    agent_id: str | None = None


class Woken(Fact):
    """A snoozed ticket is back in sight. Writer: intake; sla when the moment came; routing when a rule ends it."""

    type: Literal["ticket.woken.v1"] = "ticket.woken.v1"
    reason: Literal["due", "reply", "agent"]


class Reopened(Fact):
    """A solved ticket needs work again. Writer: intake; routing by a rule."""

    type: Literal["ticket.reopened.v1"] = "ticket.reopened.v1"
    before: Status
    reason: Literal["customer_reply", "agent"]


class Merged(Fact):
    """The ticket lives on as another one; replies go there. Writer: intake."""

    type: Literal["ticket.merged.v1"] = "ticket.merged.v1"
    into: str
    into_number: int


class MergeReceived(Fact):
    """Another ticket was merged into this one; `participants` may write here from now on. Writer: intake."""

    type: Literal["ticket.merge_received.v1"] = "ticket.merge_received.v1"
    source: str
    source_number: int
    participants: tuple[str, ...] = ()


class Split(Fact):
    """Messages of this ticket became a ticket of their own. Writer: intake."""

    type: Literal["ticket.split.v1"] = "ticket.split.v1"
    into: str
    into_number: int
    message_ids: tuple[str, ...]


class Linked(Fact):
    """Another ticket has to do with this one. Writer: intake; routing when a rule opens a follow-up."""

    type: Literal["ticket.linked.v1"] = "ticket.linked.v1"
    ticket_id: str
    number: int
    kind: LinkKind


class TaskAdded(PersonalFact):
    """Something has to be done for this ticket. Writer: intake."""

    type: Literal["ticket.task_added.v1"] = "ticket.task_added.v1"
    task_id: str
    assignee_id: str | None = None
    due_at: datetime | None = None
    title: Personal[str]


class TaskCompleted(Fact):
    """A task is done. Writer: intake."""

    type: Literal["ticket.task_completed.v1"] = "ticket.task_completed.v1"
    task_id: str
    agent_id: str


class TimeLogged(Fact):
    """An agent worked on the ticket. Writer: intake."""

    type: Literal["ticket.time_logged.v1"] = "ticket.time_logged.v1"
    agent_id: str
    seconds: int
    activity: str = ""


class Rated(PersonalFact):
    """The customer said how it went, from 1 (bad) to 5 (good). Writer: intake."""

    type: Literal["ticket.rated.v1"] = "ticket.rated.v1"
    score: int
    comment: Personal[str] = ""


class SlaClock(Part):
    """One clock of a ticket: `cycle` counts its runs; times are in seconds of the policy's hours."""

    metric: Metric
    cycle: int
    state: Literal["running", "paused"]
    target: int
    used: int
    warn_at: datetime | None = None
    later_warnings: tuple[datetime, ...] = ()
    """When warnings after the first one are due, where the policy has several."""
    due_at: datetime | None = None


class SlaApplied(Fact):
    """These clocks hold now; it replaces every earlier `sla_applied`. Writer: sla."""

    type: Literal["ticket.sla_applied.v1"] = "ticket.sla_applied.v1"
    policy_id: str | None
    policy_revision: int = 0
    calendar_id: str | None = None
    calendar_revision: int = 0
    clocks: tuple[SlaClock, ...] = ()


class SlaWarned(Fact):
    """A target is close; `stage` counts the policy's warnings from 1. Writer: sla."""

    type: Literal["ticket.sla_warned.v1"] = "ticket.sla_warned.v1"
    metric: Metric
    cycle: int
    stage: int = 1
    policy_id: str
    used: int
    target: int
    due_at: datetime | None = None


class SlaBreached(Fact):
    """A target was missed; `due_at` is when it was due. Writer: sla."""

    type: Literal["ticket.sla_breached.v1"] = "ticket.sla_breached.v1"
    metric: Metric
    cycle: int
    policy_id: str
    target: int
    due_at: datetime


class SlaMet(Fact):
    """A target was reached in time, or after its breach when `late`. Writer: sla."""

    type: Literal["ticket.sla_met.v1"] = "ticket.sla_met.v1"
    metric: Metric
    cycle: int
    policy_id: str
    used: int
    target: int
    late: bool = False


class RuleApplied(Fact):
    """A business rule held and acted, with the conditions that held. Writer: routing; sla for escalations.

    An escalation is a rule of its policy: `rule_id` is the policy, `conditions` tell what came of which promise.
    `stopped` says why a rule that held was kept from acting: it would have set itself off again.
    """

    type: Literal["ticket.rule_applied.v1"] = "ticket.rule_applied.v1"
    rule_id: str
    rule_name: str
    rule_revision: int
    trigger: str
    conditions: tuple[str, ...] = ()
    stopped: str = ""


class ReplyDelivered(Fact):
    """The next mail server (or channel) took the reply. Writer: notify."""

    type: Literal["ticket.reply_delivered.v1"] = "ticket.reply_delivered.v1"
    message_id: str
    channel: str = "email"
    attempts: int = 1


class ReplyBounced(PersonalFact):
    """The reply cannot be delivered. Writer: notify on refusal, intake on a bounce mail."""

    type: Literal["ticket.reply_bounced.v1"] = "ticket.reply_bounced.v1"
    message_id: str
    permanent: bool = True
    reason: Personal[str] = ""
    recipients: Personal[tuple[str, ...]] = ()


class Acknowledged(Fact):
    """The customer was told that the ticket exists. Writer: notify."""

    type: Literal["ticket.acknowledged.v1"] = "ticket.acknowledged.v1"
    message_id: str
    template_id: str
    outcome: Literal["sent", "suppressed"] = "sent"
    reason: str = ""


class WebhookRequested(Fact):
    """A webhook is to be told of the ticket. Writer: routing by a rule, sla by an escalation, intake by a macro."""

    type: Literal["ticket.webhook_requested.v1"] = "ticket.webhook_requested.v1"
    request_id: str
    webhook_id: str
    webhook_name: str = ""
    asked_by: Asker
    asker_id: str
    """The rule, the policy or the macro."""
    asker_name: str = ""


class WebhookDelivered(Fact):
    """A webhook took what it was told; `status` is what it answered with. Writer: notify."""

    type: Literal["ticket.webhook_delivered.v1"] = "ticket.webhook_delivered.v1"
    request_id: str
    webhook_id: str
    webhook_name: str = ""
    status: int
    attempts: int = 1


class WebhookFailed(Fact):
    """A webhook was not told, and it is not tried again; without `status` nobody answered. Writer: notify."""

    type: Literal["ticket.webhook_failed.v1"] = "ticket.webhook_failed.v1"
    request_id: str
    webhook_id: str
    webhook_name: str = ""
    status: int | None = None
    reason: str = ""
    attempts: int = 1


class Redacted(Fact):
    """The words of a message are hidden for good from every surface. Writer: intake."""

    type: Literal["ticket.redacted.v1"] = "ticket.redacted.v1"
    message_id: str
    agent_id: str
    reason: str = ""


TicketFact = (
    Opened | CustomerReplied | AgentReplied | ReplyWithdrawn | NoteAdded | SubjectChanged | PriorityChanged
    | TypeChanged | TagsChanged | FieldChanged | RequesterChanged | FollowersChanged | Routed | Assigned
    | Unassigned | StatusChanged | Snoozed | Woken | Reopened | Merged | MergeReceived | Split | Linked
    | TaskAdded | TaskCompleted | TimeLogged | Rated | SlaApplied | SlaWarned | SlaBreached | SlaMet
    | RuleApplied | ReplyDelivered | ReplyBounced | Acknowledged | Redacted
    | WebhookRequested | WebhookDelivered | WebhookFailed
)  # fmt: skip

FACTS: dict[str, type[Fact]] = {model.model_fields["type"].default: model for model in get_args(TicketFact)}
"""Every fact by its stored name."""

fact_adapter: TypeAdapter[TicketFact] = TypeAdapter(Annotated[TicketFact, Field(discriminator="type")])


class UnknownFact(Fact):
    """A fact written by a newer version; kept as it is, skipped by every fold."""

    type: str
    data: dict[str, JsonValue] = Field(default_factory=dict)


AnyFact = TicketFact | UnknownFact
