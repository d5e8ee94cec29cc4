"""Tickets that nobody takes for too long go to another team."""

from datetime import timedelta

from structlog.testing import capture_logs

from deskwire_shared.contracts.facts import Routed
from deskwire_shared.contracts.staff import Team
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import (
    ChangeStatus,
)
from routing_desk import MAIL, SUPPORT, a_team, an_agent, opening, routing_desk

SOLVE = ChangeStatus(status="solved")

ONE_TICKET = {"capacity": {"default": 1}}

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def test_a_ticket_that_nobody_takes_for_too_long_overflows_to_another_team() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(overflow={"team_id": "second", "after_minutes": 10}), second=Team(name="Second"),
        bob=an_agent("second"),
    )  # fmt: skip
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + 9 * MINUTE)
    assert (await desk.ticket("t1")).team_id == "support"
    await desk.wait_until(NOON + 10 * MINUTE)
    ticket = await desk.ticket("t1")
    assert (ticket.team_id, ticket.assignee_id) == ("second", "bob")
    routed = [f for commit in await desk.commits("t1") for f in commit.facts if isinstance(f, Routed)]
    assert [fact.reason for fact in routed] == ["", "overflow"]


async def test_a_ticket_that_somebody_has_does_not_overflow() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(overflow={"team_id": "second", "after_minutes": 10}), second=Team(name="Second"),
        ada=an_agent("support", availability="away"),
    )  # fmt: skip
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + 5 * MINUTE)
    await desk.change("ada", availability="online")
    await desk.wait_until(NOON + HOUR)
    ticket = await desk.ticket("t1")
    assert (ticket.team_id, ticket.assignee_id) == ("support", "ada")


async def test_a_ticket_that_is_reopened_begins_to_wait_anew() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(overflow={"team_id": "second", "after_minutes": 10}), second=Team(name="Second")
    )
    await desk.after(opening(), "t1")
    await desk.after(SOLVE, "t1")
    await desk.wait_until(NOON + HOUR)
    await desk.after(ChangeStatus(status="open"), "t1")
    await desk.wait_until(NOON + HOUR + 9 * MINUTE)
    assert (await desk.ticket("t1")).team_id == "support"
    await desk.wait_until(NOON + HOUR + 10 * MINUTE)
    assert (await desk.ticket("t1")).team_id == "second"


async def test_a_ticket_overflows_from_a_queue_that_is_scarce_of_room_too() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(overflow={"team_id": "second", "after_minutes": 10}), second=Team(name="Second"),
        ada=an_agent("support", **ONE_TICKET), bob=an_agent("second"),
    )  # fmt: skip
    for ticket_id in ("t1", "t2", "t3"):
        await desk.after(opening(), ticket_id)
    await desk.wait_until(NOON + 10 * MINUTE)
    assert await desk.assignees("t1", "t2", "t3") == ["ada", "bob", "bob"]


async def test_a_ticket_overflows_from_each_team_once_and_goes_round_no_circle() -> None:
    desk = await routing_desk(
        mail=MAIL, support=a_team(overflow={"team_id": "second", "after_minutes": 10}),
        second=a_team(overflow={"team_id": "support", "after_minutes": 10}),
    )  # fmt: skip
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + DAY)
    teams = [f.team_id for commit in await desk.commits("t1") for f in commit.facts if isinstance(f, Routed)]
    assert teams == ["support", "second", "support"]


async def test_an_overflow_into_a_team_that_is_not_there_leaves_the_ticket_where_it_is() -> None:
    desk = await routing_desk(mail=MAIL, support=a_team(overflow={"team_id": "gone", "after_minutes": 1}))
    await desk.after(opening(), "t1")
    with capture_logs() as logs:
        await desk.wait_until(NOON + MINUTE)
    assert "ticket cannot overflow, the team does not exist" in [entry["event"] for entry in logs]
    assert (await desk.ticket("t1")).team_id == "support"


async def test_a_team_that_learns_to_overflow_does_so_with_what_waits_already() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, second=Team(name="Second"))
    await desk.after(opening(), "t1")
    await desk.put("support", a_team(overflow={"team_id": "second", "after_minutes": 10}))
    await desk.wait_until(NOON + 10 * MINUTE)
    assert (await desk.ticket("t1")).team_id == "second"
