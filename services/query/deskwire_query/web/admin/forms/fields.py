"""The fields of a form that hold values: how each is filled, drawn and read."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from deskwire_query.web.admin.forms.controls import KEPT, Control, Drawing, Field, Offer, Problems, Read
from deskwire_query.web.admin.forms.trees import Node, leaves, word


@dataclass(frozen=True, kw_only=True)
class Line(Field):
    """One line of text, or a number."""

    type: Literal["text", "email", "url", "password", "number", "date", "time"] = "text"
    required: bool = False
    optional: bool = False
    """Whether an empty line means that there is none."""
    example: str = ""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        return [] if value is None else [str(value)]

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        if node is None:
            return KEPT
        text = word(node)
        if self.required and not text:
            problems.add(path, f"{self.label} is missing.")
        if not text and (self.optional or self.type == "number"):
            return None
        return _number(text) if self.type == "number" else text

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        shown = () if self.type == "password" else tuple(leaves(node)[:1])
        return Control(
            widget="line", path=path, label=self.label, hint=self.hint, values=shown, type=self.type,
            required=self.required, example=self.example, problems=drawing.problems.at(path),
        )  # fmt: skip


def _number(text: str) -> JsonValue:
    try:
        return int(text)
    except ValueError:
        return text


@dataclass(frozen=True, kw_only=True)
class Paragraph(Field):
    """A longer text."""

    rows: int = 4
    optional: bool = False
    example: str = ""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        return [] if value is None else [str(value)]

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        del path, problems
        if node is None:
            return KEPT
        text = next(iter(leaves(node)), "")
        return None if self.optional and not text.strip() else text

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        return Control(
            widget="paragraph", path=path, label=self.label, hint=self.hint, values=tuple(leaves(node)[:1]),
            rows=self.rows, example=self.example, problems=drawing.problems.at(path),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Switch(Field):
    """Yes or no."""

    shapes: bool = False

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        return ["on"] if value else []

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        del path, problems
        return "on" in leaves(node)

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        return Control(
            widget="switch", path=path, label=self.label, hint=self.hint, values=tuple(leaves(node)),
            shapes=self.shapes, problems=drawing.problems.at(path),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of several; `source` names documents to choose from, `options` are fixed words."""

    options: Offer = ()
    source: str = ""
    none: str | None = None
    """The words for choosing nothing."""
    shapes: bool = False

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        return [] if value is None else [str(value)]

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        del path, problems
        if node is None:
            return KEPT
        return word(node) or None

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        nothing = [] if self.none is None else [("", self.none)]
        offered = [*nothing, *self.options, *drawing.sources.get(self.source, ())]
        chosen = tuple(leaves(node)[:1])
        return Control(
            widget="choice", path=path, label=self.label, hint=self.hint, values=chosen, shapes=self.shapes,
            choices=with_former(offered, chosen), problems=drawing.problems.at(path),
        )  # fmt: skip


def with_former(offered: Offer, chosen: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Offer what is chosen even where it has gone, so that saving a form changes nothing by itself."""
    known = {value for value, _ in offered}
    return (*offered, *((value, f"{value} (no longer there)") for value in chosen if value and value not in known))


@dataclass(frozen=True, kw_only=True)
class Choices(Field):
    """Any of several."""

    options: Offer = ()
    source: str = ""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        return [str(one) for one in value] if isinstance(value, list) else []

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        del path, problems
        return list(leaves(node))

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        chosen = tuple(leaves(node))
        offered = [*self.options, *drawing.sources.get(self.source, ())]
        return Control(
            widget="choices", path=path, label=self.label, hint=self.hint, values=chosen,
            choices=with_former(offered, chosen), problems=drawing.problems.at(path),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Several(Field):
    """Several short texts: `separator` is a comma on one line, or a line break."""

    separator: Literal[",", "\n"] = ","
    example: str = ""
    rows: int = 3

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        joint = ", " if self.separator == "," else "\n"
        return [joint.join(str(one) for one in value)] if isinstance(value, list) else []

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        del path, problems
        if node is None:
            return KEPT
        return [one.strip() for one in word(node).split(self.separator) if one.strip()]

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        widget = "line" if self.separator == "," else "paragraph"
        return Control(
            widget=widget, path=path, label=self.label, hint=self.hint, values=tuple(leaves(node)[:1]),
            rows=self.rows, example=self.example, problems=drawing.problems.at(path),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Written(Field):
    """A value that people write in words of their own: an amount of time, a share."""

    write: Callable[[JsonValue], str]
    understand: Callable[[str], JsonValue]
    """Raises ValueError with a sentence."""
    example: str = ""
    required: bool = False
    empty: JsonValue = None
    """What an empty line means."""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        return [] if value is None else [self.write(value)]

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        if node is None:
            return KEPT
        text = word(node)
        if not text:
            if self.required:
                problems.add(path, f"{self.label} is missing.")
            return self.empty
        try:
            return self.understand(text)
        except ValueError as error:
            problems.add(path, str(error))
            return text

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        return Control(
            widget="line", path=path, label=self.label, hint=self.hint, values=tuple(leaves(node)[:1]),
            example=self.example, required=self.required, problems=drawing.problems.at(path),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Json(Field):
    """Whatever has no field of its own, as JSON."""

    rows: int = 8

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        return [] if value is None else [json.dumps(value, indent=2, ensure_ascii=False)]

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        if node is None:
            return KEPT
        if not (text := word(node)):
            return None
        try:
            value: JsonValue = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            problems.add(path, f"This is not JSON{where}.")
            return None
        return value

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        return Control(
            widget="paragraph", path=path, label=self.label, hint=self.hint, values=tuple(leaves(node)[:1]),
            rows=self.rows, type="code", problems=drawing.problems.at(path),
        )  # fmt: skip
