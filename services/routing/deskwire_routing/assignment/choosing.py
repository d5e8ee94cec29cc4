"""Chooses the agent for a ticket, and says why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from deskwire_routing.assignment.roster import PROMISED, Assessment, Roster
from deskwire_routing.assignment.skills import demand
from deskwire_routing.assignment.strategies.strategy import Candidate, Choice, Strategy
from deskwire_routing.workload.work import Work
from deskwire_shared.contracts.facts import AssignmentDecision, Considered
from deskwire_shared.contracts.staff import Team
from deskwire_shared.ticket.limits import CONSIDERED

STICKY = "sticky"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The agent for a ticket, the strategy that picked them, and what everybody may read about it."""

    agent_id: str
    strategy: str
    decision: AssignmentDecision
    room: int | None
    """How many tickets like this one the team takes now; None is without limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vacancy:
    """Nobody can take the ticket now; why not, each reason once. `is_general` if it is so for every ticket."""

    obstacles: tuple[str, ...]
    is_general: bool

    @property
    def is_passing(self) -> bool:
        """Whether it is only because of tickets that are being assigned in this moment."""
        return PROMISED in self.obstacles


@dataclass(frozen=True, slots=True)
class Choosing:
    """Chooses by the strategy of the team."""

    roster: Roster
    strategies: Mapping[str, Strategy]

    def choose(self, team_id: str, team: Team, work: Work, *, refused_by: Collection[str] = ()) -> Chosen | Vacancy:
        """Choose an agent for a ticket; those who refused it turned out to have no room."""
        assessed = [_refusing(one, refused_by) for one in self.roster.assess(team_id, team, work)]
        able = [one for one in assessed if one.obstacle is None]
        strategy, choice = self._pick(team, _preferably_not(able, work.previous_agent_id), work)
        if choice is None:
            obstacles = {one.obstacle for one in assessed if one.obstacle}
            return Vacancy(obstacles=tuple(sorted(obstacles)), is_general=all(one.is_unavailable for one in assessed))
        decision = AssignmentDecision(
            team_id=team_id,
            reason=choice.reason,
            candidates=len(assessed),
            considered=_considered(assessed, choice, work),
        )
        return Chosen(agent_id=choice.agent_id, strategy=strategy, decision=decision, room=_room(able))

    def _pick(self, team: Team, able: Sequence[Candidate], work: Work) -> tuple[str, Choice | None]:
        wanted = demand(work.tags)
        if team.assignment == STICKY:
            if choice := self.strategies[STICKY](able, wanted):
                return STICKY, choice
            return team.fallback, self.strategies[team.fallback](able, wanted)
        return team.assignment, self.strategies[team.assignment](able, wanted)


def _refusing(assessment: Assessment, refused_by: Collection[str]) -> Assessment:
    refuses = assessment.obstacle is None and assessment.candidate.agent_id in refused_by
    return replace(assessment, obstacle=PROMISED) if refuses else assessment


def _preferably_not(able: list[Assessment], agent_id: str | None) -> list[Candidate]:
    """Leave out whoever gave the ticket back, unless there is nobody else."""
    candidates = [one.candidate for one in able]
    return [one for one in candidates if one.agent_id != agent_id] or candidates


def _room(able: list[Assessment]) -> int | None:
    rooms = [one.room for one in able]
    return None if None in rooms else sum(room for room in rooms if room is not None)


def _considered(assessed: list[Assessment], choice: Choice, work: Work) -> tuple[Considered, ...]:
    """Tell of the chosen one, then of those who could have taken the ticket, then of the others."""

    def verdict(one: Assessment) -> str:
        if one.candidate.agent_id == choice.agent_id:
            return "chosen"
        gave_back = one.candidate.agent_id == work.previous_agent_id
        return one.obstacle or ("had it before" if gave_back else "able")

    def place(one: Assessment) -> tuple[bool, bool, str]:
        return one.candidate.agent_id != choice.agent_id, one.obstacle is not None, one.candidate.agent_id

    return tuple(
        Considered(
            agent_id=one.candidate.agent_id,
            open_tickets=one.candidate.open_tickets,
            capacity=one.capacity,
            verdict=verdict(one),
        )
        for one in sorted(assessed, key=place)[:CONSIDERED]
    )
