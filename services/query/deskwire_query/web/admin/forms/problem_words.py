"""What a model finds wrong with a document, in words that say what to do."""

from collections.abc import Callable
from typing import Any, Final

from pydantic_core import ErrorDetails

Context = dict[str, Any]

WORDS: Final[dict[str, Callable[[Context], str]]] = {
    "missing": lambda _: "This is needed.",
    "string_type": lambda _: "This is needed.",
    "string_too_short": lambda _: "Write something here.",
    "string_too_long": lambda context: f"At most {context['max_length']} characters fit.",
    "too_short": lambda context: f"At least {context['min_length']} of these are needed.",
    "too_long": lambda context: f"At most {context['max_length']} of these fit.",
    "int_parsing": lambda _: "Write a whole number.",
    "int_type": lambda _: "Write a whole number.",
    "int_from_float": lambda _: "Write a whole number.",
    "float_parsing": lambda _: "Write a number.",
    "greater_than": lambda context: f"It has to be more than {context['gt']}.",
    "greater_than_equal": lambda context: f"It has to be {context['ge']} or more.",
    "less_than": lambda context: f"It has to be less than {context['lt']}.",
    "less_than_equal": lambda context: f"It has to be {context['le']} or less.",
    "literal_error": lambda _: "Choose one of the list.",
    "enum": lambda _: "Choose one of the list.",
    "date_from_datetime_parsing": lambda _: "Write a day such as 2026-01-31.",
    "date_parsing": lambda _: "Write a day such as 2026-01-31.",
    "datetime_from_date_parsing": lambda _: "Write a moment such as 2026-01-31T09:00Z.",
    "datetime_parsing": lambda _: "Write a moment such as 2026-01-31T09:00Z.",
    "timezone_aware": lambda _: "Say the time zone too, such as 2026-01-31T09:00Z.",
    "url_parsing": lambda _: "Write a web address such as https://example.org/hook.",
    "url_scheme": lambda _: "Write a web address such as https://example.org/hook.",
    "tuple_type": lambda _: "This is needed.",
}  # fmt: skip

PATTERNS: Final[dict[str, str]] = {
    "address": "Write a mail address such as support@example.org.",
    "email": "Write an e-mail address such as mara@example.org.",
    "host": "Write the name of a server, such as imap.example.org.",
    "folder": "Write the name of a folder, without * and %.",
    "move_to": "Write the name of a folder, without * and %.",
    "token_url": "Write an address that starts with https://.",
    "origins": "Write each site as browsers name it: https://shop.example, without a path.",
    "locale": "Write a language such as en or pt-BR.",
    "country": "Write the two letters of a country, such as DE.",
    "name": "Write small letters, digits and _ only, beginning with a letter.",
    "skills": "Write small letters, digits, - and _ only.",
    "field": "Write small letters, digits and _ only.",
    "url": "Write a web address that starts with https://.",
}
"""By the attribute whose pattern does not fit."""


def problem_words(error: ErrorDetails) -> str:
    """Say an error of pydantic's for people."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return next(
            (PATTERNS[str(name)] for name in reversed(error["loc"]) if name in PATTERNS), "This cannot be read."
        )
    if kind in WORDS:
        return WORDS[kind](context)
    return sentence(error["msg"].removeprefix("Value error, ").replace("`", ""))


def sentence(text: str) -> str:
    """Begin with a capital letter and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
