"""Draft rules on the past: what they would have done, on tickets as they were, without touching anything."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.report import Rehearsal
from deskwire_routing.rehearsal.rules.run import rehearse_tickets
from deskwire_routing.rules.applying import StandingRule
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Team
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.testing.ticket import NOON, TICKET_ID
from deskwire_shared.ticket.commands import AssignTicket, ChangePriority, ChangeStatus, ChangeTags, TicketCommand
from routing_desk import MAIL, REPLY, SUPPORT, RoutingDesk, a_rule, an_agent, opening, routing_desk

OPEN = opening(message_id="m1", tags=("vip",))
DAY = timedelta(days=1)
ALWAYS = Span(NOON - DAY, NOON + 99 * DAY)
URGENT = {"do": "set_priority", "priority": "urgent"}
PENDING = ChangeStatus(status="pending")
VIP = {"all": [{"field": "ticket.tags", "op": "contains", "value": "vip"}]}


async def rehearsed(desk: RoutingDesk, span: Span = ALWAYS, **drafts: Rule) -> Rehearsal:
    rules = [StandingRule(id=rule_id, revision=0, rule=rule) for rule_id, rule in drafts.items()]
    before = desk.store.last
    found = await rehearse_tickets(
        [TICKET_ID], rules, span, store=desk.store, directory=desk.directory, tell=lambda *_: None
    )
    assert desk.store.last == before
    return found


def changed(found: Rehearsal) -> list[tuple[str, Any, Any]]:
    return [(one.what, one.recorded, one.draft) for ticket in found.first_changed for one in ticket.differences]


def hits(found: Rehearsal) -> dict[str, tuple[int, int]]:
    return {one.rule_id: (one.recorded, one.draft) for one in found.rules}


async def test_a_draft_is_compared_with_what_was_done() -> None:
    desk = await routing_desk(r1=a_rule(URGENT), billing=Team(name="Billing", assignment="manual"))
    await desk.after(OPEN)
    draft = a_rule({"do": "set_priority", "priority": "low"}, {"do": "set_team", "team_id": "billing"})
    found = await rehearsed(desk, r1=draft)
    assert changed(found) == [("priority", "urgent", "low"), ("team", None, "billing")]
    assert hits(found) == {"r1": (1, 1)}
    (ticket,) = found.first_changed
    assert (ticket.occasion, ticket.number, ticket.at) == ("opened", 1, NOON)


async def test_a_webhook_that_a_draft_would_call_is_told_of_and_not_called() -> None:
    desk = await routing_desk(shop=Webhook(name="Shop", url="https://shop.example"))
    await desk.after(OPEN)
    found = await rehearsed(desk, r1=a_rule({"do": "call_webhook", "webhook_id": "shop"}))
    assert changed(found) == [("webhook calls", 0, 1)]


async def test_a_rule_that_is_left_out_would_have_done_nothing() -> None:
    desk = await routing_desk(r1=a_rule(URGENT))
    await desk.after(OPEN)
    found = await rehearsed(desk, r2=a_rule(URGENT, conditions={"all": [{**VIP["all"][0], "value": "other"}]}))
    assert changed(found) == [("priority", "urgent", "normal")]
    assert hits(found) == {"r1": (1, 0), "r2": (0, 0)}


async def test_a_ticket_is_asked_about_as_it_was_at_that_moment() -> None:
    desk = await routing_desk()
    await desk.after(OPEN)
    await desk.after(ChangeTags(remove=("vip",)))
    await desk.after(REPLY)
    assert hits(await rehearsed(desk, r1=a_rule(URGENT, conditions=VIP))) == {"r1": (0, 1)}
    assert hits(await rehearsed(desk, r1=a_rule(URGENT, conditions=VIP, trigger="customer_replied"))) == {"r1": (0, 0)}


async def test_what_drafts_set_off_in_turn_is_thought_through() -> None:
    desk = await routing_desk()
    await desk.after(OPEN)
    tag = a_rule({"do": "add_tags", "tags": ["hot"]}, trigger="priority_changed")
    assert changed(await rehearsed(desk, a=a_rule(URGENT), b=tag)) == [
        ("priority", "normal", "urgent"),
        ("tags", ["vip"], ["hot", "vip"]),
    ]


async def test_a_draft_that_triggers_itself_is_seen_before_it_is_let_loose() -> None:
    desk = await routing_desk()
    await desk.after(OPEN)
    flip = a_rule({"do": "write_note", "text": "Noted."}, trigger="note_added")
    found = await rehearsed(desk, start=a_rule({"do": "write_note", "text": "First."}), flip=flip)
    assert {one.rule_id: (one.draft, one.stopped) for one in found.rules} == {"start": (1, 0), "flip": (1, 1)}


async def test_only_what_happened_in_the_span_is_asked_about() -> None:
    desk = await routing_desk()
    await desk.after(OPEN)
    desk.clock.set(NOON + DAY)
    await desk.after(REPLY)
    a, b = a_rule(URGENT), a_rule(URGENT, trigger="customer_replied")
    assert hits(await rehearsed(desk, Span(NOON + DAY, NOON + 2 * DAY), a=a, b=b)) == {"a": (0, 0), "b": (0, 1)}
    assert hits(await rehearsed(desk, Span(NOON, NOON + DAY), a=a, b=b)) == {"a": (0, 1), "b": (0, 0)}


async def test_a_draft_may_wait_for_a_stay_that_lasted() -> None:
    desk = await routing_desk()
    await desk.after(OPEN)
    await desk.after(PENDING)
    desk.clock.set(NOON + 2 * DAY)
    await desk.after(REPLY)
    for minutes, acted in ((1440, 1), (2880, 1), (2881, 0)):
        draft = a_rule(URGENT, trigger="waited", wait={"status": "pending", "after_minutes": minutes})
        found = await rehearsed(desk, late=draft)
        assert hits(found) == {"late": (0, acted)}, minutes


async def test_a_stay_that_rules_acted_in_is_compared_by_what_they_did() -> None:
    wait = {"status": "pending", "after_minutes": 1440}
    desk = await routing_desk(late=a_rule(URGENT, trigger="waited", wait=wait))
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 9 * DAY)
    same = a_rule(URGENT, trigger="waited", wait=wait)
    assert changed(await rehearsed(desk, late=same)) == []
    other = a_rule({"do": "set_status", "status": "solved"}, trigger="waited", wait=wait)
    assert changed(await rehearsed(desk, late=other)) == [
        ("priority", "urgent", "normal"),
        ("status", "pending", "solved"),
    ]
    assert changed(await rehearsed(desk, another=a_rule(URGENT))) == [
        ("priority", "normal", "urgent"),
        ("priority", "urgent", "normal"),
    ]


async def test_who_was_assigned_by_turn_is_no_difference() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"), r1=a_rule(URGENT))
    assert (await desk.after(OPEN)).assignee_id == "ada"
    assert changed(await rehearsed(desk, r1=a_rule(URGENT))) == []


STORIES = st.lists(
    st.sampled_from(
        [ChangePriority(priority="low"), ChangePriority(priority="urgent"), ChangeTags(add=("a",)),
         ChangeTags(remove=("vip",)), PENDING, ChangeStatus(status="open"), ChangeStatus(status="solved"),
         AssignTicket(agent_id="ada"), REPLY]
    ),
    max_size=6,
)  # fmt: skip
RULES = st.lists(
    st.builds(
        lambda trigger, conditions, actions, stop: a_rule(*actions, trigger=trigger, conditions=conditions, stop=stop),
        st.sampled_from(["opened", "priority_changed", "status_changed", "tags_changed", "customer_replied"]),
        st.sampled_from([{}, VIP]),
        st.lists(
            st.sampled_from(
                [URGENT, {"do": "raise_priority"}, {"do": "add_tags", "tags": ["a"]}, {"do": "write_note", "text": "x"},
                 {"do": "set_status", "status": "open"}, {"do": "set_assignee", "agent_id": "ada"}]
            ),
            min_size=1,
            max_size=3,
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, STORIES)
async def test_rehearsing_the_rules_that_were_in_force_changes_nothing(
    rules: list[Rule], story: list[TicketCommand]
) -> None:
    named = {f"r{number}": rule for number, rule in enumerate(rules)}
    desk = await routing_desk(ada=an_agent("support"), **named)
    await desk.after(OPEN)
    for wish in story:
        await desk.after(wish)
    found = await rehearsed(desk, ALWAYS, **named)
    assert changed(found) == []
    assert all(recorded == draft for recorded, draft in hits(found).values())


@pytest.mark.parametrize("trigger", ["opened", "waited"])
async def test_nothing_happened_to_a_ticket_before_it_was_opened(trigger: str) -> None:
    desk = await routing_desk()
    await desk.after(OPEN)
    wait = {"wait": {"status": "new", "after_minutes": 1}} if trigger == "waited" else {}
    found = await rehearsed(desk, Span(NOON - 2 * DAY, NOON), r=a_rule(URGENT, trigger=trigger, **wait))
    assert found.occasions == 0
