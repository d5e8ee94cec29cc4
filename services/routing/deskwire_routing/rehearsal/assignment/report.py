"""What came of a rehearsal of assignment: figures per team and agent, and tickets that would have gone to others."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from deskwire_routing.assignment.attendance import absence
from deskwire_routing.assignment.roster import works_for
from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft
from deskwire_routing.rehearsal.assignment.fairness import Spread, spread
from deskwire_routing.rehearsal.assignment.past_staff import Changed, PastStaff
from deskwire_routing.rehearsal.assignment.recording import Recording
from deskwire_routing.rehearsal.assignment.tally import STRETCHES, Given, Level, Tally
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.report import Rehearsal
from deskwire_shared.contracts.staff import Agent

MOST_CHANGED: Final = 200


class Part(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True)


class TeamTally(Part):
    """What a team did with its tickets; times are in seconds, the spread is that of its tickets over its members."""

    assigned: int
    waited_p50: float
    waited_p90: float
    waited_longest: float
    still_waiting: int
    overflowed: int
    spread: Spread


class TeamFigures(Part):
    """A team as it was recorded and as it would have been."""

    team_id: str | None
    recorded: TeamTally
    draft: TeamTally


class AgentTally(Part):
    """What an agent got and had: open tickets on average, at most, and on average of each stretch of the span.

    `capacity_used` is the average of what they had to the average of what they take; None without a limit.
    """

    assigned: int
    mean_open: float
    most_open: int
    capacity_used: float | None
    load: tuple[float, ...]


class AgentFigures(Part):
    """An agent as it was recorded and as it would have been."""

    agent_id: str
    recorded: AgentTally
    draft: AgentTally


class FirstGiven(Part):
    """Who first got a ticket in the span, when, and how many seconds it had waited."""

    agent_id: str
    at: datetime
    team_id: str | None
    waited: float


class OtherHands(Part):
    """A ticket that would have gone to somebody else first; None is nobody within the span."""

    ticket_id: str
    number: int
    recorded: FirstGiven | None
    draft: FirstGiven | None


class AssignmentRehearsal(Part):
    """What draft teams and agents would have changed; of the changed tickets only the first are told."""

    kind: Literal["assignment"] = "assignment"
    since: datetime
    until: datetime
    stretch_seconds: float
    tickets: int
    unreadable_commits: int
    teams: tuple[TeamFigures, ...]
    agents: tuple[AgentFigures, ...]
    changed: int
    first_changed: tuple[OtherHands, ...]
    rules: Rehearsal | None = None
    """What draft rules would have changed that were rehearsed along with it."""


def report(
    recording: Recording, draft: AssignmentDraft, changes: Sequence[Changed], drafted: Tally
) -> AssignmentRehearsal:
    """Compare what was recorded with what was drafted."""
    span, recorded = recording.span, recording.tally
    was, would = Presence(AssignmentDraft(), changes, span), Presence(draft, changes, span)
    changed = sorted(_changed(recording, drafted), key=_moment)
    return AssignmentRehearsal(
        since=span.since,
        until=span.until,
        stretch_seconds=(span.until - span.since).total_seconds() / STRETCHES,
        tickets=len(recorded.first.keys() | drafted.first.keys()),
        unreadable_commits=recording.unreadable,
        teams=tuple(
            TeamFigures(team_id=team_id, recorded=_team(recorded, was, team_id), draft=_team(drafted, would, team_id))
            for team_id in _sorted({*_teams(recorded), *_teams(drafted)})
        ),
        agents=tuple(
            AgentFigures(
                agent_id=agent_id, recorded=_agent(recorded, was, agent_id), draft=_agent(drafted, would, agent_id)
            )
            for agent_id in sorted({*recorded.loads, *drafted.loads, *was.limits, *would.limits})
        ),
        changed=len(changed),
        first_changed=tuple(changed[:MOST_CHANGED]),
    )


class Presence:
    """Who worked for which team within a span, and how much they took."""

    def __init__(self, draft: AssignmentDraft, changes: Sequence[Changed], span: Span) -> None:
        known = {one.entry.id for one in changes if one.entry.kind == "agent"}
        self.members: dict[str, set[str]] = {}
        self.limits: dict[str, Level] = {}
        self._span = span
        staff = PastStaff(draft, known)
        for agent_id in draft.agents.keys() - known:
            self._note(staff, agent_id, span.since)
        for changed in changes:
            if changed.entry.at < span.until and staff.apply(changed) and changed.entry.kind == "agent":
                self._note(staff, changed.entry.id, changed.entry.at)

    def _note(self, staff: PastStaff, agent_id: str, at: datetime) -> None:
        agent = staff.get(Agent, agent_id)
        limit = agent.capacity.get("default") if agent is not None and agent.active else None
        if limit is not None or agent_id in self.limits:
            self.limits.setdefault(agent_id, Level(self._span)).move(at, limit or 0)
        if agent is None or absence(agent, max(at, self._span.since)) is not None:
            return
        for team_id in agent.team_ids:
            if works_for(agent, team_id):
                self.members.setdefault(team_id, set()).add(agent_id)


def _teams(tally: Tally) -> Iterator[str | None]:
    yield from (team_id for team_id, _ in tally.got)
    yield from (team_id for team_id, _ in tally.waiting.values())
    yield from tally.overflowed


def _team(tally: Tally, presence: Presence, team_id: str | None) -> TeamTally:
    waits = sorted(tally.waits.get(team_id, ()))
    got = {agent_id: count for (of, agent_id), count in tally.got.items() if of == team_id}
    members = presence.members.get(team_id, set()) if team_id is not None else set()
    return TeamTally(
        assigned=sum(got.values()),
        waited_p50=_share(waits, 0.5),
        waited_p90=_share(waits, 0.9),
        waited_longest=_share(waits, 1.0),
        still_waiting=sum(of == team_id for of, _ in tally.waiting.values()),
        overflowed=tally.overflowed[team_id],
        spread=spread([got.get(agent_id, 0) for agent_id in members | got.keys()]),
    )


def _agent(tally: Tally, presence: Presence, agent_id: str) -> AgentTally:
    load = tally.loads.get(agent_id) or Level(tally.span)
    limit = presence.limits[agent_id].mean() if agent_id in presence.limits else 0.0
    got: Counter[str] = Counter()
    for (_, who), count in tally.got.items():
        got[who] += count
    return AgentTally(
        assigned=got[agent_id],
        mean_open=round(load.mean(), 3),
        most_open=load.most,
        capacity_used=round(load.mean() / limit, 4) if limit else None,
        load=tuple(round(mean, 3) for mean in load.means()),
    )


def _changed(recording: Recording, drafted: Tally) -> Iterator[OtherHands]:
    recorded = recording.tally
    for ticket_id in recorded.first.keys() | drafted.first.keys():
        was, would = recorded.first.get(ticket_id), drafted.first.get(ticket_id)
        if was is None or would is None or was.agent_id != would.agent_id:
            number = recording.numbers.get(ticket_id, 0)
            yield OtherHands(ticket_id=ticket_id, number=number, recorded=_given(was), draft=_given(would))


def _given(given: Given | None) -> FirstGiven | None:
    if given is None:
        return None
    waited = given.waited / timedelta(seconds=1)
    return FirstGiven(agent_id=given.agent_id, at=given.at, team_id=given.team_id, waited=waited)


def _moment(changed: OtherHands) -> tuple[datetime, str]:
    moments = [given.at for given in (changed.recorded, changed.draft) if given is not None]
    return min(moments), changed.ticket_id


def _share(waits: Sequence[float], share: float) -> float:
    """The value that a share of sorted ones does not exceed."""
    return round(waits[max(0, -int(-share * len(waits) // 1) - 1)], 3) if waits else 0.0


def _sorted(team_ids: Iterable[str | None]) -> list[str | None]:
    return sorted(team_ids, key=lambda team_id: team_id or "")


def names_of(agents: Mapping[str, Agent], draft: AssignmentDraft) -> dict[str, str]:
    """What agents are called, those who are only drafted, too."""
    drafted = {agent_id: one.name or agent_id for agent_id, one in draft.agents.items()}
    return {**drafted, **{agent_id: agent.name for agent_id, agent in agents.items()}}
