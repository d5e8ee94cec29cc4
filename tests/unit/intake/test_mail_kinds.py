"""Mails of special kinds: protected ones, invitations, forwarded mails, winmail.dat."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwire_intake.mail import parse_mail, unpacked
from deskwire_intake.mail import tnef as tnef_module
from deskwire_intake.mail.invitations import read_invitation
from deskwire_intake.mail.parsed import Attachment, ParsedMail
from deskwire_intake.reading import read_mail
from deskwire_shared.contracts.mails import Invitation
from unit.intake.inbound import a_mail, stored, stored_mail
from unit.intake.mail_desk import MailDesk

ARMOUR = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"
CET = timezone(timedelta(hours=1))


def multipart(kind: str, *parts: tuple[str, bytes]) -> ParsedMail:
    body = b"".join(b"--b\nContent-Type: " + t.encode() + b"\n\n" + content + b"\n" for t, content in parts)
    return parse_mail(a_mail(body + b"--b--\n", content_type=f'{kind}; boundary="b"'))


def test_an_encrypted_smime_mail_is_recognised_and_kept_as_a_file() -> None:
    kind = "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"
    mail = parse_mail(a_mail(b"MIAGCSqGSIb3DQEHA6CA", content_type=kind, content_transfer_encoding="base64"))
    assert (mail.protection, mail.text) == ("smime_encrypted", "")
    assert [file.filename for file in mail.attachments] == ["smime.p7m"]


def test_a_signed_smime_mail_is_read_and_said_to_be_signed() -> None:
    kind = "multipart/signed; protocol=application/pkcs7-signature; micalg=sha-256"
    mail = multipart(kind, ("text/plain", b"Hello"), ("application/pkcs7-signature; name=smime.p7s", b"MIAG"))
    assert (mail.protection, mail.text) == ("smime_signed", "Hello")


@pytest.mark.parametrize(
    ("kind", "protection"),
    [
        ("application/x-pkcs7-mime; smime-type=signed-data", "smime_opaque"),
        ("application/octet-stream; name=SMIME.P7M", "smime_encrypted"),
        ("application/pkcs7-mime", "smime_encrypted"),
    ],
)
def test_other_smime_mails(kind: str, protection: str) -> None:
    assert parse_mail(a_mail(b"MIAG", content_type=kind)).protection == protection


def test_pgp_mails() -> None:
    encrypted = 'multipart/encrypted; protocol="application/pgp-encrypted"'
    parts = (("application/pgp-encrypted", b"Version: 1"), ("application/octet-stream; name=encrypted.asc", ARMOUR))
    assert multipart(encrypted, *parts).protection == "pgp_encrypted"
    signed = 'multipart/signed; protocol="application/pgp-signature"'
    assert multipart(signed, ("text/plain", b"Hello")).protection == "pgp_signed"
    assert parse_mail(a_mail(b"See below\n" + ARMOUR)).protection == "pgp_encrypted"
    assert parse_mail(a_mail(b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: x\n\nHi\n")).protection == "pgp_signed"


def test_what_is_quoted_or_forwarded_protects_no_mail() -> None:
    assert parse_mail(a_mail(b"> " + ARMOUR)).protection is None
    assert stored("forwarded_as_attachment").protection is None
    assert parse_mail(a_mail()).protection is None


def test_a_forwarded_mail_is_shown_by_its_head() -> None:
    (file,) = stored("forwarded_as_attachment").attachments
    assert file.mail is not None
    assert (file.mail.subject, file.mail.author, file.mail.sent_at) == (
        "Angebot für/Sie",
        "Paula <paula@example.org>",
        None,
    )
    assert file.filename.endswith(".eml")


def an_event(*lines: str, method: str = "REQUEST", before: str = "") -> bytes:
    event = ["BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", f"METHOD:{method}", before, *event, "END:VCALENDAR", ""]).encode()


def read(*lines: str, method: str = "REQUEST", before: str = "") -> Invitation:
    found = read_invitation(an_event(*lines, method=method, before=before))
    assert found is not None
    return found


def test_an_invitation_says_what_when_where_and_who() -> None:
    invitation = read(
        "SUMMARY:Call\\, urgent",
        "DTSTART;TZID=Europe/Berlin:20261124T100000",
        "DTEND;TZID=Europe/Berlin:20261124T113000",
        "LOCATION:Room 1",
        "ORGANIZER;CN=Nora:mailto:nora@example.net",
        "RRULE:FREQ=WEEKLY",
    )
    assert invitation == Invitation(
        method="request",
        summary="Call, urgent",
        starts_at=datetime(2026, 11, 24, 10, tzinfo=CET),
        ends_at=datetime(2026, 11, 24, 11, 30, tzinfo=CET),
        time_zone="Europe/Berlin",
        repeats=True,
        location="Room 1",
        organiser="Nora <nora@example.net>",
    )


def test_the_names_that_windows_gives_time_zones_are_known() -> None:
    invitation = read("DTSTART;TZID=W. Europe Standard Time:20260724T100000", "DURATION:PT1H")
    assert invitation.starts_at == datetime(2026, 7, 24, 8, tzinfo=UTC)
    assert invitation.ends_at == datetime(2026, 7, 24, 9, tzinfo=UTC)


def test_a_time_in_a_zone_that_nobody_knows_is_told_as_it_stands() -> None:
    zone = "BEGIN:VTIMEZONE\r\nTZID:Mars\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nRRULE:FREQ=SECONDLY"
    zone += "\r\nTZOFFSETFROM:+0500\r\nTZOFFSETTO:+0500\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    invitation = read("DTSTART;TZID=Mars:20261124T100000", before=zone)
    assert (invitation.starts_at, invitation.time_zone) == (datetime(2026, 11, 24, 10), "Mars")  # noqa: DTZ001


def test_whole_days_end_with_the_last_of_them() -> None:
    invitation = read("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126")
    assert invitation.all_day
    assert (invitation.starts_at, invitation.ends_at) == (datetime(2026, 11, 24), datetime(2026, 11, 25))  # noqa: DTZ001


def test_cancellations_and_answers() -> None:
    assert read("DTSTART:20261124T100000Z", method="CANCEL").method == "cancel"
    answer = read("ATTENDEE;CN=Carl;PARTSTAT=DECLINED:mailto:carl@example.org", method="REPLY")
    assert (answer.method, answer.answer) == ("reply", "Carl <carl@example.org> declined")


def test_a_mail_with_an_invitation_that_is_broken_keeps_the_file() -> None:
    mail = read_mail(stored_mail("calendar_invite"))
    (file,) = mail.attachments
    assert (file.filename, file.invitation) == ("invite.ics", None)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='BEGIN:VCALENDARTZ;=\r\n0123456789\\"ÄMETHODRULSU-P', max_size=300), st.booleans())
def test_whatever_a_calendar_says_the_mail_is_read(text: str, inside: bool) -> None:
    content = an_event(text) if inside else text.encode()
    body = b"--b\nContent-Type: text/calendar\n\n" + content + b"\n--b--\n"
    mail = read_mail(a_mail(body, content_type="multipart/mixed; boundary=b"))
    assert len(mail.attachments) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"BEGIN:VTIMEZONE\n" * 15_000,
        b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 15_000,
        an_event(*["ATTENDEE:mailto:a@b.c"] * 5_000),
        an_event("SUMMARY:" + "\\" * 200_000),
        an_event("SUMMARY:a\r\n " * 20_000),
        an_event("DTSTART:99991231T235959Z", "DURATION:P99999999D"),
        an_event("DTSTART;TZID=../../etc/passwd:20261124T100000"),
        b"x" * 1_000_000,
    ],
    ids=range(8),
)
def test_a_hostile_calendar_takes_time_in_proportion(content: bytes) -> None:
    file = Attachment("invite.ics", "text/calendar", len(content), "", None, inline=False, content=content)
    mail = stored("calendar_invite")
    unpacked(type(mail)(**{**{name: getattr(mail, name) for name in mail.__slots__}, "attachments": (file,)}))


def attribute(level: int, kind: int, data: bytes) -> bytes:
    checksum = sum(data) & 0xFFFF
    return (
        bytes([level])
        + kind.to_bytes(4, "little")
        + len(data).to_bytes(4, "little")
        + data
        + checksum.to_bytes(2, "little")
    )


def a_winmail(name: bytes = b"plan.txt\0", data: bytes = b"The plan") -> bytes:
    rendering = bytes(14)
    return (
        (0x223E9F78).to_bytes(4, "little")
        + b"\1\0"
        + attribute(2, 0x00069002, rendering)
        + attribute(2, 0x00018010, name)
        + attribute(2, 0x0006800F, data)
    )


def a_mail_with_winmail(content: bytes) -> bytes:
    body = b"--b\nContent-Type: application/ms-tnef; name=winmail.dat\n\n" + content + b"\n--b--\n"
    return a_mail(body, content_type="multipart/mixed; boundary=b")


def test_the_files_in_winmail_dat_stand_beside_it() -> None:
    mail = read_mail(a_mail_with_winmail(a_winmail()))
    assert [(file.filename, file.content) for file in mail.attachments][1:] == [("plan.txt", b"The plan")]


def test_a_name_in_winmail_dat_leads_nowhere() -> None:
    mail = read_mail(a_mail_with_winmail(a_winmail(name=b"..\\..\\etc\\pass\0wd\0")))
    assert "/" not in mail.attachments[1].filename
    assert "\\" not in mail.attachments[1].filename


def test_without_the_extra_winmail_dat_stays_packed_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tnef_module, "find_spec", lambda _: None)
    mail = read_mail(a_mail_with_winmail(a_winmail()))
    assert [file.filename for file in mail.attachments] == ["winmail.dat"]
    assert tnef_module.KEPT_PACKED in mail.defects


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 60))
def test_whatever_winmail_dat_holds_the_mail_is_read(noise: bytes, at: int) -> None:
    good = a_winmail()
    mail = read_mail(a_mail_with_winmail(good[:at] + noise + good[at:]))
    assert mail.attachments


async def test_kinds_are_kept_with_the_message() -> None:
    desk = MailDesk()
    body = b"--b\nContent-Type: text/calendar\n\n" + an_event("SUMMARY:Call") + b"\n--b--\n"
    ticket = await desk.ticket((await desk.accept(a_mail(body, content_type="multipart/mixed; boundary=b"))).ticket_id)
    (file,) = ticket.messages[0].attachments
    assert file.invitation is not None
    assert file.invitation.summary == "Call"
    ticket = await desk.ticket((await desk.accept(a_mail(ARMOUR, message_id="<p@x>"))).ticket_id)
    assert ticket.messages[0].protection == "pgp_encrypted"
