"""What becomes of an agent's tickets when the agent goes: for good, or for too long."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deskwire_routing.assignment.alarms import Alarms
from deskwire_routing.assignment.attendance import absence, absent_since
from deskwire_routing.assignment.causes import Because
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.workload import Workload
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory, Documents
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.ticket.commands import UnassignTicket
from deskwire_shared.ticket.state import Ticket

GONE: Final = "the agent is no longer there"
AWAY: Final = "the agent is away"
SECOND_LOOK: Final = timedelta(seconds=60)
"""When to look again for tickets that somebody gave to an agent while they were being deleted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Absences:
    """Gives the tickets of absent agents back to their queues."""

    recorder: Recorder
    directory: Directory
    workload: LiveWorkload
    alarms: Alarms
    clock: Clock

    async def on_change(self, agent_id: str) -> None:
        """Look at an agent who was changed or deleted."""
        await self.look_at(agent_id, self.clock.now())
        if await self._is_gone(agent_id):
            await self.alarms.set(agent_id, "away", self.clock.now() + SECOND_LOOK)

    async def look_at(self, agent_id: str, now: datetime) -> None:
        """Give back what an agent should not keep, and see that there is a look at the rest in time."""
        agent = self.directory.get(Agent, agent_id)
        if agent is None or not agent.active:
            await self._give_back(self.workload.now.held_by(agent_id), agent_id, GONE)
        elif absence(agent, now):
            await self._give_back_in_time(agent_id, now)

    async def look_at_assigned(self, ticket_id: str, agent_id: str) -> None:
        """Give a ticket back that went to an agent who is not there any more."""
        if await self._is_gone(agent_id):
            await self._give_back([ticket_id], agent_id, GONE)

    async def _is_gone(self, agent_id: str) -> bool:
        """Whether an agent was deleted or is not active.

        It asks the directory itself about somebody unknown: a new agent may not have arrived here yet.
        """
        agent = self.directory.get(Agent, agent_id)
        if agent is None:
            agent = next((found for _, found in reversed(await self.directory.history(Agent, agent_id))), None)
        return agent is None or not agent.active

    async def _give_back_in_time(self, agent_id: str, now: datetime) -> None:
        waiting = patience(agent_id, self.workload.now, self.directory)
        since = absent_since(await self.directory.history(Agent, agent_id)) if waiting else None
        if since is None:
            return
        due = {ticket_id: since + period for ticket_id, period in waiting.items()}
        await self._give_back([ticket_id for ticket_id, at in due.items() if at <= now], agent_id, AWAY)
        if later := [at for at in due.values() if at > now]:
            await self.alarms.set(agent_id, "away", min(later))

    async def _give_back(self, ticket_ids: Iterable[str], agent_id: str, reason: str) -> None:
        for ticket_id in list(ticket_ids):
            work = self.workload.now.work(ticket_id)
            if work is None or work.agent_id != agent_id:
                continue

            def wish(now: Ticket) -> UnassignTicket | None:
                held = now.assignee_id == agent_id and not now.is_closed
                return UnassignTicket(reason=reason) if held else None

            cause = Because().cause(self.clock.now(), ticket_id, "give back", str(work.placements))
            outcome = await self.recorder.record(ticket_id, wish, cause, at_least=work.sequence)
            await self.workload.reached(outcome.sequence)


def patience(agent_id: str, workload: Workload, directory: Documents) -> dict[str, timedelta]:
    """Say how long each ticket of an absent agent stays with them; those left out stay for ever."""
    found: dict[str, timedelta] = {}
    for ticket_id in workload.held_by(agent_id):
        work = workload.work(ticket_id)
        team = directory.get(Team, work.team_id) if work and work.team_id else None
        if team is not None and team.reassign_after_minutes is not None:
            found[ticket_id] = timedelta(minutes=team.reassign_after_minutes)
    return found
