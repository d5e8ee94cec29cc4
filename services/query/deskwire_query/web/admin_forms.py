"""The forms of the administration: their fields, and how they become documents of the directory."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from starlette.datastructures import FormData

from deskwire_shared.contracts.access import Role
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.staff import Agent, Team

Kind = Literal["text", "email", "password", "textarea", "choice", "choices", "switch"]
NEW: Final = "new"


class Problems(Exception):
    """A form cannot be stored; the sentences say why."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a form; `source` names the documents it chooses from, `options` are fixed words."""

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    required: bool = False
    source: str = ""
    options: tuple[tuple[str, str], ...] = ()
    default: str | bool = ""


@dataclass(frozen=True, kw_only=True)
class AdminForm:
    """A form with its fields and the words around it."""

    model: type[Document]
    noun: str
    fields: tuple[Field, ...] = field(default=())

    def values(self, document: Document | None) -> dict[str, list[str]]:
        """Fill the form from a document, or with what a new one starts from."""
        return {each.name: _shown(each, document) for each in self.fields}


def _shown(asked: Field, document: Document | None) -> list[str]:
    value: Any = asked.default if document is None else getattr(document, asked.name, "")
    if isinstance(value, bool):
        return ["on"] if value else []
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return [str(value)] if value else []


ROLES: Final[dict[Role, str]] = {
    "admin": "Administrator: everything, settings too",
    "lead": "Lead: an agent who sees reports",
    "agent": "Agent: answers and changes tickets",
    "light_agent": "Light agent: reads and leaves notes",
}
assert set(ROLES) == set(get_args(Role))

ASSIGNMENTS: Final[dict[str, str]] = {
    "round_robin": "Go to its members in turn",
    "least_loaded": "Go to the member with the least open work",
    "skills": "Go to the member whose skills fit best",
    "longest_idle": "Go to the member who has waited longest",
    "sticky": "Go to the customer's last agent",
    "manual": "Wait until somebody takes them",
}

FORMS: Final[dict[str, AdminForm]] = {
    "agents": AdminForm(
        model=Agent,
        noun="person",
        fields=(
            Field(name="name", label="Name", required=True),
            Field(name="email", label="E-mail", kind="email", required=True),
            Field(name="role", label="Role", kind="choice", options=tuple(ROLES.items()), default="agent"),
            Field(name="team_ids", label="Teams", kind="choices", source="team",
                  hint="New tickets of these teams can be given to them."),
            Field(name="password", label="Password", kind="password",
                  hint="At least 10 characters. Leave it empty to keep the one they have."),
            Field(name="signature", label="Signature", kind="textarea", hint="Stands below their replies."),
            Field(name="active", label="May sign in", kind="switch", default=True),
        ),
    ),
    "teams": AdminForm(
        model=Team,
        noun="team",
        fields=(
            Field(name="name", label="Name", required=True),
            Field(name="assignment", label="New tickets", kind="choice", default="round_robin",
                  options=tuple(ASSIGNMENTS.items())),
            Field(name="calendar_id", label="Calendar", kind="choice", source="calendar",
                  options=(("", "None: open day and night"),)),
        ),
    ),
    "channels": AdminForm(
        model=Channel,
        noun="mailbox",
        fields=(
            Field(name="name", label="Name", required=True),
            Field(name="address", label="Mail address", kind="email", required=True,
                  hint="Mails to this address become tickets, and answers leave from it."),
            Field(name="sender_name", label="Sender name", hint="What customers see beside the address."),
            Field(name="team_id", label="Team", kind="choice", source="team",
                  options=(("", "None: rules decide"),)),
            Field(name="acknowledge", label="Acknowledge new tickets", kind="switch", default=True),
            Field(name="active", label="Active", kind="switch", default=True),
        ),
    ),
}  # fmt: skip


def read_form(section: str, sent: FormData, existing: Document | None) -> Document:
    """Make the document that a form describes; what the form does not show stays as it was.

    Raises Problems or pydantic's ValidationError.
    """
    form = FORMS[section]
    values: dict[str, Any] = {} if existing is None else existing.model_dump()
    if form.model is Channel:
        values.setdefault("medium", "email")
    values |= {each.name: _read(each, sent) for each in form.fields if each.name in form.model.model_fields}
    missing = tuple(f"{each.label} is missing." for each in form.fields if each.required and not values.get(each.name))
    if missing:
        raise Problems(missing)
    return form.model.model_validate(values)


def _read(asked: Field, sent: FormData) -> Any:
    match asked.kind:
        case "switch":
            return sent.get(asked.name) == "on"
        case "choices":
            return tuple(str(value) for value in sent.getlist(asked.name))
        case "choice":
            return str(sent.get(asked.name) or "") or None
        case _:
            return str(sent.get(asked.name) or "").strip()
