"""Marks the fields that hold personal data, so that erasing a person's key erases them everywhere."""

from functools import cache
from typing import Annotated, TypeVar

from pydantic import BaseModel

ERASED = "[erased]"


class PersonalData:
    """The marker inside `Personal[...]`."""


T = TypeVar("T")
Personal = Annotated[T, PersonalData()]
"""A field that is encrypted at rest under the key of the fact's `person_id`."""


@cache
def personal_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Name the fields of a model that are marked `Personal[...]`."""
    return tuple(
        name
        for name, field in model.model_fields.items()
        if any(isinstance(mark, PersonalData) for mark in field.metadata)
    )


@cache
def erased_fields(model: type[BaseModel]) -> dict[str, object]:
    """What stands in a model's personal fields once the key is gone: the default, or `[erased]`."""
    return {name: _erased(model, name) for name in personal_fields(model)}


def _erased(model: type[BaseModel], name: str) -> object:
    field = model.model_fields[name]
    if not field.is_required():
        return field.get_default(call_default_factory=True)
    return ERASED if field.annotation is str else {"address": ERASED}
