"""Opaque cursors: where a page ended, for the next one to go on behind."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from pydantic_core import from_json, to_json

from deskwire_query.reading.read_models import InvalidCursor

LONGEST: Final = 500

Place = int | str


def write_cursor(order: str, *places: Place) -> str:
    """Name a place in an order."""
    return base64.urlsafe_b64encode(to_json([order, *places])).decode().rstrip("=")


def read_cursor(cursor: str, order: str, kinds: Sequence[type[int] | type[str]]) -> list[Place]:
    """Read a place again. Raises InvalidCursor when it is none, or one in another order."""
    try:
        padded = cursor[:LONGEST] + "=" * (-len(cursor) % 4)
        places: list[Place]
        named, *places = from_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidCursor("the cursor is not one of ours") from error
    fits = len(places) == len(kinds) and all(type(place) is kind for place, kind in zip(places, kinds, strict=True))
    if named != order or not fits or any(isinstance(place, int) and abs(place) >= 2**63 for place in places):
        raise InvalidCursor(f"the cursor is not one of the order {order}")
    return places
