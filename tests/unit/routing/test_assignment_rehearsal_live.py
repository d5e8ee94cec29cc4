"""A rehearsal without drafts: what the live desk did comes out again, ticket by ticket."""

from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskwire_shared.contracts.staff import Team
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import (
    AssignTicket,
    ChangePriority,
    ChangeStatus,
    RouteTicket,
    TicketCommand,
    UnassignTicket,
)
from rehearsing_desk import DAY, rehearsed
from routing_desk import MAIL, RoutingDesk, a_team, an_agent, opening, routing_desk

WAYS = ("round_robin", "least_loaded", "skills", "sticky", "longest_idle")
AGENTS = ("ada", "bob", "cid", "dan")
TEAMS = ("support", "second")


def some_team(chance: Random, other: str) -> Team:
    changes: dict[str, Any] = {"assignment": chance.choice(WAYS)}
    if chance.random() < 0.5:
        changes["overflow"] = {"team_id": other, "after_minutes": chance.choice((5, 20))}
    if chance.random() < 0.5:
        changes["reassign_after_minutes"] = chance.choice((0, 10))
    return a_team(**changes)


async def a_day(chance: Random, events: int) -> RoutingDesk:
    """A desk on which people do this and that, and time passes."""
    agents = {
        one: an_agent(
            *chance.sample(TEAMS, chance.randint(1, 2)),
            capacity={"default": chance.randint(1, 3)} if chance.random() < 0.8 else {},
            skills={"german": 3} if chance.random() < 0.5 else {},
        )
        for one in AGENTS
    }
    teams = {"support": some_team(chance, "second"), "second": some_team(chance, "support")}
    desk = await routing_desk(mail=MAIL, **teams, **agents)
    moment, opened = NOON + timedelta(minutes=1, seconds=7), 0
    for _ in range(events):
        moment += timedelta(seconds=chance.randint(1, 400), microseconds=chance.randint(1, 999_999))
        await desk.wait_until(moment)
        opened += await something(desk, chance, opened)
    await desk.wait_until(NOON + DAY)
    return desk


async def something(desk: RoutingDesk, chance: Random, opened: int) -> bool:
    """Let something happen; whether it was a new ticket."""
    kind = chance.choices(
        ("open", "solve", "reopen", "give back", "take", "move", "raise", "come or go", "change team"),
        (10, 6, 1, 1, 1, 1, 1, 4, 1),
    )[0]
    if kind == "open" or not opened:
        tags = ("skill:german",) if chance.random() < 0.3 else ()
        customer = f"customer{chance.randint(1, 3)}"
        await desk.after(opening(number=opened + 1, requester_id=customer, tags=tags), f"t{opened}")
        return True
    if kind == "come or go":
        await desk.change(chance.choice(AGENTS), availability=chance.choice(("online", "online", "away")))
        return False
    if kind == "change team":
        await desk.put("support", some_team(chance, "second"))
        return False
    ticket_id = f"t{chance.randrange(opened)}"
    ticket = await desk.ticket(ticket_id)
    is_over = ticket.status == "solved"
    commands: dict[str, TicketCommand] = {
        "solve": ChangeStatus(status="solved"),
        "reopen": ChangeStatus(status="open"),
        "give back": UnassignTicket(),
        "take": AssignTicket(agent_id=chance.choice(AGENTS)),
        "move": RouteTicket(team_id=chance.choice(TEAMS)),
        "raise": ChangePriority(priority=chance.choice(("low", "normal", "urgent"))),
    }
    if is_over == (kind == "reopen"):
        await desk.after(commands[kind], ticket_id)
    return False


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 45))
async def test_without_drafts_a_rehearsal_does_what_live_routing_did(seed: int, events: int) -> None:
    desk = await a_day(Random(seed), events)
    found = await rehearsed(desk)
    assert found.first_changed == ()
    assert [one.draft for one in found.teams] == [one.recorded for one in found.teams]
    assert [one.draft for one in found.agents] == [one.recorded for one in found.agents]
