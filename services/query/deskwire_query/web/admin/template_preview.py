"""Shows what a template would say, with a ticket that exists only for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from deskwire_shared.contracts.placeholders import fill

MOST_SHOWN: Final = 20_000
LONGEST: Final = 50_000
ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.If, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test, nodes.Keyword,
)  # fmt: skip
"""What the desk's mails may use: no loops and no calls, so that a preview is as long as its template."""
FILTERS: Final = ("capitalize", "default", "lower", "title", "trim", "truncate", "upper")
TESTS: Final = ("defined", "undefined", "none")


@dataclass(frozen=True)
class Preview:
    """What a template says, or why it says nothing."""

    subject: str = ""
    body: str = ""
    trouble: str = ""


def preview(subject: str, body: str, values: Mapping[str, object], *, plain: bool) -> Preview:
    """Render a template; a `plain` one holds placeholders only."""
    if len(subject) + len(body) > LONGEST:
        return Preview(trouble="It is too long to be shown here.")
    if plain:
        named = [(name, held) for name, held in values.items() if isinstance(held, dict)]
        flat = {f"{name}.{key}": str(value) for name, held in named for key, value in held.items()}
        return Preview(body=fill(body, flat))
    try:
        return Preview(_rendered(subject, values), _rendered(body, values))
    except (TemplateError, TypeError, ValueError, RecursionError) as error:
        return Preview(trouble=str(error) or type(error).__name__)


def _rendered(source: str, values: Mapping[str, object]) -> str:
    tree = _sandbox().parse(source)
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, ALLOWED):
            raise TemplateError(f"Line {node.lineno}: a template cannot use {type(node).__name__.lower()}.")
    return _sandbox().from_string(tree).render(values)[:MOST_SHOWN]


@cache
def _sandbox() -> SandboxedEnvironment:
    sandbox = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    sandbox.globals.clear()
    sandbox.filters = {name: sandbox.filters[name] for name in FILTERS}
    sandbox.tests = {name: sandbox.tests[name] for name in TESTS}
    return sandbox
