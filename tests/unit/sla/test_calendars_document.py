"""Which calendar documents are accepted, and what is said about the others."""

import subprocess
import sys
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from deskwire_shared.contracts.calendar import ALWAYS_OPEN, Calendar

DOCUMENT: dict[str, Any] = {
    "name": "Berlin office",
    "time_zone": "Europe/Berlin",
    "hours": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]]},
    "holidays": {"country": "DE", "region": "BE", "dates": ["2026-05-15"], "yearly": ["12-24", "02-29"]},
    "exceptions": {"2026-12-31": [["09:00", "12:00"]], "2027-01-04": []},
}


def calendar(**changes: Any) -> Calendar:
    return Calendar.model_validate(DOCUMENT | changes)


def test_a_document_comes_back_as_it_was_written() -> None:
    assert calendar().model_dump(mode="json") == DOCUMENT
    assert Calendar.model_validate_json(calendar().model_dump_json()) == calendar()


def test_a_calendar_needs_no_more_than_a_name_a_time_zone_and_hours() -> None:
    assert Calendar.model_validate({"name": "short", "time_zone": "UTC", "hours": {"sun": [["00:00", "24:00"]]}})


def test_a_calendar_may_be_open_on_an_exception_only() -> None:
    assert calendar(hours={}).exceptions[date(2026, 12, 31)] == (("09:00", "12:00"),)


def test_around_the_clock_is_a_calendar() -> None:
    assert Calendar.model_validate_json(ALWAYS_OPEN.model_dump_json()) == ALWAYS_OPEN


def test_intervals_may_touch_and_come_in_any_order() -> None:
    assert calendar(hours={"tue": [["12:00", "13:00"], ["09:00", "12:00"]]}).hours["tue"] == (
        ("09:00", "12:00"),
        ("12:00", "13:00"),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "at least 1 character"),
        ({"name": "n" * 201}, "at most 200 characters"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        # Hours
        ({"hours": {"mon": [["9:00", "12:00"]]}}, "'9:00' is not a time of day: write HH:MM from 00:00 to 24:00"),
        ({"hours": {"mon": [["09:60", "12:00"]]}}, "'09:60' is not a time of day"),
        ({"hours": {"mon": [["09:00", "24:01"]]}}, "'24:01' is not a time of day"),
        ({"hours": {"mon": [["09:00\n", "12:00"]]}}, "is not a time of day"),
        ({"hours": {"mon": [["٠٩:٠٠", "12:00"]]}}, "is not a time of day"),
        ({"hours": {"mon": [["17:00", "09:00"]]}}, "17:00-09:00 does not end after it starts"),
        ({"hours": {"mon": [["22:00", "06:00"]]}}, "split a night shift at 24:00"),
        ({"hours": {"mon": [["09:00", "09:00"]]}}, "09:00-09:00 does not end after it starts"),
        ({"hours": {"mon": [["24:00", "24:00"]]}}, "24:00-24:00 does not end after it starts"),
        ({"hours": {"mon": [["09:00", "12:00"], ["11:00", "17:00"]]}}, "09:00-12:00 and 11:00-17:00 overlap"),
        ({"hours": {"mon": [["09:00", "17:00"], ["10:00", "11:00"]]}}, "09:00-17:00 and 10:00-11:00 overlap"),
        ({"hours": {"mon": [["09:00", "12:00"], ["09:00", "12:00"]]}}, "09:00-12:00 and 09:00-12:00 overlap"),
        ({"hours": {"mon": [["09:00"]]}}, "hours.mon.0.1"),
        ({"hours": {"mon": [["00:00", "00:01"]] * 49}}, "at most 48 items"),
        ({"hours": {"monday": []}}, "Input should be 'mon', 'tue'"),
        ({"hours": {"mon": [[9, 12]]}}, "Input should be a valid string"),
        # Never open
        ({"hours": {}, "exceptions": {}}, "the calendar is never open: give hours or an open exception"),
        ({"hours": {"mon": []}, "exceptions": {"2026-12-31": []}}, "the calendar is never open"),
        # Time zones
        ({"time_zone": "Europe/Atlantis"}, "unknown time zone 'Europe/Atlantis': write an IANA name such as"),
        ({"time_zone": "Europe"}, "unknown time zone 'Europe'"),
        ({"time_zone": ""}, "unknown time zone ''"),
        ({"time_zone": "../../etc/passwd"}, "unknown time zone"),
        ({"time_zone": "/etc/localtime"}, "unknown time zone"),
        ({"time_zone": "localtime"}, "unknown time zone 'localtime'"),
        ({"time_zone": "right/UTC"}, "unknown time zone 'right/UTC'"),
        ({"time_zone": "Europe/Berlin\0"}, "unknown time zone"),
        ({"time_zone": "Z" * 65}, "at most 64 characters"),
        # Holidays
        ({"holidays": {"country": "ZZ"}}, "unknown country 'ZZ': write an ISO 3166 code such as DE"),
        ({"holidays": {"country": "Germany"}}, "should match pattern"),
        ({"holidays": {"country": "DE", "region": "XX"}}, "unknown region 'XX' of country 'DE'"),
        ({"holidays": {"region": "BY"}}, "region 'BY' needs a country"),
        ({"holidays": {"country": "DE", "region": ""}}, "at least 1 character"),
        ({"holidays": {"dates": ["2026-02-30"]}}, "there is no 2026-02-30: day is out of range for month"),
        ({"holidays": {"dates": ["15.05.2026"]}}, "'15.05.2026' is not a date: write YYYY-MM-DD"),
        ({"holidays": {"dates": [1_800_000_000]}}, "1800000000 is not a date"),
        ({"holidays": {"dates": ["2026-01-01"] * 2001}}, "at most 2000 items"),
        ({"holidays": {"yearly": ["02-30"]}}, "there is no 2000-02-30"),
        ({"holidays": {"yearly": ["24.12."]}}, "'24.12.' is not a day of the year: write MM-DD"),
        ({"holidays": {"days": []}}, "Extra inputs are not permitted"),
        # Exceptions
        ({"exceptions": {"2026-13-01": []}}, "there is no 2026-13-01: month must be in 1..12"),
        ({"exceptions": {"tomorrow": []}}, "'tomorrow' is not a date"),
        ({"exceptions": {"2026-12-31": [["12:00", "09:00"]]}}, "12:00-09:00 does not end after it starts"),
    ],
)
def test_a_bad_document_is_refused_with_a_reason(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        calendar(**changes)
    assert message in str(refusal.value)


def test_a_calendar_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        calendar().name = "other"  # type: ignore[misc]


def test_holidays_of_a_year_are_public_own_and_yearly() -> None:
    days = calendar(holidays={"country": "DE", "dates": ["2026-05-15"], "yearly": ["12-24"]}).holidays
    assert {date(2026, 1, 1), date(2026, 5, 15), date(2026, 12, 24)} <= days.in_year(2026)
    assert date(2027, 5, 15) not in days.in_year(2027)
    assert date(2027, 12, 24) in days.in_year(2027)


def test_a_country_with_days_not_announced_yet_is_reckoned_without_them() -> None:
    assert date(2090, 1, 26) in calendar(holidays={"country": "IN"}).holidays.in_year(2090)


def test_the_holiday_tables_are_loaded_only_when_a_calendar_names_a_country() -> None:
    program = "import sys, deskwire_sla.calendars; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
