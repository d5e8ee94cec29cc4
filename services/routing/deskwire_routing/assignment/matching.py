"""Finds agents for the tickets of a queue in turn: who would get which now, before anything is recorded."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from deskwire_routing.assignment.choosing import Choosing, Chosen, Vacancy
from deskwire_routing.assignment.roster import Roster
from deskwire_routing.assignment.skills import Demand, demand
from deskwire_routing.workload.work import Work
from deskwire_routing.workload.workload import Known
from deskwire_shared.contracts.staff import Team

AT_ONCE: Final = 16
"""Tickets of a queue that are assigned at the same time."""

MANUAL: Final = "manual"

NOT_ASSIGNED: Final = Vacancy(obstacles=("the team assigns by hand",), is_general=True)


@dataclass(frozen=True, slots=True)
class Match:
    """A ticket and the agent who is to get it."""

    ticket_id: str
    work: Work
    chosen: Chosen


@dataclass(slots=True)
class Filling:
    """One go through a queue: who turned out to have no room, what could not be read."""

    team_id: str
    team: Team
    refused_by: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    is_passing: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """Brings tickets that wait and agents who have room together."""

    workload: Known
    roster: Roster
    choosing: Choosing

    def choose(self, team_id: str, team: Team, work: Work, refused_by: Collection[str] = ()) -> Chosen | Vacancy:
        """Choose an agent for a ticket as its team wants it."""
        if team.assignment == MANUAL:
            return NOT_ASSIGNED
        return self.choosing.choose(team_id, team, work, refused_by=refused_by)

    def is_scarce(self, ticket_id: str, work: Work, team_id: str, found: Chosen) -> bool:
        """Whether more urgent tickets of the queue may need the room that there is."""
        return found.room is not None and found.room <= self.workload.now.queue(team_id).ahead_of(
            ticket_id, work.urgency
        )  # fmt: skip

    @contextmanager
    def promised(self, filling: Filling) -> Iterator[list[Match]]:
        """Find agents for the next few tickets of a queue, which count as theirs until that is recorded."""
        with ExitStack() as promises:
            found: list[Match] = []
            for match in islice(self._matches(filling), AT_ONCE):
                promises.enter_context(self.roster.promising(match.chosen.agent_id, match.ticket_id, match.work))
                found.append(match)
            yield found

    def _matches(self, filling: Filling) -> Iterator[Match]:
        """Find agents for the tickets of a queue in turn; each must be promised before the next one is asked for."""
        filling.is_passing = False
        hopeless: set[tuple[Demand, str]] = set()
        for ticket_id in self.workload.now.queue(filling.team_id):
            work = self.workload.now.work(ticket_id)
            if work is None or (demand(work.tags), work.medium) in hopeless:
                continue
            if ticket_id in filling.unreadable or self.roster.is_promised(ticket_id):
                continue
            found = self.choose(filling.team_id, filling.team, work, filling.refused_by)
            if isinstance(found, Chosen):
                yield Match(ticket_id, work, found)
                continue
            filling.is_passing |= found.is_passing
            if found.is_general:
                return
            hopeless.add((demand(work.tags), work.medium))
