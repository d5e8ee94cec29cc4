"""Phone calls: who called, and what is told of it."""

import pytest

from deskwire_intake.channels.phone import call_note, call_subject, caller_of


@pytest.mark.parametrize(
    "number", ["+49 30 901820", "+4930901820", "0049 30 901820", "+49 (30) 90-18-20", "+49.30.901820"]
)
def test_a_number_is_one_person_however_it_is_written(number: str) -> None:
    assert caller_of(number, "").address == "tel:+4930901820"


def test_a_number_without_its_country_stays_what_it_is() -> None:
    assert caller_of("030 901820", "Ann").address == "tel:030901820"


def test_a_subject_says_who_called_whom() -> None:
    assert call_subject(caller_of("+4930", "Ann"), "inbound") == "Call from Ann (+4930)"
    assert call_subject(caller_of("+4930", ""), "outbound") == "Call to +4930"


@pytest.mark.parametrize(("seconds", "told"), [(0, ""), (5, ", 5 s"), (60, ", 1 min"), (3_661, ", 61 min 1 s")])
def test_a_note_says_how_long_a_call_took(seconds: int, told: str) -> None:
    assert call_note(caller_of("+4930", ""), "inbound", seconds, "Hi") == f"Incoming call with +4930{told}\n\nHi"
