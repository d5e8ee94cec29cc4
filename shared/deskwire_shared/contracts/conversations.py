"""How a conversation on a channel is named: its parts, such as a channel and a thread, in one line."""

from collections.abc import Sequence
from urllib.parse import quote, unquote

_PLAIN = "+:@._- "


def conversation_of(parts: Sequence[str]) -> str:
    """The name of a conversation."""
    return "/".join(quote(part, safe=_PLAIN) for part in parts)


def parts_of(conversation: str) -> tuple[str, ...]:
    """The parts of a conversation's name."""
    return tuple(unquote(part) for part in conversation.split("/"))
