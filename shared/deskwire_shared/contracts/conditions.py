"""Conditions on a ticket, as rules, SLA policies and views hold them.

There are no regular expressions among them: those can be made to run for hours.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    model_validator,
)

MOST_CONDITIONS: Final = 100
MOST_VALUES: Final = 100

Operator = Literal[
    "is", "is_not", "in", "not_in", "contains", "not_contains", "starts_with", "matches_any_word",
    "before", "after", "greater", "less", "is_set", "is_not_set",
]  # fmt: skip
FieldPath = Annotated[
    str,
    StringConstraints(
        max_length=200,
        pattern=r"^((ticket|message|customer|organisation|sla)(\.[a-z][a-z0-9_]{0,63}){1,2}"
        r"|calendar\.[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.open)$",
    ),
]
"""A dotted name such as `ticket.subject`, `ticket.field.region`, `message.from_domain`, `sla.resolution.state`.

`calendar.<id>.open` is true within the hours of a calendar, at the moment of the question.
"""
Text = Annotated[str, StringConstraints(max_length=1000)]
Values = Annotated[tuple[Text, ...], Field(max_length=MOST_VALUES)]
Number = StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]
ConditionValue = StrictBool | Number | Text | Values | None

WITHOUT_VALUE: Final[frozenset[Operator]] = frozenset({"is_set", "is_not_set"})
WITH_VALUES: Final[frozenset[Operator]] = frozenset({"in", "not_in"})
WITH_WORDS: Final[frozenset[Operator]] = frozenset({"matches_any_word"})
WITH_NUMBER: Final[frozenset[Operator]] = frozenset({"greater", "less"})


class Condition(BaseModel):
    """One comparison of a field with a value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: FieldPath
    op: Operator
    value: ConditionValue = None

    @model_validator(mode="after")
    def _value_fits_operator(self) -> Self:
        if not _fits(self.op, self.value):
            raise ValueError(f"{self.op} does not take the value {self.value!r}")
        return self


class Conditions(BaseModel):
    """Holds when every one of `all` holds and, if there are any, one of `any`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if len(self.all) + len(self.any) > MOST_CONDITIONS:
            raise ValueError(f"there can be {MOST_CONDITIONS} conditions at most")
        return self


def _fits(op: Operator, value: ConditionValue) -> bool:
    if op in WITHOUT_VALUE:
        return value is None
    if op in WITH_VALUES:
        return isinstance(value, tuple)
    if op in WITH_WORDS:
        return isinstance(value, str | tuple)
    if op in WITH_NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return value is not None and not isinstance(value, tuple)
