"""What uses a document: nothing that is in use can be deleted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from deskwire_query.web.admin.forms.condition_fields import CALENDAR, asked_about
from deskwire_shared.contracts.directory import DOCUMENTS, Customer
from deskwire_shared.directory.port import Directory

KINDS_BY_STEM = {"policy": "sla_policy"}


@dataclass(frozen=True)
class Use:
    """A document that names another one."""

    kind: str
    id: str
    name: str


def uses_of(directory: Directory, kind: str, document_id: str) -> tuple[Use, ...]:
    """Find the documents that name one; customers, of whom there may be millions, are not asked."""
    found = []
    for other, model in DOCUMENTS.items():
        if model is Customer:
            continue
        for key, document in directory.all(model).items():
            if (kind, document_id) in references(document.model_dump(mode="json")):
                found.append(Use(other, key, str(getattr(document, "name", key))))
    return tuple(found)


def references(value: JsonValue) -> set[tuple[str, str]]:
    """The documents that a document names, by kind and id."""
    return set(_references(value))


def _references(value: JsonValue) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if "field" in value and "op" in value:
            yield from _of_condition(str(value["field"]), value.get("value"))
        case dict():
            for name, held in value.items():
                yield from _of_attribute(name, held)
        case list():
            for item in value:
                yield from _references(item)


def _of_attribute(name: str, held: JsonValue) -> Iterator[tuple[str, str]]:
    if name.endswith(("_id", "_ids")):
        stem = name.removesuffix("_ids").removesuffix("_id")
        yield from ((KINDS_BY_STEM.get(stem, stem), one) for one in _texts(held))
    else:
        yield from _references(held)


def _of_condition(field: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    if field.startswith(CALENDAR):
        yield "calendar", field.removeprefix(CALENDAR).partition(".")[0]
    if source := asked_about(field).source:
        yield from ((source, one) for one in _texts(value))


def _texts(value: JsonValue) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def names_by_id(directory: Directory) -> Mapping[tuple[str, str], str]:
    """The names of all documents but customers."""
    return {
        (kind, key): str(getattr(document, "name", key))
        for kind, model in DOCUMENTS.items()
        if model is not Customer
        for key, document in directory.all(model).items()
    }
