from datetime import UTC, datetime, timedelta

import pytest

from deskwire_query.web import phrases
from deskwire_shared.contracts.calendar import Calendar

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (5400, "1 h 30 min"),
        (4 * 3600 + 1800, "4 h"), (86_400, "1 d"), (90_000, "1 d 1 h"), (5 * 86_400, "5 d"), (-120, "2 min"),
    ],
)  # fmt: skip
def test_a_length_of_time_is_said_as_short_as_it_helps(seconds: float, words: str) -> None:
    assert phrases.span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "in_calendar", "words"),
    [
        (40 * 3600, True, "40 h"), (40 * 3600, False, "1 d 16 h"), (3 * 3600 + 1800, True, "3 h 30 min"), (90, True, "1 min 30 s"),
    ],
)  # fmt: skip
def test_a_promise_is_said_exactly_and_in_days_only_where_a_day_has_24_hours(
    seconds: int, in_calendar: bool, words: str
) -> None:
    assert phrases.amount(seconds, in_calendar=in_calendar) == words


def test_a_week_is_said_in_the_order_of_its_days_with_those_that_are_alike_together() -> None:
    lunch, short = (("09:00", "12:00"), ("13:00", "17:00")), (("10:00", "14:00"),)
    hours = {"fri": lunch, "mon": lunch, "sat": short, "thu": lunch, "tue": lunch, "wed": lunch}
    assert phrases.week(Calendar(name="C", time_zone="UTC", hours=hours).hours) == (
        "Mon–Fri 09:00–12:00, 13:00–17:00 · Sat 10:00–14:00"
    )
    assert phrases.week({}) == "Never open"


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(), "now"), (timedelta(minutes=5), "5 min"), (timedelta(hours=3), "3 h"), (timedelta(days=2), "2 d"),
        (timedelta(days=20), "10 Feb"), (timedelta(days=400), "26 Jan 2025"), (-timedelta(hours=1), "now"),
    ],
)  # fmt: skip
def test_the_past_is_said_in_words_while_it_is_near_and_by_its_day_later(before: timedelta, words: str) -> None:
    assert phrases.ago(NOW - before, NOW) == words


def test_a_promise_is_due_in_some_time_or_late_by_some_time() -> None:
    assert phrases.due(NOW + timedelta(minutes=24), NOW) == "in 24 min"
    assert phrases.due(NOW - timedelta(hours=5), NOW) == "5 h late"


@pytest.mark.parametrize(("count", "words"), [(812, "812 B"), (45_210, "45 kB"), (3_200_000, "3.2 MB")])
def test_a_size_is_said_in_one_unit(count: int, words: str) -> None:
    assert phrases.size(count) == words


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ann Lee", "AL"), ("Ann van der Lee", "AL"), ("ann", "A"), ("a.lee@x.example", "AE"), ("", "?"), ("«»", "?")],
)
def test_a_name_is_shortened_to_one_or_two_letters(name: str, letters: str) -> None:
    assert phrases.initials(name) == letters
