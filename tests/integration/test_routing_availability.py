"""Routing on a real NATS server: people who come and go, and the time that passes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from deskwire_routing.app import service
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Assigned, Routed, Unassigned
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import DIRECTORY, TICKETS
from deskwire_shared.ticket.commands import ChangeStatus
from ticket_desk import ADMIN, TicketDesk, ticket_desk

CONSUMERS = ((TICKETS, "routing"), (DIRECTORY, "routing-agents"), (DIRECTORY, "routing-teams"))
SOLVE = ChangeStatus(status="solved")


def an_agent(agent_id: str, **changes: Any) -> Agent:
    usual = {"email": f"{agent_id}@acme.example", "name": agent_id, "team_ids": ("support",)}
    return Agent.model_validate(usual | changes)


async def furnish(desk: TicketDesk, **team: Any) -> None:
    await desk.put("support", Team.model_validate({"name": "Support", **team}))
    await desk.put("mail", Channel(name="Mail", medium="email", address="help@acme.example", team_id="support"))


async def holder(desk: TicketDesk, ticket_id: str, *, count: int = 1) -> str:
    """Who gets a ticket, the first or a later time."""
    await desk.commit_with(ticket_id, Assigned, count=count)
    facts: list[Assigned] = await desk.facts(ticket_id, Assigned)
    return facts[count - 1].agent_id


async def test_a_ticket_that_waits_is_assigned_when_somebody_comes_online(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk)
        await desk.put("ada", an_agent("ada", availability="away"))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, Routed)
        await desk.settled(*CONSUMERS)
        assert await desk.facts(ticket_id, Assigned) == []
        await desk.put("ada", an_agent("ada"))
        assert await holder(desk, ticket_id) == "ada"


async def test_somebody_who_came_online_while_routing_was_down_is_found(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk)
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, Routed)
        await desk.settled(*CONSUMERS)
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("ada", an_agent("ada"))
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        assert await holder(desk, ticket_id) == "ada"


async def test_a_ticket_is_assigned_when_an_absence_ends(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk)
        back = desk.runtime.clock.now() + timedelta(seconds=2)
        await desk.put("ada", an_agent("ada", out_until=back.isoformat()))
        ticket_id = await desk.open()
        assert await holder(desk, ticket_id) == "ada"
        assert (await desk.commit_with(ticket_id, Assigned)).at >= back


async def test_an_agent_who_goes_away_loses_their_tickets_at_once_where_the_team_wants_it(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk, reassign_after_minutes=0)
        await desk.put("ada", an_agent("ada"))
        ticket_id = await desk.open()
        assert await holder(desk, ticket_id) == "ada"
        await desk.put("bob", an_agent("bob"))
        await desk.put("ada", an_agent("ada", availability="away"))
        assert await holder(desk, ticket_id, count=2) == "bob"
        assert [fact.reason for fact in await desk.facts(ticket_id, Unassigned)] == ["the agent is away"]


async def test_the_tickets_of_a_deleted_agent_go_to_others(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk)
        await desk.put("ada", an_agent("ada"))
        ticket_id = await desk.open()
        assert await holder(desk, ticket_id) == "ada"
        await desk.put("bob", an_agent("bob"))
        await desk.runtime.directory.delete(Agent, "ada", actor=ADMIN)
        assert await holder(desk, ticket_id, count=2) == "bob"


async def test_a_full_agent_gets_the_next_ticket_when_one_is_solved(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk)
        await desk.put("ada", an_agent("ada", capacity={"default": 1}))
        first, second = await desk.open(), await desk.open()
        await desk.commit_with(second, Routed)
        await desk.settled(*CONSUMERS)
        holders = {one: await desk.facts(one, Assigned) for one in (first, second)}
        (busy,), (waiting,) = [[t for t, f in holders.items() if bool(f) is has] for has in (True, False)]
        await desk.do(busy, SOLVE, ADMIN)
        assert await holder(desk, waiting) == "ada"
