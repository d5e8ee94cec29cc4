"""What of a configuration is different from what the desk has, and has to be stored."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

from deskwire_routing.configuration.documents import KINDS, Configured, Key
from deskwire_shared.contracts.document import Document

_DOES: Final = "do"


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
