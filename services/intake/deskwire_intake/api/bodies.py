"""What requests to the command API carry."""

from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from deskwire_shared.contracts.access import Permission, Role
from deskwire_shared.contracts.document import MailAddress, Name, Tag
from deskwire_shared.contracts.facts import FieldValue, LinkKind, Priority, Status, TicketType
from deskwire_shared.contracts.staff import Availability

MOST = 100
TicketId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{16}$")]
DocumentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, StringConstraints(max_length=998)]
ShortLine = Annotated[str, StringConstraints(max_length=255)]
MediaType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+-]+/[A-Za-z0-9_.+-]+$", max_length=255)]
MessageId = Annotated[str, StringConstraints(min_length=1, max_length=64)]

TicketPath = Annotated[TicketId, Path(description="The ticket's id, as answers name it.")]
Sequence = Annotated[tuple[MessageId, ...], Field(min_length=1, max_length=50)]


class Body(BaseModel):
    """A request's body; what it does not know it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(Body):
    """A customer by address."""

    address: MailAddress
    name: ShortLine = ""


class File(BaseModel):
    """A file that was uploaded before; the answer to the upload can be sent as it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: Sha256
    filename: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    content_type: MediaType = "application/octet-stream"
    content_id: ShortLine | None = None
    inline: bool = False


Files = Annotated[tuple[File, ...], Field(max_length=MOST)]


class Opening(Body):
    """A ticket to be opened on behalf of a customer."""

    requester: Person
    subject: Line
    text: str
    html: str | None = None
    channel: Literal["api", "web", "phone", "chat"] = "api"
    priority: Priority = "normal"
    ticket_type: TicketType | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST)] = ()
    fields: Annotated[dict[ShortLine, FieldValue], Field(max_length=MOST)] = {}
    team_id: DocumentId | None = None
    agent_id: DocumentId | None = None
    attachments: Files = ()


class Reply(Body):
    """An answer to the customer; `undo_seconds` keeps it at the desk that long, so that it can be withdrawn."""

    text: str
    html: str | None = None
    to: Annotated[tuple[Person, ...], Field(max_length=MOST)] = ()
    cc: Annotated[tuple[Person, ...], Field(max_length=MOST)] = ()
    attachments: Files = ()
    status: Status | None = None
    undo_seconds: Annotated[int, Field(ge=0, le=300)] = 0


class Note(Body):
    """A note that no customer sees."""

    text: str
    mentions: Annotated[tuple[DocumentId, ...], Field(max_length=MOST)] = ()
    attachments: Files = ()


class StatusBody(Body):
    """A status to be set."""

    status: Status


class Assignment(Body):
    """The agent who is to be responsible; none takes the ticket from whoever is."""

    agent_id: DocumentId | None


class TeamBody(Body):
    """The queue to be put in; none takes the ticket out of its queue."""

    team_id: DocumentId | None
    keep_assignee: bool = False


class Changes(Body):
    """Properties to be changed; what is not named stays."""

    subject: Line | None = None
    priority: Priority | None = None
    ticket_type: TicketType | None = None
    add_tags: Annotated[tuple[Tag, ...], Field(max_length=MOST)] = ()
    remove_tags: Annotated[tuple[Tag, ...], Field(max_length=MOST)] = ()
    fields: Annotated[dict[ShortLine, FieldValue], Field(max_length=MOST)] = {}
    requester: Person | None = None

    @model_validator(mode="after")
    def _name_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one property")
        return self


class MergeBody(Body):
    """The ticket on which this one is to live on."""

    into: TicketId


class SplitBody(Body):
    """Customers' messages that are to become a ticket of their own."""

    message_ids: Sequence
    subject: Line | None = None


class LinkBody(Body):
    """Another ticket that has to do with this one; `kind` is what this one is to it."""

    ticket_id: TicketId
    kind: LinkKind = "related"


class Snooze(Body):
    """When the ticket is to come back in sight."""

    until: AwareDatetime


class TaskBody(Body):
    """Something to be done."""

    title: Line
    assignee_id: DocumentId | None = None
    due_at: AwareDatetime | None = None


class TimeBody(Body):
    """Work on the ticket."""

    seconds: Annotated[int, Field(ge=1)]
    activity: ShortLine = ""


class RatingBody(Body):
    """How it went, in the customer's eyes."""

    score: Annotated[int, Field(ge=1, le=5)]
    comment: str = ""


class Followers(Body):
    """Agents who are to follow, or no longer."""

    add: Annotated[tuple[DocumentId, ...], Field(max_length=MOST)] = ()
    remove: Annotated[tuple[DocumentId, ...], Field(max_length=MOST)] = ()


class Redaction(Body):
    """A message whose words are to be hidden for good."""

    message_id: MessageId
    reason: ShortLine = ""


class BulkChange(Body):
    """One change for many tickets; what is not named stays."""

    status: Status | None = None
    priority: Priority | None = None
    ticket_type: TicketType | None = None
    add_tags: Annotated[tuple[Tag, ...], Field(max_length=MOST)] = ()
    remove_tags: Annotated[tuple[Tag, ...], Field(max_length=MOST)] = ()
    team_id: DocumentId | None = None
    agent_id: DocumentId | None = None

    @model_validator(mode="after")
    def _name_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one property")
        return self


class Bulk(Body):
    """Many tickets and what is to be changed on each, or the macro to be used on each."""

    ticket_ids: Annotated[tuple[TicketId, ...], Field(min_length=1, max_length=200)]
    change: BulkChange | None = None
    macro_id: DocumentId | None = None

    @model_validator(mode="after")
    def _wants_one_thing(self) -> Self:
        if (self.change is None) == (self.macro_id is None):
            raise ValueError("name either `change` or `macro_id`")
        return self


class Presence(Body):
    """Whether an agent takes tickets, and until when they are out of office, if they are."""

    availability: Availability
    out_until: AwareDatetime | None = None


class NewAgent(Body):
    """Somebody who is to answer customers."""

    email: MailAddress
    name: Name
    role: Role = "agent"
    team_ids: Annotated[tuple[DocumentId, ...], Field(max_length=MOST)] = ()
    password: SecretStr


class Password(Body):
    """An agent's new password."""

    password: SecretStr


class NewToken(Body):
    """An API token to be made."""

    name: Name
    scopes: Annotated[tuple[Permission, ...], Field(min_length=1, max_length=20)]
    expires_at: AwareDatetime | None = None
