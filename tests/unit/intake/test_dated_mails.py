"""A mail that carries nothing to recognise it by is dated when it comes, so that it does not pass for a repeat."""

from datetime import UTC, datetime, timedelta

from deskwire_intake.channels.email.deliveries import dated
from deskwire_intake.mail import fingerprint, parse_mail

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ALARM = b"From: nas@example.com\r\nTo: support@example.com\r\nSubject: Disk full\r\n\r\nDate: see above\r\n"


def test_the_same_alarm_an_hour_later_is_another_mail() -> None:
    first, second = (
        fingerprint("support@example.com", parse_mail(dated(ALARM, at))) for at in (NOW, NOW + timedelta(hours=1))
    )
    assert first != second


def test_a_mail_with_a_message_id_or_a_date_stays_as_it_came() -> None:
    for field in (b"Message-ID: <1@example.com>\r\n", b"date: Tue, 24 Nov 2026 09:00:00 +0000\r\n"):
        assert dated(field + ALARM, NOW) == field + ALARM


def test_a_body_that_speaks_of_dates_is_no_header() -> None:
    assert dated(ALARM, NOW).startswith(b"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n")
