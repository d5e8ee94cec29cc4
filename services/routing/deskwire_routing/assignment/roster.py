"""Who could take a ticket now: the members of a team, what stands in their way, and what is promised to them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final

from deskwire_routing.assignment.attendance import Attendance
from deskwire_routing.assignment.capacity import Load, room
from deskwire_routing.assignment.skills import Demand, demand
from deskwire_routing.assignment.strategies.strategy import Candidate
from deskwire_routing.workload.work import Work
from deskwire_routing.workload.workload import WEIGHTS, Known
from deskwire_shared.contracts.access import ROLE_PERMISSIONS
from deskwire_shared.contracts.directory import Entry
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Documents
from deskwire_shared.runtime.clock import Clock

FULL: Final = "full"
PROMISED: Final = "the last room is promised to another ticket"
PROMISED_TURNS: Final = 2**62
"""A turn that is not recorded yet comes after every one that is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """A member of a team before a ticket: what there is to compare and, where there is any, the obstacle.

    `room` is how many more tickets like this one they take, None without limit. Who is `unavailable` takes no ticket
    whatsoever.
    """

    candidate: Candidate
    capacity: int | None = None
    room: int | None = None
    obstacle: str | None = None
    is_unavailable: bool = False


@dataclass(frozen=True, slots=True)
class _Promise:
    """A ticket that this process is about to record as an agent's."""

    ticket_id: str
    work: Work
    turn: int


class Roster:
    """The agents of each team with their work."""

    def __init__(self, directory: Documents, workload: Known, clock: Clock) -> None:
        self.workload = workload
        self.attendance = Attendance(directory)
        self._directory = directory
        self._clock = clock
        self._promises: dict[str, list[_Promise]] = defaultdict(list)
        self._promised_tickets: Counter[str] = Counter()
        self._turns = count(PROMISED_TURNS)
        self._members: dict[str, dict[str, Agent]] = {}
        directory.on_change(self._forget_members)

    def members(self, team_id: str) -> dict[str, Agent]:
        """Name the active agents of a team who may answer customers."""
        if team_id not in self._members:
            agents = self._directory.all(Agent).items()
            self._members[team_id] = {agent_id: agent for agent_id, agent in agents if works_for(agent, team_id)}
        return self._members[team_id]

    def assess(self, team_id: str, team: Team, work: Work) -> list[Assessment]:
        """Look at every member of a team for a ticket."""
        now, wanted = self._clock.now(), demand(work.tags)
        return [
            self._assess(agent_id, agent, self.attendance.obstacle(agent, team, now), work, wanted)
            for agent_id, agent in self.members(team_id).items()
        ]

    def next_arrival(self, team_id: str, team: Team) -> datetime | None:
        """Find when the passing of time may next bring an agent of the team to work."""
        now = self._clock.now()
        away = (one for one in self.members(team_id).values() if self.attendance.obstacle(one, team, now))
        return min(filter(None, (self.attendance.back_at(agent, team, now) for agent in away)), default=None)

    def is_promised(self, ticket_id: str) -> bool:
        """Whether this process is about to assign a ticket."""
        return ticket_id in self._promised_tickets

    def load(self, agent_id: str, medium: str) -> Load:
        """Count the open tickets of an agent by the log."""
        now = self.workload.now
        return Load(total=now.open_tickets(agent_id), of_medium=now.open_tickets(agent_id, medium))

    @contextmanager
    def promising(self, agent_id: str, ticket_id: str, work: Work) -> Iterator[None]:
        """Count a ticket as an agent's while it is being recorded, so that others go to others."""
        promise = _Promise(ticket_id, work, next(self._turns))
        self._promises[agent_id].append(promise)
        self._promised_tickets[ticket_id] += 1
        try:
            yield
        finally:
            self._promises[agent_id].remove(promise)
            self._promised_tickets[ticket_id] -= 1
            if not self._promised_tickets[ticket_id]:
                del self._promised_tickets[ticket_id]

    def _assess(self, agent_id: str, agent: Agent, away: str | None, work: Work, wanted: Demand) -> Assessment:
        load = self.load(agent_id, work.medium)
        promised = self._promised(agent_id)
        by_log = left = room(agent, work.medium, load)
        taken = load.total + len(promised)
        if promised:
            of_medium = load.of_medium + sum(one.work.medium == work.medium for one in promised)
            left = room(agent, work.medium, Load(total=taken, of_medium=of_medium))
        missing = wanted.missing(agent.skills)
        full = FULL if by_log == 0 else PROMISED if left == 0 else None
        return Assessment(
            candidate=self._candidate(agent_id, agent, promised, work, load),
            capacity=agent.capacity.get("default"),
            room=left,
            obstacle=away or (f"lacks the skill {missing}" if missing else full),
            is_unavailable=away is not None or agent.capacity.get("default", taken + 1) <= taken,
        )

    def _candidate(self, agent_id: str, agent: Agent, promised: list[_Promise], work: Work, load: Load) -> Candidate:
        now = self.workload.now
        latest = max((one.turn for one in promised), default=0)
        return Candidate(
            agent_id=agent_id,
            open_tickets=load.total + len(promised),
            weight=now.weight(agent_id) + sum(WEIGHTS[one.work.priority] for one in promised),
            last_turn=max(now.last_turn(agent_id), latest),
            idle_since=max(now.idle_since(agent_id), latest),
            skills=agent.skills,
            served_before=now.last_agent_of(work.requester_id) == agent_id,
        )

    def _promised(self, agent_id: str) -> list[_Promise]:
        """The promises to an agent that are not in the log yet."""
        promises = self._promises.get(agent_id)
        if not promises:
            return []
        held = self.workload.now.held_by(agent_id)
        once = {promise.ticket_id: promise for promise in promises if promise.ticket_id not in held}
        return list(once.values())

    def _forget_members(self, entry: Entry) -> None:
        if entry.kind == "agent":
            self._members.clear()


def works_for(agent: Agent, team_id: str) -> bool:
    """Whether an agent may be given tickets of a team."""
    return agent.active and team_id in agent.team_ids and "tickets:reply" in ROLE_PERMISSIONS[agent.role]
