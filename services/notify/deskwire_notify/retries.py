"""When to try again what did not leave, and when to give up."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Self

MOST_STEPS: Final = 12
"""Three to this power times anything is longer than any wait; more would overflow."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits that triple from `first` up to `longest`, until `give_up` after the first attempt.

    `spread` is the share by which a wait may be longer, so that what failed together is not tried again together.
    """

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=4)
    give_up: timedelta = timedelta(days=3)
    spread: float = 0.0

    def next_try(self, attempts: int, first_at: datetime, now: datetime, *, lot: float = 0.0) -> datetime | None:
        """Tell the moment of the next attempt after `attempts` failed ones; None to give up."""
        if now - first_at >= self.give_up:
            return None
        steps = min(attempts - 1, MOST_STEPS)
        wait: timedelta = self.first * 3**steps
        return now + min(self.longest, wait) * (1 + self.spread * lot)

    def at_most(self, give_up: timedelta) -> Self:
        """Give the same patience with an earlier end."""
        return replace(self, give_up=min(self.give_up, give_up))


def lot(name: str, attempts: int) -> float:
    """Draw a number from 0 to 1 for an attempt, the same one on every replica."""
    return int.from_bytes(sha256(f"{name} {attempts}".encode()).digest()[:4]) / 2**32
