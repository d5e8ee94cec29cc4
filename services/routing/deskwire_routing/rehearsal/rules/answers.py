"""What rules make of a ticket: what they really did, and what drafts would do, thought through to its end."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Final

from deskwire_routing.actors import BY_RULE
from deskwire_routing.rules.applying import Application, Setting, StandingRule, applied
from deskwire_routing.rules.lineage import Lineage
from deskwire_routing.rules.occasions import Occasion, occasions_of
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import AnyFact, RuleApplied
from deskwire_shared.directory.surroundings import Surroundings
from deskwire_shared.ticket.acting import Staff
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.state import Ticket

SurroundingsAt = Callable[[Ticket, datetime], Surroundings]
"""What stood around a ticket at a moment."""

_NAMING: Final = frozenset({"type", "message_id", "metric", "cycle", "stage"})
"""What the name of an occasion is made of."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """Rules to be tried out, and what they are asked in."""

    rules: Sequence[StandingRule]
    staff: Staff
    surroundings_at: SurroundingsAt


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What rules made of a ticket: its state before and after, and which of them acted, were stopped, had trouble."""

    before: Ticket
    after: Ticket
    acted: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    facts: tuple[AnyFact, ...] = ()
    """What drafts would have recorded."""

    @property
    def features(self) -> dict[str, object]:
        """What rules can change, by name, as it is afterwards."""
        return features(self.after)

    @property
    def touched(self) -> set[str]:
        """The names of what was changed."""
        before, after = features(self.before), self.features
        return {name for name in after if before[name] != after[name]}


def none(ticket: Ticket) -> Answer:
    """Leave a ticket as it is."""
    return Answer(before=ticket, after=ticket)


def features(ticket: Ticket) -> dict[str, object]:
    """What rules can change, by name; of what they write only how much there is."""
    return {
        "team": ticket.team_id,
        "assignee": ticket.assignee_id,
        "priority": ticket.priority,
        "status": ticket.status,
        "type": ticket.ticket_type,
        "subject": ticket.subject,
        "tags": ticket.tags,
        "followers": ticket.followers,
        "links": len(ticket.links),
        "automatic replies": sum(message.automated for message in ticket.messages),
        "notes": sum(message.kind == "note" for message in ticket.messages),
        "webhook calls": len(ticket.webhook_calls),
        **{f"field {name}": value for name, value in ticket.fields.items()},
    }


def recorded_answer(ticket: Ticket, commits: Iterable[Commit]) -> Answer:
    """What rules really did with a ticket, without what others did in between."""
    facts = [(commit, fact) for commit in commits for fact in commit.facts]
    after = reduce(lambda so_far, one: evolve(so_far, one[1], at=one[0].at, actor=one[0].actor), facts, ticket)
    notes = [fact for _, fact in facts if isinstance(fact, RuleApplied)]
    return Answer(
        before=ticket,
        after=after,
        acted=tuple(note.rule_id for note in notes if not note.stopped),
        stopped=tuple(note.rule_id for note in notes if note.stopped),
    )


def drafted_answer(
    ticket: Ticket,
    occasions: Iterable[Occasion],
    asked: Sequence[StandingRule],
    drafts: Drafts,
    *,
    lineage: Lineage,
    at: datetime,
) -> Answer:
    """What rules would do on occasions, and the other drafts in consequence."""
    thinking = _Thinking(drafts=drafts, at=at, ticket=ticket, consequences=lineage.consequences)
    waiting = deque((occasion, asked, lineage) for occasion in occasions)
    while waiting:
        occasion, rules, led_to = waiting.popleft()
        consequences = thinking.ask(occasion, rules, led_to)
        waiting.extend((one, drafts.rules, led) for one, led in consequences)
    return Answer(
        before=ticket,
        after=thinking.ticket,
        acted=tuple(one.rule_id for one in thinking.applications if one.acted),
        stopped=tuple(one.rule_id for one in thinking.applications if one.stopped),
        troubles=tuple(trouble for one in thinking.applications for trouble in one.troubles),
        facts=tuple(thinking.facts),
    )


def occasions_among(facts: Iterable[AnyFact], commit_id: str) -> tuple[Occasion, ...]:
    """Find the occasions among facts."""
    return occasions_of((fact.model_dump(include=set(_NAMING)) for fact in facts), commit_id)


@dataclass(kw_only=True, slots=True)
class _Thinking:
    """A ticket on which drafts act in thought."""

    drafts: Drafts
    at: datetime
    ticket: Ticket
    consequences: int
    applications: list[Application] = field(default_factory=list)
    facts: list[AnyFact] = field(default_factory=list)

    def ask(
        self, occasion: Occasion, rules: Sequence[StandingRule], lineage: Lineage
    ) -> list[tuple[Occasion, Lineage]]:
        """Let the rules act on an occasion; what that may set off."""
        lineage = Lineage(lineage.acted, lineage.depth, self.consequences)
        surroundings = self.drafts.surroundings_at(self.ticket, self.at)
        setting = Setting(surroundings=surroundings, staff=self.drafts.staff, lineage=lineage, at=self.at)
        applications = applied(rules, self.ticket, occasion, setting)
        self.applications += applications
        commands = tuple(command for application in applications for command in application.commands)
        acted = {(application.rule_id, occasion.topic) for application in applications if application.acted}
        if not acted:
            return []
        facts = decide(Several(commands=commands), self.ticket)
        self.facts += facts
        self.ticket = reduce(lambda so_far, fact: evolve(so_far, fact, at=self.at, actor=BY_RULE), facts, self.ticket)
        self.consequences += 1
        led_to = Lineage(lineage.acted | acted, lineage.depth + 1, self.consequences)
        return [(one, led_to) for one in occasions_among(facts, f"draft {self.consequences}")]
