"""The documents of the directory: people, teams, channels, policies, rules, templates.

A change stores the full document; the last one per subject is the state, all of them the audit.
"""

from datetime import date, datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from deskwire_shared.contracts.access import Permission, Role
from deskwire_shared.contracts.calendar import Calendar as BusinessHours
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.facts import FieldValue, Metric, Priority, Status, TicketType
from deskwire_shared.contracts.personal import Personal
from deskwire_shared.contracts.placeholders import require_known
from deskwire_shared.contracts.webhook_channels import WebhookChannel

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
MailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,255}$", to_lower=True)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True, to_lower=True)]

Medium = Literal["email", "web", "chat", "api", "webhook", "phone"]
Availability = Literal["online", "away", "offline"]
RankingStrategy = Literal["round_robin", "least_loaded", "skills", "longest_idle"]
"""Ways to choose among the agents who could take a ticket."""
SkillName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", to_lower=True)]
Proficiency = Annotated[int, Field(ge=1, le=5)]
Slots = Annotated[int, Field(ge=0, le=1000)]


class Document(BaseModel):
    """A directory document."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonDocument(Document):
    """A document about a person, encrypted under that person's key."""


class Customer(PersonDocument):
    """Somebody who asks for help."""

    kind: Literal["customer"] = "customer"
    address: Personal[str]
    name: Personal[str] = ""
    organisation_id: str | None = None
    locale: Locale | None = None
    notes: Personal[str] = ""
    blocked: bool = False


class Organisation(Document):
    """A company or group of customers; customers join it by the domain of their address."""

    kind: Literal["organisation"] = "organisation"
    name: Name
    domains: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


class Agent(PersonDocument):
    """Somebody who answers."""

    kind: Literal["agent"] = "agent"
    email: Personal[MailAddress]
    name: Personal[str]
    role: Role = "agent"
    team_ids: tuple[str, ...] = ()
    active: bool = True
    availability: Availability = "online"
    out_until: AwareDatetime | None = None
    """Out of office until this moment, whatever `availability` says."""
    skills: Annotated[dict[SkillName, Proficiency], Field(max_length=100)] = {}
    capacity: dict[Literal["default"] | Medium, Slots] = {}
    """The most open tickets at once: `default` of all together, a medium of those that came by it; none is no limit."""
    calendar_id: str | None = None
    """Their working hours; None works whenever `availability` says so."""
    signature: Personal[str] = ""


class Overflow(Document):
    """Where tickets go that found nobody for too long."""

    team_id: str
    after_minutes: Annotated[int, Field(ge=1, le=10_080)]


class Team(Document):
    """A queue and the agents who work it."""

    kind: Literal["team"] = "team"
    name: Name
    assignment: Literal["manual", "sticky"] | RankingStrategy = "round_robin"
    fallback: RankingStrategy = "least_loaded"
    """How `sticky` chooses when the customer's last agent cannot take the ticket."""
    calendar_id: str | None = None
    within_hours: bool = False
    """Tickets wait for the team's calendar to open before they are assigned."""
    reassign_after_minutes: Annotated[int, Field(ge=0, le=10_080)] | None = None
    """How long an agent may be away before their tickets of this team go to others; None lets them keep them."""
    overflow: Overflow | None = None


class Calendar(BusinessHours, Document):
    """Business hours and holidays."""

    kind: Literal["calendar"] = "calendar"


Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,253}[A-Za-z0-9])?$")]
Folder = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f*%]+$")]


class MailboxOAuth(Document):
    """How to get the tokens that open a mailbox, where passwords do not (OAuth 2.0, RFC 6749)."""

    grant: Literal["client_credentials", "refresh_token"]
    """Microsoft 365 gives tokens to the application itself, Google for a refresh token."""
    token_url: Annotated[
        str, StringConstraints(pattern=r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/])[^\s]{1,1000}$")
    ]
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    scope: Annotated[str, StringConstraints(max_length=1000)] = ""


class ImapMailbox(Document):
    """Where a channel fetches its mails by IMAP; the password is kept among the secrets."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65_535)] = 993
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: Annotated[str, StringConstraints(max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$")]
    oauth: MailboxOAuth | None = None
    folder: Folder = "INBOX"
    after: Literal["keep_flagged", "move", "delete"] = "keep_flagged"
    """What becomes of a mail once it is on its ticket."""
    move_to: Folder | None = None
    since: date | None = None
    """Mails that arrived before this day are left alone; None takes all that the folder holds."""
    poll_seconds: Annotated[int, Field(ge=1, le=540)] = 60
    """How often the folder is looked into, also where the server tells of new mails."""

    @model_validator(mode="after")
    def _moves_somewhere(self) -> Self:
        if self.after == "move" and self.move_to in {None, self.folder}:
            raise ValueError("`move` needs another folder in `move_to`")
        return self


Origin = Annotated[
    str, StringConstraints(pattern=r"^https?://([a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\])(:[0-9]{1,5})?$", to_lower=True)
]
"""A web site as browsers name it: scheme, host and port, such as https://shop.example."""
Origins = Annotated[tuple[Origin, ...], Field(max_length=100)]
Caption = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Paragraph = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True)]


class FormField(Document):
    """A question of a form beside the usual ones; its answer becomes the field `name` of the ticket."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    label: Name
    answer: Literal["line", "choice", "yes_no"] = "line"
    choices: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    required: bool = False

    @model_validator(mode="after")
    def _chooses_from_something(self) -> Self:
        if (self.answer == "choice") != bool(self.choices):
            raise ValueError("a field with `answer: choice` needs `choices`, and no other has them")
        return self


class WebForm(Document):
    """What a form shows, and the sites that may show it; words left empty are those of the channel's language."""

    origins: Origins = ()
    title: Caption = ""
    introduction: Paragraph = ""
    thanks: Paragraph = ""
    takes_files: bool = True
    fields: Annotated[tuple[FormField, ...], Field(max_length=30)] = ()

    @model_validator(mode="after")
    def _names_fields_once(self) -> Self:
        if len({field.name for field in self.fields}) < len(self.fields):
            raise ValueError("two fields have the same name")
        return self


class ChatWidget(Document):
    """What a chat shows, and the sites that may show it; words left empty are those of the channel's language."""

    origins: Origins = ()
    title: Caption = ""
    greeting: Paragraph = ""
    away: Paragraph = ""
    """Shown in place of the greeting while the calendar is closed."""
    asks_address: Literal["first", "later"] = "later"
    """When customers are asked for their mail address: before their first message, or when they leave."""
    calendar_id: str | None = None
    """When somebody answers; None is always."""


class Channel(Document):
    """A way in and out: a mailbox, a form, a chat."""

    kind: Literal["channel"] = "channel"
    name: Name
    medium: Medium
    address: str | None = None
    """The mailbox, for e-mail."""
    imap: ImapMailbox | None = None
    """None waits for mails to be handed over by SMTP or LMTP."""
    form: WebForm | None = None
    """For the medium web; None shows a plain form, on the desk's own pages only."""
    chat: ChatWidget | None = None
    """For the medium chat; None shows a plain chat, on the desk's own pages only."""
    webhook: WebhookChannel | None = None
    """What a webhook channel reads and sends."""
    sender_name: str = ""
    team_id: str | None = None
    locale: Locale = "en"
    active: bool = True
    acknowledge: bool = True
    follow_up_days: Annotated[int, Field(ge=0, le=3650)] = 30

    @model_validator(mode="after")
    def _fetches_for_an_address(self) -> Self:
        if self.imap is not None and not (self.medium == "email" and self.address):
            raise ValueError("only an e-mail channel with an address fetches mails")
        return self

    @model_validator(mode="after")
    def _shows_what_it_is(self) -> Self:
        if (self.form is not None and self.medium != "web") or (self.chat is not None and self.medium != "chat"):
            raise ValueError("`form` belongs to the medium web, `chat` to the medium chat")
        return self

    @model_validator(mode="after")
    def _maps_what_it_hears(self) -> Self:
        if (self.webhook is not None) != (self.medium == "webhook"):
            raise ValueError("a webhook channel, and no other, has `webhook`")
        return self


class SetTeam(Document):
    """Put the ticket in a team's queue."""

    do: Literal["set_team"] = "set_team"
    team_id: str


class SetPriority(Document):
    """Change the priority."""

    do: Literal["set_priority"] = "set_priority"
    priority: Priority


class SetType(Document):
    """Change the type."""

    do: Literal["set_type"] = "set_type"
    ticket_type: TicketType | None


class SetStatus(Document):
    """Change the status."""

    do: Literal["set_status"] = "set_status"
    status: Status


class AddTags(Document):
    """Add tags."""

    do: Literal["add_tags"] = "add_tags"
    tags: tuple[Tag, ...]


class RemoveTags(Document):
    """Remove tags."""

    do: Literal["remove_tags"] = "remove_tags"
    tags: tuple[Tag, ...]


class SetAssignee(Document):
    """Make an agent responsible."""

    do: Literal["set_assignee"] = "set_assignee"
    agent_id: str


class RaisePriority(Document):
    """Make the priority the next higher one."""

    do: Literal["raise_priority"] = "raise_priority"


class AddFollowers(Document):
    """Let agents follow the ticket."""

    do: Literal["add_followers"] = "add_followers"
    agent_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]


class NotifyAgents(Document):
    """Leave a note that mentions agents: those named, who is responsible, or everybody in the ticket's team."""

    do: Literal["notify_agents"] = "notify_agents"
    agent_ids: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    assignee: bool = True
    team: bool = False
    text: Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True)] = ""


EscalationAction = Annotated[
    NotifyAgents | AddFollowers | RaisePriority | SetPriority | SetTeam | SetAssignee | AddTags,
    Field(discriminator="do"),
]
"""What gets people to work on a ticket; none of it ends a promise or starts one."""

Words = Annotated[
    str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True), AfterValidator(require_known)
]
"""A text with placeholders, see `contracts.placeholders`."""
SubjectLine = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class Unassign(Document):
    """Make nobody responsible."""

    do: Literal["unassign"] = "unassign"


class SetSubject(Document):
    """Change the subject."""

    do: Literal["set_subject"] = "set_subject"
    subject: SubjectLine


class SetField(Document):
    """Change a custom field; null empties it."""

    do: Literal["set_field"] = "set_field"
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    value: FieldValue


class RemoveFollowers(Document):
    """Let agents no longer follow the ticket."""

    do: Literal["remove_followers"] = "remove_followers"
    agent_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]


class WriteNote(Document):
    """Leave a note that no customer sees."""

    do: Literal["write_note"] = "write_note"
    text: Words


class WriteReply(Document):
    """Answer the customer, in words of its own or in those of a template for answers."""

    do: Literal["write_reply"] = "write_reply"
    text: Words | None = None
    template_id: str | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.text is None) == (self.template_id is None):
            raise ValueError("a reply has either `text` or `template_id`")
        return self


class OpenFollowUp(Document):
    """Open another ticket for the same customer, linked with this one."""

    do: Literal["open_follow_up"] = "open_follow_up"
    subject: Annotated[SubjectLine, AfterValidator(require_known)]
    text: Words
    team_id: str | None = None
    priority: Priority = "normal"
    tags: Annotated[tuple[Tag, ...], Field(max_length=20)] = ()


Action = Annotated[
    SetTeam | SetAssignee | Unassign | SetPriority | RaisePriority | SetType | SetStatus | SetSubject | SetField
    | AddTags | RemoveTags | AddFollowers | RemoveFollowers | NotifyAgents | WriteNote | WriteReply | OpenFollowUp,
    Field(discriminator="do"),
]  # fmt: skip
"""What rules and macros do."""

Share = Annotated[float, Field(gt=0, lt=1)]


class Escalation(Document):
    """What is done once when a promise is close or missed."""

    when: Literal["warned", "breached"]
    at: Share | None = None
    """Which of the policy's warnings; None is any."""
    metrics: Annotated[tuple[Metric, ...], Field(max_length=4)] = ()
    """Of which promises; none named is any."""
    actions: Annotated[tuple[EscalationAction, ...], Field(min_length=1, max_length=8)]


class SlaTarget(Document):
    """One promise, in seconds by priority; a priority left out is not promised."""

    metric: Metric
    seconds: dict[Priority, Annotated[int, Field(gt=0, le=366 * 86400)]]


class SlaPolicy(Document):
    """Promises for the tickets whose conditions hold; the first policy in order wins."""

    kind: Literal["sla_policy"] = "sla_policy"
    name: Name
    order: int = 100
    active: bool = True
    conditions: Conditions = Conditions()
    targets: tuple[SlaTarget, ...] = Field(min_length=1, max_length=4)
    calendar_id: str | None = None
    """None counts calendar time, day and night."""
    pause_on: tuple[Status, ...] = ("pending", "on_hold")
    warn_at: Share | Annotated[tuple[Share, ...], Field(max_length=5)] = 0.75
    """The shares of a target after which a warning is due."""
    automations_answer: bool = False
    """Whether a reply that no human wrote is an answer, too."""
    escalations: Annotated[tuple[Escalation, ...], Field(max_length=8)] = ()

    @property
    def warning_shares(self) -> tuple[float, ...]:
        """The shares after which warnings are due, in order."""
        return tuple(sorted({*self.warn_at})) if isinstance(self.warn_at, tuple) else (self.warn_at,)

    @model_validator(mode="after")
    def _promises_once(self) -> Self:
        if len({target.metric for target in self.targets}) < len(self.targets):
            raise ValueError("two targets have the same metric")
        return self

    @model_validator(mode="after")
    def _is_steady(self) -> Self:
        """Promises that depended on themselves, or on the time of day, could change with every look at them."""
        asked = {one.field for one in (*self.conditions.all, *self.conditions.any)}
        if unsteady := sorted(name for name in asked if name.startswith(("sla.", "calendar."))):
            raise ValueError(f"which policy holds cannot depend on {', '.join(unsteady)}")
        return self

    @model_validator(mode="after")
    def _escalates_what_it_notes(self) -> Self:
        promised = {target.metric for target in self.targets}
        for escalation in self.escalations:
            if escalation.at is not None and (
                escalation.when == "breached" or escalation.at not in self.warning_shares
            ):
                raise ValueError(f"an escalation names {escalation.at}, which is no warning of `warn_at`")
            if unpromised := set(escalation.metrics) - promised:
                raise ValueError(f"an escalation names {', '.join(sorted(unpromised))}, which is not promised")
        return self


Trigger = Literal[
    "opened", "customer_replied", "agent_replied", "note_added", "reply_bounced", "rated",
    "status_changed", "reopened", "snoozed", "woken",
    "priority_changed", "type_changed", "subject_changed", "tags_changed", "field_changed", "requester_changed",
    "routed", "assigned", "unassigned", "merge_received",
    "sla_warned", "sla_breached", "sla_met",
    "waited",
]  # fmt: skip
"""What sets a rule off."""


class Wait(Document):
    """How long a ticket has to stay in a status."""

    status: Literal["new", "open", "pending", "on_hold", "solved"]
    after_minutes: Annotated[int, Field(ge=1, le=366 * 1440)]


class Rule(Document):
    """A business rule: when something happens and the conditions hold, act."""

    kind: Literal["rule"] = "rule"
    name: Name
    order: int = 100
    active: bool = True
    trigger: Trigger = "opened"
    wait: Wait | None = None
    """For the trigger `waited`; the rule is asked once for each stay in the status."""
    conditions: Conditions = Conditions()
    actions: tuple[Action, ...] = Field(min_length=1, max_length=20)
    stop: bool = False
    """No later rule is asked when this one held."""

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        if (self.trigger == "waited") != (self.wait is not None):
            raise ValueError("a rule with the trigger `waited`, and no other, has `wait`")
        return self


class Macro(Document):
    """Several changes an agent makes with one key; the reply may hold placeholders."""

    kind: Literal["macro"] = "macro"
    name: Name
    reply: Annotated[str, StringConstraints(max_length=20_000), AfterValidator(require_known)] = ""
    actions: Annotated[tuple[Action, ...], Field(max_length=20)] = ()


class Template(Document):
    """What the desk writes by itself; `subject` and `body` are Jinja2 in a sandbox.

    The body of an `answer`, which rules and macros send, holds placeholders only; its subject is not used.
    """

    kind: Literal["template"] = "template"
    name: Name
    purpose: Literal["acknowledgement", "reply", "agent_notice", "answer"]
    locale: Locale = "en"
    subject: Annotated[str, StringConstraints(max_length=500)]
    body: Annotated[str, StringConstraints(max_length=50_000)]
    active: bool = True

    @model_validator(mode="after")
    def _answers_with_placeholders(self) -> Self:
        if self.purpose == "answer":
            require_known(self.body)
        return self


class View(Document):
    """A saved selection of tickets."""

    kind: Literal["view"] = "view"
    name: Name
    order: int = 100
    conditions: Conditions = Conditions()
    agent_id: str | None = None
    """Whose private view; None is shared."""


class Webhook(Document):
    """Where an integrator wants to be told."""

    kind: Literal["webhook"] = "webhook"
    name: Name
    url: str
    events: tuple[str, ...] = ()
    active: bool = True


class ApiToken(Document):
    """A credential of an integration; only the SHA-256 of its secret is kept."""

    kind: Literal["api_token"] = "api_token"
    name: Name
    secret_sha256: str
    scopes: tuple[Permission, ...]
    expires_at: datetime | None = None
    active: bool = True


AnyDocument = Annotated[
    Customer | Organisation | Agent | Team | Calendar | SlaPolicy | Channel | Rule | Macro | Template | View
    | Webhook | ApiToken,
    Field(discriminator="kind"),
]  # fmt: skip

DOCUMENTS: dict[str, type[Document]] = {
    model.model_fields["kind"].default: model for model in get_args(get_args(AnyDocument)[0])
}
"""Every kind of document by name."""


class Entry(BaseModel):
    """A document with what the directory knows about its change.

    `revision` counts the changes of one document from 1; `sequence` is the place in the stream (0 before storing).
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    id: str
    revision: int
    at: datetime
    actor: Actor
    deleted: bool = False
    document: JsonValue = None
    sequence: int = 0
