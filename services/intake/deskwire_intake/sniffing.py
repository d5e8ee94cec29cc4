"""Tells what a file is by its first bytes, where its sender calls it something that is shown."""

from typing import Final

import puremagic

HEAD_BYTES: Final = 4 * 1024
CONFIDENCE: Final = 0.3
"""Of a match, by the length of what matched; two letters at the beginning of a text are none."""
UNKNOWN_TYPE: Final = "application/octet-stream"

_SHOWN: Final = ("image/", "audio/", "video/", "application/pdf")


def type_of(head: bytes, claimed: str) -> str:
    """Give the media type of a file: what its first bytes say where they contradict a claim, else the claim.

    Archives and office documents keep what they are called: their first bytes tell less than their name.
    """
    found = _recognised(head)
    if found is None or _kind(found) == _kind(claimed):
        return claimed
    if claimed == UNKNOWN_TYPE or claimed.startswith(_SHOWN):
        return found
    return found if claimed.startswith("text/") and found != UNKNOWN_TYPE else claimed


def _recognised(head: bytes) -> str | None:
    """Name what is shown; UNKNOWN_TYPE stands for anything else that was recognised, None for nothing."""
    try:
        matches = puremagic.magic_string(head[:HEAD_BYTES])
    except (puremagic.PureError, ValueError):  # nothing matches, or there is nothing
        return None
    sure = [match.mime_type for match in matches if match.confidence >= CONFIDENCE]
    if not sure:
        return None
    return next((kind for kind in sure if kind.startswith(_SHOWN)), UNKNOWN_TYPE)


def _kind(media_type: str) -> str:
    """Types that go by several names are alike; a drawing is no picture, it may hold scripts."""
    family = media_type.partition("/")[0]
    return family if family in {"image", "audio", "video"} and not media_type.endswith("+xml") else media_type
