"""Fields that follow from a model, so that a new action or a new attribute has a form by itself."""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue
from pydantic_core import PydanticUndefined, to_jsonable_python

from deskwire_query.web.admin.forms.condition_fields import offer, words
from deskwire_query.web.admin.forms.conditions import read_free, write_free
from deskwire_query.web.admin.forms.controls import Field
from deskwire_query.web.admin.forms.fields import Choice, Choices, Json, Line, Paragraph, Several, Switch, Written
from deskwire_query.web.admin.forms.groups import Group, Repeat, Variants
from deskwire_shared.contracts.facts import FieldValue
from deskwire_shared.contracts.placeholders import PLACEHOLDERS

PLACEHOLDER_HINT: Final = "May hold " + ", ".join(f"{{{{ {name} }}}}" for name in PLACEHOLDERS) + "."
NOBODY: Final = "Nobody"
NONE: Final = "None"
REFERENCES: Final = ("team", "agent", "calendar", "template", "webhook", "channel", "organisation")
"""What attributes such as `team_id` and `agent_ids` name."""
LONG: Final = ("text", "body", "reply", "notes", "description")
"""Attributes whose texts have many lines."""


def fields_of(model: type[BaseModel], known: Mapping[str, Field], *, leave_out: frozenset[str]) -> tuple[Field, ...]:
    """Derive the fields of a model; `known` ones are better described."""
    return tuple(
        known.get(name) or field_of(name, info.annotation, required=info.is_required())
        for name, info in model.model_fields.items()
        if name not in leave_out
    )


def field_of(name: str, annotation: Any, *, required: bool = False) -> Field:
    """Derive a field from the name and the type of an attribute."""
    kind, optional = _without_none(annotation)
    label = label_of(name)
    if annotation == FieldValue:
        return Written(name=name, label=label, write=write_free, understand=read_free,
                       hint="A number, yes, no, or a text; empty takes the value away.")  # fmt: skip
    if (source := _source(name)) is not None:
        return _reference(name, label, source, optional=optional)
    return _by_type(name, label, kind, optional=optional, required=required)


def label_of(name: str) -> str:
    """Say the name of an attribute in words."""
    return words(name.removesuffix("_ids") + "s" if name.endswith("_ids") else name.removesuffix("_id"))


def variants(union: Any, tag: str, *, label: str) -> Variants:
    """Derive a choice from a union of models that are told apart by a tag."""
    members = _members(union)
    return Variants(name="", label=label, tag=tag, kinds=tuple(_kind(model, tag) for model in members))


def start_of(model: type[BaseModel]) -> dict[str, JsonValue]:
    """What a new one holds: the defaults of its model."""
    return {
        name: to_jsonable_python(info.get_default(call_default_factory=True, validated_data={}))
        for name, info in model.model_fields.items()
        if info.get_default(call_default_factory=True, validated_data={}) is not PydanticUndefined
    }


def _members(union: Any) -> tuple[type[BaseModel], ...]:
    inner = get_args(union)[0] if get_origin(union) is Annotated else union
    return get_args(inner)


def _kind(model: type[BaseModel], tag: str) -> Group:
    name = str(get_args(model.model_fields[tag].annotation)[0])
    fields = fields_of(model, {}, leave_out=frozenset({tag}))
    return Group(name=name, label=_first_sentence(model), fields=fields, start=start_of(model) or None)


def _first_sentence(model: type[BaseModel]) -> str:
    return (
        (model.__doc__ or words(model.__name__))
        .strip()
        .partition("\n")[0]
        .partition(", ")[0]
        .partition(": ")[0]
        .rstrip(".")
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) not in {Union, types.UnionType}:
        return annotation, False
    rest = tuple(each for each in get_args(annotation) if each is not type(None))
    optional = len(rest) < len(get_args(annotation))
    return (_without_none(rest[0])[0] if len(rest) == 1 else annotation), optional


def _source(name: str) -> str | None:
    stem = name.removesuffix("_ids").removesuffix("_id")
    return stem if stem != name and stem in REFERENCES else None


def _reference(name: str, label: str, source: str, *, optional: bool) -> Field:
    if name.endswith("_ids"):
        return Choices(name=name, label=label, source=source)
    none = (NOBODY if source == "agent" else NONE) if optional else "Choose …"
    return Choice(name=name, label=label, source=source, none=none)


def _by_type(name: str, label: str, kind: Any, *, optional: bool, required: bool) -> Field:
    if kind is bool:
        return Switch(name=name, label=label)
    if kind is int:
        return Line(name=name, label=label, type="number", optional=optional)
    if kind is str:
        return _text(name, label, optional=optional, required=required)
    if get_origin(kind) is Literal:
        return Choice(name=name, label=label, options=offer(kind), none=NONE if optional else None)
    return _compound(name, label, kind, optional=optional)


def _compound(name: str, label: str, kind: Any, *, optional: bool) -> Field:
    if get_origin(kind) is tuple:
        return _several(name, label, get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = fields_of(kind, {}, leave_out=frozenset())
        return Group(name=name, label=label, fields=fields, optional=f"Use {label.lower()}" if optional else "")
    return Json(name=name, label=label, hint="Written as JSON.")


def _text(name: str, label: str, *, optional: bool, required: bool) -> Field:
    if name in LONG:
        return Paragraph(name=name, label=label, optional=optional, hint=PLACEHOLDER_HINT)
    return Line(name=name, label=label, optional=optional, required=required and not optional)


def _several(name: str, label: str, kind: Any) -> Field:
    inner, _ = _without_none(kind)
    if get_origin(inner) is Literal:
        return Choices(name=name, label=label, options=offer(inner))
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        fields = fields_of(inner, {}, leave_out=frozenset())
        return Repeat(name=name, label=label, item=Group(name="", fields=fields), noun=label.lower().removesuffix("s"))
    if inner is str:
        return Several(name=name, label=label, hint="Separated by commas.")
    return Json(name=name, label=label, hint="Written as JSON.")
