"""Reads the documents of a configuration out of JSON, and says of what is wrong where it is and what can stand there.

A file holds one document, `<kind>/<id>.json`, or several: `{"rule": {"urgent": {…}}, "team": {…}}`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails, from_json

from deskwire_routing.configuration.documents import KINDS, Configured, Fault, FaultyConfiguration, Key
from deskwire_shared.contracts.document import Document

LONGEST_VALUE: Final = 60

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_UNKNOWN_FIELD: Final = "extra_forbidden"
_MISSING: Final = "missing"


def read_documents(file: str, content: bytes, *, alone: str | None = None) -> list[Configured]:
    """Read the documents of a file; `alone` is the kind of a document that tells none. Raises FaultyConfiguration."""
    data = _json(file, content)
    parts = file.removesuffix(".json").replace("\\", "/").split("/")
    if len(parts) > 1 and parts[-2] in KINDS:
        return [_document(file, "", Key(parts[-2], parts[-1]), data)]
    if alone is not None and "name" in data:
        return [_document(file, "", Key(alone, parts[-1]), data)]
    if unknown := sorted(set(data) - set(KINDS)):
        raise FaultyConfiguration(
            [Fault(file, "", f"there is no kind of document called {', '.join(unknown)}; there are {', '.join(KINDS)}")]
        )
    return list(_documents(file, data))


def _documents(file: str, data: Mapping[str, JsonValue]) -> Iterator[Configured]:
    faults: list[Fault] = []
    for kind, documents in data.items():
        if not isinstance(documents, dict):
            faults.append(Fault(file, kind, "this has to be an object of documents by their ids"))
            continue
        for document_id, document in documents.items():
            try:
                yield _document(file, f"{kind}.{document_id}", Key(kind, document_id), document)
            except FaultyConfiguration as error:
                faults += error.faults
    if faults:
        raise FaultyConfiguration(faults)


def _json(file: str, content: bytes) -> dict[str, JsonValue]:
    try:
        data = from_json(content)
    except ValueError as error:
        raise FaultyConfiguration([Fault(file, "", f"this is no JSON: {error}")]) from error
    if not isinstance(data, dict):
        raise FaultyConfiguration([Fault(file, "", "this has to be a JSON object")])
    return data


def _document(file: str, place: str, key: Key, data: JsonValue) -> Configured:
    if not _ID.match(key.id):
        raise FaultyConfiguration([Fault(file, place, f"{key.id!r} is no id: up to 64 letters, digits, - and _")])
    if isinstance(data, dict) and data.get("kind", key.kind) != key.kind:
        raise FaultyConfiguration([Fault(file, f"{place}.kind".strip("."), f"a {key.kind} stands here")])
    model = KINDS[key.kind]
    try:
        return Configured(key, model.model_validate(data), file, place)
    except ValidationError as error:
        found = [one for one in error.errors() if not _is_echo(one)]
        raise FaultyConfiguration([_fault(file, place, one, model, data) for one in found]) from error


def _is_echo(found: ErrorDetails) -> bool:
    """Whether a list is called too short for want of items that are there, but faulty themselves."""
    return found["type"] == "too_short" and len(found["input"]) >= found["ctx"]["min_length"]


def _fault(file: str, place: str, found: ErrorDetails, model: type[Document], data: JsonValue) -> Fault:
    path = _path(found, data)
    where = ".".join(filter(None, (place, _written(path))))
    return Fault(file, where, _sentence(found, path, model, data))


def _sentence(found: ErrorDetails, path: Sequence[str | int], model: type[Document], data: JsonValue) -> str:
    message = found["msg"].removeprefix("Value error, ")
    if found["type"] == _UNKNOWN_FIELD:
        allowed = ", ".join(sorted(allowed_fields(model, path[:-1], data)))
        return f"there is no such field; there are {allowed}"
    if found["type"] == _MISSING:
        return "this field is required"
    given = found["input"]
    if isinstance(given, str | int | float | bool) or given is None:
        return f"{message[:1].lower()}{message[1:]}; it is {_shown(given)}"
    return f"{message[:1].lower()}{message[1:]}"


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _path(found: ErrorDetails, data: JsonValue) -> list[str | int]:
    """The way to a fault in the data; how a union was read is no part of it."""
    path: list[str | int] = []
    at: JsonValue = data
    for index, part in enumerate(found["loc"]):
        is_last_and_missing = found["type"] == _MISSING and index == len(found["loc"]) - 1
        if isinstance(at, dict) and part in at:
            at = at[str(part)]
        elif isinstance(at, list) and isinstance(part, int) and part < len(at):
            at = at[part]
        elif not is_last_and_missing:
            continue
        path.append(part)
    return path


def _written(path: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def allowed_fields(model: type[Document], path: Sequence[str | int], data: JsonValue) -> set[str]:
    """The fields that can stand at a place in a document."""
    schema = model.model_json_schema()
    nodes, at = [schema], data
    for part in path:
        nodes = [inner for node in nodes for inner in _inside(node, part, schema, at)]
        at = at[part] if isinstance(at, dict | list) else None  # type: ignore[index]  # the path leads through it
    nodes = [inner for node in nodes for inner in _alternatives(node, schema, at)]
    return {name for node in nodes for name in node.get("properties", {})} - {"kind"}


def _inside(node: dict[str, Any], part: str | int, schema: dict[str, Any], at: JsonValue) -> Iterator[dict[str, Any]]:
    for inner in _alternatives(node, schema, at):
        if isinstance(part, int):
            yield inner.get("items", {})
        else:
            yield inner.get("properties", {}).get(part) or inner.get("additionalProperties") or {}


def _alternatives(node: dict[str, Any], schema: dict[str, Any], at: JsonValue) -> Iterator[dict[str, Any]]:
    """What a place may hold; of actions only the one that stands there."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    mapping = node.get("discriminator", {}).get("mapping")
    if mapping is not None and isinstance(at, dict):
        chosen = mapping.get(at.get(node["discriminator"]["propertyName"]))
        yield from _alternatives({"$ref": chosen}, schema, at) if chosen else ()
        return
    for choice in node.get("anyOf", ()) or node.get("allOf", ()):
        yield from _alternatives(choice, schema, at)
    yield node
