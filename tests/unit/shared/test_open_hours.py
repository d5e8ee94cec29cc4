"""Whether a calendar is open, and when it opens next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deskwire_shared.contracts.calendar import ALWAYS_OPEN, Calendar
from deskwire_shared.contracts.open_hours import LOOK_AHEAD_DAYS, OpenHours


def hours(**changes: Any) -> OpenHours:
    usual = {"name": "Office", "time_zone": "Europe/Berlin", "hours": {"mon": [["09:00", "17:00"]]}}
    return OpenHours(Calendar.model_validate(usual | changes))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-02T07:59:59", False),
        ("2026-03-02T08:00:00", True),
        ("2026-03-02T15:59:59", True),
        ("2026-03-02T16:00:00", False),
        ("2026-03-03T10:00:00", False),
    ],
)
def test_hours_are_open_from_their_start_and_no_longer_at_their_end(at: str, is_open: bool) -> None:
    assert hours().is_open(utc(at)) is is_open


def test_hours_that_are_open_open_now() -> None:
    assert hours().next_opening(utc("2026-03-02T12:00:00")) == utc("2026-03-02T12:00:00")


def test_the_next_opening_follows_the_clock_on_the_wall() -> None:
    assert hours().next_opening(utc("2026-03-23T17:00:00")) == utc("2026-03-30T07:00:00")


def test_a_holiday_moves_the_next_opening() -> None:
    closed = hours(holidays={"dates": ["2026-03-09"]})
    assert closed.next_opening(utc("2026-03-03T00:00:00")) == utc("2026-03-16T08:00:00")


def test_hours_that_are_over_for_good_never_open() -> None:
    past = hours(hours={}, exceptions={"2026-03-02": [["09:00", "17:00"]]})
    assert past.next_opening(utc("2026-03-03T00:00:00")) is None
    early = utc("2026-03-02T08:00:00") - timedelta(days=LOOK_AHEAD_DAYS + 1)
    assert past.next_opening(early) is None


def test_day_and_night_is_always_open() -> None:
    at = utc("2026-10-25T00:30:00")
    assert OpenHours(ALWAYS_OPEN).is_open(at)
    assert OpenHours(ALWAYS_OPEN).next_opening(at) == at
