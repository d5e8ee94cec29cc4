"""Random questions, answered by two reckonings that share nothing with ours.

The first looks at the wall clock once a minute. The second is the `workclock` package, exact to the
microsecond, which knows neither pauses nor open exceptions.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import holidays
import pytest
from workclock import Break, Schedule, WorkDay
from workclock import Holidays as DaysOff

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_sla.calendars import due, elapsed

Document: TypeAlias = dict[str, Any]
EndedPause: TypeAlias = tuple[datetime, datetime]

CLOCK_CHANGES = {  # one in each direction, where the zone has any
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/Santiago": ("2026-04-05", "2026-09-06"),
    "America/Sao_Paulo": ("2018-02-18", "2018-11-04"),
    "America/St_Johns": ("2026-03-08", "2026-11-01"),
    "Asia/Kathmandu": ("2026-03-29", "2026-12-24"),
    "Asia/Tokyo": ("2026-05-05", "2026-12-31"),
    "Atlantic/Azores": ("2026-03-29", "2026-10-25"),
    "Australia/Adelaide": ("2026-04-05", "2026-10-04"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Europe/London": ("2026-03-29", "2026-10-25"),
    "Pacific/Auckland": ("2026-04-05", "2026-09-27"),
    "Pacific/Chatham": ("2026-04-05", "2026-09-27"),
}
PLACES = [None, ("DE", "BY"), ("DE", None), ("US", None), ("GB", "SCT"), ("JP", None), ("NZ", None)]
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

# On these times of day the two oracles agree. Inside a change RFC 5545 differs from looking at the wall.
OUTSIDE_CLOCK_CHANGES = [0, 60, *range(240, 1381, 5), 1440]
EVERY_MINUTE = range(1441)


def a_calendar(random: Random, time_zone: str, *, minutes: Any, near: date, with_open_exceptions: bool) -> Document:
    def some_day() -> str:
        return str(near + timedelta(days=random.randint(-20, 20)))

    def some_hours(most: int = 3) -> list[list[str]]:
        edges = sorted(random.sample(minutes, 2 * random.randint(0, most)))
        return [[_wall(opens), _wall(closes)] for opens, closes in zip(edges[::2], edges[1::2], strict=True)]

    place = random.choice(PLACES)
    hours: dict[str, list[list[str]]] = {day: some_hours() for day in WEEKDAYS}
    hours[random.choice(WEEKDAYS[:5])] = random.choice([[["09:00", "12:00"], ["13:00", "17:30"]], [["00:00", "24:00"]]])
    return {
        "name": "random",
        "time_zone": time_zone,
        "hours": hours,
        "holidays": {
            "country": place[0] if place else None,
            "region": place[1] if place else None,
            "dates": [some_day() for _ in range(random.randint(0, 3))],
            "yearly": [some_day()[5:] for _ in range(random.randint(0, 2))],
        },
        "exceptions": {
            some_day(): some_hours(2) if with_open_exceptions else [] for _ in range(random.randint(0, 3))
        },
    }  # fmt: skip


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minute(wall: str) -> int:
    return int(wall[:2]) * 60 + int(wall[3:])


@cache
def public_holidays(country: str, region: str | None) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=region, years=range(2005, 2032)))


def is_holiday(document: Document, day: date) -> bool:
    named = document["holidays"]
    return (
        str(day) in named["dates"]
        or str(day)[5:] in named["yearly"]
        or (named["country"] is not None and day in public_holidays(named["country"], named["region"]))
    )


# Looking at the wall clock once a minute


class WallClock:
    """The minutes of some weeks, each open or closed as the clock on the wall says."""

    def __init__(self, document: Document, start: datetime, minutes: int) -> None:
        zone = ZoneInfo(document["time_zone"])
        self.document = document
        self.start = start
        self.open = bytearray(minutes)
        for index in range(minutes):
            local = (start + index * MINUTE).astimezone(zone)
            self.open[index] = local.hour * 60 + local.minute in self.open_minutes(local.date())

    @cache  # noqa: B019 - lives as long as its test
    def open_minutes(self, day: date) -> frozenset[int]:
        closed = is_holiday(self.document, day)
        usual = [] if closed else self.document["hours"][WEEKDAYS[day.weekday()]]
        intervals = self.document["exceptions"].get(str(day), usual)
        return frozenset(m for opens, closes in intervals for m in range(_minute(opens), _minute(closes)))

    def elapsed(self, start: int, end: int, pauses: list[tuple[int, int]]) -> int:
        return self._unpaused(pauses).count(1, start, end)

    def due(self, start: int, amount: int, pauses: list[tuple[int, int]]) -> int | None:
        counting = self._unpaused(pauses)
        if counting.count(1, start) < amount:
            return None
        ends = range(start, len(counting) + 1)
        return ends[bisect_left(ends, amount, key=lambda end: counting.count(1, start, end))]

    def _unpaused(self, pauses: list[tuple[int, int]]) -> bytearray:
        counting = bytearray(self.open)
        for start, end in pauses:
            counting[start:end] = bytes(end - start)
        return counting


def some_pauses(random: Random, start: int, end: int) -> list[tuple[int, int]]:
    cuts = [random.randint(start, end) for _ in range(2 * random.choice([0, 0, 1, 2, 5]))]
    return [(min(pair), max(pair)) for pair in zip(cuts[::2], cuts[1::2], strict=True)]


@pytest.mark.parametrize("change", [0, 1])
@pytest.mark.parametrize("time_zone", CLOCK_CHANGES)
def test_counting_minutes_on_the_wall_gives_the_same(time_zone: str, change: int) -> None:
    random = Random(f"{time_zone} {change}")
    changes_on = date.fromisoformat(CLOCK_CHANGES[time_zone][change])
    document = a_calendar(random, time_zone, minutes=OUTSIDE_CLOCK_CHANGES, near=changes_on, with_open_exceptions=True)
    ours = OpenHours(Calendar.model_validate(document))
    first = datetime.combine(changes_on, time(), UTC) - timedelta(days=12)
    wall = WallClock(document, first, last := 28 * 1440)

    for _ in range(500):
        start = random.randrange(last // 2)
        end = random.randrange(start, last)
        pauses = some_pauses(random, max(0, start - 600), min(last, start + random.choice([600, 9000])))
        held = [(first + begin * MINUTE, first + until * MINUTE) for begin, until in pauses]
        begin, asked = first + start * MINUTE, (document, start, end, pauses)

        assert elapsed(ours, begin, first + end * MINUTE, held) == 60 * wall.elapsed(start, end, pauses), asked

        amount = random.randint(1, random.choice([60, 600, 3000]))
        expected = wall.due(start, amount, pauses)
        if expected is not None:
            assert due(ours, begin, 60 * amount, held) == first + expected * MINUTE, (*asked, amount)


# Asking the workclock package


class WorkClock:
    """A calendar as the package understands it, with pauses taken off by hand."""

    def __init__(self, document: Document, near: date) -> None:
        rules: list[WorkDay | Break | DaysOff] = []
        for weekday, name in enumerate(WEEKDAYS):
            rules += self._shift(weekday, document["hours"][name])
        days = (near + timedelta(days=n) for n in range(-60, 500))
        days_off = (day for day in days if str(day) in document["exceptions"] or is_holiday(document, day))
        self.schedule = Schedule([*rules, DaysOff(days_off)], time_zone=document["time_zone"])

    @staticmethod
    def _shift(weekday: int, hours: list[list[str]]) -> list[WorkDay | Break]:
        def clock(wall: str) -> time:
            return time(int(wall[:2]) % 24, int(wall[3:]))

        return [WorkDay(clock(opens), clock(closes), [weekday]) for opens, closes in hours]

    def elapsed(self, start: datetime, end: datetime, pauses: list[EndedPause]) -> timedelta:
        worked, cursor = timedelta(), start
        for begin, until in sorted(pauses):
            worked += self.schedule.between(cursor, min(max(begin, cursor), end))
            cursor = min(max(until, cursor), end)
        return worked + self.schedule.between(cursor, end)

    def due(self, start: datetime, amount: timedelta, pauses: list[EndedPause]) -> datetime:
        remaining, cursor = amount, start
        for begin, until in sorted(pauses):
            worked = self.schedule.between(cursor, max(begin, cursor))
            if worked >= remaining:
                break
            remaining, cursor = remaining - worked, max(until, cursor)
        return self.schedule.add(cursor, remaining)


@pytest.mark.parametrize("time_zone", [*CLOCK_CHANGES, "America/Asuncion", "Asia/Beirut", "Pacific/Apia"])
def test_the_workclock_package_gives_the_same(time_zone: str) -> None:
    random = Random(time_zone)
    for _ in range(12):
        near = date(random.randint(2012, 2026), random.randint(1, 12), 15)
        document = a_calendar(random, time_zone, minutes=EVERY_MINUTE, near=near, with_open_exceptions=False)
        ours, theirs = OpenHours(Calendar.model_validate(document)), WorkClock(document, near)
        for _ in range(100):
            ask_both(random, ours, theirs, near, document)


def ask_both(random: Random, ours: OpenHours, theirs: WorkClock, near: date, document: Document) -> None:
    first = datetime.combine(near, time(), UTC) - timedelta(days=30)
    month = 30 * 86_400
    start = first + random.randrange(month * 2) * SECOND
    end = start + random.randrange(month) * SECOND
    pauses = [
        (first + begin * SECOND, first + until * SECOND)
        for begin, until in some_pauses(random, 0, random.choice([month, month * 3]))
    ]
    amount = random.randint(1, random.choice([3600, 36_000, 400_000]))
    asked = (document, start, end, amount, pauses)

    assert elapsed(ours, start, end, pauses) == theirs.elapsed(start, end, pauses) // SECOND, asked
    assert due(ours, start, amount, pauses) == theirs.due(start, amount * SECOND, pauses), asked


def test_workclock_reads_lunch_as_a_break_and_gives_the_same() -> None:
    random = Random("lunch")
    office = dict.fromkeys(WEEKDAYS[:5], (("08:30", "12:00"), ("12:45", "17:00")))
    ours = OpenHours(
        Calendar.model_validate(
            {"name": "office", "time_zone": "Europe/Berlin", "hours": office, "holidays": {"country": "DE"}}
        )
    )
    rules: list[WorkDay | Break | DaysOff] = [
        WorkDay(time(8, 30), time(17)),
        Break(time(12), time(12, 45)),
        DaysOff(public_holidays("DE", None)),
    ]
    theirs = Schedule(rules, time_zone="Europe/Berlin")
    for _ in range(2000):
        start = datetime(2025, 1, 1, tzinfo=UTC) + random.randrange(2 * 365 * 86_400) * SECOND
        amount = random.randint(1, 200_000)
        assert due(ours, start, amount) == theirs.add(start, seconds=amount)
