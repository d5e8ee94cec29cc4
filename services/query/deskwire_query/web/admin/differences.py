"""What changed between two revisions of a document, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from deskwire_query.web.admin.forms.condition_fields import OPERATORS, asked_about, words
from deskwire_query.web.admin.forms.derived import label_of
from deskwire_query.web.admin.uses import KINDS_BY_STEM
from deskwire_shared.contracts.document import Document

HIDDEN: Final = frozenset({"kind", "secret_sha256"})
NOTHING: Final = ""
CHOSEN: Final = frozenset({
    "after", "answer", "asks_address", "assignment", "availability", "do", "fallback", "grant", "mapping", "medium",
    "metric", "metrics", "pause_on", "priority", "purpose", "role", "status", "tls", "trigger", "when",
})  # fmt: skip
"""Attributes that hold one of a few stored words."""
LONGEST: Final = 500

Names = Mapping[tuple[str, str], str]
"""The names of documents, by kind and id."""


@dataclass(frozen=True)
class Difference:
    """Something that a revision says in another way."""

    what: str
    before: str
    after: str


def differences(before: Document | None, after: Document | None, names: Names) -> tuple[Difference, ...]:
    """Tell what became different, in the order of the newer revision."""
    old, new = _told(before, names), _told(after, names)
    changed = [what for what in {**new, **old} if old.get(what, NOTHING) != new.get(what, NOTHING)]
    return tuple(Difference(what, old.get(what, NOTHING), new.get(what, NOTHING)) for what in changed)


def _told(document: Document | None, names: Names) -> dict[str, str]:
    if document is None:
        return {}
    return dict(_walk((), document.model_dump(mode="json", exclude=set(HIDDEN)), names))


def _walk(place: tuple[str, ...], value: JsonValue, names: Names) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if "field" in value and "op" in value:
            asked, compared = asked_about(str(value["field"])).label, _operator(str(value["op"]))
            yield _joined(place), f"{asked} {compared} {_said('', value.get('value'), names)}".strip()
        case dict():
            for name, held in value.items():
                yield from _walk((*place, name), held, names)
        case [dict(), *_]:
            for number, item in enumerate(value, 1):
                yield from _walk((*place, str(number)), item, names)
        case _:
            yield _joined(place), _said(place[-1] if place else "", value, names)


def _operator(op: str) -> str:
    return next((words for known, words in OPERATORS.items() if known == op), op)


def _joined(place: tuple[str, ...]) -> str:
    return ": ".join(label_of(name) for name in place)


def _said(name: str, value: JsonValue, names: Names) -> str:
    match value:
        case None | "" | []:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_said(name, item, names) for item in value)
        case str() if name.endswith(("_id", "_ids")):
            stem = name.removesuffix("_ids").removesuffix("_id")
            return names.get((KINDS_BY_STEM.get(stem, stem), value), value)
        case str() if name in CHOSEN:
            return words(value)
        case _:
            text = str(value)
            return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
