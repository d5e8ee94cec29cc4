"""Checks a configuration as a whole: each document stands once, and names nothing that is not there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from deskwire_routing.configuration.documents import Configured, Fault, FaultyConfiguration, Key
from deskwire_shared.contracts.document import Document

_FIELDS: Final[Mapping[str, str]] = {
    "agent_id": "agent",
    "agent_ids": "agent",
    "business_hours": "calendar",
    "calendar_id": "calendar",
    "organisation_id": "organisation",
    "team_id": "team",
    "team_ids": "team",
    "template_id": "template",
    "webhook_id": "webhook",
}
_ASKED: Final[Mapping[str, str]] = {
    "ticket.assignee": "agent",
    "ticket.channel_id": "channel",
    "ticket.followers": "agent",
    "ticket.team": "team",
    "sla.policy": "sla_policy",
}
_NAMING: Final = frozenset({"is", "is_not", "in", "not_in", "contains", "not_contains"})
_OPAQUE: Final = frozenset({"webhook", "values"})
"""What others define; a word in it that looks like a reference is none."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a document that names another one."""

    place: str
    key: Key


def check(configured: Sequence[Configured], names: Mapping[Key, str]) -> None:
    """See that each document stands once and names nothing that is not there; `names` has what the desk has.

    Raises FaultyConfiguration.
    """
    known = {**names, **{one.key: str(getattr(one.document, "name", "")) for one in configured}}
    faults = [*_doubled(configured), *(fault for one in configured for fault in _dangling(one, known))]
    if faults:
        raise FaultyConfiguration(faults)


def references(document: Document) -> Iterator[Reference]:
    """Find the other documents that a document names."""
    return _references(document.model_dump(mode="json", exclude={"kind"}), "")


def _references(value: JsonValue, place: str) -> Iterator[Reference]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        yield from _asked(value, place)
        for name, item in value.items():
            inner = f"{place}.{name}" if place else name
            if kind := _FIELDS.get(name):
                yield from (Reference(inner, Key(kind, one)) for one in _texts(item))
            elif name not in _OPAQUE:
                yield from _references(item, inner)


def _asked(condition: Mapping[str, JsonValue], place: str) -> Iterator[Reference]:
    """What a condition names, if it is one."""
    asked = condition.get("field")
    if not isinstance(asked, str) or "op" not in condition:
        return
    if asked.startswith("calendar."):
        yield Reference(f"{place}.field", Key("calendar", asked.split(".")[1]))
    if (kind := _ASKED.get(asked)) and condition["op"] in _NAMING:
        yield from (Reference(f"{place}.value", Key(kind, one)) for one in _texts(condition.get("value")))


def _texts(value: JsonValue) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _dangling(one: Configured, known: Mapping[Key, str]) -> Iterator[Fault]:
    for reference in references(one.document):
        if reference.key not in known:
            kind = reference.key.kind
            there = sorted(_named(key, name) for key, name in known.items() if key.kind == kind)
            place = ".".join(filter(None, (one.place, reference.place)))
            yield Fault(one.file, place, f"there is no {_said(kind)} {reference.key.id}; there {_listed(there)}")


def _named(key: Key, name: str) -> str:
    return f"{key.id} ({name})" if name and name.lower() != key.id else key.id


def _listed(ids: Sequence[str], most: int = 20) -> str:
    if not ids:
        return "is none"
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return f"{'is' if len(ids) == 1 else 'are'} {', '.join(ids[:most])}{more}"


def _doubled(configured: Iterable[Configured]) -> Iterator[Fault]:
    first: dict[Key, Configured] = {}
    for one in configured:
        if (before := first.setdefault(one.key, one)) is not one:
            yield Fault(one.file, one.place, f"{one.key} stands in {before.file}, too")


def _said(kind: str) -> str:
    return kind.replace("_", " ")
