"""What a mail says: real clients' mails, and mails that are broken."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from deskwire_intake.mail import Address, parse_mail
from deskwire_intake.mail.parsing import MAX_HTML, MAX_TEXT
from unit.intake.inbound import MAILS, a_mail, a_text, stored

CET = timezone(timedelta(hours=1))


def test_a_reply_from_gmail_is_read_in_full() -> None:
    mail = stored("gmail_reply")
    assert mail.subject == "Re: [#1042] Printer prints only blank pages"
    assert mail.from_ == Address("Jürgen Groß", "juergen@example.net")
    assert mail.to == (Address("Support", "support@example.com"),)
    assert mail.delivered_to == ("support@example.com",)
    assert mail.message_id == "CAF=x1y2z3@mail.example.net"
    assert mail.in_reply_to == "second@example.com"
    assert mail.references == ("first@example.net", "second@example.com")
    assert mail.date == datetime(2026, 11, 23, 10, 12, 8, tzinfo=CET)
    assert mail.text.startswith("I changed the toner")
    assert mail.html is not None
    assert mail.html.startswith('<div dir="ltr">')
    assert mail.reply_text == "I changed the toner, it still prints blank pages. Grüße!"
    assert mail.attachments == ()
    assert mail.defects == ()
    assert mail.may_reopen
    assert mail.may_be_acknowledged


def test_outlook_declares_latin_1_and_means_cp1252() -> None:
    mail = stored("outlook_reply")
    assert "für Oktober – Nr. 77 – ist" in mail.text
    assert mail.from_ == Address("Weber, Petra", "petra.weber@example.net")
    assert mail.cc == (Address("Klein, Uwe", "uwe.klein@example.net"),)
    assert mail.reply_text.endswith("Petra Weber")


def test_text_is_derived_from_a_mail_that_is_only_html() -> None:
    mail = stored("html_only")
    assert mail.text == "First.\n\none\ntwo"
    assert mail.from_ == Address("René", "rene@example.net")


def test_the_plain_form_says_nothing_so_the_html_form_speaks() -> None:
    raw = a_mail(
        b"--b\nContent-Type: text/plain\n\n \n--b\nContent-Type: text/html\n\n<p>Hello</p>\n--b--\n",
        content_type="multipart/alternative; boundary=b",
    )
    assert parse_mail(raw).text == "Hello"


def test_text_before_and_after_a_picture_is_one_text() -> None:
    mail = stored("apple_mail_two_parts")
    assert mail.text == "Before the picture.\n\nAfter the picture."
    assert [a.filename for a in mail.attachments] == ["screen.png"]


def test_a_list_footer_is_shown_with_the_html_it_follows() -> None:
    mail = stored("mailing_list")
    assert mail.text.startswith("Does anybody know?")
    assert mail.text.endswith("Users mailing list")
    assert mail.html is not None
    assert "<i>know</i>" in mail.html
    assert "<pre>___" in mail.html


def test_html_that_follows_plain_text_is_not_lost_from_the_text() -> None:
    raw = a_mail(
        b"--b\nContent-Type: text/plain\n\nOne & only\n--b\nContent-Type: text/html\n\n<p>Two</p>\n--b--\n",
        content_type="multipart/mixed; boundary=b",
    )
    mail = parse_mail(raw)
    assert mail.text == "One & only\nTwo"
    assert mail.html == "<pre>One &amp; only</pre>\n<p>Two</p>"


def test_message_ids_in_brackets_of_exchange_are_read() -> None:
    mail = stored("exchange_bracketed_message_id")
    assert mail.message_id == "[2f6b1d3a9c4e@example.net]"
    assert mail.in_reply_to == "[aa11bb22@example.net]"
    assert mail.references == ("[aa11bb22@example.net]", "plain@example.net")


def test_sloppy_addresses_are_read_as_they_were_meant() -> None:
    mail = stored("sloppy_addresses")
    assert mail.from_ == Address("Taylor, Tim", "tim@example.net")
    assert mail.to == (
        Address("", "support@example.com"),
        Address("O'Neil, Una", "una@example.net"),
        Address("Müller, Veit", "veit@example.net"),
        Address("", "wim@example.net"),
        Address("Xenia", "xenia@example.net"),
        Address("", "yves@example.net"),
    )
    assert mail.cc == (Address("", "zoe@example.net"), Address("", "abe@example.net"))
    assert mail.reply_to == (Address('Helpdesk "A"', "help@example.net"),)
    assert mail.in_reply_to == "asked@example.com"


def test_encoded_words_may_mix_charsets_and_split_characters() -> None:
    assert stored("sloppy_addresses").subject == "プリンタä x ä"


def test_a_message_id_without_brackets_and_a_date_without_a_zone_are_read() -> None:
    mail = stored("sloppy_addresses")
    assert mail.message_id == "sloppy@example.net"
    assert mail.date == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_what_a_mail_lacks_is_told() -> None:
    mail = stored("no_from_date_message_id")
    assert (mail.from_, mail.date, mail.message_id, mail.to) == (None, None, None, ())
    assert mail.text == "Who am I?"
    assert mail.defects == (
        "header field missing: date",
        "header field missing: from",
        "header field missing: message-id",
    )


def test_a_mail_without_any_header_keeps_its_words() -> None:
    mail = stored("nothing_but_a_body")
    assert mail.text == "just words, no header at all"
    assert "no blank line between header and body" in mail.defects


def test_a_sender_without_an_address_is_a_defect() -> None:
    mail = parse_mail(a_mail(from_="Nobody in particular"))
    assert mail.from_ is None
    assert "sender has no address" in mail.defects


@pytest.mark.parametrize(
    "date", ["tomorrow", "Mon, 99 Nov 2026 10:00:00 +0100", "1,,,", "Mon, 23 Nov 2026 10:00:00 +9999"]
)
def test_a_date_that_is_none_is_a_defect(date: str) -> None:
    mail = parse_mail(a_mail(date=date))
    assert mail.date is None
    assert "date malformed" in mail.defects


def test_an_unknown_charset_is_told_and_the_text_is_read_all_the_same() -> None:
    mail = stored("unknown_charset")
    assert mail.text == "Grüße aus Köln"
    assert mail.subject == "Grüße"
    assert mail.defects == ("charset unknown: x-klingon",)


def test_broken_base64_is_told_and_read_as_far_as_it_goes() -> None:
    mail = stored("broken_base64")
    assert mail.text.startswith("Hello world")
    assert mail.defects == ("base64 broken",)


def test_a_multipart_that_was_cut_off_keeps_what_arrived() -> None:
    mail = stored("not_closed_multipart")
    assert mail.text == "The rest never came."
    assert [a.filename for a in mail.attachments] == ["half.png"]
    assert "multipart not closed" in mail.defects


def test_a_multipart_without_its_boundary_is_shown_as_text() -> None:
    mail = parse_mail(a_mail(b"some words\n", content_type="multipart/mixed; boundary=never"))
    assert mail.text == "some words"
    assert mail.defects == ("multipart without parts",)


def test_nul_bytes_are_removed_and_told() -> None:
    mail = parse_mail(a_mail(b"Hel\x00lo\n", subject=b"Prin\x00ter", content_type="text/plain; charset=utf-8"))
    assert (mail.subject, mail.text) == ("Printer", "Hello")
    assert mail.defects == ("NUL bytes removed",)


def test_utf_16_holds_nul_bytes_by_right() -> None:
    mail = a_text("Grüße".encode("utf-16"), "utf-16")
    assert mail.text == "Grüße"
    assert mail.subject == "Printer"
    assert mail.defects == ()


def test_line_ends_of_any_system_are_line_feeds() -> None:
    assert a_text(b"a\r\nb\rc\nd").text == "a\nb\nc\nd"
    old_macintosh = a_mail(b"a\nb").replace(b"\n", b"\r")
    assert parse_mail(old_macintosh).text == "a\nb"


def test_a_line_of_an_mbox_file_before_the_header_is_skipped() -> None:
    assert parse_mail(b"From ann@example.net Mon Nov 23 10:00:00 2026\n" + a_mail()).subject == "Printer"


def test_a_subject_on_several_lines_is_one_line() -> None:
    assert parse_mail(a_mail(subject="Printer\n on\tfire\n  again")).subject == "Printer on fire again"


def test_file_names_are_decoded_by_either_convention_and_lead_nowhere() -> None:
    names = [attachment.filename for attachment in stored("rfc2231_file_names").attachments]
    assert names == ["Rechnung für Oktober.pdf", "Übersicht.pdf", "passwd", "attachment-4.bin"]


def test_an_attachment_is_told_by_size_and_digest() -> None:
    attachment = stored("winmail_dat").attachments[0]
    assert attachment.filename == "winmail.dat"
    assert attachment.content_type == "application/ms-tnef"
    assert attachment.content == bytes.fromhex("789f3e2234")
    assert attachment.size == 5
    assert attachment.sha256 == hashlib.sha256(attachment.content).hexdigest()


def test_only_a_picture_that_the_html_shows_is_inline() -> None:
    picture, manual = stored("inline_image").attachments
    assert (picture.content_id, picture.inline) == ("shot@1", True)
    assert (manual.content_id, manual.inline) == ("unused@1", False)


def test_a_calendar_invite_is_an_attachment() -> None:
    mail = stored("calendar_invite")
    assert mail.text == "Let us talk."
    assert [(a.filename, a.content_type) for a in mail.attachments] == [("invite.ics", "text/calendar")]


def test_a_forwarded_mail_stays_whole_as_an_eml_file() -> None:
    mail = stored("forwarded_as_attachment")
    assert mail.text == "Please see the attached mail."
    (forwarded,) = mail.attachments
    assert (forwarded.filename, forwarded.content_type) == ("Angebot für-Sie.eml", "message/rfc822")
    inner = parse_mail(forwarded.content)
    assert inner.from_ == Address("Paula", "paula@example.org")
    assert [a.filename for a in inner.attachments] == ["offer.pdf"]


def test_a_digest_is_a_list_of_mails() -> None:
    assert [a.filename for a in stored("digest").attachments] == ["One.eml", "Two.eml"]


def test_a_mail_that_is_only_a_file_has_no_text() -> None:
    mail = parse_mail(a_mail(b"%PDF", content_type='application/pdf; name="scan.pdf"'))
    assert (mail.text, mail.html) == ("", None)
    assert mail.attachments[0].filename == "scan.pdf"


def test_long_bodies_are_cut_and_told() -> None:
    text = a_text(b"x" * (MAX_TEXT + 1))
    assert (len(text.text), text.defects) == (MAX_TEXT, (f"text cut at {MAX_TEXT} characters",))
    html = parse_mail(a_mail(b"x" * (MAX_HTML + 1), content_type="text/html"))
    assert html.html is not None
    assert len(html.html) == MAX_HTML
    assert f"HTML cut at {MAX_HTML} characters" in html.defects


def test_html_nested_too_deep_for_its_parser_still_gives_text() -> None:
    assert parse_mail(a_mail(b"<div>" * 5000 + b"deep &amp; dark", content_type="text/html")).text == "deep & dark"


def test_the_same_bytes_always_give_the_same_mail() -> None:
    for path in MAILS.glob("*.eml"):
        assert parse_mail(path.read_bytes()) == parse_mail(path.read_bytes())
