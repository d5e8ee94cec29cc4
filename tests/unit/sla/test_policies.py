"""Which policy holds."""

from dataclasses import replace
from typing import Any

from deskwire_shared.testing.ticket import a_ticket
from deskwire_shared.ticket.conditions import ticket_context
from deskwire_sla.policies import Terms, choose
from sla_stories import HOUR, a_policy, promising, some_terms

URGENT = {"all": [{"field": "ticket.priority", "op": "is", "value": "urgent"}]}


def named(policy_id: str, **changes: Any) -> Terms:
    return replace(some_terms(), policy_id=policy_id, policy=a_policy(**changes))


def chosen(*terms: Terms, **ticket: Any) -> str | None:
    found = choose({one.policy_id: one for one in terms}, ticket_context(a_ticket(**ticket)))
    return found.policy_id if found else None


def test_the_first_policy_in_order_whose_conditions_hold_is_the_one() -> None:
    special, general = named("special", order=1, conditions=URGENT), named("general", order=2)
    assert chosen(general, special, priority="urgent") == "special"
    assert chosen(general, special, priority="low") == "general"


def test_policies_of_one_order_are_asked_by_id() -> None:
    assert chosen(named("b"), named("a")) == "a"


def test_an_inactive_policy_never_holds() -> None:
    assert chosen(named("a", active=False), named("b")) == "b"


def test_there_may_be_no_policy() -> None:
    assert chosen() is None
    assert chosen(named("a", conditions=URGENT)) is None


def test_a_priority_that_is_left_out_is_promised_nothing() -> None:
    terms = some_terms(**promising("resolution", urgent=HOUR))
    assert terms.target("resolution", "urgent") == HOUR
    assert terms.target("resolution", "low") is None
    assert terms.target("first_response", "urgent") is None
