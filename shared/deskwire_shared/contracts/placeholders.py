"""Placeholders in texts that administrators write once and the desk fills in: `{{ customer.name }}`.

They name values, nothing more. What is put in is not looked at again, so no customer can smuggle one in.
"""

import re
from collections.abc import Mapping
from typing import Final

PLACEHOLDERS: Final = (
    "agent.name",
    "customer.name",
    "team.name",
    "ticket.number",
    "ticket.priority",
    "ticket.status",
    "ticket.subject",
)
"""What can be put in."""

LONGEST: Final = 64

_PLACEHOLDER: Final = re.compile(r"\{\{([^{}]*)\}\}")
_STRAY: Final = re.compile(r"\{\{|\}\}|\{%|%\}")


def require_known(text: str) -> str:
    """Refuse a text with a placeholder that nothing can be put in for. Raises ValueError."""
    for found in _PLACEHOLDER.finditer(text):
        if (name := found[1].strip()) not in PLACEHOLDERS:
            shown = name if len(name) <= LONGEST else f"{name[:LONGEST]}…"
            raise ValueError(f"there is no placeholder {{{{ {shown} }}}}; there are: {', '.join(PLACEHOLDERS)}")
    if stray := _STRAY.search(_PLACEHOLDER.sub("", text)):
        raise ValueError(f"{stray[0]} stands alone; a placeholder is written {{{{ {PLACEHOLDERS[0]} }}}}")
    return text


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in; what has none is left out."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1].strip(), ""), text)
