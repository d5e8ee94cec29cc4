"""Two routing processes on one log: whoever hears of what, and however often, everything is done once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from deskwire_routing.handlers import Routing
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Assigned, Routed, SlaClock, Unassigned
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.runtime.process_manager import Heard, HeardMessage
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import ApplySla, ChangeStatus, TicketCommand
from routing_desk import ADMIN, MAIL, SUPPORT, RoutingDesk, a_team, an_agent, another_replica, opening, routing_desk

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SOLVE = ChangeStatus(status="solved")
NIGHTS = Calendar.model_validate({"name": "Nights", "time_zone": "UTC", "hours": {"mon": [["20:00", "24:00"]]}})

Work = Callable[[Routing], Awaitable[None]]


@dataclass
class Processes:
    """Two processes: each message is heard by both in the same moment, or by the one whose turn it is."""

    first: RoutingDesk
    second: RoutingDesk
    both: bool
    turn: int = 0
    heard: int = 0

    async def hear(self, work: Work) -> None:
        """Let processes work on a message."""
        processes = [self.first.routing, self.second.routing]
        if not self.both:
            self.turn += 1
            processes = [processes[self.turn % 2]]
        await asyncio.gather(*map(work, processes))

    async def settle(self) -> None:
        while self.heard < self.first.store.last:
            self.heard += 1
            message = self.first.message(self.heard)
            await self.hear(lambda routing, message=message: routing.on_commits(message))  # type: ignore[misc]

    async def after(self, command: TicketCommand, ticket_id: str) -> None:
        await self.first.do(command, ticket_id)
        await self.settle()

    async def put(self, document_id: str, document: Document) -> None:
        entry = await self.first.directory.put(document_id, document, actor=ADMIN)
        assert entry.kind == "agent"
        message = HeardMessage(1, f'{{"revision":{entry.revision}}}'.encode())
        heard = Heard(document_id, 1, f"directory.agent.{document_id}", frozenset(), NOON, (message,))
        await self.hear(lambda routing: routing.assignment.on_agent(heard))
        await self.settle()

    async def wait_until(self, moment: datetime) -> None:
        standing = self.first.timers.standing
        while due := sorted((at, key) for key, at in standing.items() if at <= moment):
            at, (about, name) = due[0]
            del standing[about, name]
            self.first.clock.set(max(at, self.first.clock.now()))
            heard = Heard(about, 1, f"timer.due.routing.{about}.{name}", frozenset(), at, (HeardMessage(1, b""),))
            await self.hear(lambda routing, heard=heard: routing.on_timers(heard))  # type: ignore[misc]
            await self.settle()
        self.first.clock.set(moment)

    async def facts(self, ticket_id: str, kind: type[Any]) -> list[Any]:
        commits = await self.first.commits(ticket_id)
        return [fact for commit in commits for fact in commit.facts if isinstance(fact, kind)]

    async def holders(self, ticket_id: str) -> list[str]:
        """Who got a ticket, one after the other."""
        return [fact.agent_id for fact in await self.facts(ticket_id, Assigned)]


@pytest.fixture(params=[True, False], ids=["both hear everything", "they take turns"])
def both(request: pytest.FixtureRequest) -> bool:
    """Whether a message is heard by both processes."""
    return bool(request.param)


async def processes(both: bool, **documents: Document) -> Processes:
    first = await routing_desk(**documents)
    second = another_replica(first.store, first.directory, first.clock, first.claims, first.timers)
    return Processes(first, second, both)


async def test_an_agent_who_is_away_for_too_long_loses_a_ticket_once(both: bool) -> None:
    desk = await processes(both, mail=MAIL, support=a_team(reassign_after_minutes=30), ada=an_agent("support"))
    await desk.after(opening(), "t1")
    await desk.put("bob", an_agent("support"))
    await desk.put("ada", an_agent("support", availability="away"))
    await desk.wait_until(NOON + 29 * MINUTE)
    assert await desk.holders("t1") == ["ada"]
    await desk.wait_until(NOON + 30 * MINUTE)
    assert await desk.holders("t1") == ["ada", "bob"]
    assert [fact.reason for fact in await desk.facts("t1", Unassigned)] == ["the agent is away"]


async def test_a_ticket_that_waits_for_too_long_overflows_once(both: bool) -> None:
    desk = await processes(
        both, mail=MAIL, support=a_team(overflow={"team_id": "second", "after_minutes": 10}),
        second=Team(name="Second"), bob=an_agent("second"),
    )  # fmt: skip
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + 9 * MINUTE)
    assert await desk.holders("t1") == []
    await desk.wait_until(NOON + HOUR)
    assert [(fact.team_id, fact.reason) for fact in await desk.facts("t1", Routed)] == [
        ("support", ""), ("second", "overflow"),
    ]  # fmt: skip
    assert await desk.holders("t1") == ["bob"]


async def test_a_customer_stays_with_the_agent_they_know(both: bool) -> None:
    desk = await processes(
        both, mail=MAIL, support=a_team(assignment="sticky"), ada=an_agent("support"), bob=an_agent("support"),
        cid=an_agent("support"),
    )  # fmt: skip
    for number in range(6):
        await desk.after(opening(number=number + 1, requester_id=f"customer{number % 2}"), f"t{number}")
    first, second = (await desk.holders("t0"))[0], (await desk.holders("t1"))[0]
    assert first != second
    assert [await desk.holders(f"t{number}") for number in range(2, 6)] == [[first], [second]] * 2


async def test_the_ticket_whose_promise_falls_due_first_is_fetched_first(both: bool) -> None:
    desk = await processes(both, mail=MAIL, support=SUPPORT, ada=an_agent("support", capacity={"default": 1}))
    await desk.after(opening(), "busy")
    for number, (ticket_id, hours) in enumerate((("calm", 9), ("later", 2), ("soon", 1))):
        await desk.after(opening(number=number + 2), ticket_id)
        due = NOON + hours * HOUR
        clock = SlaClock(metric="resolution", cycle=1, state="running", target=60, used=0, due_at=due)
        await desk.after(ApplySla(policy_id="gold", clocks=(clock,)), ticket_id)
    order = []
    for solved in ("busy", "soon", "later"):
        await desk.after(SOLVE, solved)
        order.append([one for one in ("calm", "later", "soon") if await desk.holders(one)])
    assert order == [["soon"], ["later", "soon"], ["calm", "later", "soon"]]


async def test_a_ticket_waits_for_the_working_hours_of_an_agent(both: bool) -> None:
    desk = await processes(
        both, nights=NIGHTS, mail=MAIL, support=SUPPORT, ada=an_agent("support", calendar_id="nights")
    )
    await desk.after(opening(), "t1")
    await desk.wait_until(NOON + timedelta(hours=7, minutes=59))
    assert await desk.holders("t1") == []
    await desk.wait_until(NOON + timedelta(hours=8))
    assert await desk.holders("t1") == ["ada"]


async def test_the_tickets_of_a_deleted_agent_come_back_once_and_say_why(both: bool) -> None:
    desk = await processes(both, mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(opening(), "t1")
    entry = await desk.first.directory.delete(Agent, "ada", actor=ADMIN)
    message = HeardMessage(1, f'{{"revision":{entry.revision}}}'.encode())
    heard = Heard("ada", 1, "directory.agent.ada", frozenset(), NOON, (message,))
    await desk.hear(lambda routing: routing.assignment.on_agent(heard))
    await desk.settle()
    assert [fact.reason for fact in await desk.facts("t1", Unassigned)] == ["the agent is no longer there"]
    ticket = await desk.first.ticket("t1")
    assert (ticket.team_id, ticket.assignee_id) == ("support", None)
    await desk.put("bob", an_agent("support"))
    assert await desk.holders("t1") == ["ada", "bob"]
