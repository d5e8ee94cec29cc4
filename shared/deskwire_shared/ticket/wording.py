"""How the desk writes down subjects, titles and tags."""

from collections.abc import Iterable
from typing import Final

from deskwire_shared.ticket import limits
from deskwire_shared.ticket.refusals import InvalidTag, TooLarge

BYTES_PER_CHARACTER: Final = 4


def one_line(what: str, text: str, longest: int) -> str:
    """Put text on one line, so that it cannot break out of a header.

    Raises `TooLarge` or `UnreadableText`.
    """
    line = " ".join(text.split())
    if len(line) > longest:
        raise TooLarge(what, len(line), longest, unit="characters")
    limits.require_text(what, line, BYTES_PER_CHARACTER * longest)
    return line


def sorted_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Write tags as the desk keeps them: trimmed, in small letters, each once, sorted.

    Raises `InvalidTag` or `TooMany`.
    """
    kept = tuple(sorted({_tag(tag) for tag in tags}))
    limits.require_count("tags", kept, limits.TAGS)
    return kept


def _tag(text: str) -> str:
    tag = " ".join(text.lower().split())
    if not 0 < len(tag) <= limits.TAG_LENGTH:
        raise InvalidTag(limits.TAG_LENGTH)
    limits.require_lines("tag", (tag,))
    return tag
