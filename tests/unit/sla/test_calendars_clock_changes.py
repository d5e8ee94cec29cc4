"""Open hours on the days on which clocks change."""

from datetime import UTC, datetime

import pytest

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_sla.calendars import due, elapsed

HOUR = 3600


def daily(time_zone: str, *intervals: tuple[str, str], **document: object) -> OpenHours:
    hours = dict.fromkeys(WEEKDAYS, intervals)
    return OpenHours(Calendar.model_validate({"name": "daily", "time_zone": time_zone, "hours": hours} | document))


def on_day(hours: OpenHours, day: str) -> list[tuple[str, str]]:
    """The open stretches of a local day, as UTC reads them."""
    ordinal = datetime.fromisoformat(day).toordinal()
    return [(_utc(opens), _utc(closes)) for opens, closes in hours.open_spans(ordinal)]


def _utc(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%d %H:%M")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_hours_across_the_spring_change_are_an_hour_shorter() -> None:
    night = daily("Europe/Berlin", ("01:00", "04:00"))
    assert on_day(night, "2026-03-29") == [("29 00:00", "29 02:00")]
    assert elapsed(night, at("2026-03-29 00:00"), at("2026-03-29 12:00")) == 2 * HOUR
    assert due(night, at("2026-03-28 23:00"), 2 * HOUR) == at("2026-03-29 02:00")


def test_hours_across_the_autumn_change_are_an_hour_longer() -> None:
    night = daily("Europe/Berlin", ("01:00", "04:00"))
    assert on_day(night, "2026-10-25") == [("24 23:00", "25 03:00")]
    assert elapsed(night, at("2026-10-24 22:00"), at("2026-10-25 12:00")) == 4 * HOUR
    assert due(night, at("2026-10-24 22:00"), 4 * HOUR) == at("2026-10-25 03:00")


def test_office_hours_keep_to_the_wall_clock_over_a_change() -> None:
    office = daily("Europe/Berlin", ("09:00", "17:00"))
    assert due(office, at("2026-03-28 15:00"), 2 * HOUR) == at("2026-03-29 08:00")
    assert due(office, at("2026-10-24 14:00"), 2 * HOUR) == at("2026-10-25 09:00")


def test_a_day_around_the_clock_has_23_or_25_hours() -> None:
    always = daily("America/New_York", ("00:00", "24:00"))
    assert on_day(always, "2026-03-08") == [("08 05:00", "09 04:00")]
    assert on_day(always, "2026-11-01") == [("01 04:00", "02 05:00")]


@pytest.mark.parametrize(
    ("interval", "opens_and_closes"),
    [
        (("02:30", "06:00"), [("29 01:30", "29 04:00")]),  # 02:30 is 03:30 summer time
        (("00:00", "02:30"), [("28 23:00", "29 01:30")]),
        (("02:15", "02:45"), [("29 01:15", "29 01:45")]),
        (("02:30", "03:15"), []),  # would end before it starts
        (("02:00", "03:00"), []),
    ],
)
def test_a_time_skipped_in_spring_counts_from_before_the_change(
    interval: tuple[str, str], opens_and_closes: list[tuple[str, str]]
) -> None:
    assert on_day(daily("Europe/Berlin", interval), "2026-03-29") == opens_and_closes


@pytest.mark.parametrize(
    ("interval", "opens_and_closes"),
    [
        (("02:30", "06:00"), [("25 00:30", "25 05:00")]),
        (("00:00", "02:30"), [("24 22:00", "25 00:30")]),
        (("02:15", "02:45"), [("25 00:15", "25 00:45")]),
        (("02:30", "03:00"), [("25 00:30", "25 02:00")]),
    ],
)
def test_a_time_repeated_in_autumn_is_its_first_occurrence(
    interval: tuple[str, str], opens_and_closes: list[tuple[str, str]]
) -> None:
    assert on_day(daily("Europe/Berlin", interval), "2026-10-25") == opens_and_closes


def test_intervals_that_a_change_moves_onto_each_other_count_once() -> None:
    split = daily("Europe/Berlin", ("02:00", "02:45"), ("03:00", "03:30"))
    assert on_day(split, "2026-03-29") == [("29 01:00", "29 01:45")]


def test_intervals_that_touch_are_one_stretch() -> None:
    assert on_day(daily("UTC", ("09:00", "12:00"), ("12:00", "17:00")), "2026-03-29") == [("29 09:00", "29 17:00")]


def test_a_change_at_midnight_starts_the_day_at_one() -> None:
    havana = daily("America/Havana", ("00:00", "24:00"))
    assert on_day(havana, "2026-03-08") == [("08 05:00", "09 04:00")]
    assert on_day(havana, "2026-11-01") == [("01 04:00", "02 05:00")]


def test_a_change_of_half_an_hour_counts_half_an_hour() -> None:
    island = daily("Australia/Lord_Howe", ("01:00", "04:00"))
    assert elapsed(island, at("2026-10-03 12:00"), at("2026-10-04 02:00")) == 2.5 * HOUR
    assert elapsed(island, at("2026-04-04 12:00"), at("2026-04-05 02:00")) == 3.5 * HOUR


def test_a_day_that_a_country_skips_is_never_open() -> None:
    samoa = daily("Pacific/Apia", ("09:00", "17:00"), exceptions={"2011-12-31": []})
    assert on_day(samoa, "2011-12-30") == []
    assert on_day(samoa, "2011-12-31") == []
    assert elapsed(samoa, at("2011-12-29 12:00"), at("2011-12-31 10:00")) == 8 * HOUR


def test_a_minute_past_midnight_that_goes_back_a_day_counts_every_second_once() -> None:
    always = daily("America/St_Johns", ("00:00", "24:00"))  # 00:01 became 23:01 of the day before
    start, end = at("2010-11-05 00:00"), at("2010-11-09 00:00")
    assert elapsed(always, start, end) == 96 * HOUR
    assert elapsed(always, at("2010-11-07 02:40"), at("2010-11-07 02:50")) == 600
    assert due(always, at("2010-11-07 02:45"), HOUR) == at("2010-11-07 03:45")


def test_a_midnight_that_is_skipped_counts_every_second_once() -> None:
    toronto = daily("America/Toronto", ("00:00", "01:30"), ("23:00", "24:00"))  # 23:30 became 00:30
    assert on_day(toronto, "1919-03-30")[-1] == ("31 04:00", "31 05:00")
    assert on_day(toronto, "1919-03-31")[0] == ("31 05:00", "31 05:30")
    early = daily("America/Toronto", ("00:30", "02:00"), ("23:00", "24:00"))
    assert on_day(early, "1919-03-31")[0] == ("31 05:00", "31 06:00")
    assert elapsed(early, at("1919-03-31 03:00"), at("1919-03-31 08:00")) == 2 * HOUR
    assert elapsed(early, at("1919-03-31 04:35"), at("1919-03-31 04:50")) == 900
