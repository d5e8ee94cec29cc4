"""How many acknowledgements a customer gets."""

from datetime import UTC, datetime, timedelta

from deskwire_notify.quota import WINDOW, spend

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_customer_gets_so_many_within_an_hour_and_no_more() -> None:
    spent = spend({}, "m1", most=2, now=NOON)
    assert spent is not None
    spent = spend(spent, "m2", most=2, now=NOON)
    assert spent == {"m1": NOON, "m2": NOON}
    assert spend(spent, "m3", most=2, now=NOON + WINDOW - timedelta(seconds=1)) is None


def test_the_same_mail_counts_once() -> None:
    assert spend({"m1": NOON}, "m1", most=1, now=NOON) == {"m1": NOON}


def test_after_an_hour_a_mail_counts_no_more() -> None:
    later = NOON + WINDOW
    assert spend({"m1": NOON}, "m2", most=1, now=later) == {"m2": later}


def test_a_quota_of_none_allows_nothing() -> None:
    assert spend({}, "m1", most=0, now=NOON) is None
