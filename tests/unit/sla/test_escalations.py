"""What is done when a promise is close or missed."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from deskwire_shared.contracts.facts import (
    AnyFact,
    Assigned,
    FollowersChanged,
    NoteAdded,
    PriorityChanged,
    Routed,
    RuleApplied,
    SlaApplied,
    SlaBreached,
    SlaMet,
    SlaWarned,
    TagsChanged,
    Unassigned,
    WebhookRequested,
)
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.ticket.acting import Staff
from deskwire_shared.ticket.commands import AssignTicket, RouteTicket
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.policies import Terms
from deskwire_sla.review import next_look, review
from sla_stories import (
    HOUR,
    a_policy,
    after,
    agent_answers,
    at,
    becomes,
    customer_writes,
    opens,
    promising,
    some_terms,
    story,
)


def an_agent(*team_ids: str) -> Agent:
    return Agent(email="agent@example.com", name="Agent", team_ids=team_ids)


STAFF = Staff(
    teams={team_id: Team(name=team_id) for team_id in ("frontline", "experts")},
    agents={"ada": an_agent("frontline"), "bob": an_agent("experts"), "eve": an_agent()},
    webhooks={"pager": Webhook(name="Pager", url="https://pager.example/")},
)


def escalating(*actions: dict[str, Any], when: str = "breached", **changes: Any) -> Terms:
    """A first response in an hour, and what is done about it."""
    escalation = {"when": when, "actions": actions, **changes}
    return some_terms(**promising("first_response", normal=HOUR, high=HOUR), escalations=[escalation])


def noted(ticket: Ticket, terms: Terms, now: datetime) -> list[AnyFact]:
    return list(decide(review(ticket, terms, now, STAFF), ticket))


def looked_at(ticket: Ticket, terms: Terms, now: datetime) -> Ticket:
    return after(ticket, noted(ticket, terms, now), now)


def only(kind: type, facts: list[AnyFact]) -> Any:
    (found,) = [fact for fact in facts if isinstance(fact, kind)]
    return found


def kinds(facts: list[AnyFact]) -> list[type]:
    return [type(fact) for fact in facts]


def test_an_escalation_stands_in_the_commit_of_its_breach_and_is_explained() -> None:
    facts = noted(story(opens("09:00")), escalating({"do": "raise_priority"}), at("10:00"))
    assert kinds(facts) == [SlaApplied, SlaBreached, RuleApplied, PriorityChanged]
    assert facts[2] == RuleApplied(
        rule_id="standard", rule_name="Standard", rule_revision=1, trigger="sla_breached:first_response:1",
        conditions=("the first response was due at 2026-03-02 10:00 UTC",),
    )  # fmt: skip
    assert facts[3] == PriorityChanged(before="normal", after="high")


def test_an_escalation_happens_once() -> None:
    terms = escalating({"do": "raise_priority"}, {"do": "notify_agents"})
    escalated = looked_at(story(opens("09:00")), terms, at("10:00"))
    settled = looked_at(escalated, terms, at("10:00"))
    assert settled.priority == "high"
    for clock in ("10:00", "10:01", "23:00"):
        assert noted(settled, terms, at(clock)) == []
    assert next_look(settled, at("10:00")) is None


def test_an_escalation_can_concern_one_of_several_warnings() -> None:
    escalation = {"when": "warned", "at": 0.9, "actions": [{"do": "add_tags", "tags": ["late"]}]}
    terms = some_terms(**promising("first_response"), warn_at=[0.5, 0.9], escalations=[escalation])
    ticket = story(opens("09:00"))
    early = noted(ticket, terms, at("09:30"))
    assert kinds(early) == [SlaApplied, SlaWarned]
    late = noted(after(ticket, early, at("09:30")), terms, at("09:54"))
    assert kinds(late) == [SlaWarned, RuleApplied, TagsChanged]
    assert only(RuleApplied, late).trigger == "sla_warned:first_response:1:2"


def test_an_escalation_can_concern_one_of_several_promises() -> None:
    action = {"when": "breached", "metrics": ["resolution"], "actions": [{"do": "raise_priority"}]}
    terms = some_terms(escalations=[action])
    ticket = looked_at(story(opens("09:00")), terms, at("10:00"))
    assert ticket.priority == "normal"
    assert looked_at(ticket, terms, at("17:00")).priority == "high"


def test_agents_are_told_by_a_note_that_mentions_them() -> None:
    ticket = story(
        opens("09:00"), (at("09:05"), RouteTicket(team_id="experts")), (at("09:06"), AssignTicket(agent_id="ada"))
    )
    action = {"do": "notify_agents", "agent_ids": ["eve", "gone"], "team": True, "text": "Have a look."}
    note = only(NoteAdded, noted(ticket, escalating(action), at("10:00")))
    assert note.mentions == ("eve", "ada", "bob")
    assert note.text == "The first response was due at 2026-03-02 10:00 UTC.\n\nHave a look."


def test_a_warning_tells_when_it_is_due() -> None:
    note = only(
        NoteAdded, noted(story(opens("09:00")), escalating({"do": "notify_agents"}, when="warned"), at("09:45"))
    )
    assert note.text == "The first response is due at 2026-03-02 10:00 UTC."


def test_a_ticket_can_go_to_an_agent_of_another_team() -> None:
    ticket = story(
        opens("09:00"), (at("09:05"), RouteTicket(team_id="frontline")), (at("09:06"), AssignTicket(agent_id="ada"))
    )
    actions = ({"do": "set_assignee", "agent_id": "bob"}, {"do": "set_team", "team_id": "experts"})
    facts = noted(ticket, escalating(*actions), at("10:00"))
    assert kinds(facts)[2:] == [RuleApplied, Routed, Unassigned, Assigned]
    assert only(Routed, facts).reason == "the first response was due at 2026-03-02 10:00 UTC"
    assert looked_at(ticket, escalating(*actions), at("10:00")).assignee_id == "bob"


def test_a_webhook_is_told_of_a_breach_in_the_commit_that_notes_it() -> None:
    facts = noted(story(opens("09:00")), escalating({"do": "call_webhook", "webhook_id": "pager"}), at("10:00"))
    assert kinds(facts) == [SlaApplied, SlaBreached, RuleApplied, WebhookRequested]
    call = only(WebhookRequested, facts)
    assert (call.webhook_id, call.asked_by, call.asker_id, call.asker_name) == (
        "pager",
        "policy",
        "standard",
        "Standard",
    )


def test_followers_are_added() -> None:
    action = {"do": "add_followers", "agent_ids": ["eve", "gone"]}
    assert only(FollowersChanged, noted(story(opens("09:00")), escalating(action), at("10:00"))).followers == ("eve",)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({"do": "set_team", "team_id": "t9"}, "there is no team t9"),
        ({"do": "set_assignee", "agent_id": "gone"}, "agent gone does not exist or is not active"),
        ({"do": "call_webhook", "webhook_id": "gone"}, "webhook gone does not exist or is switched off"),
        ({"do": "add_followers", "agent_ids": ["gone"]}, "no agent of gone exists and is active"),
    ],
)
def test_what_cannot_be_done_is_said_and_hinders_nothing(action: dict[str, Any], why: str) -> None:
    facts = noted(story(opens("09:00")), escalating(action, {"do": "raise_priority"}), at("10:00"))
    assert kinds(facts) == [SlaApplied, SlaBreached, RuleApplied, PriorityChanged]
    assert only(RuleApplied, facts).conditions[1:] == (f"not done: {why}",)


def test_what_the_ticket_refuses_is_said_and_hinders_nothing() -> None:
    full = opens("09:00", tags=tuple(f"t{number}" for number in range(100)))
    facts = noted(story(full), escalating({"do": "add_tags", "tags": ["late"]}, {"do": "raise_priority"}), at("10:00"))
    assert only(PriorityChanged, facts).after == "high"
    assert "not done: " in only(RuleApplied, facts).conditions[1]


def test_the_highest_priority_cannot_be_raised() -> None:
    terms = some_terms(
        **promising("first_response", urgent=HOUR),
        escalations=[{"when": "breached", "actions": [{"do": "raise_priority"}]}],
    )
    assert looked_at(story(opens("09:00", priority="urgent")), terms, at("10:00")).priority == "urgent"


def test_two_promises_missed_at_once_raise_the_priority_twice() -> None:
    terms = some_terms(escalations=[{"when": "breached", "actions": [{"do": "raise_priority"}]}])
    assert looked_at(story(opens("09:00")), terms, at("17:00")).priority == "urgent"


def test_a_promise_that_was_kept_in_the_meantime_escalates_nothing() -> None:
    ticket = story(opens("09:00"), agent_answers("10:30", "a1"))
    assert kinds(noted(ticket, escalating({"do": "raise_priority"}), at("11:00"))) == [SlaApplied, SlaBreached, SlaMet]


def test_a_ticket_that_is_over_is_not_escalated() -> None:
    ticket = story(opens("09:00"), becomes("11:00", "solved"))
    assert kinds(noted(ticket, escalating({"do": "raise_priority"}), at("12:00"))) == [SlaApplied, SlaBreached]


def test_an_escalation_that_makes_more_due_goes_on_to_an_end() -> None:
    raise_it = [{"when": when, "actions": [{"do": "raise_priority"}]} for when in ("warned", "breached")]
    targets = [
        {"metric": metric, "seconds": {"low": 8 * HOUR, "normal": 4 * HOUR, "high": HOUR, "urgent": 60}}
        for metric in ("first_response", "next_response", "periodic_update", "resolution")
    ]
    terms = some_terms(targets=targets, warn_at=[0.2, 0.4, 0.6, 0.8], escalations=raise_it)
    ticket, looks = story(opens("09:00", priority="low"), customer_writes("09:01", "m2")), 0
    moment: datetime | None = at("09:00")
    while moment is not None:
        while facts := noted(ticket, terms, moment):
            ticket, looks = after(ticket, facts, moment), looks + 1
            assert looks < 20
        moment = next_look(ticket, moment)
    assert ticket.priority == "urgent"
    assert {(metric, what) for metric, _, what in ticket.sla_outcomes if what == "breached"} == {
        ("first_response", "breached"), ("resolution", "breached"),
    }  # fmt: skip


def test_more_escalations_than_a_commit_takes_follow_with_the_next_look() -> None:
    actions = [{"do": "notify_agents", "text": f"{number}"} for number in range(8)]
    escalations = [{"when": "breached", "actions": actions} for _ in range(8)]
    terms = some_terms(escalations=escalations)
    first = looked_at(story(opens("09:00")), terms, at("23:00"))
    second = looked_at(first, terms, at("23:00"))
    assert [len([one for one in ticket.messages if one.kind == "note"]) for ticket in (first, second)] == [64, 128]
    assert noted(second, terms, at("23:00")) == []


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"escalations": [{"when": "warned", "at": 0.5, "actions": [{"do": "raise_priority"}]}]}, "no warning"),
        ({"escalations": [{"when": "breached", "at": 0.75, "actions": [{"do": "raise_priority"}]}]}, "no warning"),
        (
            {
                "escalations": [
                    {"when": "breached", "metrics": ["periodic_update"], "actions": [{"do": "raise_priority"}]}
                ]
            },
            "periodic_update, which is not promised",
        ),
        ({"escalations": [{"when": "breached", "actions": []}]}, "at least 1 item"),
        ({"escalations": [{"when": "breached", "actions": [{"do": "explode"}]}]}, "explode"),
        ({"targets": [{"metric": "resolution", "seconds": {}}] * 2}, "the same metric"),
        ({"warn_at": [0.5, 1.0]}, "less than 1"),
        ({"warn_at": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}, "at most 5"),
        ({"warn_at": 0}, "greater than 0"),
        (
            {"conditions": {"all": [{"field": "sla.breached", "op": "is", "value": True}]}},
            "cannot depend on sla.breached",
        ),
        (
            {"conditions": {"any": [{"field": "calendar.office.open", "op": "is", "value": True}]}},
            "cannot depend on calendar.office.open",
        ),
        ({"targets": []}, "at least 1 item"),
        ({"targets": [{"metric": "resolution", "seconds": {"normal": 0}}]}, "greater than 0"),
        ({"targets": [{"metric": "happiness", "seconds": {"normal": 1}}]}, "periodic_update"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_the_reason(policy: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        a_policy(**policy)
