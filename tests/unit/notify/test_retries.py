"""When to try again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deskwire_notify.retries import Patience, lot

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PATIENCE = Patience()


def wait_after(attempts: int) -> timedelta:
    moment = PATIENCE.next_try(attempts, NOON, NOON)
    assert moment is not None
    return moment - NOON


def test_the_waits_triple_up_to_hours() -> None:
    assert [wait_after(n) / MINUTE for n in range(1, 8)] == [1, 3, 9, 27, 81, 240, 240]


def test_patience_ends_three_days_after_the_first_attempt() -> None:
    just_before = NOON + timedelta(days=3) - timedelta(seconds=1)
    assert PATIENCE.next_try(20, NOON, just_before) is not None
    assert PATIENCE.next_try(20, NOON, NOON + timedelta(days=3)) is None


def test_an_earlier_end_does_not_change_the_waits() -> None:
    shorter = PATIENCE.at_most(timedelta(hours=1))
    assert shorter.next_try(1, NOON, NOON) == NOON + MINUTE
    assert shorter.next_try(1, NOON, NOON + timedelta(hours=1)) is None
    assert PATIENCE.at_most(timedelta(days=30)) == PATIENCE


@given(st.integers(1, 10_000), st.timedeltas(timedelta(), timedelta(days=2)))
def test_the_next_try_lies_ahead_and_within_the_longest_wait(attempts: int, since: timedelta) -> None:
    now = NOON + since
    moment = PATIENCE.next_try(attempts, NOON, now)
    assert moment is not None
    assert now < moment <= now + PATIENCE.longest


def test_what_failed_together_is_not_tried_again_together() -> None:
    patience = Patience(first=timedelta(minutes=10), spread=0.3)
    waits = {patience.next_try(1, NOON, NOON, lot=lot(name, 1)) for name in map(str, range(20))}
    assert len(waits) == 20
    assert NOON + timedelta(minutes=10) <= min(filter(None, waits))
    assert max(filter(None, waits)) <= NOON + timedelta(minutes=13)


def test_every_replica_draws_the_same_lot() -> None:
    assert lot("c1", 2) == lot("c1", 2) != lot("c1", 3)
