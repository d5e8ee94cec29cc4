"""What a mail of the desk says: templates by purpose and language, with built-in ones behind them.

One that fails is replaced by the built-in one, so that the customer is answered, and the failure is
handed back for an operator to see.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from deskwire_notify.mails.rendering import Unusable, render
from deskwire_shared.contracts.directory import Template

Purpose = Literal["acknowledgement", "reply", "quote"]

BUILT_IN_LOCALES: Final = ("en", "de")


@dataclass(frozen=True, slots=True)
class TicketValues:
    """What a template may say about the ticket."""

    number: int
    subject: str


@dataclass(frozen=True, slots=True)
class PersonValues:
    """What a template may say about a customer, an agent or the desk itself."""

    name: str


@dataclass(frozen=True, slots=True)
class QuotedValues:
    """What the line above a quote may say."""

    at: str
    name: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A template that could not be used, and why."""

    template_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A rendered template, or the built-in one in place of one that failed."""

    template_id: str
    locale: str
    subject: str
    body: str
    failure: Failure | None = None


def word(
    purpose: Purpose,
    locales: Sequence[str],
    values: Mapping[str, object],
    custom: Mapping[str, Template],
    *,
    once: str = "",
) -> Wording:
    """Render the template of a purpose in the first of the languages that there is one in.

    A custom template is unusable when its body does not hold the text `once` exactly once.
    """
    for locale in _widened(locales):
        template_id = _find(purpose, locale, custom)
        if template_id is not None:
            return _custom(template_id, custom[template_id], purpose, values, once)
        if locale in BUILT_IN_LOCALES:
            return _built_in(purpose, locale, values)
    return _built_in(purpose, BUILT_IN_LOCALES[0], values)


def _widened(locales: Sequence[str]) -> Iterator[str]:
    """`de-AT` is asked for as itself, then as `de`."""
    for locale in locales:
        yield locale
        yield locale.partition("-")[0]


def _find(purpose: Purpose, locale: str, custom: Mapping[str, Template]) -> str | None:
    fitting = (
        template_id
        for template_id, template in sorted(custom.items())
        if template.active and (template.purpose, template.locale) == (purpose, locale)
    )
    return next(fitting, None)


def _custom(template_id: str, template: Template, purpose: Purpose, values: Mapping[str, object], once: str) -> Wording:
    try:
        subject, body = render(template.subject, values), render(template.body, values)
        _require_once(once, body)
    except Unusable as error:
        language = template.locale.partition("-")[0]
        substitute = _built_in(purpose, language if language in BUILT_IN_LOCALES else BUILT_IN_LOCALES[0], values)
        return replace(substitute, failure=Failure(template_id, str(error)))
    return Wording(template_id, template.locale, subject, body)


def _require_once(once: str, body: str) -> None:
    if once and body.count(once) != 1:
        raise Unusable("the body must hold {{ answer }} once")


def _built_in(purpose: Purpose, locale: str, values: Mapping[str, object]) -> Wording:
    subject, body = _built_in_source(purpose, locale)
    return Wording(f"built-in.{purpose}.{locale}", locale, render(subject, values), render(body, values))


@cache
def _built_in_source(purpose: Purpose, locale: str) -> tuple[str, str]:
    """Read a template file: a line `Subject: …`, an empty line, the body."""
    text = (files("deskwire_notify.mails") / "templates" / f"{purpose}.{locale}.txt").read_text(encoding="utf-8")
    head, _, body = text.partition("\n\n")
    return head.removeprefix("Subject:").strip(), body
