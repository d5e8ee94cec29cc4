"""What rules, macros and escalations can do to a ticket."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from deskwire_shared.contracts.document import Document, Tag
from deskwire_shared.contracts.facts import FieldValue, Priority, Status, TicketType
from deskwire_shared.contracts.placeholders import require_known


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


class CallWebhook(Document):
    """Tell a program of others of the ticket, by a webhook of the directory."""

    do: Literal["call_webhook"] = "call_webhook"
    webhook_id: str


EscalationAction = Annotated[
    NotifyAgents | AddFollowers | RaisePriority | SetPriority | SetTeam | SetAssignee | AddTags | CallWebhook,
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
    | AddTags | RemoveTags | AddFollowers | RemoveFollowers | NotifyAgents | WriteNote | WriteReply | OpenFollowUp
    | CallWebhook,
    Field(discriminator="do"),
]  # fmt: skip
"""What rules and macros do."""
