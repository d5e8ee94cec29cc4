"""Which words the bytes of a mail stand for."""

import pytest

from deskwire_intake.mail import parse_mail
from deskwire_intake.mail.charsets import codec_of, decode
from unit.intake.inbound import a_mail, a_text

RUSSIAN = "Здравствуйте, принтер печатает только пустые страницы. Помогите, пожалуйста."
JAPANESE = "プリンターが動きません。助けてください。"


def test_iso_2022_jp_is_read() -> None:
    mail = a_text(JAPANESE.encode("iso-2022-jp"), "iso-2022-jp", subject=JAPANESE.encode("iso-2022-jp"))
    assert (mail.text, mail.subject) == (JAPANESE, JAPANESE)


def test_windows_1251_that_nobody_declared_is_guessed() -> None:
    assert a_text(RUSSIAN.encode("cp1251")).text == RUSSIAN


def test_shift_jis_that_nobody_declared_is_guessed() -> None:
    assert a_text(JAPANESE.encode("shift_jis")).text == JAPANESE


def test_western_text_that_nobody_declared_is_not_left_to_a_guess() -> None:
    assert a_text("Das Büro öffnet um 9 Uhr – für alle".encode("cp1252")).text == "Das Büro öffnet um 9 Uhr – für alle"
    assert a_text("Größe".encode("cp1252")).text == "Größe"


def test_a_raw_subject_is_read_by_the_charset_of_the_body() -> None:
    mail = a_text(RUSSIAN.encode("koi8-r"), "koi8-r", subject=RUSSIAN.encode("koi8-r"))
    assert (mail.text, mail.subject) == (RUSSIAN, RUSSIAN)


def test_a_raw_utf_8_subject_is_read_whatever_the_body_declares() -> None:
    assert a_text(b"x", "windows-1251", subject=RUSSIAN.encode()).subject == RUSSIAN


def test_utf_8_declared_as_latin_1_shows_itself() -> None:
    assert a_text("Grüße – 漢字".encode(), "iso-8859-1").text == "Grüße – 漢字"


def test_bytes_that_break_the_declared_charset_are_told() -> None:
    assert a_text(RUSSIAN.encode("cp1251"), "utf-8").defects == ("charset wrong: utf-8",)
    damaged = a_text(("ä" * 100).encode() + b"\xff", "utf-8")
    assert damaged.text == "ä" * 100 + "\ufffd"
    assert damaged.defects == ("text damaged for its charset",)


def test_ascii_with_other_bytes_in_it_is_read_as_undeclared() -> None:
    mail = a_text("Grüße".encode("cp1252"), "us-ascii")
    assert (mail.text, mail.defects) == ("Grüße", ("charset wrong: ascii",))


@pytest.mark.parametrize(
    "name", ["zlib", "hex", "base64", "rot13", "idna", "punycode", "unicode_escape", "undefined", "", "a" * 99, "\x00"]
)
def test_codecs_that_are_no_charsets_are_unknown(name: str) -> None:
    assert codec_of(name) is None
    assert decode("Grüße".encode(), name)[0] == "Grüße"


def test_halves_of_surrogate_pairs_never_leave() -> None:
    text, _ = decode(b"+2AA-", "utf-7")
    text.encode("utf-8")


def test_an_encoded_word_may_name_a_language() -> None:
    assert parse_mail(a_mail(subject="=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=")).subject == "Grüße"


def test_an_encoded_word_that_is_broken_is_read_as_far_as_it_goes() -> None:
    assert parse_mail(a_mail(subject="=?utf-8?B?R3LDvMOf!?= there")).subject == "Grüß there"
    assert parse_mail(a_mail(subject="=?utf-8?Q?never closed")).subject == "=?utf-8?Q?never closed"
