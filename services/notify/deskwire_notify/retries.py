"""When to try again what did not leave, and when to give up."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

MOST_STEPS: Final = 12
"""Three to this power times anything is longer than any wait; more would overflow."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits that triple from `first` up to `longest`, until `give_up` after the first attempt."""

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=4)
    give_up: timedelta = timedelta(days=3)

    def next_try(self, attempts: int, first_at: datetime, now: datetime) -> datetime | None:
        """Tell the moment of the next attempt after `attempts` failed ones; None to give up."""
        if now - first_at >= self.give_up:
            return None
        steps = min(attempts - 1, MOST_STEPS)
        wait: timedelta = self.first * 3**steps
        return now + min(self.longest, wait)

    def at_most(self, give_up: timedelta) -> Self:
        """Give the same patience with an earlier end."""
        return replace(self, give_up=min(self.give_up, give_up))
