"""Which business rules act on an occasion, and what they wish for."""

from typing import Any

import pytest

from deskwire_routing.rules.applying import Application, Setting, StandingRule, applied
from deskwire_routing.rules.lineage import FIRST, Lineage
from deskwire_routing.rules.occasions import Occasion
from deskwire_shared.contracts.directory import Organisation, Template
from deskwire_shared.contracts.facts import CustomerReplied, Merged, RuleApplied, StatusChanged
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.surroundings import Surroundings
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, a_ticket
from deskwire_shared.ticket.acting import Staff
from deskwire_shared.ticket.commands import (
    ApplyRule,
    AssignTicket,
    ChangePriority,
    ChangeStatus,
    ChangeTags,
    ChangeType,
    RouteTicket,
    Several,
    SingleCommand,
)
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket

OPENED = Occasion(trigger="opened", name="opened", message_id="m1")
REPLIED = Occasion(trigger="customer_replied", name="customer_replied:m2", message_id="m2")
STAFF = Staff(
    teams={"billing": Team(name="Billing"), "vip": Team(name="VIP")},
    agents={agent_id: Agent(email=f"{agent_id}@desk.example", name=agent_id.title()) for agent_id in ("ada", "bob")},
    templates={
        "thanks": Template(name="Thanks", purpose="answer", subject="", body="Thank you, {{ customer.name }}."),
        "ack": Template(name="Ack", purpose="acknowledgement", subject="", body=""),
    },
)
URGENT = {"do": "set_priority", "priority": "urgent"}
VIP_TAG = {"do": "add_tags", "tags": ["vip"]}


def a_rule(rule_id: str, *actions: dict[str, Any], **changes: Any) -> StandingRule:
    rule = Rule.model_validate({"name": f"Rule {rule_id}", "actions": list(actions) or [URGENT], **changes})
    return StandingRule(id=rule_id, revision=3, rule=rule)


def when(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"all": [{"field": field, "op": op, "value": value}]}


def ask(
    *rules: StandingRule,
    ticket: Ticket | None = None,
    occasion: Occasion = OPENED,
    surroundings: Surroundings | None = None,
    lineage: Lineage = FIRST,
) -> tuple[Application, ...]:
    setting = Setting(surroundings=surroundings or Surroundings(), staff=STAFF, lineage=lineage)
    return applied(rules, ticket or a_ticket(), occasion, setting)


def ids(applications: tuple[Application, ...]) -> list[str]:
    return [application.rule_id for application in applications]


def wishes(application: Application) -> list[SingleCommand]:
    return [command for command in application.commands if not isinstance(command, ApplyRule)]


def test_a_rule_whose_conditions_hold_acts_and_says_why() -> None:
    (application,) = ask(a_rule("r1", URGENT, conditions=when("ticket.subject", "contains", "fire")))
    assert application.commands == (
        ApplyRule(
            rule_id="r1",
            rule_name="Rule r1",
            rule_revision=3,
            trigger="opened",
            conditions=("ticket.subject contains fire",),
        ),
        ChangePriority(priority="urgent"),
    )


def test_a_rule_whose_conditions_do_not_hold_does_nothing() -> None:
    assert ask(a_rule("r1", conditions=when("ticket.subject", "contains", "flood"))) == ()


def test_a_rule_without_conditions_always_acts() -> None:
    assert ids(ask(a_rule("r1"))) == ["r1"]


def test_an_inactive_rule_is_not_asked() -> None:
    assert ask(a_rule("r1", active=False)) == ()


def test_a_rule_is_asked_on_its_own_trigger_only() -> None:
    assert ask(a_rule("r1", trigger="reopened")) == ()


def test_rules_act_in_their_order_and_then_by_id() -> None:
    assert ids(ask(a_rule("c", order=1), a_rule("b"), a_rule("a"))) == ["c", "a", "b"]


def test_a_rule_that_stops_keeps_later_ones_from_acting() -> None:
    assert ids(ask(a_rule("a", stop=True), a_rule("b"))) == ["a"]


def test_a_stopping_rule_that_does_not_hold_stops_nothing() -> None:
    never = when("ticket.priority", "is", "low")
    assert ids(ask(a_rule("a", stop=True, conditions=never), a_rule("b"))) == ["b"]


def test_a_later_rule_sees_what_an_earlier_one_did() -> None:
    tagged = when("ticket.tags", "contains", "vip")
    assert ids(ask(a_rule("a", VIP_TAG), a_rule("b", conditions=tagged))) == ["a", "b"]
    assert ids(ask(a_rule("a", conditions=tagged), a_rule("b", VIP_TAG))) == ["b"]


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ({"do": "set_team", "team_id": "vip"}, RouteTicket(team_id="vip", rule_id="r1")),
        ({"do": "set_priority", "priority": "low"}, ChangePriority(priority="low")),
        ({"do": "set_type", "ticket_type": "incident"}, ChangeType(ticket_type="incident")),
        ({"do": "set_status", "status": "on_hold"}, ChangeStatus(status="on_hold")),
        ({"do": "add_tags", "tags": ["a", "b"]}, ChangeTags(add=("a", "b"))),
        ({"do": "remove_tags", "tags": ["a"]}, ChangeTags(remove=("a",))),
        ({"do": "set_assignee", "agent_id": "ada"}, AssignTicket(agent_id="ada", strategy="rule")),
    ],
)
def test_every_action_becomes_a_command(action: dict[str, Any], command: SingleCommand) -> None:
    (application,) = ask(a_rule("r1", action))
    assert wishes(application) == [command]


def test_the_assignee_is_set_after_the_team() -> None:
    rule = a_rule("r1", {"do": "set_assignee", "agent_id": "ada"}, {"do": "set_team", "team_id": "vip"})
    (application,) = ask(rule, ticket=a_ticket(team_id="billing", assignee_id="bob"))
    assert wishes(application) == [
        RouteTicket(team_id="vip", rule_id="r1"),
        AssignTicket(agent_id="ada", strategy="rule"),
    ]


def test_a_rule_asks_about_the_message_that_set_it_off() -> None:
    replies = [
        CustomerReplied(
            person_id=CUSTOMER_ID, author_id=CUSTOMER_ID, message_id=message_id, channel="email", author=CUSTOMER,
            text=text,
        )
        for message_id, text in (("m2", "It burns!"), ("m3", "All fine now."))
    ]  # fmt: skip
    rule = a_rule("r1", trigger="customer_replied", conditions=when("message.text", "matches_any_word", "burns"))
    assert ids(ask(rule, ticket=a_ticket(*replies), occasion=REPLIED)) == ["r1"]
    later = Occasion(trigger="customer_replied", name="customer_replied:m3", message_id="m3")
    assert ask(rule, ticket=a_ticket(*replies), occasion=later) == ()


def test_a_rule_can_ask_about_the_organisation() -> None:
    rule = a_rule("r1", conditions=when("organisation.tags", "contains", "gold"))
    golden = Surroundings(organisation=Organisation(name="Acme", tags=("gold",)))
    assert ids(ask(rule, surroundings=golden)) == ["r1"]
    assert ask(rule) == ()


def test_a_rule_acts_once_on_an_occasion_even_when_it_was_edited_since() -> None:
    acted = RuleApplied(rule_id="r1", rule_name="Rule r1", rule_revision=2, trigger="opened")
    assert ids(ask(a_rule("r1"), a_rule("r2"), ticket=a_ticket(acted))) == ["r2"]
    again = RuleApplied(rule_id="r1", rule_name="Rule r1", rule_revision=3, trigger="customer_replied:m9")
    assert ids(ask(a_rule("r1"), ticket=a_ticket(again))) == ["r1"]


def test_a_rule_that_stopped_on_an_occasion_still_stops_when_it_is_told_again() -> None:
    acted = RuleApplied(rule_id="r1", rule_name="Rule r1", rule_revision=3, trigger="opened")
    assert ask(a_rule("r1", stop=True), a_rule("r2"), ticket=a_ticket(acted)) == ()


def test_an_action_with_a_missing_team_or_agent_is_passed_over_aloud() -> None:
    actions = ({"do": "set_team", "team_id": "gone"}, {"do": "set_assignee", "agent_id": "left"}, URGENT)
    (application,) = ask(a_rule("r1", *actions))
    assert wishes(application) == [ChangePriority(priority="urgent")]
    assert application.troubles == (
        "there is no team gone",
        "agent left does not exist or is not active",
    )


def test_a_rule_that_can_do_nothing_does_not_claim_to_have_acted_and_stops_nothing() -> None:
    broken = a_rule("a", {"do": "set_team", "team_id": "gone"}, stop=True)
    first, second = ask(broken, a_rule("b"))
    assert first.commands == ()
    assert first.troubles == ("there is no team gone",)
    assert wishes(second) == [ChangePriority(priority="urgent")]


def test_a_rule_that_the_ticket_refuses_does_not_act() -> None:
    (application,) = ask(a_rule("r1", {"do": "set_status", "status": "new"}, URGENT), ticket=a_ticket(status="open"))
    assert application.commands == ()
    assert application.troubles == ("A ticket cannot go from open to new.",)


def test_rules_never_wish_for_more_than_a_ticket_takes_at_once() -> None:
    tags = [{"do": "add_tags", "tags": [f"t{number}"]} for number in range(19)]
    applications = ask(*(a_rule(f"r{number:02}", *tags) for number in range(7)))
    commands = tuple(command for application in applications for command in application.commands)
    assert len(commands) == 100
    assert decide(Several(commands=commands), a_ticket())
    assert [bool(application.commands) for application in applications] == [True] * 5 + [False] * 2
    assert "at most 100" in applications[-1].troubles[0]


@pytest.mark.parametrize(
    "over",
    [
        a_ticket(StatusChanged(before="new", after="closed")),
        a_ticket(Merged(into="t2", into_number=2), StatusChanged(before="new", after="closed")),
        Ticket.unborn("t1"),
    ],
)
def test_no_rule_acts_on_a_ticket_that_takes_no_changes(over: Ticket) -> None:
    assert ask(a_rule("r1"), ticket=over) == ()


def test_a_rule_that_changes_nothing_is_noted_all_the_same() -> None:
    (application,) = ask(a_rule("r1"), ticket=a_ticket(priority="urgent"))
    facts = decide(Several(commands=application.commands), a_ticket(priority="urgent"))
    assert [type(fact) for fact in facts] == [RuleApplied]
