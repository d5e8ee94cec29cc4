"""The language of mappings: which words a payload of somebody else yields. It has no code and no loops of its own.

A path such as `entry.*.changes.0.value` leads to values; a template such as `Hello {message.from.name}` puts them in
words; expressions choose between templates and join them. What a path does not find is no words at all.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Final, assert_never

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

MOST_FOUND: Final = 1_000
"""Values that one path leads to."""
LONGEST_WORDS: Final = 1024 * 1024
"""Of one expression, in characters; what is beyond is cut."""
MOST_PLACES: Final = 30
"""Of one template."""
LONGEST_NUMBER: Final = 10**40
EVERY: Final = "*"

_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PATH: Final = re.compile(r"[^.{}\s]{1,100}(\.[^.{}\s]{1,100}){0,19}\Z")

Scope = Mapping[str, JsonValue]
"""What paths start from, by name."""
Quote = Callable[[str], str]


def _path(path: str) -> str:
    if not _PATH.match(path):
        raise ValueError("a path is made of names, numbers or * with dots between them")
    return path


def require_template(template: str) -> str:
    """Give a template back. Raises ValueError for what is none."""
    places = list(_PLACEHOLDER.finditer(template))
    if len(places) > MOST_PLACES:
        raise ValueError(f"a template has at most {MOST_PLACES} braces")
    for found in places:
        if found[0] in {"{", "}"}:
            raise ValueError("a brace that belongs to no path is written twice")
        if found[1] is not None:
            _path(found[1])
    return template


Path = Annotated[str, StringConstraints(max_length=400), AfterValidator(_path)]
Template = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(require_template)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Part):
    """What is asked of the first value that a path leads to; everything that is named must hold."""

    path: Path
    exists: bool | None = None
    one_of: Annotated[tuple[str, ...], Field(max_length=100)] | None = None
    none_of: Annotated[tuple[str, ...], Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> "Condition":
        if self.exists is None and self.one_of is None and self.none_of is None:
            raise ValueError("name `exists`, `one_of` or `none_of`")
        return self


class FirstOf(_Part):
    """The first expression that yields words."""

    first_of: "Expressions"


class Joined(_Part):
    """All expressions that yield words."""

    join: "Expressions"
    between: Annotated[str, StringConstraints(max_length=20)] = "\n"


class Each(_Part):
    """Words for each value that a path leads to, which is called `item` in the template."""

    each: Path
    say: Template
    between: Annotated[str, StringConstraints(max_length=20)] = "\n"


class Choice(_Part):
    """Words by what another expression yields."""

    choose: "Expression"
    among: Annotated[dict[str, "Expression"], Field(max_length=100)]
    otherwise: "Expression" = ""


class When(_Part):
    """Words if all conditions hold."""

    when: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=20)]
    say: "Expression"
    otherwise: "Expression" = ""


Expression = Template | FirstOf | Joined | Each | Choice | When
Expressions = Annotated[tuple[Expression, ...], Field(min_length=1, max_length=50)]


def find(path: str, scope: Scope) -> list[JsonValue]:
    """Every value that a path leads to, as many as a path may lead to."""
    first, *steps = path.split(".")
    found: list[JsonValue] = [scope[first]] if first in scope else []
    for step in steps:
        found = [value for parent in found for value in _children(parent, step)][:MOST_FOUND]
    return found


def _children(parent: JsonValue, step: str) -> Iterator[JsonValue]:
    if isinstance(parent, dict):
        yield from parent.values() if step == EVERY else [parent[step]] if step in parent else ()
    elif isinstance(parent, list):
        yield from parent if step == EVERY else _item(parent, step)


def _item(items: Sequence[JsonValue], step: str) -> Sequence[JsonValue]:
    if not (step.isascii() and step.isdecimal()):
        return ()
    return items[int(step) : int(step) + 1]


def text_of(value: JsonValue) -> str:
    """A single value in words; lists and objects have none."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value[:LONGEST_WORDS]
        case int():
            return str(value) if abs(value) < LONGEST_NUMBER else ""
        case float():
            return repr(value)
        case _:
            return ""


def fill(template: str, scope: Scope, *, quote: Quote = str) -> str:
    """Put values into a template, each quoted for where it will stand."""

    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return quote(_first_text(found[1], scope))

    return _PLACEHOLDER.sub(put, template)


def holds(condition: Condition, scope: Scope) -> bool:
    """Whether a condition holds; a value that is not there reads as no words."""
    found = [value for value in find(condition.path, scope) if value is not None]
    text = text_of(found[0]) if found else ""
    return (
        condition.exists in {None, bool(found)}
        and (condition.one_of is None or text in condition.one_of)
        and (condition.none_of is None or text not in condition.none_of)
    )


def words(expression: Expression, scope: Scope) -> str:
    """What an expression yields, trimmed."""
    return _words(expression, scope).strip()[:LONGEST_WORDS]


def _words(expression: Expression, scope: Scope) -> str:
    match expression:
        case str():
            return fill(expression, scope)
        case FirstOf():
            return next(_yielded(expression.first_of, scope), "")
        case Joined():
            return expression.between.join(_yielded(expression.join, scope))
        case Each():
            return _said_of_each(expression, scope)
        case Choice():
            return words(expression.among.get(words(expression.choose, scope), expression.otherwise), scope)
        case When():
            chosen = all(holds(condition, scope) for condition in expression.when)
            return words(expression.say if chosen else expression.otherwise, scope)
        case _:
            assert_never(expression)


def _said_of_each(expression: Each, scope: Scope) -> str:
    said: list[str] = []
    for item in find(expression.each, scope):
        said += filter(None, [fill(expression.say, {**scope, "item": item})])
        if sum(map(len, said)) > LONGEST_WORDS:
            break
    return expression.between.join(said)


def _yielded(expressions: Sequence[Expression], scope: Scope) -> Iterator[str]:
    return filter(None, (words(expression, scope) for expression in expressions))


def _first_text(path: str, scope: Scope) -> str:
    return next(filter(None, map(text_of, find(path, scope))), "")


def require_shallow(value: JsonValue, deepest: int) -> None:
    """Raise ValueError for a JSON document with more levels."""
    level: list[JsonValue] = [value]
    for _ in range(deepest):
        level = [child for parent in level for child in _children(parent, EVERY)]
        if not level:
            return
    raise ValueError(f"nested deeper than {deepest} levels")
