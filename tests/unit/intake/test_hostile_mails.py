"""No bytes make the parser raise, and none make it work without bounds."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwire_intake.mail import parse_mail
from deskwire_intake.mail.addresses import MAX_ADDRESSES
from deskwire_intake.mail.headers import MAX_FIELDS
from deskwire_intake.mail.tree import MAX_PARTS
from mail_fuzz import MOST_MEMORY, assert_sound, fuzz
from unit.intake.inbound import a_mail, a_text, nested

FUZZED = 1_500


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [20261124, None], ids=["known", "new"])
def test_changed_mails_are_read_within_bounds_and_meet_no_error_that_is_not_declared(seed: int | None) -> None:
    found = fuzz(random.SystemRandom().randrange(10**9) if seed is None else seed, FUZZED)
    assert not found.troubles, f"write one of them by python -m mail_fuzz SEED NUMBER: {found.troubles}"
    assert found.mails == FUZZED
    assert found.outcomes["accepted"] > FUZZED / 2
    assert found.memory <= MOST_MEMORY


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    assert_sound(parse_mail(raw))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["subject", "from", "to", "date", "references", "content-type"]))
def test_any_bytes_may_stand_in_a_header_field(value: bytes, name: str) -> None:
    assert_sound(parse_mail(name.encode() + b": " + value + b"\n\nHello\n"))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_html_is_read(html: str) -> None:
    assert_sound(parse_mail(a_mail(html.encode("utf-8", "replace"), content_type="text/html; charset=utf-8")))


def test_parts_nested_deeper_than_the_limit_are_kept_as_one_attachment() -> None:
    assert parse_mail(nested(40)).text == "the core"
    for levels in (200, 300, 20_000):
        mail = parse_mail(nested(levels))
        assert mail.text == ""
        (kept,) = mail.attachments
        assert kept.content_type == "message/rfc822"
        assert kept.filename.endswith(".eml")
        assert kept.content.endswith(b"the core\n")
        assert "parts beyond the limits kept as one attachment" in mail.defects


def test_ten_thousand_recipients_are_cut_to_the_limit() -> None:
    recipients = ",\n ".join(f'"Person {number}" <p{number}@example.net>' for number in range(10_000))
    mail = parse_mail(a_mail(to=recipients))
    assert len(mail.to) == MAX_ADDRESSES
    assert mail.to[999].address == "p999@example.net"
    assert f"more than {MAX_ADDRESSES} addresses in a header field" in mail.defects


def test_parts_beyond_the_limit_stay_together_in_the_last() -> None:
    parts = b"".join(b"--b\nContent-Type: image/png\n\n%d\n" % number for number in range(5_000))
    mail = parse_mail(a_mail(parts + b"--b--\n", content_type="multipart/mixed; boundary=b"))
    assert len(mail.attachments) == MAX_PARTS
    assert mail.attachments[0].content == b"0"
    assert b"4999" in mail.attachments[-1].content
    assert f"more than {MAX_PARTS} parts" in mail.defects


def test_multiparts_within_multiparts_cannot_multiply() -> None:
    opened = b"--b\nContent-Type: multipart/mixed; boundary=b\n\n"
    mail = parse_mail(a_mail(opened * 20_000, content_type="multipart/mixed; boundary=b"))
    assert len(mail.attachments) <= MAX_PARTS


def test_header_fields_beyond_the_limit_are_left_out_and_the_body_is_found() -> None:
    raw = b"".join(b"X-%d: y\n" % number for number in range(200_000)) + b"\nHello\n"
    mail = parse_mail(raw)
    assert mail.text == "Hello"
    assert f"more than {MAX_FIELDS} header fields" in mail.defects


@pytest.mark.parametrize(
    "value",
    [
        *(b"(" * 500_000, b'"\\' * 250_000, b'"' + b'\\"' * 250_000 + b"\\", b"a," * 250_000, b"<" * 500_000),
        *(b"=?a?q?" * 80_000, b"=" * 500_000, b"@" * 500_000, b"a@" * 250_000, b":;" * 250_000),
    ],
    ids=range(10),
)
def test_a_huge_header_field_takes_time_in_proportion(value: bytes) -> None:
    mail = parse_mail(
        b"From: " + value + b"\nTo: " + value + b"\nSubject: " + value + b"\nReferences: " + value + b"\n\nHello\n"
    )
    assert mail.text == "Hello"


@pytest.mark.parametrize(
    "body",
    [
        *(b"On " * 1_700_000, b"On On\n" * 850_000, b":\n" * 2_500_000, b"\n" * 5_000_000 + b">", b"From:\n" * 850_000),
        *(b"---\n" * 1_250_000, b"> " * 2_500_000, b"x:\n> y\n" * 700_000, b" " * 5_000_000 + b":"),
    ],
    ids=range(9),
)
def test_five_megabytes_that_look_like_quotes_take_time_in_proportion(body: bytes) -> None:
    assert_sound(a_text(body))


@pytest.mark.parametrize(
    "html",
    [
        *(b"<div>" * 200_000, b"<p>a" * 100_000, b"<" * 500_000, b"&#" * 250_000, b"cid:" * 250_000),
        *(b"<blockquote type=cite>a</blockquote>b" * 20_000, b"<p id=appendonsend>a" * 20_000),
    ],
    ids=range(7),
)
def test_hostile_html_takes_time_in_proportion(html: bytes) -> None:
    assert_sound(parse_mail(a_mail(html, content_type="text/html")))


@pytest.mark.parametrize(
    "report",
    [b"<a@b>: " * 500_000, b"a@" * 500_000, b",a@b" * 250_000, b" " * 500_000, b"message-id: <" * 100_000],
    ids=range(5),
)
def test_a_hostile_bounce_takes_time_in_proportion(report: bytes) -> None:
    assert parse_mail(a_mail(report, from_="MAILER-DAEMON@mx.example.net", return_path="<>")).is_bounce
