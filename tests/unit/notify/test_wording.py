"""Which template speaks, and what happens when it cannot."""

import pytest

from deskwire_notify.mails.wording import PersonValues, TicketValues, Wording, word
from deskwire_shared.contracts.directory import Template

VALUES = {
    "ticket": TicketValues(42, "Printer on fire"),
    "customer": PersonValues("Cora"),
    "desk": PersonValues("Acme Support"),
}


def a_template(**changes: object) -> Template:
    usual = {"name": "Ack", "purpose": "acknowledgement", "locale": "en", "subject": "Got it", "body": "Thanks!"}
    return Template.model_validate({**usual, **changes})


def acknowledged(*locales: str, **custom: Template) -> Wording:
    return word("acknowledgement", locales, VALUES, custom)


@pytest.mark.parametrize(
    ("locale", "greeting"), [("en", "Hello Cora"), ("de", "Guten Tag Cora"), ("de-AT", "Guten Tag Cora")]
)
def test_the_desk_speaks_languages_of_its_own(locale: str, greeting: str) -> None:
    wording = acknowledged(locale)
    assert wording.body.startswith(greeting)
    assert "42" in wording.body
    assert wording.subject == "Printer on fire"
    assert "Acme Support" in wording.body


def test_without_the_customers_language_the_channels_is_spoken_then_english() -> None:
    assert acknowledged("fr", "de").locale == "de"
    assert acknowledged("fr").template_id == "built-in.acknowledgement.en"
    assert acknowledged().locale == "en"


def test_a_template_of_the_desk_comes_before_the_built_in_one() -> None:
    wording = acknowledged("en", mine=a_template(body="Thanks, {{ customer.name }}!"))
    assert wording == Wording("mine", "en", "Got it", "Thanks, Cora!")


def test_a_template_in_the_exact_language_comes_first() -> None:
    wide, exact = a_template(locale="de", body="weit"), a_template(locale="de-AT", body="genau")
    assert acknowledged("de-AT", a=wide, b=exact).body == "genau"
    assert acknowledged("de-CH", a=wide, b=exact).body == "weit"


def test_templates_that_are_switched_off_or_for_another_purpose_do_not_speak() -> None:
    others = {"off": a_template(active=False), "other": a_template(purpose="reply")}
    assert acknowledged("en", **others).template_id == "built-in.acknowledgement.en"


def test_instead_of_a_template_that_fails_the_built_in_one_speaks_and_the_reason_is_told() -> None:
    wording = acknowledged("de-AT", broken=a_template(locale="de-AT", body="{{ custmer.name }}"))
    assert wording.template_id == "built-in.acknowledgement.de"
    assert wording.failure is not None
    assert wording.failure.template_id == "broken"
    assert "custmer" in wording.failure.reason


@pytest.mark.parametrize("body", ["no answer", "{{ answer }} and {{ answer }}", "{{ answer | upper }}"])
def test_a_template_for_replies_must_hold_the_answer_once(body: str) -> None:
    values = {**VALUES, "answer": "[[r1]]", "signature": "Ada"}
    wording = word("reply", ["en"], values, {"t1": a_template(purpose="reply", body=body)}, once="[[r1]]")
    assert wording.failure is not None
    assert "[[r1]]" in wording.body
