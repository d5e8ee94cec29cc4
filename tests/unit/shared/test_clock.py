"""Where the time comes from."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from deskwire_shared.runtime.clock import ManualClock, SystemClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_systems_clock_tells_an_aware_time_in_utc() -> None:
    before = SystemClock().now()
    assert before.tzinfo is UTC
    assert SystemClock().now() >= before


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(NOON)
    assert clock.now() == NOON
    assert clock.advance(timedelta(minutes=5)) == NOON + timedelta(minutes=5)
    assert clock.now() == NOON + timedelta(minutes=5)


def test_a_manual_clock_can_be_put_to_any_moment() -> None:
    clock = ManualClock(NOON)
    clock.set(NOON - timedelta(days=1))
    assert clock.now() == NOON - timedelta(days=1)


def test_a_manual_clock_tells_utc_whatever_zone_it_was_given() -> None:
    berlin_noon = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=1)))
    assert ManualClock(berlin_noon).now().isoformat() == "2026-03-02T11:00:00+00:00"


def test_a_clock_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        ManualClock(NOON).advance(timedelta(seconds=-1))


def test_a_clock_needs_an_aware_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 3, 2, 12))  # noqa: DTZ001  # naive on purpose
