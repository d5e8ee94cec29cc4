"""Signed tokens that a visitor's browser keeps."""

from datetime import UTC, datetime

import pytest

from deskwire_intake.channels.visitor_tokens import LONGEST, Purpose, VisitorToken, new_token, read_token

KEY = b"site"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_a_token_says_when_it_was_given_out_and_is_one_of_its_own() -> None:
    first, second = (new_token("form", "contact", NOW, KEY) for _ in range(2))
    read = read_token(first, "form", "contact", KEY)
    assert read is not None
    assert read.issued_at == NOW
    assert first != second
    assert len(first) <= LONGEST


@pytest.mark.parametrize(
    ("purpose", "channel", "key"),
    [("chat", "contact", KEY), ("form", "sales", KEY), ("form", "contact", b"another site")],
)
def test_a_token_is_worth_nothing_elsewhere(purpose: Purpose, channel: str, key: bytes) -> None:
    assert read_token(new_token("form", "contact", NOW, KEY), purpose, channel, key) is None


@pytest.mark.parametrize("position", [0, 20, -1])
def test_a_token_that_was_changed_says_nothing(position: int) -> None:
    token = list(new_token("form", "contact", NOW, KEY))
    token[position] = "3" if token[position] == "2" else "2"
    assert read_token("".join(token), "form", "contact", KEY) is None


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "ä" * 16, "x" * 10_000, "aaaaaaaaaaaaaaaa.999999999999."])
def test_what_is_no_token_says_nothing(token: str) -> None:
    assert read_token(token, "form", "contact", KEY) is None


def test_what_is_read_is_what_was_written() -> None:
    token = new_token("chat", "help", NOW, KEY)
    assert read_token(token, "chat", "help", KEY) == VisitorToken(token.partition(".")[0], NOW)
