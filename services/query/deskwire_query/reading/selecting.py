"""Turns what is wanted of tickets into SQL: filters, and the conditions of saved views.

Conditions mean here what `deskwire_shared.ticket.conditions` says they mean.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Table,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)

from deskwire_query.reading.read_models import NOBODY, TicketFilter, UnsupportedCondition
from deskwire_query.tables import DeskTables, storable
from deskwire_shared.contracts.conditions import Condition, Conditions, ConditionValue, Operator

Clause = ColumnElement[bool]
Column = ColumnElement[Any]

FURTHEST: Final = 2**62
WORD: Final = re.compile(r"\w+")
CUSTOM_FIELD: Final = "ticket.field."

TEXTS: Final[Mapping[str, str]] = {
    "ticket.subject": "subject",
    "ticket.status": "status",
    "ticket.priority": "priority",
    "ticket.type": "ticket_type",
    "ticket.team": "team_id",
    "ticket.assignee": "assignee_id",
    "ticket.channel": "channel",
    "ticket.channel_id": "channel_id",
    "ticket.requester_id": "requester_id",
    "ticket.requester": "requester_address",
}
NUMBERS: Final[Mapping[str, str]] = {"ticket.number": "number", "ticket.rating": "rating"}
LISTS: Final[Mapping[str, str]] = {"ticket.tags": "tags", "ticket.followers": "followers"}
MOMENTS: Final[Mapping[str, str]] = {
    f"ticket.{name}": name
    for name in ("opened_at", "first_response_at", "solved_at", "closed_at", "updated_at", "snoozed_until")
}
OPPOSITES: Final[Mapping[Operator, Operator]] = {"is_not": "is", "not_in": "in", "not_contains": "contains"}


def selected(tables: DeskTables, wanted: TicketFilter) -> Clause:
    """Say in SQL which tickets are wanted. Raises UnsupportedCondition."""
    return and_(true(), *_filters(tables, wanted), _conditions(tables.tickets, wanted.conditions))


def _filters(tables: DeskTables, wanted: TicketFilter) -> Iterator[Clause]:
    c = tables.tickets.c
    if wanted.statuses:
        yield c.status.in_(wanted.statuses)
    if wanted.priorities:
        yield c.priority.in_(wanted.priorities)
    for column, value in (
        (c.ticket_type, wanted.ticket_type), (c.requester_id, wanted.requester_id), (c.channel, wanted.channel),
        (c.breached, wanted.breached),
    ):  # fmt: skip
        if value is not None:
            yield column == value
    yield from _owners(tables.tickets, wanted)
    if wanted.follower_id is not None:
        yield _has_item(c.followers, wanted.follower_id)
    for tag in wanted.tags:
        yield exists().where(tables.tags.c.tag == tag, tables.tags.c.ticket_id == c.id)
    yield from _out_of_sight(tables.tickets, wanted)
    yield from _moments(tables.tickets, wanted)


def _owners(table: Table, wanted: TicketFilter) -> Iterator[Clause]:
    for column, owner in ((table.c.team_id, wanted.team_id), (table.c.assignee_id, wanted.assignee_id)):
        if owner is not None:
            yield column.is_(None) if owner == NOBODY else column == owner


def _out_of_sight(table: Table, wanted: TicketFilter) -> Iterator[Clause]:
    if wanted.snoozed is not None:
        yield table.c.snoozed_until.is_not(None) if wanted.snoozed else table.c.snoozed_until.is_(None)
    if not wanted.merged:
        yield table.c.merged_into.is_(None)


def _moments(table: Table, wanted: TicketFilter) -> Iterator[Clause]:
    if wanted.due_before is not None:
        yield table.c.due_at < wanted.due_before
    if wanted.opened_after is not None:
        yield table.c.opened_at >= wanted.opened_after
    if wanted.opened_before is not None:
        yield table.c.opened_at < wanted.opened_before
    if wanted.updated_after is not None:
        yield table.c.updated_at >= wanted.updated_after


def _conditions(table: Table, conditions: Conditions) -> Clause:
    alternatives = [_condition(table, condition) for condition in conditions.any]
    return and_(
        true(),
        *(_condition(table, condition) for condition in conditions.all),
        *([or_(*alternatives)] if alternatives else []),
    )


def _condition(table: Table, condition: Condition) -> Clause:
    field, op, value = condition.field, condition.op, _storable(condition.value)
    if field in TEXTS:
        return _compare(op, table.c[TEXTS[field]], value, _compare_text)
    if field in NUMBERS:
        return _compare(op, table.c[NUMBERS[field]], value, _compare_number)
    if field in LISTS:
        return _compare(op, table.c[LISTS[field]], value, _compare_list)
    if field in MOMENTS:
        return _compare(op, table.c[MOMENTS[field]], value, _compare_moment)
    if field.startswith(CUSTOM_FIELD):
        return _compare_custom(op, table.c.fields, field.removeprefix(CUSTOM_FIELD), value)
    raise UnsupportedCondition(f"tickets cannot be listed by {field}")


def _storable(value: ConditionValue) -> ConditionValue:
    """Give a value as texts are stored."""
    match value:
        case str():
            return storable(value)
        case tuple():
            return tuple(map(storable, value))
        case _:
            return value


Comparison = Callable[[Operator, Column, Any], Clause | None]
"""Gives None where the operator and the value mean nothing for such a column."""


def _compare(op: Operator, column: Column, value: Any, compare: Comparison) -> Clause:
    if op in {"is_set", "is_not_set"}:
        is_set = _is_set(column, compare)
        return is_set if op == "is_set" else not_(is_set)
    if op in OPPOSITES:
        if value == ():
            return true()
        positive = compare(OPPOSITES[op], column, value)
        return column.is_(None) if positive is None else or_(column.is_(None), not_(positive))
    positive = compare(op, column, value)
    return false() if positive is None else positive


def _is_set(column: Column, compare: Comparison) -> Clause:
    if compare is _compare_text:
        return and_(column.is_not(None), column != "")
    if compare is _compare_list:
        return column != []
    return column.is_not(None)


def _compare_text(op: Operator, column: Column, value: Any) -> Clause | None:
    folded = func.lower(column)
    match op, value:
        case "is", str():
            return folded == value.lower()
        case "in", tuple():
            return folded.in_([item.lower() for item in value])
        case "contains", str():
            return folded.contains(value.lower(), autoescape=True)
        case "starts_with", str():
            return folded.startswith(value.lower(), autoescape=True)
        case "matches_any_word", str() | tuple():
            return _has_any_word(folded, value)
        case _:
            return None


def _compare_number(op: Operator, column: Column, value: Any) -> Clause | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    number = _number(value)
    match op:
        case "is":
            return column == number
        case "greater":
            return column > number
        case "less":
            return column < number
        case _:
            return None


def _number(value: float) -> Column:
    """Write a number in a type that holds it, whatever the column's; none of ours is beyond a bigint."""
    if isinstance(value, int):
        return literal(max(-FURTHEST, min(value, FURTHEST)), BigInteger)
    return literal(value, Double)


def _compare_moment(op: Operator, column: Column, value: Any) -> Clause | None:
    moment = _moment(value)
    if moment is None:
        return None
    match op:
        case "before":
            return column < moment
        case "after":
            return column > moment
        case _:
            return None


def _compare_list(op: Operator, column: Column, value: Any) -> Clause | None:
    match op, value:
        case (("is" | "contains"), str()):
            return _has_item(column, value)
        case "in", tuple():
            return or_(false(), *(_has_item(column, item) for item in value))
        case "starts_with", str():
            return _has_item_starting(func.lower(cast(column, Text)), value)
        case "matches_any_word", str() | tuple():
            return _has_any_word(func.lower(cast(column, Text)), value)
        case _:
            return None


def _compare_custom(op: Operator, fields: Column, name: str, value: Any) -> Clause:
    """Compare a custom field by its JSON, in which text, numbers, truth and lists look different."""
    written = func.lower(cast(fields.op("->")(name), Text))
    if op in {"greater", "less", "before", "after"}:
        raise UnsupportedCondition(f"tickets cannot be listed by the order of the custom field {name}")
    if op == "is_set":
        return and_(written.is_not(None), written.not_in(['""', "[]", "null"]))
    if op == "is_not_set":
        return or_(written.is_(None), written.in_(['""', "[]", "null"]))
    return _compare(op, written, value, _compare_json)


def _compare_json(op: Operator, written: Column, value: Any) -> Clause | None:
    item = _json(value)
    match op, value:
        case "is", str() | int() | float():
            return _is_or_has(written, item)
        case "in", tuple():
            return or_(false(), *(_is_or_has(written, _json(one)) for one in value))
        case "contains", str():
            anywhere = written.contains(_json_inside(value), autoescape=True)
            whole = written.contains(item, autoescape=True)
            return or_(and_(written.startswith('"'), anywhere), and_(written.startswith("["), whole))
        case "starts_with", str():
            return or_(
                written.startswith(f'"{_json_inside(value)}', autoescape=True), _has_item_starting(written, value)
            )
        case "matches_any_word", str() | tuple():
            return _has_any_word(written, value)
        case _:
            return None


def _is_or_has(written: Column, item: str) -> Clause:
    """Compare with a value or the items of a list, which are always texts."""
    if not item.startswith('"'):
        return written == item
    return or_(written == item, and_(written.startswith("["), written.contains(item, autoescape=True)))


def _has_item(column: Column, item: str) -> Clause:
    return func.lower(cast(column, Text)).contains(_json(item), autoescape=True)


def _has_item_starting(written: Column, start: str) -> Clause:
    """Look behind the marks between items: inside an item, a quotation mark has a backslash before it."""
    return or_(*(written.contains(f'{mark}"{_json_inside(start)}', autoescape=True) for mark in "[,"))


def _has_any_word(folded: Column, value: str | tuple[str, ...]) -> Clause | None:
    """Look for whole words; as items of a list they may be phrases."""
    sought = value.split() if isinstance(value, str) else value
    phrases = [r"\W+".join(WORD.findall(phrase.lower())) for phrase in sought if WORD.search(phrase)]
    return folded.regexp_match(rf"(^|\W)({'|'.join(phrases)})($|\W)") if phrases else None


def _json(value: Any) -> str:
    return to_json(value.lower() if isinstance(value, str) else value).decode()


def _json_inside(value: str) -> str:
    return _json(value)[1:-1]


def _moment(value: object) -> datetime | None:
    """Read a moment; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment
