"""Why a ticket is as it is."""

from datetime import timedelta
from typing import get_args

import pytest

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import (
    AnyFact,
    Assigned,
    AssignmentDecision,
    Considered,
    PriorityChanged,
    Routed,
    RuleApplied,
    SlaApplied,
    SlaBreached,
    StatusChanged,
    TagsChanged,
)
from deskwire_shared.contracts.rules import Trigger
from deskwire_shared.testing.ticket import AGENT, NOON, a_commit, opened
from deskwire_shared.ticket.explaining import OCCASIONS, Explanation, explain, occasion_words, own_reasons, reasons

BY_RULE = Actor(kind="rule", id="routing")
BY_ROUTING = Actor(kind="system", id="routing")
CUSTOMER = Actor(kind="customer", id="cora")
URGENT = PriorityChanged(before="normal", after="urgent")
DECISION = AssignmentDecision(
    team_id="support",
    reason="they have the least work: 1 open, weight 2",
    candidates=3,
    considered=(
        Considered(agent_id="ada", open_tickets=1, capacity=5, verdict="chosen"),
        Considered(agent_id="bob", open_tickets=9, verdict="able"),
    ),
)
NAMES = {"ada": "Ada", "bob": "Bob", "cid": "Cid", "support": "Support", "gold": "Gold", "office": "Office"}


def name(document_id: str) -> str:
    return NAMES.get(document_id, document_id)


def a_history(*parts: tuple[Actor, int | None, tuple[AnyFact, ...]]) -> list[Commit]:
    """Commits, each with its actor and the place of the one that caused it."""
    commits: list[Commit] = []
    for number, (actor, cause, facts) in enumerate(parts):
        causation_id = None if cause is None else f"c{cause}"
        after = commits[-1].version if commits else 0
        commits.append(
            a_commit(*facts, after=after, commit_id=f"c{number}", causation_id=causation_id, actor=actor,
                     at=NOON + timedelta(minutes=number))
        )  # fmt: skip
    return commits


def a_note(trigger: str = "opened", **changes: object) -> RuleApplied:
    usual = {"rule_id": "r1", "rule_name": "Fire", "rule_revision": 3, "conditions": ("ticket.subject contains fire",)}
    return RuleApplied.model_validate({**usual, "trigger": trigger, **changes})


MAIL_TO_AGENT = a_history(
    (CUSTOMER, None, (opened(),)),
    (BY_RULE, 0, (a_note(), Routed(team_id="support", rule_id="r1"), URGENT)),
    (BY_ROUTING, 1, (Assigned(agent_id="ada", strategy="least_loaded", decision=DECISION),)),
)


def of(kind: type[AnyFact], history: list[Commit]) -> Explanation:
    (found,) = [one for one in explain(history) if isinstance(one.fact, kind)]
    return found


def test_an_assignment_goes_back_to_the_rule_and_to_the_mail() -> None:
    found = of(Assigned, MAIL_TO_AGENT)
    assert [(step.version, step.actor, step.fact.type) for step in found.causes] == [
        (2, BY_RULE, "ticket.rule_applied.v1"),
        (1, CUSTOMER, "ticket.opened.v1"),
    ]


def test_a_winner_is_told_with_those_who_were_considered() -> None:
    assert reasons(of(Assigned, MAIL_TO_AGENT), name) == (
        "Ada was chosen by least loaded in Support: they have the least work: 1 open, weight 2.",
        "Ada: chosen, 1 of 5 open tickets.",
        "Bob: could have taken it, 9 open tickets against 1.",
        "1 more were considered.",
    )


@pytest.mark.parametrize(
    ("verdict", "capacity", "words"),
    [
        ("full", 7, "Cid: full, 7 of 7 open tickets."),
        ("away", None, "Cid: away, 7 open tickets."),
        ("lacks the skill french", 9, "Cid: lacks the skill french, 7 of 9 open tickets."),
        ("able", 9, "Cid: could have taken it, 7 of 9 open tickets against 1."),
        ("had it before", None, "Cid: had it before, 7 open tickets."),
    ],
)
def test_whoever_was_not_chosen_is_told_with_the_reason(verdict: str, capacity: int | None, words: str) -> None:
    loser = Considered(agent_id="cid", open_tickets=7, capacity=capacity, verdict=verdict)
    decision = DECISION.model_copy(update={"considered": (*DECISION.considered, loser)})
    history = a_history((BY_ROUTING, None, (Assigned(agent_id="ada", strategy="round_robin", decision=decision),)))
    assert words in reasons(of(Assigned, history), name)


def test_what_a_rule_did_names_the_rule_its_revision_and_the_conditions_that_held() -> None:
    found = of(PriorityChanged, MAIL_TO_AGENT)
    assert found.rule == a_note()
    assert reasons(found, name) == (
        "Rule “Fire”, revision 3, because the ticket was opened.",
        "ticket.subject contains fire.",
    )
    assert own_reasons(found, name) == ()


def test_a_rule_that_was_stopped_says_why() -> None:
    history = a_history((AGENT, None, (opened(),)), (BY_RULE, 0, (a_note(stopped="the rule has set itself off"),)))
    assert "It was stopped: the rule has set itself off." in reasons(of(RuleApplied, history), name)


def test_of_several_things_the_one_that_set_the_rule_off_is_its_cause() -> None:
    tagged = TagsChanged(added=("a",), tags=("a",))
    history = a_history((AGENT, None, (opened(), URGENT, tagged)), (BY_RULE, 0, (a_note("tags_changed:c0"),)))
    assert [step.version for step in of(RuleApplied, history).causes] == [3]


def test_two_rules_in_one_commit_each_have_their_own_changes() -> None:
    other = a_note(rule_id="r2", rule_name="Other")
    history = a_history((CUSTOMER, None, (opened(),)), (BY_RULE, 0, (a_note(), URGENT, other, Routed(team_id="x"))))
    rules = {type(one.fact): one.rule and one.rule.rule_id for one in explain(history)}
    assert (rules[PriorityChanged], rules[Routed]) == ("r1", "r2")


def test_an_escalation_names_the_promise_and_its_revision() -> None:
    applied = SlaApplied(policy_id="gold", policy_revision=4, calendar_id="office", calendar_revision=2)
    missed = SlaBreached(metric="resolution", cycle=1, policy_id="gold", target=60, due_at=NOON)
    by_sla = Actor(kind="system", id="sla")
    escalated = (missed, a_note("sla_breached:resolution:1", rule_id="gold", rule_name="Gold"), URGENT)
    history = a_history((CUSTOMER, None, (opened(),)), (by_sla, 0, (applied,)), (by_sla, 0, escalated))
    assert reasons(of(SlaBreached, history), name) == ("Policy Gold, revision 4.", "Hours of Office, revision 2.")
    assert reasons(of(PriorityChanged, history), name)[0].endswith("because a promise was missed.")


def test_what_an_agent_did_has_no_other_cause() -> None:
    history = a_history((CUSTOMER, None, (opened(),)), (AGENT, None, (StatusChanged(before="new", after="open"),)))
    found = of(StatusChanged, history)
    assert (found.actor, found.causes, reasons(found, name)) == (AGENT, (), ())


def test_causes_that_name_each_other_are_followed_once() -> None:
    history = a_history((BY_RULE, 1, (opened(),)), (BY_RULE, 0, (URGENT,)))
    assert len(of(PriorityChanged, history).causes) == 1


@pytest.mark.parametrize(
    ("occasion", "words"),
    [("customer_replied:m2", "the customer wrote"), ("waited:pending:2", "the ticket had stayed long enough in its status"),
     ("sung:m1", "sung")],
)  # fmt: skip
def test_an_occasion_is_told_in_words(occasion: str, words: str) -> None:
    assert occasion_words(occasion) == words


def test_every_trigger_can_be_told_in_words() -> None:
    assert set(OCCASIONS) == set(get_args(Trigger))
