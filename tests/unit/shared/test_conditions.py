"""Which conditions hold for which ticket."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as every
from hypothesis import strategies as st
from pydantic import ValidationError

from deskwire_shared.contracts.conditions import Condition, Conditions
from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.contracts.facts import (
    Assigned,
    CustomerReplied,
    FieldChanged,
    Rated,
    SlaApplied,
    SlaBreached,
    SlaClock,
)
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, NOON, a_ticket
from deskwire_shared.ticket.conditions import holding, holds, ticket_context

CONTEXT: dict[str, object] = {
    "ticket.subject": "Straße on FIRE, credit-card burnt",
    "ticket.team": None,
    "ticket.tags": ("vip", "burning printer"),
    "ticket.followers": (),
    "ticket.number": 7,
    "ticket.field.paid": True,
    "ticket.field.spent": 9.5,
    "ticket.opened_at": NOON,
    "message.to": ("help@desk.example", "Sales@desk.example"),
}
BEFORE = (NOON - timedelta(hours=1)).isoformat()
AFTER = (NOON + timedelta(hours=1)).isoformat()


def condition(field: str, op: str, value: object = None) -> Condition:
    return Condition.model_validate({"field": field, "op": op, "value": value})


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("ticket.subject", "is", "STRASSE on fire, credit-card burnt"),
        ("ticket.subject", "is_not", "calm"),
        ("ticket.subject", "in", ("a", "straße on fire, credit-card burnt")),
        ("ticket.subject", "not_in", ("a", "b")),
        ("ticket.subject", "not_in", ()),
        ("ticket.subject", "contains", "strasse"),
        ("ticket.subject", "not_contains", "water"),
        ("ticket.subject", "starts_with", "STRASSE"),
        ("ticket.subject", "matches_any_word", "water Fire"),
        ("ticket.subject", "matches_any_word", ("credit card",)),
        ("ticket.subject", "is_set", None),
        ("ticket.team", "is_not_set", None),
        ("ticket.team", "is_not", "support"),
        ("ticket.team", "not_in", ("support",)),
        ("ticket.team", "not_contains", "support"),
        ("ticket.followers", "is_not_set", None),
        ("ticket.followers", "not_contains", "ada"),
        ("ticket.tags", "contains", "VIP"),
        ("ticket.tags", "is", "vip"),
        ("ticket.tags", "in", ("gold", "vip")),
        ("ticket.tags", "not_contains", "gold"),
        ("ticket.tags", "matches_any_word", "printer"),
        ("message.to", "starts_with", "sales@"),
        ("ticket.number", "is", 7),
        ("ticket.number", "greater", 6),
        ("ticket.number", "less", 7.5),
        ("ticket.field.spent", "greater", 9),
        ("ticket.field.paid", "is", True),
        ("ticket.field.paid", "is_not", False),
        ("ticket.field.unheard_of", "is_not_set", None),
        ("ticket.opened_at", "before", AFTER),
        ("ticket.opened_at", "after", BEFORE),
        ("ticket.opened_at", "after", "2026-03-02"),
        ("ticket.opened_at", "is_set", None),
    ],
)
def test_a_condition_holds(field: str, op: str, value: object) -> None:
    assert holds(condition(field, op, value), CONTEXT)


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("ticket.subject", "is", "fire"),
        ("ticket.subject", "in", ("fire",)),
        ("ticket.subject", "in", ()),
        ("ticket.subject", "starts_with", "fire"),
        ("ticket.subject", "matches_any_word", "fir red"),
        ("ticket.subject", "matches_any_word", "- , !"),
        ("ticket.subject", "not_contains", "fire"),
        ("ticket.team", "is_set", None),
        ("ticket.tags", "contains", "vi"),
        ("ticket.tags", "is_not", "vip"),
        ("ticket.tags", "not_in", ("vip",)),
        ("ticket.number", "greater", 7),
        ("ticket.number", "less", 7),
        ("ticket.opened_at", "before", BEFORE),
        ("ticket.opened_at", "after", NOON.isoformat()),
    ],
)
def test_a_condition_does_not_hold(field: str, op: str, value: object) -> None:
    assert not holds(condition(field, op, value), CONTEXT)


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("ticket.subject", "is", 7),
        ("ticket.subject", "is_not", 7),
        ("ticket.subject", "greater", 7),
        ("ticket.subject", "before", AFTER),
        ("ticket.number", "is", "7"),
        ("ticket.number", "contains", "7"),
        ("ticket.number", "not_contains", "8"),
        ("ticket.field.paid", "is", 1),
        ("ticket.field.paid", "greater", 0),
        ("ticket.opened_at", "before", "some day"),
        ("ticket.opened_at", "is", NOON.isoformat()),
    ],
)
def test_unequal_kinds_never_hold(field: str, op: str, value: object) -> None:
    assert not holds(condition(field, op, value), CONTEXT)


@pytest.mark.parametrize("op", ["is_not", "is_not_set", "not_contains"])
def test_what_is_asked_of_an_unknown_field_never_holds(op: str) -> None:
    assert not holds(condition("customer.mood", op, None if op == "is_not_set" else "grim"), CONTEXT)


def test_no_conditions_always_hold() -> None:
    assert holding(Conditions(), CONTEXT) == ()


def test_the_conditions_that_held_are_named() -> None:
    conditions = Conditions(
        all=(condition("ticket.tags", "contains", "vip"), condition("ticket.team", "is_not_set")),
        any=(condition("ticket.number", "is", 1), condition("ticket.subject", "matches_any_word", ("ice", "fire"))),
    )
    assert holding(conditions, CONTEXT) == (
        "ticket.tags contains vip",
        "ticket.team is not set",
        "ticket.subject matches any word ice or fire",
    )


def test_all_of_all_and_one_of_any_must_hold() -> None:
    yes, no = condition("ticket.number", "is", 7), condition("ticket.number", "is", 8)
    assert holding(Conditions(all=(yes, no)), CONTEXT) is None
    assert holding(Conditions(any=(no, no)), CONTEXT) is None
    assert holding(Conditions(all=(yes,), any=(no,)), CONTEXT) is None
    assert holding(Conditions(any=(no, yes)), CONTEXT) == ("ticket.number is 7",)


def test_a_long_condition_is_named_in_short() -> None:
    (said,) = holding(Conditions(all=(condition("ticket.subject", "not_contains", "x" * 1000),)), CONTEXT) or ()
    assert len(said) == 200


@pytest.mark.parametrize(
    "malformed",
    [
        {"field": "ticket.subject", "op": "matches", "value": "x"},
        {"field": "secrets.key", "op": "is", "value": "x"},
        {"field": "ticket", "op": "is", "value": "x"},
        {"field": "ticket.a.b.c", "op": "is", "value": "x"},
        {"field": "ticket.subject\n", "op": "is", "value": "x"},
        {"field": "ticket.subject", "op": "is", "value": None},
        {"field": "ticket.subject", "op": "is", "value": ["x"]},
        {"field": "ticket.subject", "op": "is_set", "value": "x"},
        {"field": "ticket.subject", "op": "in", "value": "x"},
        {"field": "ticket.number", "op": "greater", "value": "7"},
        {"field": "ticket.number", "op": "greater", "value": True},
        {"field": "ticket.number", "op": "greater", "value": float("nan")},
        {"field": "ticket.subject", "op": "contains", "value": "x" * 1001},
        {"field": "ticket.subject", "op": "in", "value": ["x"] * 101},
        {"field": "ticket.subject", "op": "in", "value": ["x" * 1001]},
        {"field": "ticket.subject", "op": "is", "value": "x", "mood": "grim"},
    ],
)
def test_a_malformed_condition_is_refused(malformed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(malformed)


def test_there_are_a_hundred_conditions_at_most() -> None:
    one = condition("ticket.team", "is_set")
    assert Conditions(all=(one,) * 50, any=(one,) * 50)
    with pytest.raises(ValidationError):
        Conditions(all=(one,) * 50, any=(one,) * 51)


def test_conditions_survive_storage() -> None:
    conditions = Conditions(
        all=(
            condition("ticket.tags", "in", ("a", "b")),
            condition("ticket.number", "greater", 7),
            condition("ticket.field.paid", "is", True),
        )
    )
    assert Conditions.model_validate_json(conditions.model_dump_json()) == conditions


def test_the_context_speaks_of_ticket_message_customer_and_organisation() -> None:
    reply = CustomerReplied(
        person_id=CUSTOMER_ID, message_id="m2", channel="email", author=CUSTOMER, author_id=CUSTOMER_ID, text="Again!"
    )
    ticket = a_ticket(Assigned(agent_id="ada"), reply, FieldChanged(name="region", after="north"))
    context = ticket_context(
        ticket,
        Customer(address="cora@example.org", name="Cora", organisation_id="acme"),
        Organisation(name="Acme", domains=("example.org",)),
    )
    expected = {
        "ticket.status": "new",
        "ticket.assignee": "ada",
        "ticket.requester_id": CUSTOMER_ID,
        "ticket.field.region": "north",
        "message.text": "Again!",
        "message.from": "cora@example.org",
        "message.from_domain": "example.org",
        "customer.organisation_id": "acme",
        "organisation.domains": ("example.org",),
    }
    assert {name: context[name] for name in expected} == expected


def test_the_context_can_speak_of_another_message() -> None:
    ticket = a_ticket()
    assert ticket_context(ticket, message=ticket.messages[0])["message.text"] == "Please help."


def test_without_a_customer_nothing_is_known_of_one() -> None:
    context = ticket_context(a_ticket(Rated(person_id=CUSTOMER_ID, score=2)))
    assert context["ticket.rating"] == 2
    assert not [name for name in context if name.startswith(("customer.", "organisation."))]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text("aZß-7 :T", max_size=20),
    st.datetimes(),
    st.lists(st.text("aZß-7 ", max_size=5), max_size=3).map(tuple),
)
OPERATORS = st.sampled_from(
    [
        "is",
        "is_not",
        "in",
        "not_in",
        "contains",
        "not_contains",
        "starts_with",
        "matches_any_word",
        "before",
        "after",
        "greater",
        "less",
        "is_set",
        "is_not_set",
    ]
)


@every(actual=VALUES, op=OPERATORS, value=VALUES)
def test_no_comparison_ever_raises(actual: object, op: Any, value: Any) -> None:
    unchecked = Condition.model_construct(field="ticket.subject", op=op, value=value)
    assert holds(unchecked, {"ticket.subject": actual}) in {True, False}


def test_a_condition_can_ask_how_a_promise_stands() -> None:
    due = NOON + timedelta(hours=1)
    clock = SlaClock(metric="resolution", cycle=2, state="running", target=60, used=0, due_at=due)
    missed = SlaBreached(metric="resolution", cycle=1, policy_id="gold", target=60, due_at=NOON)
    promised = SlaApplied(policy_id="gold", clocks=(clock,))
    context = ticket_context(a_ticket(missed, promised))
    assert (context["sla.policy"], context["sla.breached"], context["sla.warned"]) == ("gold", True, False)
    assert (context["sla.resolution.state"], context["sla.resolution.due_at"]) == ("running", due)
    assert context["sla.first_response.state"] is None
    again = missed.model_copy(update={"cycle": 2})
    assert ticket_context(a_ticket(promised, again))["sla.resolution.state"] == "breached"


@pytest.mark.parametrize("field", ["sla.resolution.state", "sla.breached", "calendar.Office-1.open", "ticket.field.x"])
def test_a_field_can_be_asked_for(field: str) -> None:
    assert Condition(field=field, op="is", value=True).field == field


@pytest.mark.parametrize("field", ["calendar.office", "calendar.office.shut", "calendar..open", "sla", "clock.x"])
def test_a_field_that_nothing_has_cannot_be_asked_for(field: str) -> None:
    with pytest.raises(ValidationError):
        Condition(field=field, op="is", value=True)
