"""Business-hours arithmetic: when a number of open seconds has passed, and how many have.

Instants are exact to the microsecond, amounts are whole seconds.

An interval such as 09:00-17:00 is turned into two instants, so it is an hour shorter or longer when the
clock changes inside it. Where one end of it does not exist or exists twice on that day, RFC 5545 decides: a
time skipped in spring counts from before the change (02:30 is then 03:30), a time repeated in autumn is its
first occurrence. A day runs from its first midnight to the next day's.

    CalendarError
    ├── NeverDue             the calendar does not hold that much open time within 20 years
    ├── NaiveInstant         a time without a UTC offset is not an instant
    └── InstantOutOfRange    before 1900 or after 2200
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar, Intervals

Pause: TypeAlias = tuple[datetime, datetime | None]
"""A half-open stretch in which no time counts; without an end it lasts until further notice."""

Span: TypeAlias = tuple[int, int]
"""A half-open stretch of time in microseconds since 1970 in UTC."""

WallInterval: TypeAlias = tuple[timedelta, timedelta]
"""A half-open stretch of a local day, as the clock on the wall shows it."""

HORIZON_YEARS = 20
FIRST_YEAR, LAST_YEAR = 1900, 2200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_DAY = timedelta(days=1)
_HORIZON = timedelta(days=HORIZON_YEARS * 365.25) // _MICROSECOND
_NEVER = timedelta.max // _MICROSECOND
_DAYS_REMEMBERED = 4096


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


class OpenHours:
    """A calendar made ready for arithmetic; it remembers the days it has looked at."""

    def __init__(self, calendar: Calendar) -> None:
        self.zone = ZoneInfo(calendar.time_zone)
        self._weekly = [_wall_intervals(calendar.hours.get(weekday, ())) for weekday in WEEKDAYS]
        self._exceptions = {day: _wall_intervals(day_hours) for day, day_hours in calendar.exceptions.items()}
        self._holidays = lru_cache(calendar.holidays.in_year)
        self.open_spans = lru_cache(maxsize=_DAYS_REMEMBERED)(self._open_spans)

    def _open_spans(self, ordinal: int) -> tuple[Span, ...]:
        """Find the stretches of a local day that are open, in order and apart from each other."""
        day = date.fromordinal(ordinal)
        midnight = datetime.combine(day, time.min, self.zone)
        first, last = _microseconds(midnight), _microseconds(midnight + _DAY)
        instants = [
            (max(first, _microseconds(midnight + opens)), min(last, _microseconds(midnight + closes)))
            for opens, closes in self._intervals_on(day)
        ]
        return tuple(_union(instants))

    def _intervals_on(self, day: date) -> Sequence[WallInterval]:
        if (exception := self._exceptions.get(day)) is not None:
            return exception
        if day in self._holidays(day.year):
            return ()
        return self._weekly[day.weekday()]


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
        return _EPOCH + begin * _MICROSECOND
    closed_pauses, suspended = _settled(pauses)
    horizon = begin + _HORIZON
    for opens, closes in _counting(hours, begin, min(horizon, suspended), closed_pauses):
        if closes - opens >= remaining:
            return _EPOCH + (opens + remaining) * _MICROSECOND
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
    open_spans = _open_between(hours, start, end)
    return _without(pauses, open_spans) if pauses else open_spans


def _open_between(hours: OpenHours, start: int, end: int) -> Iterator[Span]:
    # A day earlier and later: where clocks change at midnight, the local date runs ahead or is repeated.
    first, last = _local_day(start, hours.zone) - 1, _local_day(max(start, end), hours.zone) + 1
    for day in range(first, last + 1):
        for opens, closes in hours.open_spans(day):
            if max(opens, start) < min(closes, end):
                yield max(opens, start), min(closes, end)


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
    return _union(ended), suspended


def _union(spans: Iterable[Span]) -> list[Span]:
    united: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((start, end))
    return united


def _wall_intervals(intervals: Intervals) -> tuple[WallInterval, ...]:
    return tuple((_since_midnight(opens), _since_midnight(closes)) for opens, closes in intervals)


def _since_midnight(wall_time: str) -> timedelta:
    hour, minute = wall_time.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _local_day(instant: int, zone: ZoneInfo) -> int:
    return (_EPOCH + instant * _MICROSECOND).astimezone(zone).toordinal()


def _instant(time: datetime) -> int:
    if time.utcoffset() is None:
        raise NaiveInstant(time)
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise InstantOutOfRange(time)
    return _microseconds(time)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
