"""The documents of the directory: people, teams, channels, policies, rules, templates.

A change stores the full document; the last one per subject is the state, all of them the audit.
"""

from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.calendar import Calendar as BusinessHours
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.document import Document, Locale, Name, PersonDocument, Tag
from deskwire_shared.contracts.personal import Personal
from deskwire_shared.contracts.placeholders import require_known
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Macro, Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook


class Customer(PersonDocument):
    """Somebody who asks for help."""

    kind: Literal["customer"] = "customer"
    address: Personal[str]
    name: Personal[str] = ""
    organisation_id: str | None = None
    locale: Locale | None = None
    notes: Personal[str] = ""
    blocked: bool = False
    """Whether what they write opens no tickets."""


class Organisation(Document):
    """A company or group of customers; customers join it by the domain of their address."""

    kind: Literal["organisation"] = "organisation"
    name: Name
    domains: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    blocked: bool = False
    """Whether what its customers write opens no tickets."""


class Calendar(BusinessHours, Document):
    """Business hours and holidays."""

    kind: Literal["calendar"] = "calendar"


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


class ApiToken(Document):
    """A credential of an integration; only the SHA-256 of its secret is kept."""

    kind: Literal["api_token"] = "api_token"
    name: Name
    secret_sha256: str
    scopes: tuple[Permission, ...]
    """What it may do."""
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
