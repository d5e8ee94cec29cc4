"""Renders what administrators wrote as templates, within bounds.

A template puts values in, chooses with `if` and filters. It has no loops, calls, assignments or
arithmetic, so that its length bounds its time and its size.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

MOST_OUTPUT: Final = 300_000
DEEPEST: Final = 30
COMPILED: Final = 256
"""Templates kept ready; a desk has some dozens."""

_ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.If, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test, nodes.Keyword,
)  # fmt: skip
_FILTERS: Final = ("capitalize", "default", "lower", "title", "trim", "truncate", "upper")
_TESTS: Final = ("defined", "undefined", "none")


class Unusable(Exception):
    """A template cannot be rendered; the sentence says why."""


def render(source: str, values: Mapping[str, object]) -> str:
    """Render a template with values. Raises Unusable."""
    try:
        return _joined(_compiled(source).generate(values))
    except (TemplateError, TypeError, ValueError) as error:
        raise Unusable(f"{type(error).__name__}: {error}") from error


def _sandbox() -> SandboxedEnvironment:
    sandbox = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    sandbox.globals.clear()
    sandbox.filters = {name: sandbox.filters[name] for name in _FILTERS}
    sandbox.tests = {name: sandbox.tests[name] for name in _TESTS}
    return sandbox


_SANDBOX: Final = _sandbox()


@lru_cache(maxsize=COMPILED)
def _compiled(source: str) -> Template:
    try:
        tree = _SANDBOX.parse(source)
        _require_simple(tree)
        return _SANDBOX.from_string(tree)
    except RecursionError as error:
        raise Unusable("the template is nested too deeply") from error
    except TemplateError as error:
        raise Unusable(f"{type(error).__name__}: {error}") from error


def _require_simple(tree: nodes.Template) -> None:
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if not isinstance(node, _ALLOWED):
            raise Unusable(f"line {node.lineno}: a template cannot use {type(node).__name__.lower()}")
        if depth > DEEPEST:
            raise Unusable(f"line {node.lineno}: the template is nested too deeply")
        waiting += ((child, depth + 1) for child in node.iter_child_nodes())


def _joined(pieces: Iterable[str]) -> str:
    rendered: list[str] = []
    size = 0
    for piece in pieces:
        rendered.append(piece)
        size += len(piece)
        if size > MOST_OUTPUT:
            raise Unusable(f"the template makes more than {MOST_OUTPUT} characters")
    return "".join(rendered)
