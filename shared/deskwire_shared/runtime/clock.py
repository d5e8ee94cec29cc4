"""Where the time comes from: the only module that reads the system's clock."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time to code that must not read it for itself."""

    def now(self) -> datetime:
        """Tell the moment, as an aware time in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Tell the machine's moment in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = _in_utc(now)

    def now(self) -> datetime:
        """Tell the moment the clock was last moved to."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move the clock forward and tell the new moment; ValueError when the step leads back."""
        if step < timedelta():
            raise ValueError("a clock only moves forward; use `set` to choose a moment")
        self._now += step
        return self._now

    def set(self, now: datetime) -> None:
        """Put the clock to any moment."""
        self._now = _in_utc(now)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a clock needs an aware datetime")
    return moment.astimezone(UTC)
