"""What a form holds, as a tree: `actions.0.do` is a leaf on two branches, in the order of the page.

A page sends its whole tree with every edit (one more action, one condition less, one step up); the edit is made on
the tree and the page is drawn from it again, with scripts or without.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

Tree: TypeAlias = dict[str, "Tree | list[str]"]
Node: TypeAlias = Tree | list[str] | None

DEEPEST: Final = 16
LONGEST_NAME: Final = 300

Verb = Literal["add", "drop", "up", "down", "copy", "shape"]


class MalformedForm(ValueError):
    """No form of ours sends this."""


def plant(sent: Iterable[tuple[str, str]]) -> Tree:
    """Make a tree of what was sent. Raises MalformedForm."""
    root: Tree = {}
    for name, value in sent:
        *branches, leaf = name.split(".")
        if len(branches) > DEEPEST or len(name) > LONGEST_NAME:
            raise MalformedForm("The form is nested too deeply.")
        found = _branch(root, branches).setdefault(leaf, [])
        if not isinstance(found, list):
            raise MalformedForm(f"The form holds {name} twice.")
        found.append(value.replace("\r\n", "\n"))
    return root


def branch(node: Node) -> Tree:
    """The branches of a node; a leaf has none."""
    return node if isinstance(node, dict) else {}


def leaves(node: Node) -> list[str]:
    """The values of a leaf."""
    return node if isinstance(node, list) else []


def word(node: Node) -> str:
    """The one value of a leaf."""
    return next(iter(leaves(node)), "").strip()


def inside(path: str, name: str) -> str:
    """The path of a branch."""
    return f"{path}.{name}" if path else name


def edit(root: Tree, asked: str) -> str:
    """Make an edit such as `add:actions` or `up:actions.1`, and give the path of what is new. Raises MalformedForm."""
    verb, _, path = asked.partition(":")
    *branches, last = path.split(".")
    if verb not in get_args(Verb) or len(branches) > DEEPEST:
        raise MalformedForm("The form asks for an edit that is not known.")
    if verb == "shape":
        return ""
    parent = _branch(root, branches)
    if verb == "add":
        return inside(path, _add(_branch(parent, [last])))
    if verb == "copy":
        _copy(parent, last)
    elif last in parent:
        _move(parent, last, verb)
    return ""


def _branch(root: Tree, names: Iterable[str]) -> Tree:
    for name in names:
        found = root.setdefault(name, {})
        if not isinstance(found, dict):
            raise MalformedForm(f"The form holds {name} twice.")
        root = found
    return root


def _add(items: Tree) -> str:
    key = str(max((int(key) for key in items if key.isdecimal()), default=-1) + 1)
    items[key] = {}
    return key


def _copy(parent: Tree, source: str) -> None:
    """Let every branch beside it say what one says, but only those that say something."""
    for name, node in parent.items():
        if name != source and node:
            parent[name] = parent[source]


def _move(items: Tree, key: str, verb: str) -> None:
    keys = list(items)
    place = keys.index(key)
    keys.remove(key)
    if verb != "drop":
        keys.insert(max(0, place + (-1 if verb == "up" else 1)), key)
    kept = {name: items[name] for name in keys}
    items.clear()
    items.update(kept)
