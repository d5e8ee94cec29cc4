"""What a visitor wrote into a form, checked: a pure decision over the fields as they were sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deskwire_intake.channels.web.words import FormWords
from deskwire_shared.contracts.channels import FormField, WebForm
from deskwire_shared.contracts.facts import FieldValue

LINE: Final = 200
ADDRESS: Final = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""
MESSAGE: Final = 20_000
OWN_FIELD: Final = "field_"
"""What stands before the names of a form's own fields, so that they collide with no other."""
YES: Final = "yes"

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,255}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answers:
    """A form that was filled in; `problems` has a sentence for each field that cannot be taken."""

    name: str
    address: str
    subject: str
    message: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


def read_answers(sent: Mapping[str, str], form: WebForm, words: FormWords) -> Answers:
    """Read the fields of a form."""
    name, address, subject = (_line(sent.get(key, "")) for key in ("name", "address", "subject"))
    message = _text(sent.get("message", ""))
    own = {one.name: _line(sent.get(OWN_FIELD + one.name, "")) for one in form.fields}
    problems = {
        "name": _too_long(name, LINE, words),
        "address": _address_problem(address, words),
        "subject": _missing(subject, words) or _too_long(subject, LINE, words),
        "message": _missing(message, words) or _too_long(message, MESSAGE, words),
        **{OWN_FIELD + one.name: _own_problem(own[one.name], one, words) for one in form.fields},
    }
    return Answers(
        name=name,
        address=address,
        subject=subject,
        message=message,
        fields={one.name: _value(own[one.name], one) for one in form.fields if own[one.name]},
        problems={key: problem for key, problem in problems.items() if problem},
    )


def is_mail_address(text: str) -> bool:
    """Whether somebody could be answered there."""
    return len(text) <= ADDRESS and _ADDRESS.match(text) is not None


def clean_text(text: str) -> str:
    """Text without characters that cannot be stored or shown; lines end as here."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _line(text: str) -> str:
    return " ".join(clean_text(text).split())


def _text(text: str) -> str:
    return clean_text(text).strip()


def _missing(text: str, words: FormWords) -> str | None:
    return None if text else words.missing


def _too_long(text: str, most: int, words: FormWords) -> str | None:
    return words.too_long.format(most=most) if len(text) > most else None


def _address_problem(address: str, words: FormWords) -> str | None:
    return _missing(address, words) or (None if is_mail_address(address) else words.no_address)


def _own_problem(text: str, asked: FormField, words: FormWords) -> str | None:
    if asked.required and not text:
        return words.missing
    if asked.answer == "choice" and text and text not in asked.choices:
        return words.no_choice
    return _too_long(text, LINE, words)


def _value(text: str, asked: FormField) -> FieldValue:
    return text == YES if asked.answer == "yes_no" else text
