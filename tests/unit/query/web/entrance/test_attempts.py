from datetime import UTC, datetime, timedelta

from deskwire_query.web.entrance.attempts import KEYS_REMEMBERED, WINDOW, Attempts

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def failing(times: int, *, allowed: int = 3) -> Attempts:
    attempts = Attempts(allowed)
    for _ in range(times):
        attempts.tried("ann", NOW)
    return attempts


def test_a_few_failures_are_forgiven() -> None:
    assert failing(2).wait("ann", NOW) is None


def test_too_many_failures_close_the_door_until_the_window_is_over() -> None:
    attempts = failing(3)
    assert attempts.wait("ann", NOW) == WINDOW
    assert attempts.wait("ann", NOW + WINDOW) is None


def test_other_people_are_not_kept_out() -> None:
    assert failing(3).wait("bob", NOW) is None


def test_a_success_forgets_the_failures() -> None:
    attempts = failing(3)
    attempts.succeeded("ann")
    assert attempts.wait("ann", NOW) is None


def test_the_memory_of_failures_is_bounded() -> None:
    attempts = failing(1)
    for number in range(KEYS_REMEMBERED):
        attempts.tried(f"key {number}", NOW)
    attempts.tried("ann", NOW + timedelta(seconds=1))
    attempts.tried("ann", NOW + timedelta(seconds=1))
    assert attempts.wait("ann", NOW + timedelta(seconds=1)) is None


def test_an_attempt_that_went_well_is_forgiven_alone() -> None:
    attempts = failing(2)
    attempts.tried("ann", NOW + timedelta(seconds=1))
    assert attempts.wait("ann", NOW + timedelta(seconds=1)) is not None
    attempts.forgiven("ann", NOW + timedelta(seconds=1))
    assert attempts.wait("ann", NOW + timedelta(seconds=1)) is None
    attempts.tried("ann", NOW + timedelta(seconds=1))
    assert attempts.wait("ann", NOW + timedelta(seconds=1)) is not None
