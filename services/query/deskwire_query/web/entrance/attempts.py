"""Slows down whoever guesses passwords: failures are counted per key for a while, and too many close the door."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=15)
KEYS_REMEMBERED: Final = 20_000


class Attempts:
    """Remembers recent failures by key, such as an address or a network peer."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()

    def wait(self, key: str, now: datetime) -> timedelta | None:
        """Tell how long the key has to wait; None when it may try."""
        recent = self._recent(key, now)
        return None if len(recent) < self._allowed else recent[-self._allowed] + WINDOW - now

    def tried(self, key: str, now: datetime) -> None:
        """Count an attempt as a failure until it is known better: many may be made at once."""
        self._failures[key] = [*self._recent(key, now), now]
        self._failures.move_to_end(key)
        if len(self._failures) > KEYS_REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    def forgiven(self, key: str, at: datetime) -> None:
        """Forget the attempt of a moment; it was none that failed."""
        if at in self._failures.get(key, ()):
            self._failures[key].remove(at)

    def _recent(self, key: str, now: datetime) -> list[datetime]:
        return [at for at in self._failures.get(key, ()) if now - at < WINDOW]
