"""Whether a machine wrote a mail, and which mails of ours came back."""

import pytest

from deskwire_intake.mail import Bounce, parse_mail
from unit.intake.inbound import a_mail, stored, stored_mail


def test_an_out_of_office_note_of_exchange_neither_reopens_nor_gets_an_answer() -> None:
    mail = stored("out_of_office_exchange")
    assert mail.is_auto_reply
    assert not mail.is_bounce
    assert not mail.may_reopen
    assert not mail.may_be_acknowledged
    assert mail.machine.auto_submitted == "auto-generated"


def test_a_vacation_note_is_an_automatic_reply_and_no_bounce() -> None:
    mail = stored("vacation_rfc3834")
    assert mail.is_auto_reply
    assert not mail.is_bounce
    assert mail.machine.auto_submitted == "auto-replied"


def test_a_read_receipt_is_an_automatic_reply() -> None:
    mail = stored("read_receipt")
    assert mail.is_auto_reply
    assert not mail.is_bounce


@pytest.mark.parametrize(
    "field",
    [
        {"auto_submitted": "auto-notified; owner"},
        {"precedence": "auto_reply"},
        {"x_autoreply": "yes"},
        {"x_autorespond": "1"},
        {"x_auto_response_suppress": "All", "subject": "Abwesenheitsnotiz: Drucker"},
        {"x_auto_response_suppress": "DR, OOF", "subject": "自動応答: プリンター"},
    ],
)
def test_signs_of_an_automatic_reply(field: dict[str, str]) -> None:
    assert parse_mail(a_mail(**field)).is_auto_reply


@pytest.mark.parametrize(
    "field",
    [
        {"auto_submitted": "no"},
        {"auto_submitted": "No (a human)"},
        {"x_autoreply": "no"},
        {"subject": "Out of office printer is broken"},
    ],
)
def test_a_human_is_not_taken_for_a_machine(field: dict[str, str]) -> None:
    mail = parse_mail(a_mail(**field))
    assert not mail.is_auto_reply
    assert mail.may_be_acknowledged


@pytest.mark.parametrize(
    "field",
    [
        {"precedence": "bulk"},
        {"list_id": "<users.example.org>"},
        {"x_auto_response_suppress": "All"},
        {"return_path": "<>"},
        {"from_": "no-reply@example.net"},
        {"from_": "do_not_reply@example.net"},
    ],
)
def test_a_mail_may_decline_an_answer_and_still_reopen_its_ticket(field: dict[str, str]) -> None:
    mail = parse_mail(a_mail(**field))
    assert mail.may_reopen
    assert not mail.may_be_acknowledged


def test_list_mail_is_bulk() -> None:
    assert stored("mailing_list").machine.is_bulk


def test_a_bounce_names_recipient_reason_and_the_mail_that_came_back() -> None:
    mail = stored("bounce_rfc3464")
    assert mail.is_bounce
    assert not mail.may_reopen
    assert mail.machine.bounce == Bounce(
        failed=("nobody@example.net",),
        delayed=(),
        status="5.1.1",
        diagnostic="550 5.1.1 <nobody@example.net>: User unknown",
        message_id="sent-by-us@example.com",
    )


def test_a_delay_is_no_bounce_yet() -> None:
    mail = stored("delay_rfc3464")
    assert not mail.is_bounce
    assert mail.is_auto_reply
    assert mail.machine.bounce is not None
    assert mail.machine.bounce.delayed == ("slow@example.net",)


def test_a_report_of_success_is_no_bounce() -> None:
    raw = (
        b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
        b"Final-Recipient: rfc822; ann@example.net\nAction: delivered\nStatus: 2.0.0\n--b--\n"
    )
    mail = parse_mail(a_mail(raw, content_type="multipart/report; report-type=delivery-status; boundary=b"))
    assert not mail.is_bounce
    assert mail.machine.bounce is None


def test_the_dialect_of_old_postfix_is_understood() -> None:
    bounce = stored("bounce_postfix_dialect").machine.bounce
    assert bounce == Bounce(failed=("gone@example.net",), message_id="came-back@example.com")


def test_the_dialect_of_exchange_is_understood() -> None:
    bounce = stored("bounce_exchange_dialect").machine.bounce
    assert bounce == Bounce(failed=("henry@example.net",), message_id="ours-too@example.com")


def test_failed_recipients_in_a_header_field_make_a_bounce() -> None:
    mail = parse_mail(a_mail(x_failed_recipients="a@example.net, b@example.net", return_path="<>"))
    assert mail.is_bounce
    assert mail.machine.bounce is not None
    assert mail.machine.bounce.failed == ("a@example.net", "b@example.net")


def test_a_mailer_daemon_that_names_nobody_still_bounces() -> None:
    mail = parse_mail(a_mail(from_="MAILER-DAEMON (Mail Delivery System)"))
    assert mail.is_bounce
    assert mail.machine.bounce == Bounce()


def test_a_customer_who_writes_about_bounces_is_a_customer() -> None:
    mail = parse_mail(a_mail(b"This is the Postfix program\n\n<me@example.net>: unknown user\n"))
    assert mail.machine.bounce is None
    assert mail.may_reopen


def test_a_bounce_without_a_sender_is_understood() -> None:
    lines = stored_mail("bounce_postfix_dialect").splitlines(keepends=True)
    mail = parse_mail(b"".join(line for line in lines if not line.startswith(b"From: MAILER-DAEMON")))
    assert mail.machine.bounce == Bounce(failed=("gone@example.net",), message_id="came-back@example.com")
    assert mail.defects == ("header field missing: from",)
