"""The calendar document made ready for arithmetic: which stretches of time are open.

An interval such as 09:00-17:00 is turned into two instants, so it is an hour shorter or longer when the
clock changes inside it. Where one end of it does not exist or exists twice on that day, RFC 5545 decides: a
time skipped in spring counts from before the change (02:30 is then 03:30), a time repeated in autumn is its
first occurrence. A day runs from its first midnight to the next day's.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar, Intervals

Span: TypeAlias = tuple[int, int]
"""A half-open stretch of time in microseconds since 1970 in UTC."""

WallInterval: TypeAlias = tuple[timedelta, timedelta]
"""A half-open stretch of a local day, as the clock on the wall shows it."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LOOK_AHEAD_DAYS: Final = 400
"""How far the next opening is looked for: beyond a year, so that no long holiday hides it."""

FARTHEST: Final = timedelta(days=20 * 365)
"""How far it is looked for open time."""

_DAY = timedelta(days=1)
_DAYS_REMEMBERED = 4096


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
        first, last = microseconds(midnight), microseconds(midnight + _DAY)
        instants = [
            (max(first, microseconds(midnight + opens)), min(last, microseconds(midnight + closes)))
            for opens, closes in self._intervals_on(day)
        ]
        return tuple(united(instants))

    def _intervals_on(self, day: date) -> Sequence[WallInterval]:
        if (exception := self._exceptions.get(day)) is not None:
            return exception
        if day in self._holidays(day.year):
            return ()
        return self._weekly[day.weekday()]

    def between(self, start: int, end: int) -> Iterator[Span]:
        """Find the open stretches between two instants, in order."""
        # A day earlier and later: where clocks change at midnight, the local date runs ahead or is repeated.
        first, last = _local_day(start, self.zone) - 1, _local_day(max(start, end), self.zone) + 1
        for day in range(first, last + 1):
            for opens, closes in self.open_spans(day):
                if max(opens, start) < min(closes, end):
                    yield max(opens, start), min(closes, end)

    def is_open(self, at: datetime) -> bool:
        """Say whether a moment is within the hours."""
        instant = microseconds(at)
        return any(self.between(instant, instant + 1))

    def passed(self, start: datetime, amount: timedelta) -> datetime | None:
        """Find the moment at which so much open time has passed; None when it never will within FARTHEST."""
        begin, remaining = microseconds(start), amount // MICROSECOND
        for opens, closes in self.between(begin, begin + FARTHEST // MICROSECOND):
            if closes - opens >= remaining:
                return EPOCH + (opens + remaining) * MICROSECOND
            remaining -= closes - opens
        return None

    def next_opening(self, after: datetime) -> datetime | None:
        """Find the first open moment that is not before another one; None when there is none in over a year."""
        start = microseconds(after)
        end = start + timedelta(days=LOOK_AHEAD_DAYS) // MICROSECOND
        opens = next((opens for opens, _ in self.between(start, end)), None)
        return None if opens is None else EPOCH + opens * MICROSECOND


def united(spans: Iterable[Span]) -> list[Span]:
    """Join spans that touch or overlap, in order."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((start, end))
    return united


def microseconds(time: datetime) -> int:
    """Count the microseconds since 1970."""
    return (time - EPOCH) // MICROSECOND


def _wall_intervals(intervals: Intervals) -> tuple[WallInterval, ...]:
    return tuple((_since_midnight(opens), _since_midnight(closes)) for opens, closes in intervals)


def _since_midnight(wall_time: str) -> timedelta:
    hour, minute = wall_time.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _local_day(instant: int, zone: ZoneInfo) -> int:
    return (EPOCH + instant * MICROSECOND).astimezone(zone).toordinal()
