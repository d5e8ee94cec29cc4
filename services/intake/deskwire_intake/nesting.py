"""How deep HTML is nested, reckoned in linear time and without building anything."""

import re
from typing import Final

_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_ENDED_BY_OTHERS: Final = frozenset(
    (
        *("area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta"),
        *("option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr"),
    )
)
"""Elements without content, and those that mails rightly leave unclosed."""


_FOREIGN: Final = re.compile(r"<(?:svg|math)\b", re.IGNORECASE)
"""Where SVG or MathML begins, in which even table rows nest."""


def nesting(html: str) -> int:
    """Reckon how many elements stand open at once at most."""
    uncounted = frozenset() if _FOREIGN.search(html) else _ENDED_BY_OTHERS
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() in uncounted:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest
