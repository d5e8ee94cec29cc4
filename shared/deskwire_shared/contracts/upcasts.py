"""How stored facts of old become facts of today; applied to the stored JSON before it is parsed.

A new optional field needs nothing here. A new meaning gets a new stored name, and an upcast from the
old name to the new one stays here for as long as a history may hold the old one. The personal fields
of a stored fact are sealed, so an upcast sees the others only.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

StoredFact = dict[str, Any]
Upcast = Callable[[StoredFact], StoredFact]

UPCASTS: Final[Mapping[str, Upcast]] = {}
"""By the old stored name: gives the fact under its next name."""


class UpcastsCircle(ValueError):
    """An upcast leads back to a name that was left before."""


def upcast(stored: StoredFact, upcasts: Mapping[str, Upcast] = UPCASTS) -> StoredFact:
    """Carry a stored fact to the name it has today, one step at a time.

    Raises `UpcastsCircle`.
    """
    left: set[str] = set()
    while (step := upcasts.get(stored["type"])) is not None:
        if stored["type"] in left:
            raise UpcastsCircle(stored["type"])
        left.add(stored["type"])
        stored = step(dict(stored))
    return stored
