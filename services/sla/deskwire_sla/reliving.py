"""A ticket lived through again under other terms: the service's own rules, with the history's times for a clock."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import Final, Literal, TypeAlias

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import AnyFact, Metric, SlaBreached, SlaMet
from deskwire_shared.directory.surroundings import Surroundings
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.handlers import BY_SLA, OWN
from deskwire_sla.policies import Terms, terms_for
from deskwire_sla.review import next_look, review

Fate: TypeAlias = Literal["kept", "missed"]
Fates: TypeAlias = dict[tuple[Metric, int], Fate]
"""What became of each run of each clock."""

BY_NOBODY: Final = Surroundings()


class Relived:
    """One ticket: what was noted on it, and what would have been."""

    def __init__(self, ticket_id: str, terms: Mapping[str, Terms]) -> None:
        self.ticket = Ticket.unborn(ticket_id)
        self.surroundings = BY_NOBODY
        self.recorded: Fates = {}
        self.rehearsed: Fates = {}
        self._terms = terms
        self._next: datetime | None = None

    def take(self, commit: Commit) -> None:
        """Let happen what a commit tells, all but what sla noted."""
        _tell(self.recorded, commit.facts)
        facts = [fact for fact in commit.facts if not isinstance(fact, OWN)]
        if facts:
            self.wait_until(commit.at)
            for fact in facts:
                self.ticket = evolve(self.ticket, fact, at=commit.at, actor=commit.actor)
            self._look(commit.at)

    def wait_until(self, end: datetime) -> None:
        """Let the timers fire that would have fired before a moment."""
        while self._next is not None and self._next < end:
            self._look(self._next)

    def _look(self, now: datetime) -> None:
        terms = terms_for(self.ticket, self._terms, self.surroundings.context(self.ticket))
        facts = decide(review(self.ticket, terms, now), self.ticket)
        _tell(self.rehearsed, facts)
        self.ticket = reduce(lambda so_far, fact: evolve(so_far, fact, at=now, actor=BY_SLA), facts, self.ticket)
        self._next = next_look(self.ticket, now)


def _tell(fates: Fates, facts: Iterable[AnyFact]) -> None:
    """Note what became of promises; a late answer to one that was missed before is no second miss."""
    for fact in facts:
        if isinstance(fact, SlaBreached):
            fates[fact.metric, fact.cycle] = "missed"
        elif isinstance(fact, SlaMet) and not fact.late:
            fates[fact.metric, fact.cycle] = "kept"
