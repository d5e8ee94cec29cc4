"""Cursors lead to where a page ended, and nowhere else."""

import pytest

from deskwire_query.reading.cursors import read_cursor, write_cursor
from deskwire_query.reading.read_models import InvalidCursor


def test_a_cursor_leads_back_to_its_place() -> None:
    assert read_cursor(write_cursor("updated down", 7, 42), "updated down", (int, int)) == [7, 42]
    assert read_cursor(write_cursor("seen", 7, "é"), "seen", (int, str)) == [7, "é"]


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "====", "\0", "é", "!!!!", "bnVsbA", "W10", "eyJhIjoxfQ", "a" * 10_000,
        write_cursor("updated up", 7, 42), write_cursor("updated down", 7), write_cursor("updated down", "7", 42),
        write_cursor("updated down", 2**70, 42), write_cursor("updated down", 7, 42, 1),
    ],
)  # fmt: skip
def test_what_is_no_cursor_of_that_order_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(cursor, "updated down", (int, int))
