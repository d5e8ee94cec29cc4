"""Which end of a mail is its author's signature."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_intake.mail import detailed_json_view, parse_mail
from deskwire_intake.mail.quotes import newly_written
from deskwire_intake.mail.signatures import MAX_LENGTH, signature_of
from deskwire_shared.contracts.facts import CustomerReplied, Opened
from unit.intake.inbound import a_mail, a_text
from unit.intake.mail_desk import SUPPORT, MailDesk, token_of

SAID = "The printer is on fire.\nPlease help."
SIGNED = "Ann Example\nExample Inc.\n+49 30 1234567 | ann@example.net"
HISTORY = "On Mon, Nov 23, 2026 at 10:00 AM Support <support@example.com> wrote:\n> Please try again."

PHRASES = [
    *("Sent from my iPhone", "Sent from my Verizon, Samsung Galaxy smartphone", "Sent from Yahoo Mail on Android"),
    *("Sent from Outlook for Android<https://aka.ms/AAb9ysg>", "Get Outlook for iOS <https://aka.ms/o0ukef>"),
    *(
        "Get Outlook for Android",
        "Sent from Mail for Windows",
        "Von meinem iPhone gesendet",
        "Gesendet von Outlook für iOS",
    ),
    *("Diese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.", "Envoyé de mon iPhone"),
    *("Enviado desde mi iPhone", "Enviado do meu iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone"),
    *("Wysłane z iPhone'a", "Skickat från min iPhone", "Sendt fra min iPhone", "Odesláno z iPhonu"),
    *("Отправлено с iPhone", "iPhone'umdan gönderildi", "iPhoneから送信", "发自我的iPhone", "나의 iPhone에서 보냄"),
]
MARKED = [
    '<div class="gmail_signature" data-smartmail="gmail_signature">{}</div>',
    '<div class="x moz-signature">{}</div>',
    '<div id="Signature">{}</div>',
    '<div id="ms-outlook-mobile-signature">{}</div>',
    '<div id="AppleMailSignature" dir="ltr">{}</div>',
]


@pytest.mark.parametrize("delimiter", ["-- ", "--", "--\u00a0"])
def test_what_stands_below_the_delimiter_is_a_signature(delimiter: str) -> None:
    assert signature_of(f"{SAID}\n\n{delimiter}\n{SIGNED}", "") == f"{delimiter}\n{SIGNED}"


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_telephone_signs_too(phrase: str) -> None:
    assert signature_of(f"{SAID}\n\n{phrase}", "") == phrase


@pytest.mark.parametrize(
    "text",
    [
        f"{SAID}\n\nAnn",
        f"{SAID}\n--\nBut why does it burn?",
        f"{SAID}\n--\n- one\n- two",
        f"{SAID}\n--\nAnd the other one, which stands in the hall, does not print any more.",
        f"{SAID}\n--\n" + "line\n" * 16 + "end",
        f"{SAID}\n-- \n" + "line\n" * 31 + "end",
        f"{SAID}\n-- \n> quoted",
        f"{SAID}\n-- \n{'x' * MAX_LENGTH}",
        f"{SAID}\n--",
        f"{SAID}\n---\n{SIGNED}",
        "Sent from my iPhone\nit did not work.",
        f"{SAID}\nThe mail was sent from my iPhone.",
        f"{SAID}\nSent from my Android it works. From my desk it fails",
        f"{SAID}\nVon meinem Samsung aus geht es nicht.",
        f"{SAID}\nSent from my iPhone, why does it fail?",
    ],
)
def test_words_that_may_matter_are_left_in_the_text(text: str) -> None:
    assert signature_of(text, "") is None


@pytest.mark.parametrize("text", [f"-- \n{SIGNED}", "Sent from my iPhone", "\n \n--\nAnn", ""])
def test_a_text_is_never_nothing_but_a_signature(text: str) -> None:
    assert signature_of(text, "") is None
    assert signature_of(text, f'<div class="gmail_signature">{text}</div>') is None


@pytest.mark.parametrize("mark", MARKED)
def test_a_signature_in_html_goes_by_its_markup(mark: str) -> None:
    html = f"<p>It burns.</p>{mark.format('<b>An</b>n Example<br>Head of <i>Printing</i>!')}"
    mail = parse_mail(a_mail(html.encode(), content_type="text/html"))
    assert mail.signature == "An n Example\nHead of Printing!"
    assert mail.reply_text == f"It burns.\n\n{mail.signature}"


def test_the_html_form_tells_where_the_signature_begins_in_the_plain_one() -> None:
    html = '<p>It burns.</p><div id="Signature"><b>Ann Example</b><br>Printing</div>'
    assert signature_of("It burns.\n\n*Ann Example*\nPrinting", html) == "*Ann Example*\nPrinting"
    assert signature_of("It burns.\n\n--\n*Ann Example*\nPrinting", html) == "--\n*Ann Example*\nPrinting"
    assert signature_of("It burns. Ann Example\nPrinting", html) is None
    assert signature_of("It burns.\n\nBob Example\nPrinting", html) is None


def test_the_signature_of_a_quoted_mail_is_history() -> None:
    html = '<p>Ann</p><div class="gmail_quote">Old<div class="gmail_signature">Ann</div></div>'
    assert signature_of("It burns.\n\nAnn", html) is None


def test_the_command_line_shows_the_signature() -> None:
    assert detailed_json_view(a_text(f"{SAID}\r\n-- \r\nAnn".encode()))["signature"] == "-- \nAnn"


async def test_the_signature_of_a_mail_is_kept_apart_on_its_ticket() -> None:
    desk = MailDesk()
    opening = await desk.accept(a_mail(f"{SAID}\n\n-- \n{SIGNED}\n".encode()))
    ticket = await desk.ticket(opening.ticket_id)
    answer = a_mail(f"It went out.\n\n-- \n{SIGNED}\n\n{HISTORY}\n".encode(), message_id="<2@example.net>")
    await desk.accept(answer, to=(token_of(ticket),))
    said = [
        fact
        for commit in await desk.history(ticket.id)
        for fact in commit.facts
        if isinstance(fact, Opened | CustomerReplied)
    ]
    assert [(fact.text, fact.signature, fact.quoted) for fact in said] == [
        (SAID, f"-- \n{SIGNED}", None),
        ("It went out.", f"-- \n{SIGNED}", HISTORY),
    ]


async def test_what_is_forwarded_below_a_signature_stays_in_sight() -> None:
    desk = MailDesk()
    forwarded = f"FYI\n\n-- \nAnn\n\n-------- Forwarded Message --------\nSubject: Offer\nFrom: Bob\n\n{SAID}"
    ticket = await desk.ticket((await desk.accept(a_mail(f"{forwarded}\n".encode()), to=(SUPPORT,))).ticket_id)
    assert ticket.messages[0].text == forwarded


LINES = st.lists(
    st.sampled_from(
        [*SAID.split("\n"), *SIGNED.split("\n"), "", "-- ", "--", *HISTORY.split("\n"), "> --", *PHRASES[:3], "word?"]
    )
    | st.text(max_size=20),
    max_size=20,
)


@given(LINES, LINES)
def test_text_and_signature_and_history_hold_every_word_of_a_mail(lines: list[str], marked: list[str]) -> None:
    text = "\n".join(lines).strip()
    new = newly_written(text)
    signature = signature_of(new, f'<div class="gmail_signature">{"<br>".join(marked)}</div>') or ""
    assert new.endswith(signature)
    said = new.removesuffix(signature)
    assert bool(said.strip()) == bool(text)
    kept = f"{said}\n{signature}\n{text.removeprefix(new)}"
    assert not set(text.split()) - set(kept.split())
