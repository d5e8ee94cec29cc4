"""What all fields of forms have in common: how a page draws them, what they choose from, what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from deskwire_query.web.admin.forms.trees import Node, Tree, word

Offer = Sequence[tuple[str, str]]
Loc = tuple[int | str, ...]


class Kept:
    """What a field says when the page did not hold it: the value stays as it was."""


KEPT: Final = Kept()
Read = JsonValue | Kept


@dataclass
class Problems:
    """What is wrong with a form, by the paths of its fields; the empty path is the form as a whole."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, sentence: str) -> None:
        """Note a problem, once."""
        sentences = self.found.setdefault(path, [])
        if sentence not in sentences:
            sentences.append(sentence)

    def at(self, path: str) -> tuple[str, ...]:
        """The problems of one field."""
        return tuple(self.found.get(path, ()))

    def within(self, path: str) -> bool:
        """Whether something inside a field is wrong; what is wrong does not count as being there."""
        return any(found.startswith(f"{path}.") for found in self.found)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What fields need to be drawn: what they choose from, what is wrong, and what has just been added."""

    sources: Mapping[str, Offer] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    fresh: str = ""


@dataclass(frozen=True, kw_only=True)
class Control:
    """A field as a template draws it."""

    widget: str
    path: str
    label: str
    hint: str = ""
    values: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    children: tuple["Control", ...] = ()
    required: bool = False
    type: str = "text"
    example: str = ""
    rows: int = 0
    noun: str = ""
    shapes: bool = False
    """Whether another choice makes another form."""
    fresh: bool = False
    full: bool = False
    """Whether no more can be added."""

    @property
    def id(self) -> str:
        """The element's id."""
        return "f-" + self.path.replace(".", "-")

    @property
    def value(self) -> str:
        """The one value."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field; `name` is that of the document's attribute."""

    name: str
    label: str = ""
    hint: str = ""
    only: tuple[str, str] | None = None
    """The field beside it, and the value that it has to have: else there is no such field."""
    without: JsonValue = None
    """What is stored where there is none."""

    def is_asked(self, beside: Tree) -> bool:
        """Whether the fields beside it leave room for this one."""
        return self.only is None or word(beside.get(self.only[0])) == self.only[1]

    def fill(self, value: JsonValue) -> Node:
        """Turn a stored value into what the page shows."""
        raise NotImplementedError

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """Turn what the page holds into a value to store; what cannot be read is passed on to the document's model."""
        raise NotImplementedError

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """Draw the field."""
        raise NotImplementedError

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """Find the path of the field in which the model saw a problem."""
        del self, loc, node
        return path
