"""What a rehearsal of assignment keeps of the past, what it does anew, and what it tells."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_routing.rehearsal.assignment.drafts import DraftIncomplete, require_complete
from deskwire_routing.rehearsal.assignment.fairness import gini, spread
from deskwire_routing.rehearsal.assignment.recording import TooManyEvents
from deskwire_routing.rehearsal.assignment.report import AgentTally, AssignmentRehearsal, FirstGiven, TeamTally
from deskwire_routing.rehearsal.assignment.tables import duration
from deskwire_routing.rehearsal.assignment.tally import Level
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.run import TooManyTickets
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import AssignTicket, ChangeStatus, RouteTicket, UnassignTicket
from rehearsing_desk import DAY, START, a_draft, recorded, rehearsed
from routing_desk import MAIL, REPLY, SUPPORT, RoutingDesk, a_rule, a_team, an_agent, opening, routing_desk

SOLVE = ChangeStatus(status="solved")
ONE = {"capacity": {"default": 1}}
MINUTE = timedelta(minutes=1)


async def at(desk: RoutingDesk, minutes: float) -> None:
    """Let time pass until so many minutes after noon."""
    await desk.wait_until(NOON + minutes * MINUTE)


def team(found: AssignmentRehearsal, team_id: str = "support") -> tuple[TeamTally, TeamTally]:
    (figures,) = [one for one in found.teams if one.team_id == team_id]
    return figures.recorded, figures.draft


def agent(found: AssignmentRehearsal, agent_id: str) -> tuple[AgentTally, AgentTally]:
    (figures,) = [one for one in found.agents if one.agent_id == agent_id]
    return figures.recorded, figures.draft


def hands(found: AssignmentRehearsal) -> dict[str, tuple[str | None, str | None]]:
    return {one.ticket_id: (holder(one.recorded), holder(one.draft)) for one in found.first_changed}


def holder(given: FirstGiven | None) -> str | None:
    return given.agent_id if given is not None else None


async def a_busy_hour() -> RoutingDesk:
    """Ada has room for one; two tickets take ten minutes each, so that the second one waits for eight."""
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", **ONE))
    await at(desk, 1)
    await desk.after(opening(), "t1")
    await at(desk, 3)
    await desk.after(opening(number=2), "t2")
    await at(desk, 11)
    await desk.after(SOLVE, "t1")
    await at(desk, 21)
    await desk.after(SOLVE, "t2")
    return desk


async def test_more_room_shortens_the_wait_and_the_work_takes_as_long_as_it_did() -> None:
    found = await rehearsed(await a_busy_hour(), a_draft(agents={"ada": {"capacity": {"default": 2}}}))
    was, would = team(found)
    assert (was.waited_longest, would.waited_longest) == (480, 0)
    seconds = DAY.total_seconds() - 30
    had, would_have = agent(found, "ada")
    assert had.mean_open == pytest.approx(2 * 600 / seconds, abs=0.001)
    assert would_have.mean_open == had.mean_open
    assert (had.most_open, would_have.most_open) == (1, 2)
    assert had.capacity_used == pytest.approx(1200 / seconds, abs=0.001)
    assert would_have.capacity_used == pytest.approx(600 / seconds, abs=0.001)


async def test_a_ticket_that_nobody_would_have_had_is_not_solved_and_waits() -> None:
    found = await rehearsed(await a_busy_hour(), a_draft(agents={"ada": {"capacity": {"default": 0}}}))
    assert hands(found) == {"t1": ("ada", None), "t2": ("ada", None)}
    assert team(found)[1].still_waiting == 2


async def test_an_agent_who_would_have_been_new_gets_what_waited() -> None:
    draft = a_draft(agents={"new": {"name": "New", "team_ids": ["support"], **ONE}})
    found = await rehearsed(await a_busy_hour(), draft)
    assert hands(found) == {"t2": ("ada", "new")}
    assert agent(found, "new")[1].assigned == 1
    assert (team(found)[0].spread.gini, team(found)[1].spread) == (0.0, spread([1, 1]))


async def test_a_team_that_would_have_assigned_by_hand_leaves_its_tickets_waiting() -> None:
    draft = a_draft(teams={"support": {"name": "Support", "assignment": "manual"}})
    found = await rehearsed(await a_busy_hour(), draft)
    assert (team(found)[1].assigned, team(found)[1].still_waiting) == (0, 2)


async def test_a_ticket_that_waits_would_have_overflowed() -> None:
    desk = await routing_desk(
        mail=MAIL, support=SUPPORT, second=a_team(), ada=an_agent("support", **ONE), bob=an_agent("second")
    )
    await at(desk, 1)
    for number, ticket_id in enumerate(("t1", "t2")):
        await desk.after(opening(number=number + 1), ticket_id)
    draft = a_draft(teams={"support": {"name": "Support", "overflow": {"team_id": "second", "after_minutes": 5}}})
    found = await rehearsed(desk, draft)
    assert hands(found) == {"t2": (None, "bob")}
    assert [tally.overflowed for tally in team(found)] == [0, 1]
    assert team(found, "second")[1].waited_longest == 300


async def test_an_overflow_that_happened_is_not_kept_when_the_draft_has_room() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(overflow={"team_id": "second", "after_minutes": 5}), second=a_team(),
        ada=an_agent("support", capacity={"default": 0}), bob=an_agent("second"),
    )  # fmt: skip
    await at(desk, 1)
    await desk.after(opening(), "t1")
    await at(desk, 10)
    found = await rehearsed(desk, a_draft(agents={"ada": {"capacity": {}}}))
    assert hands(found) == {"t1": ("bob", "ada")}
    assert [tally.overflowed for tally in team(found)] == [1, 0]


async def test_a_skill_that_is_required_is_required_in_a_rehearsal_too() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", skills={"german": 3}))
    await at(desk, 1)
    await desk.after(opening(tags=("skill:german",)), "t1")
    found = await rehearsed(desk, a_draft(agents={"ada": {"skills": {}}, "bob": {"team_ids": ["support"]}}))
    assert hands(found) == {"t1": ("ada", None)}


async def test_whether_agents_were_there_is_as_it_was() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", capacity={"default": 0}))
    await at(desk, 1)
    await desk.change("ada", availability="away")
    await at(desk, 2)
    await desk.after(opening(), "t1")
    await at(desk, 7)
    await desk.change("ada", availability="online")
    found = await rehearsed(desk, a_draft(agents={"ada": {"capacity": {}}}))
    assert team(found)[1].waited_longest == 300


async def test_a_draft_calendar_decides_when_an_agent_works() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await at(desk, 1)
    await desk.after(opening(), "t1")
    nights = {"name": "Nights", "time_zone": "UTC", "hours": {"mon": [["20:00", "24:00"]]}}
    found = await rehearsed(desk, a_draft(calendars={"nights": nights}, agents={"ada": {"calendar_id": "nights"}}))
    assert team(found)[1].waited_longest == (8 * 60 - 1) * 60


async def test_what_people_did_by_hand_is_kept() -> None:
    desk = await routing_desk(
        mail=MAIL, support=SUPPORT, ada=an_agent("support"), lead=an_agent("elsewhere"), bob=an_agent("second"),
        second=a_team(),
    )  # fmt: skip
    await at(desk, 1)
    for number, ticket_id in enumerate(("t1", "t2")):
        await desk.after(opening(number=number + 1), ticket_id)
    await at(desk, 5)
    await desk.after(AssignTicket(agent_id="lead"), "t1")
    await desk.after(RouteTicket(team_id="second"), "t2")
    found = await rehearsed(desk, a_draft(agents={"cid": {"team_ids": ["support"]}}))
    assert [tally.assigned for tally in agent(found, "lead")] == [1, 1]
    assert [tally.assigned for tally in agent(found, "bob")] == [1, 1]


async def test_whom_a_rule_named_has_the_ticket_in_a_rehearsal_too() -> None:
    own = a_rule({"do": "set_assignee", "agent_id": "lead"}, trigger="customer_replied")
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"), lead=an_agent("second"), own=own)
    await at(desk, 1)
    await desk.after(opening(), "t1")
    await at(desk, 5)
    await desk.after(REPLY, "t1")
    assert [tally.assigned for tally in agent(await rehearsed(desk), "lead")] == [1, 1]


async def test_whoever_took_a_waiting_ticket_is_overtaken_by_a_draft_that_assigns_at_once() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(assignment="manual"), ada=an_agent("support"))
    await at(desk, 1)
    await desk.after(opening(), "t1")
    await at(desk, 31)
    await desk.after(AssignTicket(agent_id="lead"), "t1")
    await at(desk, 41)
    await desk.after(SOLVE, "t1")
    found = await rehearsed(desk, a_draft(teams={"support": {"name": "Support"}}))
    assert hands(found) == {"t1": ("lead", "ada")}
    (changed,) = found.first_changed
    assert changed.draft is not None
    assert changed.draft.waited == 0
    minutes = agent(found, "ada")[1].mean_open * (DAY - timedelta(seconds=30)) / MINUTE
    assert minutes == pytest.approx(10, abs=1)


async def test_what_was_given_back_is_given_back_by_whoever_would_have_had_it() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"), bob=an_agent("support"))
    await at(desk, 1)
    await desk.after(opening(), "t1")
    await at(desk, 5)
    await desk.after(UnassignTicket(), "t1")
    found = await rehearsed(desk, a_draft(agents={"ada": {"active": False}}))
    assert hands(found) == {"t1": ("ada", "bob")}
    assert agent(found, "bob")[1].assigned == 2


async def test_tickets_from_before_the_span_are_in_the_hands_they_were_in() -> None:
    desk = await a_busy_hour()
    found = await rehearsed(desk, since=NOON + 5 * MINUTE)
    assert hands(found) == {}
    was, would = team(found)
    assert was == would
    assert (was.assigned, was.waited_longest) == (1, 480)


async def test_a_rehearsal_says_the_same_every_time() -> None:
    desk = await a_busy_hour()
    draft = a_draft(agents={"bob": {"team_ids": ["support"]}})
    assert await rehearsed(desk, draft) == await rehearsed(desk, draft)


async def test_a_rehearsal_has_limits() -> None:
    desk = await a_busy_hour()
    with pytest.raises(TooManyTickets):
        recorded(desk, Span(START, NOON + DAY), most_tickets=1)
    for _ in range(60):
        await desk.after(ChangeStatus(status="open"), "t1")
        await desk.after(SOLVE, "t1")
    with pytest.raises(TooManyEvents):
        recorded(desk, Span(START, NOON + DAY), most_tickets=2)


async def test_a_draft_that_names_what_is_not_there_is_refused() -> None:
    desk = await routing_desk(support=SUPPORT)
    with pytest.raises(DraftIncomplete, match="agent ada names the team gone, which is not there; known: support"):
        require_complete(a_draft(agents={"ada": {"team_ids": ["gone"]}}), desk.directory)
    overflow = {"name": "S", "overflow": {"team_id": "night", "after_minutes": 5}}
    require_complete(a_draft(teams={"support": overflow, "night": {"name": "N"}}), desk.directory)


async def test_an_agent_who_was_deleted_meanwhile_has_what_they_had() -> None:
    desk = await a_busy_hour()
    await at(desk, 30)
    await desk.delete(Agent, "ada")
    found = await rehearsed(desk)
    assert hands(found) == {}
    assert [tally.assigned for tally in agent(found, "ada")] == [2, 2]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_the_gini_coefficient_is_half_the_mean_difference_by_the_mean(counts: list[int]) -> None:
    pairs = sum(abs(one - other) for one in counts for other in counts)
    mean = sum(counts) / len(counts)
    assert gini(counts) == pytest.approx(pairs / (2 * len(counts) ** 2 * mean) if mean else 0.0, abs=1e-9)


def test_a_spread_is_told_by_its_ends_its_deviation_and_its_unevenness() -> None:
    assert spread([4, 4, 4]).model_dump() == {"fewest": 4, "most": 4, "deviation": 0.0, "gini": 0.0}
    assert spread([0, 0, 12]).model_dump() == {"fewest": 0, "most": 12, "deviation": 5.657, "gini": 0.6667}
    assert spread([]).most == 0


def test_a_level_is_averaged_over_stretches_of_time() -> None:
    level = Level(Span(NOON, NOON + 24 * MINUTE))
    level.move(NOON - MINUTE, 1)
    level.move(NOON + 90 * MINUTE / 60, 3)
    level.move(NOON + 3 * MINUTE, 0)
    assert level.means()[:4] == (1.0, 2.0, 3.0, 0.0)
    assert (level.most, level.mean()) == (3, 0.25)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"), (7_200, "2 h"), (90_000, "1 d 1 h")]
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
