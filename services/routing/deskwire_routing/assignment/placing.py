"""Finds an agent for tickets that wait: for one that has just come, and for those in a queue when there is room again.

Where there is room for all, a ticket is assigned by whoever hears of it. Where there is not, the most urgent ticket
of the queue goes first, whichever was heard of.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal
from weakref import WeakValueDictionary

from structlog import get_logger

from deskwire_routing.assignment.alarms import Alarms
from deskwire_routing.assignment.capacity import is_limited
from deskwire_routing.assignment.causes import Because
from deskwire_routing.assignment.choosing import Chosen, Vacancy
from deskwire_routing.assignment.claims import Claims
from deskwire_routing.assignment.matching import MANUAL, NOT_ASSIGNED, Filling, Match, Matching
from deskwire_routing.assignment.overflow import Overflowing
from deskwire_routing.assignment.roster import Roster
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.work import Work
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.port import BrokenHistory
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.ticket.commands import AssignTicket, RouteTicket, Several, SingleCommand
from deskwire_shared.ticket.state import Ticket

SOON: Final = timedelta(seconds=2)
"""When to look again after room that is only promised to others."""

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Placing:
    """Puts tickets into queues and into hands."""

    recorder: Recorder
    directory: Directory
    workload: LiveWorkload
    roster: Roster
    matching: Matching
    claims: Claims
    overflowing: Overflowing
    alarms: Alarms
    clock: Clock
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def place(self, ticket_id: str, because: Because, *, new_in: str | None = None) -> None:
        """See that a ticket nobody has gets an agent if its team wants that; `new_in` is the team of one without."""
        refused_by: set[str] = set()
        while (work := self.workload.now.work(ticket_id)) and work.is_open and work.agent_id is None:
            team_id = work.team_id or new_in
            team = self.directory.get(Team, team_id) if team_id else None
            if team_id is None:
                break
            if team is None:
                log.warning("ticket waits for a team that is not there", ticket_id=ticket_id, team=team_id)
                break
            found = self.matching.choose(team_id, team, work, refused_by)
            if isinstance(found, Chosen) and not self.matching.is_scarce(ticket_id, work, team_id, found):
                with self.roster.promising(found.agent_id, ticket_id, work):
                    outcome = await self._assign(Match(ticket_id, work, found), team_id, because)
                if outcome == "refused":
                    refused_by.add(found.agent_id)
                continue
            if work.team_id is None:
                await self._route(ticket_id, work, team_id, because)
            else:
                await self._wait(ticket_id, team_id, team, found, because)
            break

    async def fill(self, team_id: str, because: Because) -> None:
        """Assign the tickets of a queue, the most urgent first, as long as there is room."""
        team = self.directory.get(Team, team_id)
        if team is None or team.assignment == MANUAL or not self.workload.now.queue(team_id):
            return
        async with self._turns.setdefault(team_id, asyncio.Lock()):
            filling = Filling(team_id, team)
            while await self._fill_some(filling, because):
                pass
        await self._look_again(team_id, team, passing=filling.is_passing)

    async def _fill_some(self, filling: Filling, because: Because) -> bool:
        """Assign a few tickets at the same time; whether there were any."""
        with self.matching.promised(filling) as matches:
            async with asyncio.TaskGroup() as tasks:
                for match in matches:
                    tasks.create_task(self._fill_one(match, filling, because))
        return bool(matches)

    async def _fill_one(self, match: Match, filling: Filling, because: Because) -> None:
        try:
            outcome = await self._assign(match, filling.team_id, because)
        except BrokenHistory as error:
            # Its own message is parked; the others in the queue must not wait for it.
            log.error("ticket in the queue cannot be read", ticket_id=match.ticket_id, error=str(error))  # noqa: TRY400
            filling.unreadable.add(match.ticket_id)
        else:
            if outcome == "refused":
                filling.refused_by.add(match.chosen.agent_id)

    async def _assign(self, match: Match, team_id: str, because: Because) -> Literal["done", "refused"]:
        """Claim room and record the assignment; a ticket that has moved in the meantime needs none any more."""
        ticket_id, work, chosen = match.ticket_id, match.work, match.chosen
        agent = self.directory.get(Agent, chosen.agent_id)
        if agent is None:
            return "refused"
        if is_limited(agent, work.medium) and not await self.claims.claim(chosen.agent_id, agent, ticket_id, work):
            return "refused"
        assign = AssignTicket(agent_id=chosen.agent_id, strategy=chosen.strategy, decision=chosen.decision)
        commands = (RouteTicket(team_id=team_id), assign)  # to be routed to where it is changes nothing
        await self._record(ticket_id, work, commands, because)
        return "done"

    async def _route(self, ticket_id: str, work: Work, team_id: str, because: Because) -> None:
        """Put a ticket into a queue; whoever hears of that sees whether there is an agent for it."""
        await self._record(ticket_id, work, (RouteTicket(team_id=team_id),), because)

    async def _record(self, ticket_id: str, work: Work, commands: tuple[SingleCommand, ...], because: Because) -> None:
        def wish(now: Ticket) -> Several | None:
            return Several(commands=commands) if now.placements == work.placements else None

        cause = because.cause(self.clock.now(), ticket_id, "place", str(work.placements))
        outcome = await self.recorder.record(ticket_id, wish, cause, at_least=work.sequence)
        await self.workload.reached(outcome.sequence)

    async def _wait(self, ticket_id: str, team_id: str, team: Team, found: Chosen | Vacancy, because: Because) -> None:
        """Leave a ticket in the queue, to get its turn there, and see that it is looked at again when that can help."""
        if isinstance(found, Chosen):
            await self.fill(team_id, because)
        elif found is not NOT_ASSIGNED:
            obstacles = found.obstacles or ("the team has no members",)
            log.info("nobody can take the ticket", ticket_id=ticket_id, team=team_id, obstacles=obstacles)
            await self._look_again(team_id, team, passing=found.is_passing)
        work = self.workload.now.work(ticket_id)
        if work is not None and work.is_waiting:
            await self.overflowing.plan(ticket_id, team)

    async def _look_again(self, team_id: str, team: Team, *, passing: bool) -> None:
        """Set alarms for what no message tells of: promised room that stays free, and people who come to work."""
        if not self.workload.now.queue(team_id):
            return
        soon = self.clock.now() + SOON
        if passing:
            await self.alarms.set(team_id, "soon", soon)
        if arrival := self.roster.next_arrival(team_id, team):
            await self.alarms.set(team_id, "hours", max(soon, arrival))
