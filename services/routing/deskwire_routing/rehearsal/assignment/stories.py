"""What happened to tickets whoever had them: the part of the past that a rehearsal keeps.

Kept are the arrivals, the ends of work, and what people, rules and escalations did with teams and hands. Left out is
what assignment did: its choices, its overflows, and what it took from agents who were away; the rehearsal does those
anew. Where draft rules are rehearsed along with it, what rules did in the span is left out, too (`retelling`).

**Work takes as long as it took.** What happened while somebody had a ticket happens in the rehearsal after the ticket
was in somebody's hands for as long, whoever they are; until then it waits. What happened while nobody had it happens
as long after the last event as it did. Priorities, tags, promises and customers change when they did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, get_args

from deskwire_routing.assignment.absences import AWAY, GONE
from deskwire_routing.assignment.choosing import STICKY
from deskwire_routing.assignment.overflow import OVERFLOW
from deskwire_routing.workload.work import Opening, Work
from deskwire_shared.contracts.facts import Assigned, Part, Routed, StatusChanged, Unassigned
from deskwire_shared.contracts.staff import RankingStrategy
from deskwire_shared.ticket.lifecycle import TO_ANOTHER_TEAM

STRATEGIES: Final = frozenset({STICKY, *get_args(RankingStrategy)})
"""How assignment chooses; whoever was chosen otherwise was named by a person, a rule or an escalation."""

Act = Opening | Routed | Assigned | Unassigned | StatusChanged
"""What moves a ticket; everything else only describes it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Something that happens to a ticket some time after the step before, at a place in the log.

    The time counts only while the ticket is in somebody's hands, if it was when this happened. `worked` is how much of
    the time it was in somebody's hands.
    """

    place: float
    after: timedelta
    worked: timedelta
    in_hand: bool
    acts: tuple[Act, ...]
    keeps_agent: bool = False

    @property
    def is_taking(self) -> bool:
        """Whether somebody took a ticket that nobody had."""
        return not self.in_hand and any(isinstance(act, Assigned) and act.before is None for act in self.acts)

    def facts(self, work: Work | None) -> list[Part]:
        """What it comes to for a ticket as it stands in the rehearsal."""
        facts: list[Part] = []
        agent_id = work.agent_id if work else None
        for act in self.acts:
            match act:
                case Routed(team_id=team_id) if work and team_id != work.team_id:
                    facts.append(Routed(before=work.team_id, team_id=team_id))
                    if agent_id is not None and not self.keeps_agent:
                        facts.append(Unassigned(before=agent_id, reason=TO_ANOTHER_TEAM))
                        agent_id = None
                case Assigned(before=before) if agent_id != act.agent_id and (before or agent_id is None):
                    facts.append(Assigned(before=agent_id, agent_id=act.agent_id))
                    agent_id = act.agent_id
                case Unassigned(reason=reason) if agent_id is not None:
                    facts.append(Unassigned(before=agent_id, reason=reason))
                    agent_id = None
                case StatusChanged() | Opening():
                    facts.append(act)
                case _:
                    pass
        return facts


@dataclass(frozen=True, slots=True)
class Mark:
    """What describes a ticket differently from a moment on."""

    at: datetime
    place: float
    ticket_id: str
    facts: tuple[Part, ...]


@dataclass(slots=True)
class Story:
    """The steps of a ticket from the beginning of a span on."""

    at: datetime
    steps: list[Step] = field(default_factory=list)
    _passed: timedelta = timedelta()
    _in_hand: timedelta = timedelta()

    def take(self, at: datetime, place: float, facts: Sequence[Part], before: Work | None) -> None:
        """Go on with what happened next to the ticket, as it was before that."""
        passed = max(timedelta(), at - self.at)
        in_hand = before is not None and before.is_open and before.agent_id is not None
        self.at += passed
        self._passed += passed
        self._in_hand += passed if in_hand else timedelta()
        acts = tuple(fact for fact in facts if isinstance(fact, Act) and not _is_of_assignment(fact))
        if not acts:
            return
        self.steps.append(
            Step(
                place=place,
                after=self._in_hand if in_hand else self._passed,
                worked=self._in_hand,
                in_hand=in_hand,
                acts=acts,
                keeps_agent=in_hand and not any(isinstance(fact, Unassigned) for fact in facts),
            )
        )
        self._passed = self._in_hand = timedelta()


def mark_of(at: datetime, place: float, ticket_id: str, facts: Sequence[Part]) -> Mark | None:
    """Find what only describes a ticket, if there is something."""
    found = tuple(fact for fact in facts if not isinstance(fact, Act))
    return Mark(at, place, ticket_id, found) if found else None


def _is_of_assignment(fact: Act) -> bool:
    match fact:
        case Routed(reason=reason):
            return reason == OVERFLOW
        case Assigned(strategy=strategy):
            return strategy in STRATEGIES
        case Unassigned(reason=reason):
            return reason in {GONE, AWAY, TO_ANOTHER_TEAM}
        case _:
            return False
