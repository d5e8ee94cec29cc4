"""What follows for queues and agents when a ticket moves, a document changes or a time comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from structlog import get_logger

from deskwire_routing.assignment.absences import Absences
from deskwire_routing.assignment.causes import Because
from deskwire_routing.assignment.overflow import Overflowing
from deskwire_routing.assignment.placing import Placing
from deskwire_routing.news import DirectoryNews
from deskwire_routing.workload.live import LiveWorkload
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Assigned, Opened, Routed, StatusChanged, TagsChanged, Unassigned
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.plain_facts import PlainCommit
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.ticket.lifecycle import OVER

OPENED: Final = Opened.model_fields["type"].default
MOVES: Final = frozenset(
    model.model_fields["type"].default for model in (Routed, Assigned, Unassigned, StatusChanged, TagsChanged)
)
"""The facts that can give a ticket a need for an agent or an agent room for a ticket, by stored name."""

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """Keeps tickets, queues and agents together."""

    recorder: Recorder
    directory: Directory
    workload: LiveWorkload
    placing: Placing
    absences: Absences
    overflowing: Overflowing
    news: DirectoryNews

    async def on_commits(self, commits: Sequence[tuple[int, PlainCommit]]) -> None:
        """React to what happened to one ticket, oldest first."""
        sequence, last = commits[-1]
        await self.workload.reached(sequence)
        for _, commit in commits:
            await self._look_at_assignees(commit)
        await self.placing.place(last.ticket_id, Because.of(last), new_in=self._team_of_channel(commits))
        freed = [agent_id for at, commit in commits for agent_id in await self._freed(at, commit)]
        for agent_id in dict.fromkeys(freed):
            await self._fill_queues_of(agent_id, Because.of(last))

    async def on_agent(self, heard: Heard) -> None:
        """React to a changed agent: they may have come, gone, or learned something."""
        agent_id = await self.news.about(heard)
        await self.workload.caught_up()
        await self.absences.on_change(agent_id)
        await self._fill_queues_of(agent_id, Because())

    async def on_team(self, heard: Heard) -> None:
        """React to a changed team: it may assign in another way now."""
        team_id = await self.news.about(heard)
        await self.workload.caught_up()
        team = self.directory.get(Team, team_id)
        if team is None:
            if waiting := len(self.workload.now.queue(team_id)):
                log.warning("team was deleted, tickets wait in its queue", team=team_id, tickets=waiting)
            return
        await self.placing.fill(team_id, Because())
        for ticket_id in list(self.workload.now.queue(team_id)):
            await self.overflowing.plan(ticket_id, team)
        for agent_id in self.placing.roster.members(team_id):
            await self.absences.look_at(agent_id, self.absences.clock.now())

    async def on_calendar(self, heard: Heard) -> None:
        """React to a changed calendar: somebody may be at work now."""
        await self.news.about(heard)
        await self.workload.caught_up()
        for team_id in self.workload.now.waiting_teams():
            await self.placing.fill(team_id, Because())

    async def on_alarm(self, about: str, alarm: str, now: datetime) -> None:
        """React to a time that has come; what is due now is looked at anew."""
        await self.workload.caught_up()
        if alarm in {"soon", "hours"}:
            await self.placing.fill(about, Because())
        elif alarm == "overflow":
            await self.overflowing.on_time(about, now)
        elif alarm == "away":
            await self.absences.look_at(about, now)
        else:
            raise ValueError(f"routing sets no timer named {alarm!r}")

    async def _look_at_assignees(self, commit: PlainCommit) -> None:
        for fact in commit.of(Assigned):
            if isinstance(fact, Assigned):
                await self.absences.look_at_assigned(commit.ticket_id, fact.agent_id)

    def _team_of_channel(self, commits: Sequence[tuple[int, PlainCommit]]) -> str | None:
        """The team of the channel by which a ticket has just come."""
        facts = (fact for _, commit in commits for fact in commit.facts)
        opened = next((fact for fact in facts if fact["type"] == OPENED), None)
        channel = self.directory.get(Channel, opened["channel_id"]) if opened and opened.get("channel_id") else None
        if channel is None or channel.team_id is None:
            return None
        if self.directory.get(Team, channel.team_id) is None:
            log.warning("channel names a team that does not exist", channel=channel.name, team=channel.team_id)
            return None
        return channel.team_id

    async def _freed(self, sequence: int, commit: PlainCommit) -> list[str]:
        """Name the agents who have a ticket less."""
        agents: list[str | None] = []
        for fact in commit.of(Assigned, Unassigned, StatusChanged):
            match fact:
                case Assigned(before=before) | Unassigned(before=before):
                    agents.append(before)
                case StatusChanged(before=before, after=after) if after in OVER and before not in OVER:
                    agents.append(await self._assignee(commit.ticket_id, sequence))
        return [agent_id for agent_id in agents if agent_id is not None]

    async def _assignee(self, ticket_id: str, sequence: int) -> str | None:
        work = self.workload.now.work(ticket_id)
        if work is not None:
            return work.agent_id
        return (await self.recorder.ticket(ticket_id, at_least=sequence)).assignee_id

    async def _fill_queues_of(self, agent_id: str, because: Because) -> None:
        agent = self.directory.get(Agent, agent_id)
        for team_id in agent.team_ids if agent is not None and agent.active else ():
            await self.placing.fill(team_id, because)
