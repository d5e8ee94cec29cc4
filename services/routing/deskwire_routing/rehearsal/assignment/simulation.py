"""Lives a span of time through again, with the staff as it is drafted; the code that assigns live tickets decides."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Final

from deskwire_routing.assignment.absences import AWAY, GONE, patience
from deskwire_routing.assignment.attendance import absence, absent_since
from deskwire_routing.assignment.choosing import Choosing, Chosen
from deskwire_routing.assignment.matching import AT_ONCE, MANUAL, Filling, Match, Matching
from deskwire_routing.assignment.overflow import OVERFLOW, overflowed_from, queued_since
from deskwire_routing.assignment.roster import Roster
from deskwire_routing.assignment.strategies.strategy import Strategy
from deskwire_routing.rehearsal.assignment.pace import Pace
from deskwire_routing.rehearsal.assignment.past_staff import Changed, PastStaff
from deskwire_routing.rehearsal.assignment.recording import Placements, Recording
from deskwire_routing.rehearsal.assignment.stories import Mark
from deskwire_routing.rehearsal.assignment.tally import Tally
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.workload.work import Work
from deskwire_routing.workload.workload import Workload
from deskwire_shared.contracts.facts import Assigned, Part, Routed, Unassigned
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.runtime.clock import ManualClock

AFTER_THE_LOG: Final = 2**62
"""What no commit caused comes after what commits did in the same moment."""

AFTER_ALL: Final = AFTER_THE_LOG + 1


@dataclass(slots=True)
class _Known:
    """A workload that everybody knows at once."""

    now: Workload


@dataclass(kw_only=True)
class Simulation:
    """A desk that is lived through in thought."""

    span: Span
    staff: PastStaff
    strategies: Mapping[str, Strategy]
    tally: Tally
    workload: Workload
    placements: Placements
    sequence: int
    done: int = 0
    clock: ManualClock = field(init=False)
    roster: Roster = field(init=False)
    matching: Matching = field(init=False)
    _due: list[tuple[datetime, float, str, int, Callable[[], None]]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)
    _paces: dict[str, Pace] = field(default_factory=dict)
    _heard: deque[tuple[str, str | None, str | None]] = field(default_factory=deque)
    _alarms: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bring the parts together that decide."""
        self.clock = ManualClock(self.span.since)
        known = _Known(self.workload)
        self.roster = Roster(self.staff, known, self.clock)
        self.matching = Matching(known, self.roster, Choosing(self.roster, self.strategies))

    def plan(self, recording: Recording, changes: Iterable[Changed]) -> None:
        """Let the staff be as it was when the span began, and plan what happened afterwards."""
        for changed in changes:
            if changed.entry.at < self.span.since:
                self.staff.apply(changed)
            else:
                self._at(changed.entry.at, partial(self._on_changed, changed), place=-1)
        for mark in recording.marks:
            self._at(mark.at, partial(self._on_mark, mark), place=mark.place)
        self.tally.start(self.workload.tickets(), self.placements.queued())
        for ticket_id, story in recording.stories.items():
            steps = iter(story.steps)
            self._paces[ticket_id] = Pace(steps, next(steps, None), self.span.since)
            self._go_on(ticket_id)

    def run(self) -> Iterator[None]:
        """Live the span through, with a rest after everything that happens."""
        self._begin()
        while self._due and self._due[0][0] < self.span.until:
            at, _, _, _, happen = heapq.heappop(self._due)
            self.clock.set(max(at, self.clock.now()))
            happen()
            self._settle()
            self.done += 1
            yield

    def _begin(self) -> None:
        for team_id in self.workload.waiting_teams():
            self._fill(team_id)
            self._plan_overflows(team_id)
        for agent_id in self.staff.all(Agent):
            self._look_at_agent(agent_id)
        self._settle()

    # What happens

    def _on_changed(self, changed: Changed) -> None:
        entry = changed.entry
        if not self.staff.apply(changed):
            return
        if entry.kind == "agent":
            self._look_at_agent(entry.id)
            self._fill_queues_of(entry.id)
        elif entry.kind == "team":
            self._fill(entry.id)
            self._plan_overflows(entry.id)
            for agent_id in self.roster.members(entry.id):
                self._look_at_agent(agent_id)
        else:
            for team_id in self.workload.waiting_teams():
                self._fill(team_id)

    def _on_mark(self, mark: Mark) -> None:
        self._apply(mark.ticket_id, mark.facts)

    def _on_step(self, ticket_id: str, turn: int) -> None:
        pace = self._paces[ticket_id]
        if pace.turn != turn or pace.step is None:
            return
        step = pace.step
        pace.advance(self.clock.now())
        if facts := step.facts(self.workload.work(ticket_id)):
            self._apply(ticket_id, facts)
        else:
            self._go_on(ticket_id)

    def _on_overflow(self, ticket_id: str) -> None:
        self._alarms.pop(("overflow", ticket_id), None)
        work, placed = self.workload.work(ticket_id), self.placements.of.get(ticket_id, ())
        team = self.staff.get(Team, work.team_id) if work and work.team_id else None
        since = queued_since(placed)
        if work is None or not work.is_waiting or team is None or team.overflow is None or since is None:
            return
        if self.clock.now() < since + timedelta(minutes=team.overflow.after_minutes):
            self._plan_overflow(ticket_id, team)
        elif self.staff.get(Team, team.overflow.team_id) and work.team_id not in overflowed_from(placed):
            self._apply(ticket_id, [Routed(before=work.team_id, team_id=team.overflow.team_id, reason=OVERFLOW)])

    # What follows

    def _apply(self, ticket_id: str, facts: Iterable[Part]) -> None:
        listed = list(facts)
        before = self.workload.work(ticket_id)
        self.sequence += 1
        self.workload.apply(ticket_id, listed, sequence=self.sequence)
        after = self.workload.work(ticket_id)
        self.placements.take(self.clock.now(), ticket_id, listed, after)
        self.tally.hear(self.clock.now(), ticket_id, before, after, listed)
        self._heard.append((ticket_id, _freed(before, after), _assigned(listed)))
        self._go_on(ticket_id)

    def _settle(self) -> None:
        """Let assignment hear of everything that happened, and of what it did itself."""
        while self._heard:
            ticket_id, freed, assigned = self._heard.popleft()
            if assigned is not None and self._is_gone(assigned):
                self._give_back([ticket_id], assigned, GONE)
            self._place(ticket_id)
            if freed is not None:
                self._fill_queues_of(freed)

    def _place(self, ticket_id: str) -> None:
        work = self.workload.work(ticket_id)
        team = self.staff.get(Team, work.team_id) if work and work.team_id else None
        if work is None or work.team_id is None or not work.is_waiting or team is None:
            return
        found = self.matching.choose(work.team_id, team, work)
        if not isinstance(found, Chosen):
            self._look_again(work.team_id, team)  # in a team that assigns by hand it finds nothing to do
        elif self.matching.is_scarce(ticket_id, work, work.team_id, found):
            self._fill(work.team_id)
        else:
            self._assign(Match(ticket_id, work, found))
        work = self.workload.work(ticket_id)
        if work is not None and work.is_waiting:
            self._plan_overflow(ticket_id, team)

    def _fill(self, team_id: str) -> None:
        team = self.staff.get(Team, team_id)
        if team is None or team.assignment == MANUAL or not self.workload.queue(team_id):
            return
        filling, found = Filling(team_id, team), AT_ONCE
        while found == AT_ONCE:  # fewer are all that there are: nobody else assigns meanwhile
            with self.matching.promised(filling) as matches:
                for match in matches:
                    self._assign(match)
                found = len(matches)
        self._look_again(team_id, team)

    def _assign(self, match: Match) -> None:
        chosen = match.chosen
        assigned = Assigned(agent_id=chosen.agent_id, strategy=chosen.strategy, decision=chosen.decision)
        self._apply(match.ticket_id, [assigned])

    def _fill_queues_of(self, agent_id: str) -> None:
        agent = self.staff.get(Agent, agent_id)
        for team_id in agent.team_ids if agent is not None and agent.active else ():
            self._fill(team_id)

    # Absences

    def _look_at_agent(self, agent_id: str) -> None:
        now, agent = self.clock.now(), self.staff.get(Agent, agent_id)
        if self._is_gone(agent_id):
            self._give_back(list(self.workload.held_by(agent_id)), agent_id, GONE)
        elif agent is not None and absence(agent, now):
            waiting = patience(agent_id, self.workload, self.staff)
            since = absent_since(self.staff.history(agent_id)) if waiting else None
            if since is not None:
                self._give_back_in_time(agent_id, {one: since + period for one, period in waiting.items()})

    def _give_back_in_time(self, agent_id: str, due: Mapping[str, datetime]) -> None:
        now = self.clock.now()
        self._give_back([ticket_id for ticket_id, at in due.items() if at <= now], agent_id, AWAY)
        if later := [at for at in due.values() if at > now]:
            self._alarm("away", agent_id, min(later), partial(self._look_at_agent, agent_id))

    def _give_back(self, ticket_ids: Iterable[str], agent_id: str, reason: str) -> None:
        for ticket_id in ticket_ids:
            work = self.workload.work(ticket_id)
            if work is not None and work.agent_id == agent_id:
                self._apply(ticket_id, [Unassigned(before=agent_id, reason=reason)])

    def _is_gone(self, agent_id: str) -> bool:
        agent = self.staff.get(Agent, agent_id)
        return agent is None or not agent.active

    # Time

    def _look_again(self, team_id: str, team: Team) -> None:
        if self.workload.queue(team_id) and (arrival := self.roster.next_arrival(team_id, team)):
            self._alarm("hours", team_id, arrival, partial(self._fill, team_id))

    def _plan_overflows(self, team_id: str) -> None:
        team = self.staff.get(Team, team_id)
        for ticket_id in list(self.workload.queue(team_id)) if team is not None else ():
            self._plan_overflow(ticket_id, team)

    def _plan_overflow(self, ticket_id: str, team: Team | None) -> None:
        since = queued_since(self.placements.of.get(ticket_id, ()))
        if team is not None and team.overflow is not None and since is not None:
            at = since + timedelta(minutes=team.overflow.after_minutes)
            self._alarm("overflow", ticket_id, at, partial(self._on_overflow, ticket_id))

    def _alarm(self, kind: str, about: str, at: datetime, ring: Callable[[], None]) -> None:
        """See that there is a look at something no later than a moment."""
        standing = self._alarms.get((kind, about))
        if standing is None or not self.clock.now() < standing <= at:
            self._alarms[kind, about] = at
            self._at(at, ring, about=about)

    def _at(self, at: datetime, happen: Callable[[], None], *, place: float = AFTER_THE_LOG, about: str = "") -> None:
        heapq.heappush(self._due, (at, place, about, next(self._number), happen))

    # The stories of the tickets

    def _go_on(self, ticket_id: str) -> None:
        """Plan the next step of a ticket, which may wait for somebody to have the ticket."""
        pace = self._paces.get(ticket_id)
        if pace is None or pace.step is None:
            return
        pace.note(self.clock.now(), is_held=_is_held(self.workload.work(ticket_id)))
        if pace.due is not None:
            place = AFTER_ALL if pace.is_overtaken else pace.step.place
            self._at(pace.due, partial(self._on_step, ticket_id, pace.turn), place=place)


def _is_held(work: Work | None) -> bool:
    return work is not None and work.is_open and work.agent_id is not None


def _freed(before: Work | None, after: Work | None) -> str | None:
    """Name the agent who has a ticket less."""
    if before is None or not _is_held(before):
        return None
    still_has = after is not None and _is_held(after) and after.agent_id == before.agent_id
    return None if still_has else before.agent_id


def _assigned(facts: Iterable[Part]) -> str | None:
    return next((fact.agent_id for fact in facts if isinstance(fact, Assigned)), None)
