"""Templates cannot do harm, whatever stands in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_notify.mails.rendering import MOST_OUTPUT, Unusable, render
from deskwire_notify.mails.wording import PersonValues, TicketValues

VALUES = {"ticket": TicketValues(7, "Printer"), "customer": PersonValues("")}


def test_a_template_puts_values_in_chooses_and_filters() -> None:
    source = (
        "{{ ticket.subject | upper }} #{{ ticket.number }}{% if customer.name %} for {{ customer.name }}{% endif %}"
    )
    assert render(source, VALUES) == "PRINTER #7"
    assert render("{{ customer.name or 'you' }}, {{ 'x' if ticket.number == 7 else 'y' }}", VALUES) == "you, x"
    assert render("{{ ticket.subject | truncate(length=4, end='', leeway=0) }}", VALUES) == "Prin"


def test_what_a_template_says_is_not_escaped_since_it_is_text() -> None:
    assert render("{{ s }}", {"s": "<b> & 'x'"}) == "<b> & 'x'"


@pytest.mark.parametrize("source", ["{{ nobody }}", "{{ ticket.nothing }}", "{{ customer.name.first.last }}"])
def test_an_unknown_value_is_an_error_and_not_a_gap(source: str) -> None:
    with pytest.raises(Unusable, match=r"nobody|nothing|first"):
        render(source, VALUES)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in ticket.subject %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 1 + 1 }}",
        "{{ ticket.subject.format(1) }}",
        "{{ ticket.__class__.__mro__ }}",
        "{{ ticket['subject'] }}",
        "{{ range(9) }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ 'x' | replace('x', 'xx') }}",
        "{% set x = 'a' %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'layout.html' %}",
        "{% import 'os' as os %}",
        "{{ [1, 2] }}",
        "{{ {'a': 1} }}",
        "{{ 'a' ~ 'b' }}",
        "{% filter upper %}x{% endfilter %}",
        "{% if %}",
        "{{",
        "{{ 1 < 'a' }}",
        "{% if a %}" * 2000 + "{% endif %}" * 2000,
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "not " * 5000 + "1 }}",
    ],
)
def test_a_template_that_wants_more_is_unusable(source: str) -> None:
    with pytest.raises(Unusable):
        render(source, VALUES)


def test_what_a_template_makes_is_bounded() -> None:
    with pytest.raises(Unusable, match="more than"):
        render("{{ s }}" * 100, {"s": "x" * (MOST_OUTPUT // 50)})


@given(st.text(alphabet="{}%# .|()[]'abifendtickesubr_\n-", max_size=80))
def test_any_text_is_a_template_or_unusable(source: str) -> None:
    try:
        assert isinstance(render(source, VALUES), str)
    except Unusable as reason:
        assert str(reason)  # noqa: PT017 - either outcome is right
