"""No bytes make the parser raise, and none make it work without bounds."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwire_intake.mail import ParsedMail, json_view, parse_mail
from deskwire_intake.mail.addresses import MAX_ADDRESSES
from deskwire_intake.mail.headers import MAX_FIELDS
from deskwire_intake.mail.parsing import MAX_HTML, MAX_SUBJECT, MAX_TEXT
from deskwire_intake.mail.tree import MAX_PARTS
from unit.intake.inbound import MAILS, a_mail, a_text, nested

STORED = [path.read_bytes() for path in sorted(MAILS.glob("*.eml"))]
MUTATIONS_EACH = 80
SNIPPETS = [
    *(b"\x00", b"\xff\xfe", b"\n\n", b"\r", b"=?", b"?=", b'"', b"<", b">", b"(", b"\\", b";", b"*0*=", b"''", b"--"),
    *(b"=?utf-7?B?////?=", b"charset=utf-7", b"charset=utf-16", b"charset=zlib", b"boundary=", b"Content-Type: "),
    *(b"Content-Transfer-Encoding: base64\n", b"multipart/report", b"message/rfc822", b"Return-Path: <>\n"),
    *(b"\xd0\x9f\xd1\x80", b"\x1b$B", b"+2AA-", b"&#x0;", b"<!--", b"<![CDATA[", b"From: \n", b"\xe2\x80\xa8"),
]


def mutated(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                data[at : at + chance.randint(1, 60)] = b""
            case 2:
                data[at:at] = chance.choice(SNIPPETS)
            case 3:
                start = chance.randrange(len(data) + 1)
                data[at:at] = data[start : start + chance.randint(1, 200)]
            case _:
                data[at:] = b"" if chance.random() < 0.2 else data[at:]
    return bytes(data)


def assert_sound(mail: ParsedMail) -> None:
    for text in (mail.subject, mail.text, mail.html or "", mail.reply_text, *mail.defects):
        assert "\x00" not in text
        text.encode("utf-8")
    assert len(mail.subject) <= MAX_SUBJECT
    assert len(mail.text) <= MAX_TEXT
    assert len(mail.html or "") <= MAX_HTML
    assert len(mail.attachments) <= 2 * MAX_PARTS
    assert mail.defects == tuple(sorted(set(mail.defects)))
    assert mail.date is None or mail.date.tzinfo is not None
    for address in (*mail.to, *mail.cc, *mail.reply_to, *([mail.from_] if mail.from_ else [])):
        assert "@" in address.address
        f"{address.name} {address.address}".encode()
    for attachment in mail.attachments:
        attachment.filename.encode("utf-8")
        assert attachment.filename
        assert not set(attachment.filename) & set("/\\\x00\r\n")
    json_view(mail)


@pytest.mark.parametrize("raw", STORED, ids=[path.stem for path in sorted(MAILS.glob("*.eml"))])
def test_a_mutated_mail_is_still_read(raw: bytes) -> None:
    chance = random.Random(raw)
    for _ in range(MUTATIONS_EACH):
        assert_sound(parse_mail(mutated(raw, chance)))


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
