"""The fields of a form that hold other fields."""

from dataclasses import dataclass, replace
from typing import Any, Final, cast

from pydantic import JsonValue

from deskwire_query.web.admin.forms.controls import KEPT, Control, Drawing, Field, Kept, Loc, Offer, Problems, Read
from deskwire_query.web.admin.forms.trees import Node, Tree, branch, inside, leaves, word

EMPTY: Final[tuple[object, ...]] = (None, "", [], {})
USED: Final = "used"
"""The switch of a group that may be left out."""


@dataclass(frozen=True, kw_only=True)
class Group(Field):
    """Fields that belong together; an optional group has a switch, and is nothing while it is off."""

    fields: tuple[Field, ...]
    optional: str = ""
    """The words beside the switch."""
    start: JsonValue = None
    """What an optional group holds when it is switched on."""
    widget: str = "group"

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        if value is None and self.optional:
            return {}
        held = cast("dict[str, JsonValue]", value or {})
        filled = {each.name: each.fill(held[each.name]) for each in self.fields if each.name in held}
        tree: Tree = {name: node for name, node in filled.items() if node is not None}
        return {USED: ["on"], **tree} if self.optional else tree

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        if self.optional and not leaves(branch(node).get(USED)):
            return None
        return read_fields(self.fields, branch(node), path, problems)

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        used = bool(leaves(branch(node).get(USED)))
        begins = set(branch(node)) == {USED} if used else node is None and not self.optional
        if begins and self.start is not None:
            node = self.fill(self.start)
        shown = self.fields if used or not self.optional else ()
        children = controls_of(shown, branch(node), path, drawing)
        return Control(
            widget="optional" if self.optional else self.widget, path=path, label=self.label, hint=self.hint,
            values=("on",) if used else (), children=children, noun=self.optional,
            problems=drawing.problems.at(path), shapes=bool(self.optional),
        )  # fmt: skip

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """See `Field.place`."""
        return place_among(self.fields, loc, branch(node), path)


def read_fields(fields: tuple[Field, ...], tree: Tree, path: str, problems: Problems) -> dict[str, JsonValue]:
    """Read fields by their names, without those that the page did not hold."""
    found = {each.name: _read(each, tree, path, problems) for each in fields}
    return {name: value for name, value in found.items() if not isinstance(value, Kept)}


def _read(asked: Field, tree: Tree, path: str, problems: Problems) -> Read:
    if not asked.is_asked(tree):
        return asked.without
    return asked.read(tree.get(asked.name), inside(path, asked.name), problems)


def controls_of(fields: tuple[Field, ...], tree: Tree, path: str, drawing: Drawing) -> tuple[Control, ...]:
    """Draw the fields that are asked."""
    return tuple(
        each.control(tree.get(each.name), inside(path, each.name), drawing) for each in fields if each.is_asked(tree)
    )


def place_among(fields: tuple[Field, ...], loc: Loc, tree: Tree, path: str) -> str:
    """Find the path of a problem in one of several fields, or their common one."""
    for each in fields:
        if loc and each.name == loc[0]:
            return each.place(loc[1:], tree.get(each.name), inside(path, each.name))
    return path


@dataclass(frozen=True, kw_only=True)
class Repeat(Field):
    """Any number of equal things, in order."""

    item: Field
    noun: str
    most: int = 100
    start: JsonValue = None
    """What a new one begins with."""
    further: JsonValue = None
    """What one begins with that is not the first, if that is something else."""
    widget: str = "repeat"

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        filled = (self.item.fill(one) for one in value) if isinstance(value, list) else ()
        return {str(place): node for place, node in enumerate(filled) if node is not None}

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        found = (self.item.read(one, inside(path, key), problems) for key, one in branch(node).items())
        return [value for value in found if not isinstance(value, Kept)]

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        children = tuple(
            self._child(one or self._begun(place), inside(path, key), drawing)
            for place, (key, one) in enumerate(branch(node).items())
        )
        return Control(
            widget=self.widget, path=path, label=self.label, hint=self.hint, noun=self.noun, children=children,
            problems=drawing.problems.at(path), full=len(children) >= self.most,
        )  # fmt: skip

    def _begun(self, place: int) -> Node:
        return self.item.fill(self.further if place and self.further is not None else self.start)

    def _child(self, node: Node, path: str, drawing: Drawing) -> Control:
        inner = self.item.control(node, path, drawing)
        return Control(widget="item", path=path, label="", children=(inner,), fresh=path == drawing.fresh)

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """See `Field.place`."""
        keys = list(branch(node))
        if not loc or not isinstance(loc[0], int) or loc[0] >= len(keys):
            return path
        key = keys[loc[0]]
        return self.item.place(loc[1:], branch(node)[key], inside(path, key))


@dataclass(frozen=True, kw_only=True)
class Variants(Field):
    """A thing of one of several kinds; which one decides on its fields."""

    tag: str
    kinds: tuple[Group, ...]
    """By the value of the tag."""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        held = cast("dict[str, JsonValue]", value or {})
        kind = self._kind(str(held.get(self.tag, "")))
        return {self.tag: [kind.name], kind.name: kind.fill(cast("Any", held)) or {}}

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        kind = self._chosen(node)
        found = kind.read(branch(node).get(kind.name), inside(path, kind.name), problems)
        return {self.tag: kind.name, **cast("dict[str, JsonValue]", found)}

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        kind = self._chosen(node)
        offered = tuple((each.name, each.label) for each in self.kinds)
        chooser = Control(
            widget="choice", path=inside(path, self.tag), label=self.label, values=(kind.name,), choices=offered,
            shapes=True, problems=drawing.problems.at(path),
        )  # fmt: skip
        inner = kind.control(branch(node).get(kind.name), inside(path, kind.name), drawing)
        return Control(widget="variants", path=path, label=self.label, children=(chooser, *inner.children))

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """See `Field.place`."""
        kind = self._chosen(node)
        if not loc or loc[0] != kind.name:
            return path
        found = kind.place(loc[1:], branch(node).get(kind.name), inside(path, kind.name))
        return path if found == inside(path, kind.name) else found

    def _chosen(self, node: Node) -> Group:
        return self._kind(word(branch(node).get(self.tag)))

    def _kind(self, name: str) -> Group:
        return next((each for each in self.kinds if each.name == name), self.kinds[0])


@dataclass(frozen=True, kw_only=True)
class Table(Field):
    """A value for each of several fixed keys; what is left empty is left out."""

    keys: Offer
    cell: Field
    widget: str = "table"

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        held = value if isinstance(value, dict) else {}
        return {key: self.cell.fill(held[key]) or [] for key, _ in self.keys if key in held}

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        if node is None:
            return KEPT
        cells = ((key, self.cell.read(branch(node).get(key), inside(path, key), problems)) for key, _ in self.keys)
        return {key: value for key, value in cells if not isinstance(value, Kept) and value not in EMPTY}

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        cells = tuple(self._cell(branch(node).get(key), inside(path, key), words, drawing) for key, words in self.keys)
        return Control(
            widget=self.widget, path=path, label=self.label, hint=self.hint, children=cells,
            problems=drawing.problems.at(path),
        )  # fmt: skip

    def _cell(self, node: Node, path: str, words: str, drawing: Drawing) -> Control:
        inner = self.cell.control(node, path, drawing)
        return Control(widget="cell", path=path, label=words, children=(inner,))

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """See `Field.place`."""
        if not loc or loc[0] not in dict(self.keys):
            return path
        key = str(loc[0])
        return self.cell.place(loc[1:], branch(node).get(key), inside(path, key))


@dataclass(frozen=True, kw_only=True)
class Dictionary(Field):
    """Values under keys that people choose."""

    key: Field
    value: Field
    noun: str
    most: int = 100

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        held = value if isinstance(value, dict) else {}
        pairs = ({"key": self.key.fill(key) or [], "value": self.value.fill(one) or []} for key, one in held.items())
        return {str(place): pair for place, pair in enumerate(pairs)}

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        found: dict[str, JsonValue] = {}
        for number, item in branch(node).items():
            at, pair = inside(path, number), branch(item)
            key = self.key.read(pair.get("key") or [], inside(at, "key"), problems)
            value = self.value.read(pair.get("value"), inside(at, "value"), problems)
            if str(key) in found:
                problems.add(inside(at, "key"), "This is there twice.")
            if not isinstance(value, Kept):
                found[str(key)] = value
        return cast("JsonValue", found)

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        return self._pairs().control(node, path, drawing)

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """See `Field.place`."""
        for number, item in branch(node).items():
            pair, at = branch(item), inside(path, number)
            if loc and word(pair.get("key")) == str(loc[0]):
                is_key = loc[1:2] == ("[key]",)
                return (
                    inside(at, "key") if is_key else self.value.place(loc[1:], pair.get("value"), inside(at, "value"))
                )
        return path

    def _pairs(self) -> Repeat:
        pair = Group(name="", fields=(_named(self.key, "key"), _named(self.value, "value")), widget="row")
        return Repeat(name=self.name, label=self.label, hint=self.hint, item=pair, noun=self.noun, most=self.most)


def _named(asked: Field, name: str) -> Field:
    return replace(asked, name=name)
