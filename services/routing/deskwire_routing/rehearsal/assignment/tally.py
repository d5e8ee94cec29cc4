"""Counts who got which ticket when, how long tickets waited, and how much everybody had over time."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from deskwire_routing.assignment.overflow import OVERFLOW
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.workload.work import Work
from deskwire_shared.contracts.facts import Part, Routed

STRETCHES: Final = 24
"""The span is told in so many stretches of time."""


@dataclass(slots=True)
class Level:
    """A number that changes over time: how high it got, and its sum over each stretch of the span."""

    span: Span
    value: int = 0
    most: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * STRETCHES)
    _since: datetime | None = None

    def move(self, at: datetime, value: int) -> None:
        """Set another value from a moment on; one before the last counts from then."""
        self._sum_up_to(at)
        self.value = value
        if at < self.span.until:
            self.most = max(self.most, value)

    def means(self) -> tuple[float, ...]:
        """The mean of each stretch."""
        self._sum_up_to(self.span.until)
        return tuple(sum_ / self._stretch.total_seconds() for sum_ in self.sums)

    def mean(self) -> float:
        """The mean of the whole span."""
        return sum(self.means()) / STRETCHES

    @property
    def _stretch(self) -> timedelta:
        return (self.span.until - self.span.since) / STRETCHES

    def _sum_up_to(self, at: datetime) -> None:
        at = min(max(at, self.span.since), self.span.until)
        since = self._since or self.span.since
        if at <= since:
            return
        if self.value:
            first = int((since - self.span.since) / self._stretch)
            for number in range(first, STRETCHES):
                begins = self.span.since + number * self._stretch
                overlap = min(at, begins + self._stretch) - max(since, begins)
                if begins >= at:
                    break
                self.sums[number] += self.value * max(0.0, overlap.total_seconds())
        self._since = at


@dataclass(frozen=True, slots=True)
class Given:
    """Whom a ticket went to, when and in which team, and how long it had waited for that."""

    agent_id: str
    at: datetime
    team_id: str | None
    waited: timedelta


class Tally:
    """Figures of a span, counted as things happen."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.first: dict[str, Given] = {}
        self.got: Counter[tuple[str | None, str]] = Counter()
        self.waits: dict[str | None, list[float]] = defaultdict(list)
        self.overflowed: Counter[str | None] = Counter()
        self.loads: dict[str, Level] = {}
        self.waiting: dict[str, tuple[str | None, datetime]] = {}

    def start(self, tickets: Mapping[str, Work], queued: Mapping[str, datetime]) -> None:
        """Begin with tickets as they stand, and when those that wait were put into their queues."""
        for ticket_id, work in tickets.items():
            self._count(self.span.since, ticket_id, None, work)
            if ticket_id in self.waiting and ticket_id in queued:
                self.waiting[ticket_id] = work.team_id, queued[ticket_id]
        self.got.clear()
        self.waits.clear()
        self.first.clear()

    def hear(
        self, at: datetime, ticket_id: str, before: Work | None, after: Work | None, facts: Sequence[Part]
    ) -> None:
        """Count what happened to a ticket."""
        for fact in facts:
            if isinstance(fact, Routed) and fact.reason == OVERFLOW:
                self.overflowed[fact.before] += 1
        self._count(at, ticket_id, before, after)

    def _count(self, at: datetime, ticket_id: str, before: Work | None, after: Work | None) -> None:
        had, has = _holder(before), _holder(after)
        if had != has:
            for agent_id, step in ((had, -1), (has, 1)):
                if agent_id is not None:
                    level = self.loads.setdefault(agent_id, Level(self.span))
                    level.move(at, level.value + step)
        self._count_waiting(at, ticket_id, after)
        assigned_to = after.agent_id if after else None
        if after and assigned_to is not None and assigned_to != (before.agent_id if before else None):
            self._give(at, ticket_id, after.team_id, assigned_to)
        if after is None or not after.is_waiting:
            self.waiting.pop(ticket_id, None)

    def _count_waiting(self, at: datetime, ticket_id: str, after: Work | None) -> None:
        if after is not None and after.is_waiting:
            _, since = self.waiting.get(ticket_id, (None, at))
            self.waiting[ticket_id] = after.team_id, since

    def _give(self, at: datetime, ticket_id: str, team_id: str | None, agent_id: str) -> None:
        _, since = self.waiting.get(ticket_id, (None, at))
        given = Given(agent_id, at, team_id, max(timedelta(), at - since))
        self.first.setdefault(ticket_id, given)
        self.got[team_id, agent_id] += 1
        self.waits[team_id].append(given.waited.total_seconds())


def _holder(work: Work | None) -> str | None:
    """Who has the work of a ticket."""
    return work.agent_id if work is not None and work.is_open else None
