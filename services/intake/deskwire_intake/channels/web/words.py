"""The words of a form in the languages we speak; a channel may bring its own title, introduction and thanks."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class FormWords:
    """What stands on a form."""

    locale: str
    title: str
    introduction: str
    name: str
    address: str
    subject: str
    message: str
    files: str
    files_hint: str
    optional: str
    choose: str
    send: str
    sending: str
    thanks_title: str
    thanks: str
    number: str
    another: str
    trap: str

    missing: str
    no_address: str
    too_long: str
    no_choice: str
    too_many_files: str
    files_too_large: str

    check: str
    too_quick: str
    too_old: str
    trapped: str
    slow_down: str
    refused: str
    unavailable: str
    unreachable: str


ENGLISH: Final = FormWords(
    locale="en",
    title="Contact us",
    introduction="Tell us what we can do for you. We answer by e-mail.",
    name="Your name",
    address="E-mail",
    subject="Subject",
    message="Message",
    files="Files",
    files_hint="Up to {count} files, {size} MB in all",
    optional="optional",
    choose="Please choose",
    send="Send",
    sending="Sending …",
    thanks_title="Thank you",
    thanks="We have received your message and will answer by e-mail.",
    number="Your request has the number {number}.",
    another="Send another message",
    trap="Leave this field empty",
    missing="Please fill this in.",
    no_address="This is not an e-mail address.",
    too_long="This is too long: at most {most} characters.",
    no_choice="Please choose one of the answers.",
    too_many_files="Too many files: at most {count}.",
    files_too_large="The files are too large: at most {size} MB in all. Please choose them again.",
    check="Please check what is marked below.",
    too_quick="That was quick. Please look it over once more and send it again.",
    too_old="This page was open for a long time. Please send it again.",
    trapped="A field that people do not see was filled in, maybe by your browser. Please send it again.",
    slow_down="Many messages came from here just now. Please try again in {seconds} seconds.",
    refused="This message cannot be accepted.",
    unavailable="Your message cannot be taken at this moment. Please send it again; it will arrive once.",
    unreachable="The connection was lost. Please send it again; it will arrive once.",
)
GERMAN: Final = FormWords(
    locale="de",
    title="Kontakt",
    introduction="Schreiben Sie uns, was wir für Sie tun können. Wir antworten per E-Mail.",
    name="Ihr Name",
    address="E-Mail",
    subject="Betreff",
    message="Nachricht",
    files="Dateien",
    files_hint="Bis zu {count} Dateien, zusammen {size} MB",
    optional="freiwillig",
    choose="Bitte wählen",
    send="Absenden",
    sending="Wird gesendet …",
    thanks_title="Vielen Dank",
    thanks="Wir haben Ihre Nachricht erhalten und antworten per E-Mail.",
    number="Ihre Anfrage hat die Nummer {number}.",
    another="Weitere Nachricht senden",
    trap="Dieses Feld bitte leer lassen",
    missing="Bitte ausfüllen.",
    no_address="Das ist keine E-Mail-Adresse.",
    too_long="Das ist zu lang: höchstens {most} Zeichen.",
    no_choice="Bitte eine der Antworten wählen.",
    too_many_files="Zu viele Dateien: höchstens {count}.",
    files_too_large="Die Dateien sind zu groß: zusammen höchstens {size} MB. Bitte wählen Sie sie erneut aus.",
    check="Bitte prüfen Sie die markierten Angaben.",
    too_quick="Das ging schnell. Bitte sehen Sie noch einmal darüber und senden Sie es erneut.",
    too_old="Diese Seite war lange offen. Bitte senden Sie es erneut.",
    trapped="Ein unsichtbares Feld war ausgefüllt, vielleicht durch Ihren Browser. Bitte senden Sie es erneut.",
    slow_down="Von hier kamen gerade viele Nachrichten. Bitte versuchen Sie es in {seconds} Sekunden wieder.",
    refused="Diese Nachricht kann nicht angenommen werden.",
    unavailable="Ihre Nachricht kann gerade nicht angenommen werden. Bitte erneut senden; sie kommt nur einmal an.",
    unreachable="Die Verbindung ist abgebrochen. Bitte erneut senden; Ihre Nachricht kommt nur einmal an.",
)

_SPOKEN: Final = {words.locale: words for words in (ENGLISH, GERMAN)}


def words_for(locale: str) -> FormWords:
    """The words of a language, English where we do not speak it."""
    return _SPOKEN.get(locale.partition("-")[0], ENGLISH)
