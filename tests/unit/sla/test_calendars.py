"""When something is due on a calendar, and how much open time has passed: the rules, by example."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deskwire_shared.contracts.calendar import ALWAYS_OPEN, WEEKDAYS, Calendar
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_sla.calendars import (
    InstantOutOfRange,
    NaiveInstant,
    NeverDue,
    Pause,
    due,
    elapsed,
)

HOUR = 3600
OFFICE_DAY = [["09:00", "12:00"], ["13:00", "17:00"]]
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def open_hours(**document: Any) -> OpenHours:
    office = dict.fromkeys(WEEKDAYS[:5], OFFICE_DAY)
    return OpenHours(Calendar.model_validate({"name": "office", "time_zone": "UTC", "hours": office} | document))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def pause(start: str, end: str | None = None) -> Pause:
    return at(start), at(end) if end else None


OFFICE = open_hours()


def test_lunch_does_not_count() -> None:
    assert due(OFFICE, at("2026-01-05 11:00"), 2 * HOUR) == at("2026-01-05 14:00")
    assert elapsed(OFFICE, at("2026-01-05 11:00"), at("2026-01-05 14:00")) == 2 * HOUR


def test_a_weekend_does_not_count() -> None:
    assert due(OFFICE, at("2026-01-09 16:00"), 2 * HOUR) == at("2026-01-12 10:00")
    assert elapsed(OFFICE, at("2026-01-09 17:00"), at("2026-01-12 09:00")) == 0


def test_time_starts_to_count_when_the_office_opens() -> None:
    assert due(OFFICE, at("2026-01-05 03:00"), HOUR) == at("2026-01-05 10:00")


def test_hours_that_end_as_the_time_is_up_make_it_due_at_their_end() -> None:
    assert due(OFFICE, at("2026-01-05 09:00"), 7 * HOUR) == at("2026-01-05 17:00")
    assert due(OFFICE, at("2026-01-05 09:00"), 3 * HOUR) == at("2026-01-05 12:00")


def test_one_second_more_is_due_when_the_next_hours_begin() -> None:
    assert due(OFFICE, at("2026-01-05 09:00"), 7 * HOUR + 1) == at("2026-01-06 09:00:01")


@pytest.mark.parametrize("start", ["2026-01-05 10:00", "2026-01-05 12:30", "2026-01-04 00:00"])
def test_nothing_is_due_at_the_start_itself_open_or_not(start: str) -> None:
    assert due(OFFICE, at(start), 0) == at(start)


def test_nothing_is_due_at_the_start_even_in_a_pause_without_an_end() -> None:
    assert due(OFFICE, MONDAY, 0, [(MONDAY, None)]) == MONDAY


def test_seconds_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="seconds must not be negative: -1"):
        due(OFFICE, MONDAY, -1)


def test_nothing_has_elapsed_at_an_end_before_the_start() -> None:
    assert elapsed(OFFICE, at("2026-01-06 10:00"), at("2026-01-05 10:00")) == 0
    assert elapsed(OFFICE, at("2026-01-05 11:00"), at("2026-01-05 10:00")) == 0
    assert elapsed(OFFICE, at("2026-01-05 11:00"), at("2026-01-05 11:00")) == 0


def test_due_is_in_utc_whatever_the_offset_of_the_start() -> None:
    instant = due(OFFICE, datetime.fromisoformat("2026-01-05T14:00:00+05:30"), HOUR)
    assert instant == at("2026-01-05 10:00")
    assert instant is not None
    assert instant.tzinfo is UTC


def test_a_fraction_of_a_second_is_kept_by_due_and_cut_off_by_elapsed() -> None:
    start = at("2026-01-05 10:00:00.250")
    assert due(OFFICE, start, 60) == at("2026-01-05 10:01:00.250")
    assert elapsed(OFFICE, start, at("2026-01-05 10:01:00.249")) == 59


def test_around_the_clock_every_second_counts() -> None:
    always = OpenHours(ALWAYS_OPEN)
    month = timedelta(days=31)
    assert due(always, MONDAY, int(month.total_seconds())) == MONDAY + month
    assert elapsed(always, MONDAY, MONDAY + month) == month.total_seconds()


def test_hours_until_midnight_run_on_into_the_next_day() -> None:
    night = open_hours(hours={"mon": [["22:00", "24:00"]], "tue": [["00:00", "06:00"]]})
    assert due(night, at("2026-01-05 23:00"), 2 * HOUR) == at("2026-01-06 01:00")
    assert due(night, at("2026-01-05 22:00"), 8 * HOUR) == at("2026-01-06 06:00")


def test_hours_are_meant_in_the_time_zone_of_the_calendar() -> None:
    kathmandu = open_hours(time_zone="Asia/Kathmandu")
    assert due(kathmandu, MONDAY, HOUR) == at("2026-01-05 04:15")


# Holidays and exceptions


def test_a_public_holiday_does_not_count() -> None:
    germany = open_hours(holidays={"country": "DE"})
    assert due(germany, at("2026-04-02 16:00"), 2 * HOUR) == at("2026-04-07 10:00")  # over Easter


def test_a_holiday_of_the_region_counts_elsewhere_in_the_country() -> None:
    epiphany = at("2026-01-06 00:00")
    bavaria = open_hours(holidays={"country": "DE", "region": "BY"})
    hamburg = open_hours(holidays={"country": "DE", "region": "HH"})
    assert elapsed(bavaria, epiphany, epiphany + timedelta(days=1)) == 0
    assert elapsed(hamburg, epiphany, epiphany + timedelta(days=1)) == 7 * HOUR


def test_a_holiday_on_a_weekend_is_made_up_for_where_the_country_does_so() -> None:
    united_states = open_hours(holidays={"country": "US"})
    assert elapsed(united_states, at("2026-07-03 00:00"), at("2026-07-04 00:00")) == 0


def test_a_date_of_its_own_is_a_holiday_once() -> None:
    office = open_hours(holidays={"dates": ["2026-01-06"]})
    assert elapsed(office, at("2026-01-06 00:00"), at("2026-01-07 00:00")) == 0
    assert elapsed(office, at("2027-01-06 00:00"), at("2027-01-07 00:00")) == 7 * HOUR


def test_a_yearly_date_is_a_holiday_every_year() -> None:
    office = open_hours(holidays={"yearly": ["12-24"]})
    for year in range(2024, 2029):
        christmas_eve = datetime(year, 12, 24, tzinfo=UTC)
        assert elapsed(office, christmas_eve, christmas_eve + timedelta(days=1)) == 0


def test_the_29th_of_february_is_a_holiday_in_leap_years_only() -> None:
    daily = open_hours(hours={day: [["00:00", "24:00"]] for day in WEEKDAYS}, holidays={"yearly": ["02-29"]})
    assert elapsed(daily, at("2028-02-28 00:00"), at("2028-03-02 00:00")) == 48 * HOUR
    assert elapsed(daily, at("2027-02-28 00:00"), at("2027-03-02 00:00")) == 48 * HOUR


def test_an_exception_opens_a_holiday() -> None:
    office = open_hours(
        holidays={"country": "DE", "yearly": ["12-31"]},
        exceptions={"2026-12-31": [["09:00", "12:00"]], "2026-12-25": [["10:00", "11:00"]]},
    )
    assert elapsed(office, at("2026-12-31 00:00"), at("2027-01-01 00:00")) == 3 * HOUR
    assert elapsed(office, at("2026-12-25 00:00"), at("2026-12-26 00:00")) == HOUR


def test_an_exception_without_hours_closes_the_day() -> None:
    office = open_hours(exceptions={"2026-01-06": []})
    assert due(office, at("2026-01-05 16:00"), 2 * HOUR) == at("2026-01-07 10:00")


def test_an_exception_opens_a_weekend() -> None:
    office = open_hours(exceptions={"2026-01-10": [["10:00", "14:00"]]})
    assert due(office, at("2026-01-09 16:00"), 2 * HOUR) == at("2026-01-10 11:00")


# Pauses


def test_a_pause_puts_off_what_is_due() -> None:
    held = [pause("2026-01-05 10:00", "2026-01-05 11:30")]
    assert due(OFFICE, at("2026-01-05 09:00"), 2 * HOUR, held) == at("2026-01-05 13:30")


def test_a_pause_outside_of_hours_changes_nothing() -> None:
    held = [pause("2026-01-05 17:00", "2026-01-06 09:00"), pause("2026-01-05 12:00", "2026-01-05 13:00")]
    assert due(OFFICE, at("2026-01-05 09:00"), 8 * HOUR, held) == at("2026-01-06 10:00")


def test_pauses_that_overlap_count_once_in_any_order() -> None:
    held = [
        pause("2026-01-05 10:30", "2026-01-05 11:30"),
        pause("2026-01-05 10:00", "2026-01-05 11:00"),
        pause("2026-01-05 10:40", "2026-01-05 10:50"),
    ]
    assert due(OFFICE, at("2026-01-05 09:00"), 90 * 60, held) == at("2026-01-05 12:00")
    assert elapsed(OFFICE, at("2026-01-05 09:00"), at("2026-01-05 12:00"), held) == 90 * 60


def test_a_pause_under_way_at_the_start_holds_from_the_start() -> None:
    held = [pause("2026-01-04 00:00", "2026-01-05 10:00")]
    assert due(OFFICE, at("2026-01-05 09:00"), HOUR, held) == at("2026-01-05 11:00")


def test_time_is_up_at_the_start_of_a_pause_not_at_its_end() -> None:
    held = [pause("2026-01-05 10:00", "2026-01-05 11:00")]
    assert due(OFFICE, at("2026-01-05 09:00"), HOUR, held) == at("2026-01-05 10:00")


def test_a_pause_that_ends_before_it_starts_pauses_nothing() -> None:
    held = [pause("2026-01-05 11:00", "2026-01-05 10:00")]
    assert due(OFFICE, at("2026-01-05 09:00"), 3 * HOUR, held) == at("2026-01-05 12:00")


def test_nothing_is_due_while_a_pause_without_an_end_holds_the_rest() -> None:
    assert due(OFFICE, at("2026-01-05 09:00"), 2 * HOUR, [pause("2026-01-05 10:00")]) is None


def test_what_is_due_before_a_pause_without_an_end_stays_due() -> None:
    held = [pause("2026-01-05 12:00"), pause("2026-01-05 11:00"), pause("2026-01-05 13:30")]
    assert due(OFFICE, at("2026-01-05 09:00"), 2 * HOUR, held) == at("2026-01-05 11:00")
    assert due(OFFICE, at("2026-01-05 09:00"), 2 * HOUR + 1, held) is None


def test_no_time_elapses_in_a_pause_without_an_end() -> None:
    held = [pause("2026-01-05 10:00"), pause("2026-01-05 09:15", "2026-01-05 09:30")]
    assert elapsed(OFFICE, at("2026-01-05 09:00"), at("2026-02-05 09:00"), held) == 45 * 60


def test_no_time_elapses_in_a_pause_that_began_before_the_start() -> None:
    held = [pause("2026-01-05 09:30")]
    assert elapsed(OFFICE, at("2026-01-05 10:00"), at("2026-01-05 11:00"), held) == 0
    assert due(OFFICE, at("2026-01-05 10:00"), 1, held) is None


# Refusals


def test_more_than_twenty_years_of_open_time_are_never_due() -> None:
    hourly = open_hours(hours={"mon": [["09:00", "10:00"]]})
    with pytest.raises(NeverDue, match="3960000 open seconds do not pass within 20 years"):
        due(hourly, MONDAY, 1100 * HOUR)
    assert due(hourly, MONDAY, 1000 * HOUR) == at("2045-02-27 10:00")


def test_a_calendar_of_past_exceptions_is_never_due() -> None:
    once = open_hours(hours={}, exceptions={"2025-01-04": [["10:00", "14:00"]]})
    with pytest.raises(NeverDue):
        due(once, MONDAY, 1)


def test_a_pause_without_an_end_beyond_the_horizon_does_not_hide_that_it_is_never_due() -> None:
    with pytest.raises(NeverDue):
        due(OFFICE, MONDAY, 10**12, [pause("2100-01-01 00:00")])


def test_a_pause_past_the_horizon_makes_it_never_due() -> None:
    with pytest.raises(NeverDue):
        due(OFFICE, MONDAY, 1, [pause("2026-01-01 00:00", "2046-02-01 00:00")])


@pytest.mark.parametrize("position", ["start", "end", "pause start", "pause end"])
def test_a_time_without_an_offset_is_refused(position: str) -> None:
    times = dict.fromkeys(["start", "end", "pause start", "pause end"], MONDAY)
    times[position] = datetime(2026, 1, 5, 9)  # noqa: DTZ001 - the case
    with pytest.raises(NaiveInstant, match=r"2026-01-05T09:00:00 has no UTC offset"):
        elapsed(OFFICE, times["start"], times["end"], [(times["pause start"], times["pause end"])])


@pytest.mark.parametrize("year", [1, 1899, 2201, 9999])
def test_a_time_far_from_the_present_is_refused(year: int) -> None:
    with pytest.raises(InstantOutOfRange, match="outside the years 1900 to 2200"):
        due(OFFICE, datetime(year, 6, 1, tzinfo=UTC), 1)


def test_the_first_and_the_last_year_can_be_reckoned_with() -> None:
    everywhere = [open_hours(time_zone=zone) for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago")]
    for hours in everywhere:
        assert due(hours, datetime(1900, 1, 1, tzinfo=UTC), HOUR) is not None
        assert due(hours, datetime(2200, 12, 31, 23, 59, tzinfo=UTC), HOUR) is not None


def test_two_centuries_can_be_counted() -> None:
    always = OpenHours(ALWAYS_OPEN)
    start, end = datetime(1990, 1, 1, tzinfo=UTC), datetime(2190, 1, 1, tzinfo=UTC)
    assert elapsed(always, start, end) == (end - start).total_seconds()
