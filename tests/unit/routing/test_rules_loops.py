"""Rules may set each other off, but never themselves, and never for ever."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from deskwire_routing.rules.lineage import FIRST, MOST_CONSEQUENCES, MOST_DEEP, Lineage, lineage_of
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import RuleApplied, WebhookRequested
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, NOON, TICKET_ID, a_commit
from deskwire_shared.ticket.commands import ChangePriority, ChangeStatus, ChangeTags, ReceiveReply
from deskwire_shared.ticket.hindrances import CALLS_WITHIN, MOST_CALLS
from routing_desk import RoutingDesk, a_rule, opening, routing_desk

OPEN = opening(message_id="m1")


def applied(*rule_ids: str, trigger: str = "opened", stopped: str = "") -> tuple[RuleApplied, ...]:
    return tuple(
        RuleApplied(rule_id=one, rule_name=one, rule_revision=1, trigger=trigger, stopped=stopped) for one in rule_ids
    )


async def notes(desk: RoutingDesk) -> list[tuple[str, bool]]:
    """Which rules were noted, and whether they were stopped."""
    commits = await desk.commits()
    facts = (fact for commit in commits for fact in commit.facts)
    return [(fact.rule_id, bool(fact.stopped)) for fact in facts if isinstance(fact, RuleApplied)]


async def test_a_rule_sets_off_the_rules_that_what_it_does_concerns() -> None:
    urgent = a_rule({"do": "set_priority", "priority": "urgent"})
    tag = a_rule({"do": "add_tags", "tags": ["hot"]}, trigger="priority_changed")
    desk = await routing_desk(a=urgent, b=tag)
    assert (await desk.after(OPEN)).tags == ("hot",)
    opened, ruled, tagged = await desk.commits()
    assert [ruled.causation_id, tagged.causation_id] == [opened.commit_id, ruled.commit_id]


async def test_a_rule_that_triggers_itself_is_stopped_with_a_note_and_a_warning() -> None:
    solve_and_open = ({"do": "set_status", "status": "solved"}, {"do": "set_status", "status": "open"})
    desk = await routing_desk(r1=a_rule(*solve_and_open, trigger="reopened"))
    await desk.after(OPEN)
    await desk.after(ChangeStatus(status="solved"))
    with capture_logs() as logs:
        ticket = await desk.after(ChangeStatus(status="open"))
    assert ticket.status == "open"
    assert await notes(desk) == [("r1", False), ("r1", True)]
    (warning,) = [entry for entry in logs if entry["event"] == "rule was stopped"]
    assert (warning["rule"], warning["why"]) == ("r1", "the rule has set itself off")


SHOP = Webhook(name="Shop", url="https://shop.example/hook")
TELL_SHOP = {"do": "call_webhook", "webhook_id": "shop"}


async def shop_answers(desk: RoutingDesk, number: int, *, sends_back: bool) -> None:
    """What a program does that changes the ticket whenever it is told of it."""
    correlation_id = (await desk.commits())[-1].correlation_id if sends_back else new_id()
    cause = Cause(new_id(), Actor(kind="integration", id="shop"), desk.clock.now(), correlation_id)
    await desk.recorder.record(TICKET_ID, ChangeTags(add=(f"seen-{number}",)), cause)
    await desk.settle()


async def calls(desk: RoutingDesk) -> int:
    return (await desk.facts()).count(WebhookRequested)


async def test_a_rule_that_a_webhook_sets_off_again_is_stopped_by_the_correlation_id_it_sends_back() -> None:
    desk = await routing_desk(r1=a_rule(TELL_SHOP, trigger="tags_changed"), shop=SHOP)
    await desk.after(OPEN)
    await desk.after(ChangeTags(add=("vip",)))
    for number in range(3):
        await shop_answers(desk, number, sends_back=True)
    assert await calls(desk) == 1
    assert await notes(desk) == [("r1", False), ("r1", True), ("r1", True), ("r1", True)]


async def test_a_webhook_that_calls_back_without_saying_so_is_told_only_so_often() -> None:
    desk = await routing_desk(r1=a_rule(TELL_SHOP, trigger="tags_changed"), shop=SHOP)
    await desk.after(OPEN)
    desk.clock.set(NOON + timedelta(minutes=1))
    with capture_logs() as logs:
        for number in range(MOST_CALLS + 10):
            await shop_answers(desk, number, sends_back=False)
    assert await calls(desk) == MOST_CALLS
    assert "in which no agent did anything" in str([entry.get("troubles") for entry in logs])
    desk.clock.set(NOON + timedelta(minutes=2) + CALLS_WITHIN)
    await shop_answers(desk, MOST_CALLS + 10, sends_back=False)
    assert await calls(desk) == MOST_CALLS + 1


async def test_two_rules_that_undo_each_other_act_once_each() -> None:
    low, urgent = ({"do": "set_priority", "priority": priority} for priority in ("low", "urgent"))
    desk = await routing_desk(
        low=a_rule(low, trigger="priority_changed", conditions=when("ticket.priority", "urgent")),
        urgent=a_rule(urgent, trigger="priority_changed", conditions=when("ticket.priority", "low")),
    )
    await desk.after(OPEN)
    ticket = await desk.after(ChangePriority(priority="urgent"))
    assert ticket.priority == "urgent"
    assert await notes(desk) == [("low", False), ("urgent", False), ("low", True)]


async def test_a_rule_that_would_change_nothing_more_is_not_even_stopped() -> None:
    desk = await routing_desk(r1=a_rule({"do": "add_tags", "tags": ["seen"]}, trigger="tags_changed"))
    await desk.after(OPEN)
    await desk.after(ChangeTags(add=("vip",)))
    assert await notes(desk) == [("r1", False)]


async def test_a_rule_that_was_stopped_acts_again_on_what_people_do_next() -> None:
    desk = await routing_desk(r1=a_rule({"do": "set_priority", "priority": "urgent"}, trigger="priority_changed"))
    await desk.after(OPEN)
    for _ in range(3):
        assert (await desk.after(ChangePriority(priority="low"))).priority == "urgent"
    assert [stopped for _, stopped in await notes(desk)] == [False] * 3


async def test_rules_never_talk_to_a_machine() -> None:
    thanks = {"do": "write_reply", "text": "Thank you."}
    desk = await routing_desk(r1=a_rule(thanks, trigger="customer_replied"))
    await desk.after(OPEN)
    ticket = await desk.after(a_reply("m2", machine="auto_reply"))
    assert [message.kind for message in ticket.messages] == ["customer", "customer"]


async def test_rules_stop_answering_a_machine_that_does_not_say_so() -> None:
    thanks = {"do": "write_reply", "text": "Thank you."}
    desk = await routing_desk(r1=a_rule(thanks, trigger="customer_replied"))
    await desk.after(OPEN)
    for number in range(20):
        await desk.after(a_reply(f"r{number}"))
    ticket = await desk.ticket()
    assert sum(message.automated for message in ticket.messages) == 5


def a_reply(message_id: str, **changes: Any) -> ReceiveReply:
    usual = {"author_id": CUSTOMER_ID, "channel": "email", "author": CUSTOMER, "text": "Hello?"}
    return ReceiveReply(**{**usual, "message_id": message_id, **changes})


def when(field: str, value: Any) -> dict[str, Any]:
    return {"all": [{"field": field, "op": "is", "value": value}]}


def a_chain(length: int) -> list[Commit]:
    """Commits, each by a rule of its own, each caused by the one before."""
    commits = [a_commit(commit_id="c0")]
    for number in range(1, length + 1):
        noted = applied(f"r{number}", trigger=f"tags_changed:c{number - 1}")
        commits.append(a_commit(*noted, commit_id=f"c{number}", causation_id=f"c{number - 1}"))
    return commits


def test_all_rules_on_the_way_to_an_occasion_are_known() -> None:
    found = lineage_of(a_chain(3), "c3")
    assert found.acted == {("r1", "tags_changed"), ("r2", "tags_changed"), ("r3", "tags_changed")}
    assert (found.depth, found.consequences) == (3, 3)


def test_a_rule_beside_the_way_is_not_on_it() -> None:
    beside = a_commit(*applied("beside"), commit_id="c9", causation_id="c1")
    found = lineage_of([*a_chain(2), beside], "c2")
    assert ("beside", "opened") not in found.acted
    assert found.consequences == 3


def test_what_people_do_goes_back_to_nobody() -> None:
    assert lineage_of([*a_chain(3), a_commit(commit_id="c8")], "c8") == FIRST


def test_a_rule_that_was_stopped_had_no_part_in_what_followed() -> None:
    stopped = a_commit(*applied("r1", stopped="the rule has set itself off"), commit_id="c1", causation_id="c0")
    assert lineage_of([a_commit(commit_id="c0"), stopped], "c1") == FIRST


def test_rules_set_each_other_off_only_so_deep() -> None:
    deep = lineage_of(a_chain(MOST_DEEP), f"c{MOST_DEEP}")
    assert "in a row" in deep.objection("another", "tags_changed")
    assert lineage_of(a_chain(MOST_DEEP - 1), f"c{MOST_DEEP - 1}").objection("another", "tags_changed") == ""


def test_one_thing_that_happens_has_only_so_many_consequences() -> None:
    assert f"{MOST_CONSEQUENCES} times" in Lineage(consequences=MOST_CONSEQUENCES).objection("r1", "opened")


ACTIONS = st.sampled_from(
    [
        {"do": "set_priority", "priority": "low"},
        {"do": "set_priority", "priority": "urgent"},
        {"do": "raise_priority"},
        {"do": "set_status", "status": "open"},
        {"do": "set_status", "status": "pending"},
        {"do": "set_status", "status": "solved"},
        {"do": "add_tags", "tags": ["a"]},
        {"do": "remove_tags", "tags": ["a"]},
        {"do": "set_field", "name": "x", "value": 1},
        {"do": "set_field", "name": "x", "value": 2},
        {"do": "write_note", "text": "Noted."},
        {"do": "write_reply", "text": "Answered."},
    ]
)
CONDITIONS = st.sampled_from(
    [{}, *(when("ticket.priority", one) for one in ("low", "urgent")), when("ticket.field.x", 1)]
)
TRIGGERS = st.sampled_from(
    ["opened", "priority_changed", "status_changed", "reopened", "tags_changed", "field_changed", "note_added",
     "agent_replied"]
)  # fmt: skip
RULES = st.builds(
    lambda trigger, conditions, actions: a_rule(*actions, trigger=trigger, conditions=conditions),
    TRIGGERS,
    CONDITIONS,
    st.lists(ACTIONS, min_size=1, max_size=4),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RULES, min_size=1, max_size=7))
async def test_no_rules_whatever_go_on_for_ever(rules: list[Rule]) -> None:
    desk = await routing_desk(**{f"r{number}": rule for number, rule in enumerate(rules)})
    await desk.after(OPEN)  # it settles at all
    for wish in (ChangePriority(priority="urgent"), ChangeTags(add=("a",))):
        await desk.after(wish)
    await refute_loops(await desk.commits())


async def refute_loops(commits: tuple[Commit, ...]) -> None:
    by_id = {commit.commit_id: commit for commit in commits}
    ruled = [commit for commit in commits if commit.actor == Actor(kind="rule", id="routing")]
    assert len(ruled) <= 3 * (2 * MOST_CONSEQUENCES + MOST_DEEP)
    for commit in ruled:
        chain: list[str] = []
        at: Commit | None = commit
        while at is not None:
            chain += [f.rule_id for f in at.facts if isinstance(f, RuleApplied) and not f.stopped]
            at = by_id.get(at.causation_id or "")
        assert len(chain) == len(set(chain)), "a rule set itself off"


@pytest.mark.parametrize("kind", ["rule", "system"])
async def test_the_way_back_goes_through_what_other_machines_did(kind: Any) -> None:
    between = a_commit(commit_id="c2", causation_id="c1", actor=Actor(kind=kind, id="sla"))
    assert lineage_of([*a_chain(1), between], "c2").acted == {("r1", "tags_changed")}
