"""What of a mail its sender newly wrote."""

import pytest

from deskwire_intake.mail import parse_mail
from deskwire_intake.mail.quotes import newly_written, reply_of_html
from deskwire_shared.contracts.threading_tokens import REPLY_DELIMITER
from unit.intake.inbound import a_mail, a_text, stored

NEW = "Thank you, it works now.\n\nAnn"

INTRODUCTIONS = [
    "On Mon, Nov 23, 2026 at 10:00 AM Support <support@example.com> wrote:",
    "On Mon, Nov 23, 2026 at 10:00 AM Support <\nsupport@example.com> wrote:",
    "Am 23.11.2026 um 10:00 schrieb Support:",
    "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Support <support@example.com>:",
    "Le lun. 23 nov. 2026 à 10:00, Support <support@example.com> a écrit :",
    "El lun, 23 nov 2026 a las 10:00, Support (<support@example.com>) escribió:",
    "Il giorno lun 23 nov 2026 alle ore 10:00 Support <support@example.com> ha scritto:",
    "Op ma 23 nov 2026 om 10:00 schreef Support <support@example.com>:",
    "Em seg., 23 de nov. de 2026 às 10:00, Support <support@example.com> escreveu:",
    "W dniu 23.11.2026 o 10:00, Support pisze:",
    "Den mån 23 nov. 2026 kl 10:00 skrev Support <support@example.com>:",
    "Dne po 23. 11. 2026 10:00 uživatel Support <support@example.com> napsal:",
    "пн, 23 нояб. 2026 г. в 10:00, Support <support@example.com>:",
    "23.11.2026 10:00, Support пишет:",
    "2026年11月23日(月) 10:00 Support <support@example.com>:",
    "在 2026年11月23日，10:00，Support <support@example.com> 写道：",
    "23 Kas 2026 Pzt 10:00 tarihinde Support <support@example.com> şunu yazdı:",
]
OUTLOOK_HEADS = [
    "From: Support <support@example.com>\nSent: Monday, November 23, 2026 10:00 AM\nTo: Ann\nSubject: Printer",
    "*From:* Support <support@example.com>\n*Sent:* Monday\n*To:* Ann\n*Subject:* Printer",
    "Von: Support\nGesendet: Montag, 23. November 2026\nAn: Ann\nCc: Uwe\nBetreff: Drucker",
    "De : Support\nEnvoyé : lundi 23 novembre 2026\nÀ : Ann\nObjet : Imprimante",
    "Od: Support\nWysłano: poniedziałek\nDo: Ann\nTemat: Drukarka",
    "差出人: Support\n送信日時: 2026年11月23日\n宛先: Ann\n件名: プリンター",
    "-----Original Message-----\nFrom: Support\nSubject: Printer",
    "________________________________\nFrom: Support\nSent: Monday\nSubject: Printer",
]


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_marked_history_goes_with_its_introduction(introduction: str) -> None:
    assert newly_written(f"{NEW}\n\n{introduction}\n\n> Please try again.\n>\n> Support\n") == NEW


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_history_below_an_introduction_goes_without_marks(introduction: str) -> None:
    assert newly_written(f"{NEW}\n\n{introduction}\n\nPlease try again.\n\nSupport\n") == NEW


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_history_goes_when_our_delimiter_is_all_that_is_left_of_it(introduction: str) -> None:
    assert newly_written(f"{NEW}\n\n{introduction}\n\n{REPLY_DELIMITER}\nPlease try again.\n") == NEW


@pytest.mark.parametrize("head", OUTLOOK_HEADS)
def test_history_below_the_head_that_outlook_sets_goes(head: str) -> None:
    assert newly_written(f"{NEW}\n\n{head}\n\nPlease try again.\n") == NEW


def test_answers_between_quoted_questions_are_kept() -> None:
    assert stored("thunderbird_inline_answers").reply_text == "Version 4.2.\n\n\nOnly on Mondays."


def test_an_answer_below_the_quoted_mail_is_kept() -> None:
    assert newly_written(f"{INTRODUCTIONS[0]}\n> {REPLY_DELIMITER}\n> Please try again.\n\n{NEW}") == NEW


def test_a_text_without_history_is_kept_whole() -> None:
    for text in (NEW, "My list:\n- one\n- two", "See 10:00: it fails.\nFrom: my view\nthis is wrong", "a -- b"):
        assert newly_written(text) == text


def test_a_sentence_that_ends_in_a_colon_is_no_introduction_without_a_date_or_address() -> None:
    assert newly_written("I disagree with this:\n> It works.\nIt does not.") == "I disagree with this:\nIt does not."


def test_a_mail_that_is_nothing_but_history_is_kept_whole() -> None:
    forwarded = "---------- Forwarded message ---------\nFrom: Bob\nSubject: Offer\n\nAn offer."
    assert newly_written(forwarded) == forwarded
    assert newly_written("> only\n> quoted") == "> only\n> quoted"


def test_history_in_html_goes_by_its_markup() -> None:
    assert stored("outlook_html_only").reply_text == "Still locked out & getting error 17.\nBob"
    for history in (
        '<div class="gmail_quote"><p>Old</p></div>',
        '<div class="moz-cite-prefix">unknown tongue</div><blockquote type="cite">Old</blockquote>',
        '<div class="x yahoo_quoted">Old</div>',
    ):
        assert reply_of_html(f"<p>New</p>{history}") == "New"


def test_html_that_is_nothing_but_history_is_kept_whole() -> None:
    assert reply_of_html('<div class="gmail_quote"><p>Forwarded</p></div>') == "Forwarded"


def test_five_megabytes_of_quotes_are_read_within_the_limits() -> None:
    quotes = b"On Monday, 10:00, Ann wrote:\r\n> > old\r\n" * 130_000
    assert len(quotes) > 5_000_000
    assert a_text(b"New\r\n\r\n" + quotes).reply_text == "New"


def test_control_characters_in_html_do_not_keep_it_from_being_read() -> None:
    html = b"<p>New</p><div class=gmail_quote>Old</div><style>s</style>a\x01b\x1f"
    mail = parse_mail(a_mail(html, content_type="text/html"))
    assert (mail.text, mail.reply_text, mail.defects) == ("New\n\nOld\nab", "New\n\nab", ())


def test_html_that_its_parser_cannot_bear_is_read_without_it() -> None:
    mail = parse_mail(a_mail(b"<p>New<style>s</style>a&#1;b</p>", content_type="text/html"))
    assert mail.text.startswith("New")
    assert mail.defects == ("HTML reader failed: ValueError",)
