"""What conditions can ask about, in the words of the administration."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from deskwire_shared.contracts.channels import Medium
from deskwire_shared.contracts.conditions import Operator
from deskwire_shared.contracts.facts import Metric, Priority, Status, TicketType

Kind = Literal["text", "texts", "choice", "number", "truth", "moment", "free"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A field of conditions: what kind of value it has, and what its values are chosen from."""

    path: str
    label: str
    kind: Kind = "text"
    source: str = ""
    options: tuple[tuple[str, str], ...] = ()


def words(value: str) -> str:
    """Write a stored word for people."""
    return value.replace("_", " ").capitalize()


def offer(literal: object) -> tuple[tuple[str, str], ...]:
    """Offer the words of a literal type."""
    return tuple((value, words(value)) for value in get_args(literal))


MEDIA: Final = {
    "email": "E-mail", "web": "Web form", "chat": "Chat", "api": "API", "webhook": "Webhook", "phone": "Phone",
}  # fmt: skip
assert set(MEDIA) == set(get_args(Medium))
STATES: Final = ("running", "paused", "warned", "breached", "met")

OPERATORS: Final[dict[Operator, str]] = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "matches_any_word": "has one of the words",
    "before": "is before",
    "after": "is after",
    "greater": "is more than",
    "less": "is less than",
    "is_set": "is there",
    "is_not_set": "is missing",
}
FITTING: Final[dict[Kind, tuple[Operator, ...]]] = {
    "text": ("contains", "not_contains", "is", "is_not", "in", "not_in", "starts_with", "matches_any_word",
             "is_set", "is_not_set"),
    "texts": ("contains", "not_contains", "in", "not_in", "matches_any_word", "is_set", "is_not_set"),
    "choice": ("is", "is_not", "in", "not_in", "is_set", "is_not_set"),
    "number": ("is", "is_not", "greater", "less", "is_set", "is_not_set"),
    "truth": ("is",),
    "moment": ("before", "after", "is_set", "is_not_set"),
    "free": tuple(OPERATORS),
}  # fmt: skip

TICKET: Final = (
    Asked(path="ticket.subject", label="Subject"),
    Asked(path="ticket.status", label="Status", kind="choice", options=offer(Status)),
    Asked(path="ticket.priority", label="Priority", kind="choice", options=offer(Priority)),
    Asked(path="ticket.type", label="Type", kind="choice", options=offer(TicketType)),
    Asked(path="ticket.tags", label="Tags", kind="texts"),
    Asked(path="ticket.team", label="Team", kind="choice", source="team"),
    Asked(path="ticket.assignee", label="Assignee", kind="choice", source="agent"),
    Asked(path="ticket.followers", label="Followers", kind="texts", source="agent"),
    Asked(path="ticket.channel", label="Kind of channel", kind="choice", options=tuple(MEDIA.items())),
    Asked(path="ticket.channel_id", label="Channel", kind="choice", source="channel"),
    Asked(path="ticket.requester", label="Requester's address"),
    Asked(path="ticket.requester_id", label="Requester's id"),
    Asked(path="ticket.number", label="Number", kind="number"),
    Asked(path="ticket.rating", label="Customer's mark", kind="free"),
    Asked(path="ticket.opened_at", label="Opened at", kind="moment"),
    Asked(path="ticket.first_response_at", label="First answered at", kind="moment"),
    Asked(path="ticket.updated_at", label="Last changed at", kind="moment"),
    Asked(path="ticket.solved_at", label="Solved at", kind="moment"),
    Asked(path="ticket.closed_at", label="Closed at", kind="moment"),
    Asked(path="ticket.snoozed_until", label="Snoozed until", kind="moment"),
)
MESSAGE: Final = (
    Asked(path="message.text", label="Words"),
    Asked(path="message.subject", label="Subject"),
    Asked(path="message.from", label="Sender's address"),
    Asked(path="message.from_domain", label="Sender's domain"),
    Asked(path="message.from_name", label="Sender's name"),
    Asked(path="message.to", label="To", kind="texts"),
    Asked(path="message.cc", label="Cc", kind="texts"),
    Asked(path="message.channel", label="Kind of channel", kind="choice", options=tuple(MEDIA.items())),
    Asked(path="message.machine", label="Written by a machine", kind="free"),
    Asked(path="message.spam", label="Spam", kind="truth"),
    Asked(path="message.attachments", label="Names of attachments", kind="texts"),
)
CUSTOMER: Final = (
    Asked(path="customer.name", label="Name"),
    Asked(path="customer.address", label="Address"),
    Asked(path="customer.locale", label="Language"),
    Asked(path="customer.organisation_id", label="Organisation", kind="choice", source="organisation"),
    Asked(path="customer.notes", label="Notes"),
    Asked(path="customer.blocked", label="Blocked", kind="truth"),
)
ORGANISATION: Final = (
    Asked(path="organisation.name", label="Name"),
    Asked(path="organisation.domains", label="Domains", kind="texts"),
    Asked(path="organisation.tags", label="Tags", kind="texts"),
    Asked(path="organisation.blocked", label="Blocked", kind="truth"),
)
PROMISES: Final = (
    Asked(path="sla.policy", label="Policy", kind="choice", source="sla_policy"),
    Asked(path="sla.warned", label="Any promise is close", kind="truth"),
    Asked(path="sla.breached", label="Any promise was missed", kind="truth"),
    *(
        Asked(path=f"sla.{metric}.state", label=f"{words(metric)}: state", kind="choice",
              options=tuple((state, words(state)) for state in STATES))
        for metric in get_args(Metric)
    ),
    *(
        Asked(path=f"sla.{metric}.due_at", label=f"{words(metric)}: due at", kind="moment")
        for metric in get_args(Metric)
    ),
)  # fmt: skip
AREAS: Final = {
    "Ticket": TICKET,
    "Message": MESSAGE,
    "Customer": CUSTOMER,
    "Organisation": ORGANISATION,
    "Promises": PROMISES,
}
KNOWN: Final = {asked.path: asked for area in AREAS.values() for asked in area}
CUSTOM: Final = "ticket.field."
CUSTOM_LABEL: Final = "Ticket: a field of your own"
CALENDAR: Final = "calendar."


def asked_about(path: str) -> Asked:
    """Describe the field of a condition."""
    if path in KNOWN:
        return KNOWN[path]
    kind: Kind = "truth" if path.startswith(CALENDAR) else "free"
    return Asked(path=path, label=path, kind=kind)
