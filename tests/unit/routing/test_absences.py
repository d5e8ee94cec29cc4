"""Tickets wait for people who are not at work, and leave those who are away for too long or for good."""

import asyncio
from datetime import timedelta

from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.facts import Unassigned
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import (
    AssignTicket,
    ChangeStatus,
)
from routing_desk import ADMIN, MAIL, SUPPORT, a_team, an_agent, opening, routing_desk

SOLVE = ChangeStatus(status="solved")

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

NIGHTS = Calendar.model_validate({"name": "Nights", "time_zone": "UTC", "hours": {"mon": [["20:00", "24:00"]]}})
"""NOON is on a Monday."""


async def test_a_ticket_waits_for_the_working_hours_of_an_agent_and_is_assigned_when_they_begin() -> None:
    desk = await routing_desk(nights=NIGHTS, mail=MAIL, support=SUPPORT, ada=an_agent("support", calendar_id="nights"))
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + timedelta(hours=7, minutes=59))
    assert await desk.assignees("t1") == [None]
    await desk.wait_until(NOON + timedelta(hours=8))
    assert await desk.assignees("t1") == ["ada"]


async def test_a_ticket_waits_for_the_team_to_open() -> None:
    team = a_team(calendar_id="nights", within_hours=True)
    desk = await routing_desk(nights=NIGHTS, mail=MAIL, support=team, ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + timedelta(hours=8))
    assert await desk.assignees("t1") == ["ada"]


async def test_a_changed_calendar_is_heeded_at_once() -> None:
    desk = await routing_desk(nights=NIGHTS, mail=MAIL, support=SUPPORT, ada=an_agent("support", calendar_id="nights"))
    await desk.after(opening(), "t1")
    days = {"name": "Days", "time_zone": "UTC", "hours": {"mon": [["08:00", "18:00"]]}}
    await desk.put("nights", Calendar.model_validate(days))
    assert await desk.assignees("t1") == ["ada"]


async def test_a_ticket_is_assigned_when_somebody_is_back_from_an_absence() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", out_until=NOON + DAY))
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + DAY)
    assert await desk.assignees("t1") == ["ada"]


async def test_time_sets_no_timers_when_it_brings_nobody() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", availability="away"))
    await desk.after(opening(), "t1")
    assert desk.timers.standing == {}


async def test_an_agent_who_is_away_keeps_their_tickets_where_the_team_says_nothing() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.put("bob", an_agent("support"))
    await desk.change("ada", availability="away")
    await desk.wait_until(NOON + DAY)
    assert await desk.assignees("t1") == ["ada"]


async def test_an_agent_who_is_away_for_too_long_loses_their_tickets_to_others() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(reassign_after_minutes=30), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.put("bob", an_agent("support"))
    await desk.change("ada", availability="away")
    await desk.wait_until(NOON + 29 * MINUTE)
    assert await desk.assignees("t1") == ["ada"]
    await desk.wait_until(NOON + 30 * MINUTE)
    assert await desk.assignees("t1") == ["bob"]
    unassigned = [f for commit in await desk.commits("t1") for f in commit.facts if isinstance(f, Unassigned)]
    assert [fact.reason for fact in unassigned] == ["the agent is away"]


async def test_an_agent_who_is_back_in_time_keeps_their_tickets() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(reassign_after_minutes=30), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.put("bob", an_agent("support"))
    await desk.change("ada", availability="away")
    await desk.wait_until(NOON + 20 * MINUTE)
    await desk.change("ada", availability="online")
    await desk.wait_until(NOON + 25 * MINUTE)
    await desk.change("ada", availability="away")
    await desk.wait_until(NOON + 40 * MINUTE)
    assert await desk.assignees("t1") == ["ada"]
    await desk.wait_until(NOON + 55 * MINUTE)
    assert await desk.assignees("t1") == ["bob"]


async def test_changes_while_away_do_not_start_the_wait_anew() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(reassign_after_minutes=30), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.put("bob", an_agent("support"))
    await desk.change("ada", availability="away")
    await desk.wait_until(NOON + 20 * MINUTE)
    await desk.change("ada", availability="offline")
    await desk.wait_until(NOON + 30 * MINUTE)
    assert await desk.assignees("t1") == ["bob"]


async def test_a_team_that_begins_to_reassign_does_so_with_those_who_are_away_already() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.put("bob", an_agent("support"))
    await desk.change("ada", availability="away")
    await desk.wait_until(NOON + HOUR)
    await desk.put("support", a_team(reassign_after_minutes=30))
    assert await desk.assignees("t1") == ["bob"]


async def test_the_tickets_of_a_deleted_agent_go_to_others() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    for ticket_id in ("t1", "t2"):
        await desk.after(opening(), ticket_id)
    await desk.after(SOLVE, "t2")
    await desk.put("bob", an_agent("support"))
    await desk.delete(Agent, "ada")
    assert await desk.assignees("t1", "t2") == ["bob", "ada"]
    unassigned = [f for commit in await desk.commits("t1") for f in commit.facts if isinstance(f, Unassigned)]
    assert [fact.reason for fact in unassigned] == ["the agent is no longer there"]


async def test_the_tickets_of_an_agent_who_is_no_longer_active_go_back_even_in_a_team_that_assigns_by_hand() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(assignment="manual"), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.after(AssignTicket(agent_id="ada"), "t1")
    await desk.change("ada", active=False)
    assert await desk.assignees("t1") == [None]


async def test_a_ticket_that_is_given_to_somebody_who_is_gone_comes_back() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.after(AssignTicket(agent_id="nobody"), "t1")
    assert await desk.assignees("t1") == ["ada"]


async def test_a_ticket_that_a_deleted_agent_got_in_that_moment_is_found_a_minute_later() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(assignment="manual"), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.delete(Agent, "ada")
    await desk.do(AssignTicket(agent_id="ada"), "t1")
    desk.heard = desk.store.last  # whoever heard of it did not know of the deletion yet
    await desk.wait_until(NOON + MINUTE)
    assert await desk.assignees("t1") == [None]
    await desk.wait_until(NOON + DAY)
    assert desk.timers.standing == {}


async def test_a_ticket_that_is_closed_before_its_absent_agent_is_looked_at_stays_with_them() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(), "t1")
    (follower,) = desk.store.followers
    desk.store.followers.clear()
    await desk.do(ChangeStatus(status="closed"), "t1")
    await desk.directory.delete(Agent, "ada", actor=ADMIN)
    looking = asyncio.create_task(desk.routing.assignment.absences.look_at("ada", NOON))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not looking.done()
    follower.hear(desk.store.delivery(desk.store.last))
    await looking
    assert (await desk.ticket("t1")).assignee_id == "ada"
