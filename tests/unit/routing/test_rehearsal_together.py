"""Draft rules and draft staff rehearsed together: what rules would have done decides what is assigned."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskwire_routing.rehearsal.assignment.report import AssignmentRehearsal, FirstGiven
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import AddNote, AssignTicket, ChangeStatus, ChangeTags, RouteTicket
from rehearsing_desk import DAY, START, a_draft, rehearsed, rehearsed_together
from routing_desk import MAIL, REPLY, SUPPORT, RoutingDesk, a_rule, a_team, an_agent, opening, routing_desk
from unit.routing.test_assignment_rehearsal_live import AGENTS, something

MINUTE = timedelta(minutes=1)
SOLVE = ChangeStatus(status="solved")
VIP = {"all": [{"field": "ticket.tags", "op": "contains", "value": "vip"}]}


def to_team(team_id: str, **rule: Any) -> Rule:
    return a_rule({"do": "set_team", "team_id": team_id}, **rule)


def hands(found: AssignmentRehearsal) -> dict[str, tuple[str | None, str | None]]:
    return {one.ticket_id: (_holder(one.recorded), _holder(one.draft)) for one in found.first_changed}


def _holder(given: FirstGiven | None) -> str | None:
    return given.agent_id if given is not None else None


def gifts(found: AssignmentRehearsal) -> dict[str, int]:
    """How many tickets each agent would have got."""
    return {one.agent_id: one.draft.assigned for one in found.agents if one.draft.assigned}


async def two_teams(**more: Any) -> RoutingDesk:
    """Mails go to Ada in support; Bob is the second team."""
    return await routing_desk(
        mail=MAIL, support=SUPPORT, second=a_team(), ada=an_agent("support"), bob=an_agent("second"), **more
    )


async def opened(desk: RoutingDesk, minutes: float, ticket_id: str = "t1", **changes: Any) -> None:
    await desk.wait_until(NOON + minutes * MINUTE)
    await desk.after(opening(number=int(ticket_id[1:]), **changes), ticket_id)


async def test_a_draft_rule_that_routes_elsewhere_gives_the_ticket_to_that_team() -> None:
    desk = await two_teams()
    await opened(desk, 1, tags=("vip",))
    await opened(desk, 2, "t2")
    found = await rehearsed_together(desk, vip=to_team("second", conditions=VIP))
    assert hands(found) == {"t1": ("ada", "bob")}
    assert found.rules is not None
    assert [(one.rule_id, one.recorded, one.draft) for one in found.rules.rules] == [("vip", 0, 1)]


async def test_a_rule_that_is_left_out_leaves_the_ticket_to_the_team_of_its_channel() -> None:
    desk = await two_teams(vip=to_team("second", conditions=VIP))
    await opened(desk, 1, tags=("vip",))
    assert gifts(await rehearsed(desk)) == {"bob": 1}
    assert gifts(await rehearsed_together(desk)) == {"ada": 1}


async def test_a_draft_rule_may_route_to_a_team_and_agent_that_are_only_drafted() -> None:
    desk = await two_teams()
    await opened(desk, 1, tags=("vip",))
    draft = a_draft(teams={"gold": {"name": "Gold"}}, agents={"eve": {"team_ids": ["gold"]}})
    assert hands(await rehearsed_together(desk, draft, vip=to_team("gold", conditions=VIP))) == {"t1": ("ada", "eve")}


async def test_an_agent_whom_a_draft_rule_names_has_the_ticket() -> None:
    desk = await two_teams()
    await opened(desk, 1)
    found = await rehearsed_together(desk, own=a_rule({"do": "set_assignee", "agent_id": "bob"}))
    assert hands(found) == {"t1": ("ada", "bob")}


async def test_a_skill_that_a_draft_rule_asks_for_is_required() -> None:
    desk = await two_teams(dan=an_agent("support", skills={"german": 3}))
    await opened(desk, 1)
    tag = a_rule({"do": "add_tags", "tags": ["skill:german"]})
    assert hands(await rehearsed_together(desk, german=tag)) == {"t1": ("ada", "dan")}


async def test_a_tag_of_a_draft_rule_stays_when_somebody_adds_another_one() -> None:
    desk = await two_teams(dan=an_agent("support", skills={"german": 3}))
    await desk.change("ada", capacity={"default": 0})
    await desk.change("dan", capacity={"default": 0})
    await opened(desk, 1)
    await desk.after(ChangeTags(add=("x",)), "t1")
    await desk.wait_until(NOON + 5 * MINUTE)
    await desk.change("ada", capacity={})
    await desk.wait_until(NOON + 9 * MINUTE)
    await desk.change("dan", capacity={})
    tag = a_rule({"do": "add_tags", "tags": ["skill:german"]})
    assert hands(await rehearsed_together(desk, german=tag)) == {"t1": ("ada", "dan")}


async def test_a_draft_rule_that_makes_a_ticket_urgent_brings_it_forward() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", capacity={"default": 1}))
    for number in (1, 2, 3):
        await opened(desk, number, f"t{number}", tags=("vip",) if number == 3 else ())
    await desk.wait_until(NOON + 10 * MINUTE)
    await desk.after(SOLVE, "t1")
    urgent = a_rule({"do": "set_priority", "priority": "urgent"}, conditions=VIP)
    found = await rehearsed_together(desk, vip=urgent)
    assert hands(found) == {"t2": ("ada", None), "t3": (None, "ada")}


async def test_a_ticket_that_a_draft_rule_solves_takes_nobodys_time() -> None:
    desk = await two_teams()
    await opened(desk, 1, tags=("vip",))
    spam = a_rule({"do": "set_status", "status": "solved"}, conditions=VIP)
    assert hands(await rehearsed_together(desk, spam=spam)) == {"t1": ("ada", None)}


async def test_a_draft_rule_that_waits_moves_the_ticket_when_it_has_waited() -> None:
    desk = await two_teams()
    await desk.change("ada", capacity={"default": 0})
    await opened(desk, 1)
    late = to_team("second", trigger="waited", wait={"status": "new", "after_minutes": 30})
    found = await rehearsed_together(desk, late=late)
    assert hands(found) == {"t1": (None, "bob")}
    assert found.first_changed[0].draft is not None
    assert found.first_changed[0].draft.at == NOON + 31 * MINUTE


async def test_a_rule_on_what_assignment_does_not_read_still_moves_the_ticket() -> None:
    desk = await two_teams()
    await opened(desk, 1)
    await desk.wait_until(NOON + 5 * MINUTE)
    await desk.after(AddNote(message_id="n1", agent_id="ada", text="Hm."), "t1")
    found = await rehearsed_together(desk, noted=to_team("second", trigger="note_added"))
    assert gifts(found) == {"ada": 1, "bob": 1}


async def test_a_rule_that_is_moved_to_another_trigger_still_acts() -> None:
    desk = await two_teams(r=to_team("second"))
    await opened(desk, 1)
    await desk.wait_until(NOON + 5 * MINUTE)
    await desk.after(REPLY, "t1")
    found = await rehearsed_together(desk, r=to_team("second", trigger="customer_replied"))
    assert gifts(found) == {"ada": 1, "bob": 1}


async def test_what_draft_rules_set_off_in_turn_decides_too() -> None:
    desk = await two_teams()
    await opened(desk, 1)
    found = await rehearsed_together(
        desk,
        first=a_rule({"do": "set_priority", "priority": "urgent"}),
        then=to_team("second", trigger="priority_changed"),
    )
    assert hands(found) == {"t1": ("ada", "bob")}


async def test_draft_rules_that_wait_for_each_other_end() -> None:
    desk = await two_teams()
    await opened(desk, 1)
    wait = {"after_minutes": 1}
    found = await rehearsed_together(
        desk,
        there=a_rule({"do": "set_status", "status": "pending"}, trigger="waited", wait={"status": "open", **wait}),
        back=a_rule({"do": "set_status", "status": "open"}, trigger="waited", wait={"status": "pending", **wait}),
        start=a_rule({"do": "set_status", "status": "open"}),
    )
    assert found.changed == 0


async def test_what_people_did_is_kept_and_what_came_before_the_span_is_as_it_was() -> None:
    desk = await two_teams(r=to_team("second", conditions=VIP))
    await opened(desk, 1, tags=("vip",))
    await desk.wait_until(NOON + 10 * MINUTE)
    await opened(desk, 11, "t2")
    await desk.after(AssignTicket(agent_id="lead"), "t2")
    await desk.after(RouteTicket(team_id="second"), "t2")
    found = await rehearsed_together(desk, since=NOON + 5 * MINUTE, all=to_team("second"))
    assert hands(found) == {"t2": ("ada", "bob")}
    assert gifts(found) == {"bob": 2, "lead": 1}


RULES = st.lists(
    st.builds(
        lambda trigger, actions, stop: a_rule(*actions, trigger=trigger, stop=stop),
        st.sampled_from(["opened", "status_changed", "assigned"]),  # none that rules set off among each other
        st.lists(
            st.sampled_from(
                [{"do": "raise_priority"}, {"do": "add_tags", "tags": ["a"]}, {"do": "set_team", "team_id": "second"},
                 {"do": "write_note", "text": "x"}, {"do": "add_tags", "tags": ["skill:german"]}]
            ),
            min_size=1,
            max_size=3,
        ),
        st.booleans(),
    ),
    max_size=4,
)  # fmt: skip


@pytest.mark.parametrize("ways", [("round_robin", "round_robin"), ("least_loaded", "skills")])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules=RULES, seed=st.integers(0, 10_000), capacity=st.integers(1, 3))
async def test_the_rules_that_were_in_force_change_nothing(
    ways: tuple[str, str], rules: list[Rule], seed: int, capacity: int
) -> None:
    chance, named = Random(seed), {f"r{number}": rule for number, rule in enumerate(rules)}
    support, second = (a_team(assignment=way) for way in ways)
    agents = {name: an_agent("support", "second", skills={"german": 3}) for name in AGENTS}
    desk = await routing_desk(mail=MAIL, support=support, second=second, **agents, **named)
    moment, count = START + MINUTE, 0
    for _ in range(14):
        moment += timedelta(seconds=chance.randint(1, 400), microseconds=chance.randint(1, 999_999))
        await desk.wait_until(moment)
        count += await something(desk, chance, count)
    draft = a_draft(agents={"ada": {"capacity": {"default": capacity}}})
    together = await rehearsed_together(desk, draft, until=NOON + DAY, **named)  # type: ignore[arg-type]  # none is `since`
    assert together.model_copy(update={"rules": None}) == await rehearsed(desk, draft, until=NOON + DAY)
