"""Durations and shares as people write them."""

import pytest

from deskwire_query.web.admin.forms.amounts import read_duration, read_shares, write_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("4h", 14_400), ("2d", 172_800), ("1h 30m", 5400), ("1.5 hours", 5400), ("90", None), ("1 week", 604_800),
     ("45 sec", 45), ("2 days and 3 hours", 183_600), ("4x", None), ("-4h", None), ("0.5s", None), ("٤h", None)],
)  # fmt: skip
def test_amounts_are_understood_as_people_write_them(text: str, seconds: int | None) -> None:
    if seconds is None:
        with pytest.raises(ValueError, match="Write"):
            read_duration(text)
    else:
        assert read_duration(text) == seconds


@pytest.mark.parametrize("seconds", [1, 59, 60, 90, 3600, 5400, 86_400, 100_000, 144_000, 31_622_400, 999_999_999])
def test_an_amount_comes_back_as_it_was(seconds: int) -> None:
    assert read_duration(write_duration(seconds)) == seconds


def test_shares_are_per_cent() -> None:
    assert read_shares("50 %, 75%; 99.5") == [0.5, 0.75, 0.995]
    assert read_shares("75") == 0.75
    with pytest.raises(ValueError, match="Write shares"):
        read_shares("most")
