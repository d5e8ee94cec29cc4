"""What holds for every calendar, start and number of seconds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_sla.calendars import NeverDue, Pause, due, elapsed

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"]
PLACES: list[dict[str, str]] = [{}, {"country": "DE", "region": "BY"}, {"country": "US"}]
SOME_YEARS = (datetime(2010, 1, 1), datetime(2028, 1, 1))  # noqa: DTZ001 - hypothesis adds the zone

instants = st.datetimes(*SOME_YEARS, timezones=st.just(UTC))
amounts = st.integers(0, 2_000_000)
holds_for = settings(deadline=None)


@st.composite
def intervals(draw: Callable[..., Any]) -> list[tuple[str, str]]:
    minutes = draw(st.lists(st.integers(0, 1440), unique=True, max_size=6).map(sorted))
    walls = [f"{minute // 60:02}:{minute % 60:02}" for minute in minutes]
    return list(zip(walls[::2], walls[1::2], strict=False))


@st.composite
def open_hours(draw: Callable[..., Any]) -> OpenHours:
    hours = draw(st.fixed_dictionaries(dict.fromkeys(WEEKDAYS, intervals())))
    exceptions = draw(st.dictionaries(st.dates(SOME_YEARS[0].date(), SOME_YEARS[1].date()), intervals(), max_size=3))
    assume(any(hours.values()) or any(exceptions.values()))
    return OpenHours(
        Calendar(
            name="any",
            time_zone=draw(st.sampled_from(ZONES)),
            hours=hours,
            holidays=draw(st.sampled_from(PLACES)),
            exceptions=exceptions,
        )
    )  # fmt: skip


def pauses_around(start: datetime) -> st.SearchStrategy[list[Pause]]:
    near = st.integers(-100_000, 1_000_000).map(lambda seconds: start + timedelta(seconds=seconds))
    return st.lists(st.tuples(near, near | st.none()), max_size=4)


def due_at(hours: OpenHours, start: datetime, seconds: int, pauses: list[Pause]) -> datetime:
    """When it is due; a case in which it never is proves nothing."""
    try:
        instant = due(hours, start, seconds, pauses)
    except NeverDue:
        instant = None
    assume(instant is not None)
    assert instant is not None
    return instant


@holds_for
@given(st.data(), open_hours(), instants, amounts)
def test_when_it_is_due_exactly_that_much_has_elapsed(
    data: st.DataObject, hours: OpenHours, start: datetime, seconds: int
) -> None:
    pauses = data.draw(pauses_around(start))
    assert elapsed(hours, start, due_at(hours, start, seconds, pauses), pauses) == seconds


@holds_for
@given(st.data(), open_hours(), instants, amounts)
def test_before_it_is_due_less_has_elapsed(
    data: st.DataObject, hours: OpenHours, start: datetime, seconds: int
) -> None:
    pauses = data.draw(pauses_around(start))
    before = due_at(hours, start, seconds + 1, pauses) - timedelta(microseconds=1)
    assert elapsed(hours, start, before, pauses) == seconds


@holds_for
@given(st.data(), open_hours(), instants, amounts, amounts)
def test_more_seconds_are_never_due_earlier(
    data: st.DataObject, hours: OpenHours, start: datetime, seconds: int, more: int
) -> None:
    pauses = data.draw(pauses_around(start))
    later = due_at(hours, start, seconds + more, pauses)
    sooner = due(hours, start, seconds, pauses)
    assert sooner is not None
    assert sooner <= later


@holds_for
@given(open_hours(), instants, instants, amounts)
def test_a_later_start_is_never_due_earlier(hours: OpenHours, start: datetime, other: datetime, seconds: int) -> None:
    earlier, later = sorted([start, other])
    assert due_at(hours, earlier, seconds, []) <= due_at(hours, later, seconds, [])


@holds_for
@given(st.data(), open_hours(), instants, st.lists(st.integers(0, 10_000_000), min_size=3, max_size=3))
def test_two_stretches_add_up_to_the_whole(
    data: st.DataObject, hours: OpenHours, base: datetime, offsets: list[int]
) -> None:
    start, middle, end = (base.replace(microsecond=0) + timedelta(seconds=offset) for offset in sorted(offsets))
    pauses = data.draw(pauses_around(start))
    parts = elapsed(hours, start, middle, pauses) + elapsed(hours, middle, end, pauses)
    assert parts == elapsed(hours, start, end, pauses)


@holds_for
@given(st.data(), open_hours(), instants, amounts)
def test_no_more_elapses_than_time_passes_nor_more_with_a_pause_than_without(
    data: st.DataObject, hours: OpenHours, start: datetime, passed: int
) -> None:
    end = start + timedelta(seconds=passed)
    pauses = data.draw(pauses_around(start))
    assert 0 <= elapsed(hours, start, end, pauses) <= elapsed(hours, start, end) <= passed


@holds_for
@given(open_hours(), st.dates(SOME_YEARS[0].date(), SOME_YEARS[1].date()))
def test_the_open_stretches_of_days_are_in_order_and_apart(hours: OpenHours, day: Any) -> None:
    first = day.toordinal()
    edges = [edge for ordinal in range(first, first + 9) for span in hours.open_spans(ordinal) for edge in span]
    assert edges == sorted(edges)
    assert all(opens < closes for opens, closes in zip(edges[::2], edges[1::2], strict=True))
