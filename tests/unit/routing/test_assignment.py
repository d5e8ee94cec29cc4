"""Which tickets get which agents when: queues, skills, capacity."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Assigned, SlaClock
from deskwire_shared.contracts.staff import Team
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import (
    ApplySla,
    AssignTicket,
    ChangePriority,
    ChangeStatus,
    ChangeTags,
    RouteTicket,
    SnoozeTicket,
    UnassignTicket,
)
from routing_desk import MAIL, SUPPORT, RoutingDesk, a_team, an_agent, opening, routing_desk

SOLVE = ChangeStatus(status="solved")

ONE_TICKET = {"capacity": {"default": 1}}

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def decision(desk: RoutingDesk, ticket_id: str) -> Assigned:
    """The last assignment of a ticket."""
    facts = [fact for commit in await desk.commits(ticket_id) for fact in commit.facts if isinstance(fact, Assigned)]
    return facts[-1]


def due_in(period: timedelta) -> ApplySla:
    """A promise that falls due then."""
    clock = SlaClock(metric="resolution", cycle=1, state="running", target=60, used=0, due_at=NOON + period)
    return ApplySla(policy_id="gold", clocks=(clock,))


async def test_a_waiting_ticket_is_assigned_when_somebody_comes_online() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", availability="away"))
    await desk.after(opening(), "t1")
    assert await desk.assignees("t1") == [None]
    await desk.change("ada", availability="online")
    assert await desk.assignees("t1") == ["ada"]


async def test_a_waiting_ticket_is_assigned_when_the_team_gets_its_first_member() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT)
    with capture_logs() as logs:
        await desk.after(opening(), "t1")
    assert ("the team has no members",) in [entry.get("obstacles") for entry in logs]
    await desk.put("ada", an_agent("support"))
    assert await desk.assignees("t1") == ["ada"]


async def test_waiting_tickets_are_assigned_when_a_team_no_longer_assigns_by_hand() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(assignment="manual"), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.put("support", SUPPORT)
    assert await desk.assignees("t1") == ["ada"]


@pytest.mark.parametrize("freeing", [SOLVE, ChangeStatus(status="closed"), AssignTicket(agent_id="lead")])
async def test_a_waiting_ticket_is_assigned_when_an_agent_has_a_ticket_less(freeing: ChangeStatus) -> None:
    desk = await routing_desk(
        mail=MAIL, support=SUPPORT, ada=an_agent("support", **ONE_TICKET), lead=an_agent("elsewhere")
    )
    await desk.after(opening(), "t1")
    await desk.after(opening(), "t2")
    assert await desk.assignees("t1", "t2") == ["ada", None]
    await desk.after(freeing, "t1")
    assert await desk.assignees("t2") == ["ada"]


async def test_what_an_agent_gives_back_makes_room_for_another_ticket() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", **ONE_TICKET))
    for ticket_id in ("t1", "t2"):
        await desk.after(opening(), ticket_id)
    await desk.after(UnassignTicket(), "t1")
    assert sorted(map(str, await desk.assignees("t1", "t2"))) == ["None", "ada"]


async def test_a_waiting_ticket_is_assigned_when_an_agent_may_have_more() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", capacity={"default": 0}))
    await desk.after(opening(), "t1")
    await desk.change("ada", capacity={})
    assert await desk.assignees("t1") == ["ada"]


async def test_of_waiting_tickets_the_one_whose_promise_falls_due_first_goes_first() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", **ONE_TICKET))
    await desk.after(opening(), "busy")
    for ticket_id, promise in (("calm", None), ("later", due_in(2 * HOUR)), ("soon", due_in(HOUR))):
        await desk.after(opening(), ticket_id)
        if promise:
            await desk.after(promise, ticket_id)
    order = []
    for ticket_id in ("busy", "soon", "later", "calm"):
        await desk.after(SOLVE, ticket_id)
        order.append([one for one in ("calm", "later", "soon") if (await desk.ticket(one)).assignee_id])
    assert order[0] == ["soon"]
    assert order[1] == ["later", "soon"]


async def test_a_new_ticket_does_not_jump_the_queue() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", **ONE_TICKET))
    await desk.after(opening(), "busy")
    await desk.after(opening(), "urgent")
    await desk.after(ChangePriority(priority="urgent"), "urgent")
    await desk.do(SOLVE, "busy")
    await desk.do(opening(), "new")
    await desk.routing.on_commits(desk.message(desk.store.last))  # the new ticket is heard of first
    await desk.settle()
    assert await desk.assignees("urgent", "new") == ["ada", None]


async def test_a_ticket_that_finds_room_at_once_leaves_the_queue_alone_that_cannot_use_it() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", **ONE_TICKET))
    await desk.after(opening(tags=("skill:german",)), "german")
    await desk.after(opening(), "plain")
    assert await desk.assignees("german", "plain") == [None, "ada"]


async def test_a_snoozed_ticket_is_assigned_like_any_other() -> None:
    desk = await routing_desk(support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.after(SnoozeTicket(until=NOON + DAY, at=NOON), "t1")
    await desk.after(RouteTicket(team_id="support"), "t1")
    assert await desk.assignees("t1") == ["ada"]


async def test_sticky_gives_a_customer_to_the_agent_they_know_and_a_new_one_to_the_least_loaded() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(assignment="sticky"), ada=an_agent("support"), bob=an_agent("support")
    )
    await desk.after(opening(requester_id="carl"), "t1")
    first = (await desk.assignees("t1"))[0]
    await desk.after(opening(requester_id="carl"), "t2")
    await desk.after(opening(requester_id="dora"), "t3")
    assert await desk.assignees("t2") == [first]
    assert (await desk.assignees("t3"))[0] != first
    assert [(await decision(desk, one)).strategy for one in ("t1", "t2", "t3")] == [
        "least_loaded", "sticky", "least_loaded"
    ]  # fmt: skip


async def test_sticky_does_not_wait_for_the_agent_whom_the_customer_knows() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(assignment="sticky", fallback="round_robin"), ada=an_agent("support"),
        bob=an_agent("support", availability="away"),
    )  # fmt: skip
    await desk.after(opening(requester_id="carl"), "t1")
    await desk.change("ada", availability="away")
    await desk.change("bob", availability="online")
    await desk.after(opening(requester_id="carl"), "t2")
    assert await desk.assignees("t1", "t2") == ["ada", "bob"]
    assert (await decision(desk, "t2")).strategy == "round_robin"


@pytest.mark.parametrize("assignment", ["round_robin", "least_loaded", "skills", "sticky", "longest_idle"])
async def test_a_required_skill_is_required_whatever_the_strategy(assignment: str) -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(assignment=assignment), ada=an_agent("support"),
        bob=an_agent("support", skills={"german": 4}),
    )  # fmt: skip
    for number in range(3):
        await desk.after(opening(tags=("skill:german:4",)), f"t{number}")
    assert await desk.assignees("t0", "t1", "t2") == ["bob"] * 3


async def test_a_ticket_with_a_skill_that_nobody_has_waits_and_says_why_and_stops_nobody() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    with capture_logs() as logs:
        await desk.after(opening(tags=("skill:klingon",)), "t1")
    assert ("lacks the skill klingon",) in [entry.get("obstacles") for entry in logs]
    await desk.after(opening(), "t2")
    assert await desk.assignees("t1", "t2") == [None, "ada"]


async def test_a_ticket_is_assigned_when_somebody_learns_what_it_asks_for() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(tags=("skill:klingon",)), "t1")
    await desk.change("ada", skills={"klingon": 1})
    assert await desk.assignees("t1") == ["ada"]


async def test_a_ticket_is_assigned_when_it_no_longer_asks_for_what_nobody_has() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(tags=("skill:klingon",)), "t1")
    await desk.after(ChangeTags(remove=("skill:klingon",)), "t1")
    assert await desk.assignees("t1") == ["ada"]


async def test_a_medium_that_is_full_leaves_room_for_others() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", capacity={"chat": 1, "default": 3}))
    for ticket_id, channel in (("c1", "chat"), ("c2", "chat"), ("e1", "email"), ("e2", "email"), ("e3", "email")):
        await desk.after(opening(channel=channel), ticket_id)
    assert await desk.assignees("c1", "c2", "e1", "e2", "e3") == ["ada", None, "ada", "ada", None]


async def test_people_may_go_beyond_the_capacity_that_routing_keeps_to() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", **ONE_TICKET))
    for ticket_id in ("t1", "t2", "t3"):
        await desk.after(opening(), ticket_id)
    await desk.after(AssignTicket(agent_id="ada"), "t2")
    await desk.after(SOLVE, "t1")
    assert await desk.assignees("t2", "t3") == ["ada", None]


async def test_every_assignment_says_who_was_considered_and_why_the_winner_won() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(assignment="least_loaded"), ada=an_agent("support", capacity={"default": 5}),
        bob=an_agent("support", availability="away"), cid=an_agent("support", capacity={"default": 0}),
        dan=an_agent("support"),
    )  # fmt: skip
    await desk.after(opening(), "t1")
    told = (await decision(desk, "t1")).decision
    assert told is not None
    assert (told.team_id, told.candidates) == ("support", 4)
    assert "least work" in told.reason
    assert [(one.agent_id, one.capacity, one.verdict) for one in told.considered] == [
        ("ada", 5, "chosen"), ("dan", None, "able"), ("bob", None, "away"), ("cid", 0, "full"),
    ]  # fmt: skip


async def test_of_many_candidates_only_the_first_are_told() -> None:
    agents = {f"agent{number:02}": an_agent("support") for number in range(30)}
    desk = await routing_desk(mail=MAIL, support=SUPPORT, **agents)
    await desk.after(opening(), "t1")
    told = (await decision(desk, "t1")).decision
    assert told is not None
    assert (told.candidates, len(told.considered)) == (30, 20)
    assert told.considered[0].verdict == "chosen"


async def test_who_gave_a_ticket_back_is_told_as_such() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"), bob=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.after(UnassignTicket(), "t1")
    told = (await decision(desk, "t1")).decision
    assert told is not None
    assert [one.verdict for one in told.considered] == ["chosen", "had it before"]


async def test_a_deleted_team_leaves_its_tickets_waiting_and_says_so() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT)
    await desk.after(opening(), "t1")
    with capture_logs() as logs:
        await desk.delete(Team, "support")
        await desk.after(ChangeTags(add=("vip",)), "t1")
    events = [entry["event"] for entry in logs]
    assert "team was deleted, tickets wait in its queue" in events
    assert "ticket waits for a team that is not there" in events


async def test_a_timer_of_an_unknown_name_is_an_error_that_parks_it() -> None:
    desk = await routing_desk()
    with pytest.raises(ValueError, match="no timer named"):
        await desk.routing.assignment.on_alarm("t1", "lunch", NOON)


async def test_a_channel_without_a_team_leaves_a_ticket_out_of_all_queues() -> None:
    desk = await routing_desk(mail=Channel(name="Mail", medium="email"), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    ticket = await desk.ticket("t1")
    assert (ticket.team_id, ticket.assignee_id) == (None, None)
