"""Business-hours arithmetic: when a number of open seconds has passed, and how many have.

Instants are exact to the microsecond, amounts are whole seconds.

How the hours of a day become instants is told in `contracts.open_hours`.

    CalendarError
    ├── NeverDue             the calendar does not hold that much open time within 20 years
    ├── NaiveInstant         a time without a UTC offset is not an instant
    └── InstantOutOfRange    before 1900 or after 2200
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from deskwire_shared.contracts.open_hours import EPOCH, MICROSECOND, OpenHours, Span, microseconds, united

Pause: TypeAlias = tuple[datetime, datetime | None]
"""A half-open stretch in which no time counts; without an end it lasts until further notice."""

HORIZON_YEARS = 20
FIRST_YEAR, LAST_YEAR = 1900, 2200

_SECOND = 1_000_000
_HORIZON = timedelta(days=HORIZON_YEARS * 365.25) // MICROSECOND
_NEVER = timedelta.max // MICROSECOND


class CalendarError(ValueError):
    """A question about open time that has no answer."""


class NeverDue(CalendarError):
    """The calendar does not hold that much open time within the horizon."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} open seconds do not pass within {HORIZON_YEARS} years")


class NaiveInstant(CalendarError):
    """A time without a UTC offset is not an instant."""

    def __init__(self, time: datetime) -> None:
        super().__init__(f"{time.isoformat()} has no UTC offset: write Z or +01:00 behind it")


class InstantOutOfRange(CalendarError):
    """A help desk has no business so far from the present."""

    def __init__(self, time: datetime) -> None:
        super().__init__(f"{time.isoformat()} is outside the years {FIRST_YEAR} to {LAST_YEAR}")


def due(hours: OpenHours, start: datetime, seconds: int, pauses: Iterable[Pause] = ()) -> datetime | None:
    """Find the earliest instant at which that many open, unpaused seconds have passed since the start.

    Hours that end exactly when the time is up make it due at their end, not when they next begin; no
    seconds at all are due at the start, open or not. None while a pause without an end holds the rest.
    Raises NeverDue when 20 years do not hold enough open time.
    """
    if seconds < 0:
        raise ValueError(f"seconds must not be negative: {seconds}")
    begin, remaining = _instant(start), seconds * _SECOND
    if not remaining:
        return EPOCH + begin * MICROSECOND
    closed_pauses, suspended = _settled(pauses)
    horizon = begin + _HORIZON
    for opens, closes in _counting(hours, begin, min(horizon, suspended), closed_pauses):
        if closes - opens >= remaining:
            return EPOCH + (opens + remaining) * MICROSECOND
        remaining -= closes - opens
    if suspended > horizon:
        raise NeverDue(seconds)
    return None


def elapsed(hours: OpenHours, start: datetime, end: datetime, pauses: Iterable[Pause] = ()) -> int:
    """Count the whole open, unpaused seconds between two instants; none unless the end is after the start."""
    closed_pauses, suspended = _settled(pauses)
    counting = _counting(hours, _instant(start), min(_instant(end), suspended), closed_pauses)
    return sum(closes - opens for opens, closes in counting) // _SECOND


def _counting(hours: OpenHours, start: int, end: int, pauses: list[Span]) -> Iterator[Span]:
    open_spans = hours.between(start, end)
    return _without(pauses, open_spans) if pauses else open_spans


def _without(pauses: list[Span], spans: Iterable[Span]) -> Iterator[Span]:
    ahead = deque(pauses)
    for start, end in spans:
        counted = start
        while ahead and ahead[0][1] <= start:
            ahead.popleft()
        for paused, resumed in ahead:
            if paused >= end:
                break
            if paused > counted:
                yield counted, paused
            counted = resumed
        if counted < end:
            yield counted, end


def _settled(pauses: Iterable[Pause]) -> tuple[list[Span], int]:
    """Tell the pauses with an end, as separate spans, and the instant from which one without an end holds."""
    ended, suspended = [], _NEVER
    for start, end in pauses:
        if end is None:
            suspended = min(suspended, _instant(start))
        else:
            ended.append((_instant(start), _instant(end)))
    return united(ended), suspended


def _instant(time: datetime) -> int:
    if time.utcoffset() is None:
        raise NaiveInstant(time)
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise InstantOutOfRange(time)
    return microseconds(time)
