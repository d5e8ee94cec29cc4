"""Configuration as code: the settings of a desk as JSON files, checked as a whole and compared with what is there.

People, their secrets and their private views are no configuration. Nothing here reads or writes anything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Calendar, Organisation, Template, View
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Macro, Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook

KINDS: Final[Mapping[str, type[Document]]] = {
    str(model.model_fields["kind"].default): model
    for model in (Organisation, Calendar, Team, Template, Webhook, Channel, SlaPolicy, View, Macro, Rule)
}
"""What can be configured, by name; each kind refers to earlier ones only."""

REFERABLE: Final[Mapping[str, type[Document]]] = {**KINDS, "agent": Agent}
"""What can be referred to."""

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
_DOES: Final = "do"
_OPAQUE: Final = frozenset({"webhook", "values"})
"""What others define; a word in it that looks like a reference is none."""


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """The name of a document."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Configured:
    """A document, and the file and place in it where it stands."""

    key: Key
    document: Document
    file: str
    place: str = ""


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """Something in a file that cannot be; the sentence says what can."""

    file: str
    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.sentence}" if self.place else f"{self.file}: {self.sentence}"


class FaultyConfiguration(Exception):
    """The files are no configuration that a desk could have."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class Present:
    """A document as the desk has it."""

    document: Document
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """A document that is to be stored, the revision it follows on, and in lines what it changes."""

    key: Key
    document: Document
    revision: int
    lines: tuple[str, ...]

    @property
    def is_new(self) -> bool:
        """Whether there is no such document yet."""
        return not self.lines


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


def changes(configured: Iterable[Configured], present: Mapping[Key, Present]) -> list[Change]:
    """Find what has to be stored, in an order in which nothing is named before it is there."""
    order = list(KINDS)
    found = (_change(one, present.get(one.key)) for one in configured)
    return sorted(filter(None, found), key=lambda change: (order.index(change.key.kind), change.key.id))


def written(document: Document) -> dict[str, JsonValue]:
    """A document as its file holds it: without what it has by default, and without its kind, which the folder tells."""
    whole = document.model_dump(mode="json", exclude={"kind"})
    short = document.model_dump(mode="json", exclude={"kind"}, exclude_defaults=True)
    return _with_actions_named(short, whole)


def _with_actions_named(short: dict[str, JsonValue], whole: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Put back what an action does, which it does by default."""
    named = {name: _named_inside(value, whole[name]) for name, value in short.items()}
    return {_DOES: whole[_DOES], **named} if _DOES in whole else named


def _named_inside(short: JsonValue, whole: JsonValue) -> JsonValue:
    if isinstance(short, dict) and isinstance(whole, dict):
        return _with_actions_named(short, whole)
    if isinstance(short, list) and isinstance(whole, list):
        return [_named_inside(*pair) for pair in zip(short, whole, strict=True)]
    return short


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


def _change(one: Configured, present: Present | None) -> Change | None:
    if present is None:
        return Change(one.key, one.document, 0, ())
    lines = tuple(difference(written(present.document), written(one.document)))
    return Change(one.key, one.document, present.revision, lines) if lines else None


def difference(before: JsonValue, after: JsonValue, place: str = "") -> Iterator[str]:
    """Say in lines what is different between two values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            inner = f"{place}.{name}" if place else name
            yield from _different(before, after, name, inner)
    elif isinstance(before, list) and isinstance(after, list):
        old, new = dict(enumerate(before)), dict(enumerate(after))
        for index in sorted({*old, *new}):
            yield from _different(old, new, index, f"{place}[{index}]")
    elif before != after:
        yield f"{place}: {_shown(before)} → {_shown(after)}"


def _different(before: Mapping, after: Mapping, key: object, place: str) -> Iterator[str]:  # type: ignore[type-arg]  # by name or by index
    if key not in before:
        yield f"{place}: + {_shown(after[key])}"
    elif key not in after:
        yield f"{place}: - {_shown(before[key])}"
    else:
        yield from difference(before[key], after[key], place)


def _shown(value: JsonValue, longest: int = 120) -> str:
    text = to_json(value).decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _said(kind: str) -> str:
    return kind.replace("_", " ")
