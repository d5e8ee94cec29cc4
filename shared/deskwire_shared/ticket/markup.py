"""How much work HTML can make for whoever reads it, reckoned from above and in linear time.

Parsers need time that grows with the square of its depth, others a stack that grows with it; and formatting that is
left open is repeated in every paragraph that follows.
"""

import re
from typing import Final

MOST_TAGS: Final = 4_000
"""Start and end tags together; HTML is nested no deeper than that."""
MOST_REPEATED: Final = 100_000
"""Formatting elements times tags: so often could formatting be repeated."""

_FORMATTING: Final = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)


def is_modest(html: str) -> bool:
    """Whether HTML can be parsed in little time and space, however it is built."""
    tags = html.count("<")
    return tags <= MOST_TAGS and tags * len(_FORMATTING.findall(html)) <= MOST_REPEATED
