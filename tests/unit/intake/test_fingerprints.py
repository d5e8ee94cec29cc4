"""When two deliveries are the same mail."""

import pytest

from deskwire_intake.mail import fingerprint, parse_mail
from unit.intake.inbound import a_mail, stored_mail

MAILBOX = "support@example.com"


def of(raw: bytes, mailbox: str = MAILBOX) -> str:
    return fingerprint(mailbox, parse_mail(raw))


def test_trace_fields_do_not_count() -> None:
    again = a_mail(
        received="from mx2.example.net by in.example.com; Mon, 23 Nov 2026 10:00:07 +0100",
        return_path="<ann@example.net>",
        delivered_to="support@example.com",
        x_spam_score="0.1",
    )
    assert of(again) == of(a_mail())


def test_line_ends_and_folding_do_not_count() -> None:
    raw = a_mail(b"one\ntwo\n", subject="Printer on fire")
    folded = a_mail(b"one\ntwo\n\n", subject="Printer\n on fire").replace(b"\n", b"\r\n")
    assert of(folded) == of(raw)


def test_the_case_of_the_mailbox_does_not_count() -> None:
    assert of(a_mail(), "Support@Example.com") == of(a_mail())


@pytest.mark.parametrize(
    "other",
    [
        a_mail(b"Hello?\n"),
        a_mail(subject="Printers"),
        a_mail(from_="Ann <ann@example.org>"),
        a_mail(to="sales@example.com"),
        a_mail(cc="uwe@example.net"),
        a_mail(date="Mon, 23 Nov 2026 10:00:01 +0100"),
        a_mail(message_id="<b@example.net>"),
    ],
)
def test_what_the_author_wrote_counts_even_under_one_message_id(other: bytes) -> None:
    assert of(other) != of(a_mail())


def test_the_mailbox_counts() -> None:
    assert of(a_mail(), "sales@example.com") != of(a_mail())


def test_no_value_can_pose_as_its_neighbour() -> None:
    assert of(a_mail(to="a@x.y", cc="b@x.y")) != of(a_mail(to="a@x.y, b@x.y"))


def test_a_fingerprint_is_short_hexadecimal() -> None:
    assert len(bytes.fromhex(of(stored_mail("gmail_reply")))) == 32
