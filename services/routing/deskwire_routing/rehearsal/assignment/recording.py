"""Reads the log for a rehearsal of assignment: how things stood when the span began, and what happened in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from deskwire_routing.assignment.overflow import queued_since
from deskwire_routing.rehearsal.assignment.retelling import Retelling
from deskwire_routing.rehearsal.assignment.stories import Mark, Story, mark_of
from deskwire_routing.rehearsal.assignment.tally import Tally
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.run import TooManyTickets
from deskwire_routing.workload.live import facts_read
from deskwire_routing.workload.work import READ, Opening, Work
from deskwire_routing.workload.workload import Workload
from deskwire_shared.contracts.facts import Assigned, Part, Routed, StatusChanged, Unassigned
from deskwire_shared.eventstore.follower import Delivery
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import PlainCommit, mentions, plain_commit
from deskwire_shared.eventstore.port import BrokenHistory

EVENTS_A_TICKET: Final = 50
"""So many events are kept in memory for every ticket that may be rehearsed."""

PLACEMENTS: Final = (Routed, Assigned, Unassigned, StatusChanged)


class TooManyEvents(ValueError):
    """More happened than is rehearsed at once."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} events are concerned: choose a shorter span")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a ticket was put at a moment."""

    at: datetime
    facts: Sequence[Part]


@dataclass(slots=True)
class Placements:
    """Where each open ticket was put, as far as its waiting depends on it."""

    of: dict[str, list[Placed]] = field(default_factory=dict)

    def take(self, at: datetime, ticket_id: str, facts: Sequence[Part], after: Work | None) -> None:
        """Note where a ticket went; closed ones are forgotten."""
        if after is None:
            self.of.pop(ticket_id, None)
        elif moves := tuple(fact for fact in facts if isinstance(fact, PLACEMENTS)):
            self.of.setdefault(ticket_id, []).append(Placed(at, moves))

    def copy(self) -> "Placements":
        """Give the same, to go on from by itself."""
        return Placements({ticket_id: list(placed) for ticket_id, placed in self.of.items()})

    def queued(self) -> dict[str, datetime]:
        """Since when tickets wait, by ticket."""
        found = {ticket_id: queued_since(placed) for ticket_id, placed in self.of.items()}
        return {ticket_id: since for ticket_id, since in found.items() if since is not None}


@dataclass(kw_only=True, slots=True)
class Recording:
    """The past, as far as it was read; the log has to be read from its beginning."""

    span: Span
    most_tickets: int
    retelling: Retelling = field(default_factory=Retelling)
    """How the past goes on otherwise; what was recorded is counted as it was."""
    start: Workload = field(default_factory=Workload)
    placements: Placements = field(default_factory=Placements)
    stories: dict[str, Story] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    agent_ids: set[str] = field(default_factory=set)
    team_ids: set[str] = field(default_factory=set)
    sequence: int = 0
    unreadable: int = 0
    tally: Tally = field(init=False)
    _now: Workload = field(default_factory=Workload)
    _is_started: bool = False
    _events: int = 0

    def __post_init__(self) -> None:
        """Prepare the count of what happened."""
        self.tally = Tally(self.span)

    def take(self, delivery: Delivery) -> None:
        """Take in a commit; those that cannot be read are counted. Raises TooManyTickets or TooManyEvents."""
        self.sequence = delivery.sequence
        if not mentions(delivery.headers.get(FACTS_HEADER, ""), READ.keys()):
            return
        try:
            commit = plain_commit(delivery.data)
            facts = facts_read(commit)
        except BrokenHistory:
            self.unreadable += 1
            return
        if facts and commit.at < self.span.until:
            self._take(commit, delivery.sequence, facts)

    def finish(self) -> None:
        """Say that the log was read to its end. Raises TooManyTickets."""
        self._begin()
        for ticket_id in self.retelling.besides:
            self._tell_besides(ticket_id, self._now.work(ticket_id), None)
        if len(self.stories.keys() | self._open_at_start()) > self.most_tickets:
            raise TooManyTickets(self.most_tickets)

    def _open_at_start(self) -> set[str]:
        return {ticket_id for ticket_id, work in self.start.tickets().items() if work.is_open}

    def _take(self, commit: PlainCommit, sequence: int, facts: Sequence[Part]) -> None:
        at, ticket_id = commit.at, commit.ticket_id
        self._note_names(ticket_id, facts)
        before = self._now.work(ticket_id)
        self._now.apply(ticket_id, facts, sequence=sequence)
        after = self._now.work(ticket_id)
        # Clocks of hosts differ: what follows on something within the span is within it, too.
        if at < self.span.since and ticket_id not in self.stories:
            self.start.apply(ticket_id, facts, sequence=sequence)
            self.placements.take(at, ticket_id, facts, after)
            if self._is_started:
                self.tally.hear(at, ticket_id, before, after, facts)
            return
        self._begin()
        self._tell_besides(ticket_id, before, sequence)
        self._tell(at, sequence, ticket_id, self.retelling.of(commit.commit_id, facts), before)
        self.tally.hear(max(at, self.span.since), ticket_id, before, after, facts)

    def _begin(self) -> None:
        if not self._is_started:
            self._is_started = True
            self.tally.start(self.start.tickets(), self.placements.queued())

    def _tell_besides(self, ticket_id: str, before: Work | None, place: int | None) -> None:
        """Tell what happened besides up to a place in the log, or to its end; it stands half a place behind."""
        while besides := self.retelling.next_before(ticket_id, place):
            self._note_names(ticket_id, besides.facts)
            self._tell(besides.at, besides.behind + 0.5, ticket_id, besides.facts, before)

    def _tell(self, at: datetime, place: float, ticket_id: str, facts: Sequence[Part], before: Work | None) -> None:
        story = self.stories.setdefault(ticket_id, Story(self.span.since))
        story.take(at, place, facts, before)
        if mark := mark_of(at, place, ticket_id, facts):
            self.marks.append(mark)
        self._events += 1
        if len(self.stories) > self.most_tickets:
            raise TooManyTickets(self.most_tickets)
        if self._events > (most := self.most_tickets * EVENTS_A_TICKET):
            raise TooManyEvents(most)

    def _note_names(self, ticket_id: str, facts: Sequence[Part]) -> None:
        for fact in facts:
            match fact:
                case Opening(number=number):
                    self.numbers[ticket_id] = number
                case Assigned(agent_id=agent_id):
                    self.agent_ids.add(agent_id)
                case Routed(team_id=str(team_id)):
                    self.team_ids.add(team_id)
                case _:
                    pass
