"""The builder of conditions: which field, which comparison, which value; each choice fits the one before."""

import json
import re
from dataclasses import dataclass
from typing import Final, cast

from pydantic import JsonValue

from deskwire_query.web.admin.forms.condition_fields import (
    AREAS,
    CALENDAR,
    CUSTOM,
    CUSTOM_LABEL,
    FITTING,
    OPERATORS,
    TICKET,
    Asked,
    asked_about,
)
from deskwire_query.web.admin.forms.controls import Control, Drawing, Field, Offer, Problems, Read
from deskwire_query.web.admin.forms.fields import with_former
from deskwire_query.web.admin.forms.groups import Group, Repeat
from deskwire_query.web.admin.forms.trees import Node, Tree, branch, inside, leaves, word
from deskwire_shared.contracts.conditions import MOST_CONDITIONS, WITH_NUMBER, WITH_VALUES, WITH_WORDS, WITHOUT_VALUE

FIRST: Final = TICKET[0].path
TRUTHS: Final = (("true", "yes"), ("false", "no"))

_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ConditionRow(Field):
    """One condition on one row."""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        held = cast("dict[str, JsonValue]", value or {})
        path, op = str(held.get("field", FIRST)), str(held.get("op", ""))
        shown: Tree = {"field": [path], "op": [op], "value": _shown(held.get("value"), op, asked_about(path))}
        if path.startswith(CUSTOM):
            shown |= {"field": [CUSTOM], "custom": [path.removeprefix(CUSTOM)]}
        return shown

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        tree = branch(node)
        asked = asked_about(_path(tree))
        op = _operator(tree, asked)
        if asked.path == CUSTOM:
            problems.add(inside(path, "custom"), "Name the field.")
        value = None if op in WITHOUT_VALUE else _value(tree.get("value"), op, asked)
        if op in WITH_NUMBER and isinstance(value, str) and value:
            problems.add(inside(path, "value"), "Write a number.")
        if op not in WITHOUT_VALUE and value in ("", []):
            problems.add(inside(path, "value"), "Say with what it is compared.")
        return {"field": asked.path, "op": op, "value": value}

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        tree = branch(node)
        asked = asked_about(_path(tree))
        op, was = _operator(tree, asked), word(tree.get("was"))
        if was not in {"", asked.path}:
            tree = {**tree, "value": []}
        children = [Control(widget="hidden", path=inside(path, "was"), label="", values=(asked.path,))]
        children.append(_field_chooser(tree, path, drawing))
        if asked.path.startswith(CUSTOM):
            children.append(_line(tree, path, "custom", "Name of the field", drawing, example="region"))
        children.append(_operator_chooser(op, asked, path))
        if op not in WITHOUT_VALUE:
            children.append(_value_control(tree, path, op, asked, drawing))
        problems = drawing.problems.at(path)
        return Control(widget="row", path=path, label="Condition", children=tuple(children), problems=problems)

    def place(self, loc: tuple[int | str, ...], node: Node, path: str) -> str:
        """See `Field.place`."""
        if loc[:1] == ("field",):
            return inside(path, "custom" if word(branch(node).get("field")) == CUSTOM else "field")
        return inside(path, "value")


def _path(tree: Tree) -> str:
    chosen = word(tree.get("field")) or FIRST
    return CUSTOM + word(tree.get("custom")) if chosen == CUSTOM else chosen


def _operator(tree: Tree, asked: Asked) -> str:
    """The comparison that was chosen, unless the field has become another one that cannot be compared so."""
    chosen, before = word(tree.get("op")), word(tree.get("was"))
    fits = chosen in FITTING[asked.kind] or (chosen in OPERATORS and before in {"", asked.path})
    return chosen if fits else FITTING[asked.kind][0]


def _shown(value: JsonValue, op: str, asked: Asked) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        items = [str(one) for one in value]
        return items if asked.source or asked.options else ["\n".join(items)]
    if op in WITH_WORDS and isinstance(value, str):
        return ["\n".join(value.split())]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [write_free(value) if asked.kind == "free" and op not in WITH_NUMBER else str(value)]


def _value(node: Node, op: str, asked: Asked) -> JsonValue:
    if op in WITH_VALUES or op in WITH_WORDS:
        return [line.strip() for leaf in leaves(node) for line in leaf.split("\n") if line.strip()]
    text = word(node)
    if op in WITH_NUMBER or asked.kind == "number":
        return json.loads(text) if _NUMBER.fullmatch(text) and not text.lstrip("-").startswith("00") else text
    if asked.kind == "truth":
        return text != "false"
    return read_free(text) if asked.kind == "free" else text


def write_free(value: JsonValue) -> str:
    """Write a value of which the kind is not known; a text that looks like another kind stands in quotes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and read_free(value) != value:
        return f'"{value}"'
    return "" if value is None else str(value)


def read_free(text: str) -> JsonValue:
    """Understand a value of which the kind is not known: a number, yes or no, or a text."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if text.lower() in {"yes", "true", "no", "false"}:
        return text.lower() in {"yes", "true"}
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    shortest = int(number) if "." not in text else number
    return shortest if str(shortest) == text else text


def _field_chooser(tree: Tree, path: str, drawing: Drawing) -> Control:
    chosen = word(tree.get("field")) or FIRST
    offered = [(asked.path, f"{area}: {asked.label}") for area, fields in AREAS.items() for asked in fields]
    calendars = [
        (f"{CALENDAR}{key}.open", f"Calendar: {name} is open") for key, name in drawing.sources.get("calendar", ())
    ]
    return Control(
        widget="choice", path=inside(path, "field"), label="Field", values=(chosen,), shapes=True,
        choices=with_former([*offered, (CUSTOM, CUSTOM_LABEL), *calendars], [chosen]),
        problems=drawing.problems.at(inside(path, "field")),
    )  # fmt: skip


def _operator_chooser(op: str, asked: Asked, path: str) -> Control:
    fitting = FITTING[asked.kind]
    offered = [(each, OPERATORS[each]) for each in OPERATORS if each in fitting or each == op]
    return Control(
        widget="choice", path=inside(path, "op"), label="Comparison", values=(op,), choices=tuple(offered), shapes=True,
    )  # fmt: skip


def _value_control(tree: Tree, path: str, op: str, asked: Asked, drawing: Drawing) -> Control:
    at, values = inside(path, "value"), tuple(leaves(tree.get("value")))
    chosen = bool(asked.options or asked.source)
    choices: Offer = asked.options or tuple(drawing.sources.get(asked.source, ()))
    problems = drawing.problems.at(at)
    if asked.kind == "truth":
        return Control(widget="choice", path=at, label="Value", values=values, choices=TRUTHS, problems=problems)
    if op in WITH_VALUES | WITH_WORDS:
        if chosen and op in WITH_VALUES:
            offered = with_former(choices, values)
            return Control(widget="choices", path=at, label="Values", values=values, choices=offered, problems=problems)
        return Control(
            widget="paragraph", path=at, label="Values, one a line", values=values, rows=3, problems=problems
        )
    if chosen:
        offered = with_former([("", "Choose …"), *choices], values)
        return Control(widget="choice", path=at, label="Value", values=values, choices=offered, problems=problems)
    example = "2026-01-31" if asked.kind == "moment" else ""
    return _line(tree, path, "value", "Value", drawing, example=example)


def _line(tree: Tree, path: str, name: str, label: str, drawing: Drawing, *, example: str = "") -> Control:
    at = inside(path, name)
    values = tuple(leaves(tree.get(name))[:1])
    return Control(
        widget="line", path=at, label=label, values=values, example=example, problems=drawing.problems.at(at)
    )


CONDITIONS: Final = Group(
    name="conditions",
    fields=(
        Repeat(
            name="all", label="All of these hold", item=ConditionRow(name=""), noun="condition", most=MOST_CONDITIONS,
            hint="Without conditions it holds for every ticket.",
        ),
        Repeat(
            name="any", label="And one of these holds", item=ConditionRow(name=""), noun="alternative",
            most=MOST_CONDITIONS,
        ),
    ),
)  # fmt: skip
"""The conditions of rules, policies and views."""
