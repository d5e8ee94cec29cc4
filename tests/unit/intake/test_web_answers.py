"""What a visitor wrote into a form, checked."""

import pytest

from deskwire_intake.channels.web.answers import Answers, read_answers
from deskwire_intake.channels.web.words import ENGLISH
from deskwire_shared.contracts.channels import FormField, WebForm

WRITTEN = {"name": "Ann Lee", "address": "ann@example.com", "subject": "Order", "message": "Where is it?"}
ORDER = FormField(name="order", label="Order number", required=True)
SIZE = FormField(name="size", label="Size", answer="choice", choices=("S", "M"))
CALL = FormField(name="call", label="Please call", answer="yes_no")


PLAIN = WebForm()


def _read(form: WebForm = PLAIN, /, **sent: str) -> Answers:
    return read_answers({**WRITTEN, **sent}, form, ENGLISH)


def test_a_form_that_is_filled_in_has_no_problem() -> None:
    answers = _read()
    assert answers.problems == {}
    assert (answers.name, answers.address, answers.subject, answers.message) == tuple(WRITTEN.values())


@pytest.mark.parametrize("field", ["address", "subject", "message"])
@pytest.mark.parametrize("empty", ["", "  \n\t "])
def test_what_has_to_be_there_is_asked_for(field: str, empty: str) -> None:
    assert _read(PLAIN, **{field: empty}).problems == {field: ENGLISH.missing}


def test_nobody_has_to_tell_a_name() -> None:
    assert _read(name="").problems == {}


@pytest.mark.parametrize(
    "address",
    ["ann", "ann@", "@example.com", "a b@example.com", "ann@exa mple.com", "<ann@example.com>", "a,b@example.com",
     "ann@example.com\nBcc: all@example.com", "ann@a@b", f"{'a' * 250}@example.com"],
)  # fmt: skip
def test_who_could_not_be_answered_is_told(address: str) -> None:
    assert "address" in _read(address=address).problems


@pytest.mark.parametrize(("field", "most"), [("name", 200), ("subject", 200), ("message", 20_000)])
def test_too_much_is_refused_and_never_cut(field: str, most: int) -> None:
    assert _read(PLAIN, **{field: "x" * most}).problems == {}
    assert field in _read(PLAIN, **{field: "x" * (most + 1)}).problems


def test_lines_stay_lines_and_control_characters_go() -> None:
    answers = _read(subject="Order\r\nBcc: all@example.com\x00", message="One\r\ntwo\x00\x1b[31m\rthree\ud800")
    assert answers.subject == "Order Bcc: all@example.com"
    assert answers.message == "One\ntwo[31m\nthree"


def test_markup_is_text() -> None:
    assert _read(message="<script>alert(1)</script>").message == "<script>alert(1)</script>"


def test_own_fields_become_fields_of_the_ticket() -> None:
    form = WebForm(fields=(ORDER, SIZE, CALL))
    answers = _read(form, field_order=" A-7 ", field_size="M", field_call="yes")
    assert answers.problems == {}
    assert answers.fields == {"order": "A-7", "size": "M", "call": True}


def test_own_fields_are_checked_too() -> None:
    form = WebForm(fields=(ORDER, SIZE))
    assert _read(form, field_size="XXL").problems == {"field_order": ENGLISH.missing, "field_size": ENGLISH.no_choice}


def test_fields_that_the_form_does_not_ask_for_are_nothing() -> None:
    assert _read(WebForm(fields=(ORDER,)), field_order="1", field_admin="yes", order="2").fields == {"order": "1"}
