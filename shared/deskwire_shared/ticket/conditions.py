"""Do conditions hold for a ticket? Unknown fields and unequal types never hold, and never raise.

On a list, such as tags, a comparison holds when it holds for one of its items, a negated one when it
holds for all; `contains` asks for a whole item. Text is compared without regard to case.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal, TypeVar, get_args

from deskwire_shared.contracts.conditions import Condition, Conditions, Operator
from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.contracts.facts import Metric, SlaClock
from deskwire_shared.ticket.state import Message, Ticket

CUSTOM_FIELD: Final = "ticket.field."
SENTENCE_LENGTH: Final = 200
TEXTS_REMEMBERED: Final = 8
"""Texts whose words are kept: a hundred conditions of a rule ask about the words of one long mail."""
WORD: Final = re.compile(r"\w+")
OPPOSITES: Final[Mapping[Operator, Operator]] = {
    "is_not": "is",
    "not_in": "in",
    "not_contains": "contains",
    "is_not_set": "is_set",
}
REACHED: Final = ("breached", "met", "warned")
"""What may have become of a promise, what counts most first."""


def holding(conditions: Conditions, context: Mapping[str, object]) -> tuple[str, ...] | None:
    """Name the conditions that held, in sentences; None when they do not hold together."""
    if not all(holds(condition, context) for condition in conditions.all):
        return None
    alternatives = tuple(condition for condition in conditions.any if holds(condition, context))
    if conditions.any and not alternatives:
        return None
    return tuple(sentence(condition) for condition in (*conditions.all, *alternatives))


def holds(condition: Condition, context: Mapping[str, object]) -> bool:
    """Compare a field of the context with the condition's value."""
    known = condition.field in context or condition.field.startswith(CUSTOM_FIELD)
    return known and _compare(condition.op, context.get(condition.field), condition.value)


def sentence(condition: Condition) -> str:
    """Say a condition in words."""
    value = condition.value
    shown = " or ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    words = f"{condition.field} {condition.op.replace('_', ' ')} {shown}".rstrip()
    return words if len(words) <= SENTENCE_LENGTH else f"{words[: SENTENCE_LENGTH - 1]}…"


def ticket_context(
    ticket: Ticket,
    customer: Customer | None = None,
    organisation: Organisation | None = None,
    *,
    message: Message | None = None,
) -> dict[str, object]:
    """Lay out what conditions can ask about; the message is the customer's last one, unless another is given."""
    context = _ticket_fields(ticket) | _promise_fields(ticket)
    spoken = message or next((said for said in reversed(ticket.messages) if said.kind == "customer"), None)
    if spoken is not None:
        context |= _message_fields(spoken)
    for name, document in (("customer", customer), ("organisation", organisation)):
        if document is not None:
            context |= {f"{name}.{key}": value for key, value in document.model_dump().items()}
    return context


def _ticket_fields(ticket: Ticket) -> dict[str, object]:
    return {
        "ticket.number": ticket.number,
        "ticket.subject": ticket.subject,
        "ticket.status": ticket.status,
        "ticket.priority": ticket.priority,
        "ticket.type": ticket.ticket_type,
        "ticket.tags": ticket.tags,
        "ticket.team": ticket.team_id,
        "ticket.assignee": ticket.assignee_id,
        "ticket.followers": ticket.followers,
        "ticket.channel": ticket.channel,
        "ticket.channel_id": ticket.channel_id,
        "ticket.requester_id": ticket.requester_id,
        "ticket.requester": ticket.requester.address if ticket.requester else None,
        "ticket.opened_at": ticket.opened_at,
        "ticket.first_response_at": ticket.first_response_at,
        "ticket.solved_at": ticket.solved_at,
        "ticket.closed_at": ticket.closed_at,
        "ticket.updated_at": ticket.updated_at,
        "ticket.snoozed_until": ticket.snoozed_until,
        "ticket.rating": ticket.rating.score if ticket.rating else None,
        **{f"{CUSTOM_FIELD}{name}": value for name, value in ticket.fields.items()},
    }


def _promise_fields(ticket: Ticket) -> dict[str, object]:
    """Lay out how the ticket's promises stand; a promise that was missed stays so until it is made anew."""
    outcomes = {outcome for _, _, outcome in ticket.sla_outcomes}
    fields: dict[str, object] = {
        "sla.policy": ticket.sla.policy_id if ticket.sla else None,
        "sla.warned": "warned" in outcomes,
        "sla.breached": "breached" in outcomes,
    }
    for metric in get_args(Metric):
        clock = next((one for one in ticket.sla.clocks if one.metric == metric), None) if ticket.sla else None
        fields[f"sla.{metric}.state"] = _state(ticket, metric, clock)
        fields[f"sla.{metric}.due_at"] = clock.due_at if clock else None
    return fields


def _state(ticket: Ticket, metric: Metric, clock: SlaClock | None) -> str | None:
    cycles = [cycle for of, cycle, _ in ticket.sla_outcomes if of == metric]
    cycle = clock.cycle if clock else max(cycles, default=0)
    reached = (outcome for outcome in REACHED if (metric, cycle, outcome) in ticket.sla_outcomes)
    return next(reached, clock.state if clock else None)


def _message_fields(message: Message) -> dict[str, object]:
    sender = message.address.address if message.address else None
    return {
        "message.text": message.text,
        "message.subject": message.subject,
        "message.from": sender,
        "message.from_domain": sender.rpartition("@")[2] if sender and "@" in sender else None,
        "message.from_name": message.address.name if message.address else None,
        "message.to": tuple(address.address for address in message.to),
        "message.cc": tuple(address.address for address in message.cc),
        "message.channel": message.channel,
        "message.machine": message.machine,
        "message.spam": message.spam,
        "message.attachments": tuple(file.filename for file in message.attachments),
    }


def _compare(op: Operator, actual: object, value: object) -> bool:
    if op in OPPOSITES:
        return _can_differ(op, actual, value) and not _compare(OPPOSITES[op], actual, value)
    if op == "is_set":
        return actual not in (None, "", ())
    if isinstance(actual, tuple):
        return any(_compare_item("is" if op == "contains" else op, item, value) for item in actual)
    return _compare_item(op, actual, value)


def _can_differ(op: Operator, actual: object, value: object) -> bool:
    """Whether a negated comparison means anything: only things of one kind differ, and anything from nothing."""
    if op == "is_not_set" or actual is None or (not value and isinstance(value, tuple)):
        return True
    kinds = {_kind(item) for item in _items(value)}
    return all(_kind(item) in kinds for item in _items(actual))


def _compare_item(op: Operator, item: object, value: object) -> bool:
    if op == "in":
        return any(_equal(item, one) for one in _items(value))
    if op == "is":
        return _equal(item, value)
    if op == "matches_any_word":
        return isinstance(item, str) and _has_any_word(item, value)
    if op in {"before", "after"}:
        return _in_order(_moment(item), _moment(value), ascending=op == "before")
    if op in {"greater", "less"}:
        return _in_order(_number(item), _number(value), ascending=op == "less")
    return isinstance(item, str) and isinstance(value, str) and _compare_text(op, item, value)


def _compare_text(op: Operator, item: str, value: str) -> bool:
    text, sought = item.casefold(), value.casefold()
    return text.startswith(sought) if op == "starts_with" else op == "contains" and sought in text


def _equal(item: object, value: object) -> bool:
    if isinstance(item, str) and isinstance(value, str):
        return item.casefold() == value.casefold()
    return _kind(item) == _kind(value) and item == value


def _has_any_word(text: str, value: object) -> bool:
    """Words are separated by blanks; as items of a list they may be phrases."""
    sought = value.split() if isinstance(value, str) else [one for one in _items(value) if isinstance(one, str)]
    spoken = _spoken(text)
    return any(_words(phrase) in spoken for phrase in sought if WORD.search(phrase))


@lru_cache(maxsize=TEXTS_REMEMBERED)
def _spoken(text: str) -> str:
    return _words(text)


def _words(text: str) -> str:
    return f" {' '.join(WORD.findall(text.casefold()))} "


T = TypeVar("T", datetime, float)


def _in_order(first: T | None, second: T | None, *, ascending: bool) -> bool:
    if first is None or second is None:
        return False
    return first < second if ascending else first > second


def _moment(value: object) -> datetime | None:
    """Read a moment; one without an offset is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _number(value: object) -> float | None:
    return value if _kind(value) == "number" and isinstance(value, int | float) else None


def _kind(value: object) -> Literal["text", "truth", "number", "other"]:
    match value:
        case str():
            return "text"
        case bool():
            return "truth"
        case int() | float():
            return "number"
        case _:
            return "other"


def _items(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)
