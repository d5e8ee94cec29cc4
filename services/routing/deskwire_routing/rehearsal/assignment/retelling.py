"""The past as it would have gone under draft rules, as far as assignment depends on it.

What people and mails did is kept; what rules did in the span is left out, and what the drafts would have done is told
in its place: on each occasion at once, and in each stay when it has lasted long enough. Here a draft is asked about the
ticket as the drafts before it left it. The code that thinks rules through is the one of their own rehearsal.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

from deskwire_routing.actors import BY_ROUTING, BY_RULE
from deskwire_routing.rehearsal.rules.answers import Drafts, drafted_answer, occasions_among
from deskwire_routing.rehearsal.rules.reliving import Span, answers_in, notes_of_time
from deskwire_routing.rules.applying import StandingRule
from deskwire_routing.rules.lineage import lineage_of
from deskwire_routing.rules.occasions import Occasion, stay_of
from deskwire_routing.rules.waiting import due_of
from deskwire_routing.workload.work import READ
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import AnyFact, Assigned, Opened, Part, Routed, StatusChanged, TagsChanged
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.eventstore.port import History
from deskwire_shared.ticket.decider import evolve
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Ticket

TeamOf = Callable[[Ticket], str | None]
"""The team into whose queue a new ticket goes that no rule has put anywhere."""


@dataclass(frozen=True, slots=True)
class Besides:
    """What would have happened besides, behind a commit at a place in the log."""

    at: datetime
    behind: int
    facts: tuple[Part, ...]


@dataclass(slots=True)
class Retelling:
    """How the past of a desk goes otherwise: what commits come to instead, and what happens besides, by ticket."""

    instead: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    besides: dict[str, list[Besides]] = field(default_factory=dict)

    def of(self, commit_id: str, facts: Sequence[Part]) -> Sequence[Part]:
        """What a commit comes to that holds these facts."""
        return self.instead.get(commit_id, facts)

    def next_before(self, ticket_id: str, place: int | None) -> Besides | None:
        """Give what happened besides and is not told yet, before a place in the log if there is one; each once."""
        waiting = self.besides.get(ticket_id)
        if not waiting or (place is not None and waiting[0].behind >= place):
            return None
        return waiting.pop(0)

    def tell(self, history: History, drafts: Drafts, span: Span, team_of: TeamOf) -> None:
        """Tell the past of a ticket anew."""
        telling = _Telling(self, history, drafts, span, team_of)
        for entry in history.recorded:
            telling.go_on(entry.commit, entry.sequence)
        telling.let_pass(span.until)


class _Telling:
    """The past of one ticket while it is told."""

    def __init__(self, into: Retelling, history: History, drafts: Drafts, span: Span, team_of: TeamOf) -> None:
        self._into = into
        self._drafts = drafts
        self._span = span
        self._team_of = team_of
        self._left_out = _left_out(history.commits, span)
        self._was_placed = any(_places(commit, fact) for commit in history.commits for fact in commit.facts)
        self._waiting = [one for one in drafts.rules if one.rule.active and one.rule.wait]
        self._triggers = {one.rule.trigger for one in drafts.rules if one.rule.active}
        self._ticket = Ticket.unborn(history.ticket_id)
        self._told: list[Commit] = []
        self._place = 0
        self._waited: set[tuple[str, str]] = set()

    def go_on(self, commit: Commit, place: int) -> None:
        """Tell what happened next, and what the drafts would have answered."""
        self.let_pass(commit.at)
        self._place = place
        if commit.commit_id in self._left_out:
            self._into.instead[commit.commit_id] = ()
            return
        facts = tuple(told for fact in commit.facts if (told := self._retold(commit, fact)) is not None)
        if facts != commit.facts:
            self._into.instead[commit.commit_id] = _read(facts)
            commit = commit.model_copy(update={"facts": facts})
        self._happen(commit)
        if commit.at in self._span and any(isinstance(fact, Opened) for fact in facts):
            self._put_in_queue(commit)

    def let_pass(self, moment: datetime) -> None:
        """Let the drafts act that have waited long enough by then."""
        while (found := self._next_wait(moment)) is not None:
            due, standing, occasion = found
            self._waited.add((standing.id, occasion.name))
            self._answer([occasion], [standing], due, self._beginning())

    def _next_wait(self, moment: datetime) -> tuple[datetime, StandingRule, Occasion] | None:
        found = [
            (due, standing, occasion)
            for standing in self._waiting
            if standing.rule.wait and (occasion := stay_of(self._ticket, standing.rule.wait))
            if (standing.id, occasion.name) not in self._waited
            if (due := due_of(standing, self._ticket)) and due in self._span and due <= moment
        ]
        return min(found, key=lambda one: (one[0], one[1].rule.order, one[1].id), default=None)

    def _beginning(self) -> Commit:
        """The commit with which the present stay in a status began."""
        return next(
            commit
            for commit in reversed(self._told)
            if any(isinstance(fact, Opened | StatusChanged) for fact in commit.facts)
        )

    def _happen(self, commit: Commit) -> None:
        self._told.append(commit)
        self._ticket = reduce(
            lambda so_far, fact: evolve(so_far, fact, at=commit.at, actor=commit.actor), commit.facts, self._ticket
        )
        if commit.actor == BY_RULE or commit.at not in self._span:
            return
        occasions = occasions_among(commit.facts, commit.commit_id)
        concerned = [occasion for occasion in occasions if occasion.trigger in self._triggers]
        if concerned:
            self._answer(concerned, self._drafts.rules, commit.at, commit)

    def _answer(
        self, occasions: Iterable[Occasion], rules: Sequence[StandingRule], at: datetime, because: Commit
    ) -> None:
        lineage = lineage_of(self._told, because.commit_id)
        answer = drafted_answer(self._ticket, occasions, rules, self._drafts, lineage=lineage, at=at)
        if answer.facts:
            answered = self._commit(answer.facts, at, BY_RULE, because)
            self._told.append(answered)
            self._ticket = answer.after
            self._tell_besides(answered)

    def _put_in_queue(self, opening: Commit) -> None:
        """Put a ticket that is new into the queue of its channel, where the drafts and the past do not put it."""
        if self._was_placed or self._is_placed or self._ticket.status in OVER:
            return
        team_id = self._team_of(self._ticket)
        if team_id is not None and team_id in self._drafts.staff.teams:
            routed = self._commit((Routed(before=None, team_id=team_id),), opening.at, BY_ROUTING, opening)
            self._tell_besides(routed)
            self._happen(routed)

    def _tell_besides(self, commit: Commit) -> None:
        besides = Besides(commit.at, self._place, _read(commit.facts))
        if besides.facts:
            self._into.besides.setdefault(commit.ticket_id, []).append(besides)

    def _commit(self, facts: tuple[AnyFact, ...], at: datetime, actor: Actor, because: Commit) -> Commit:
        name = derived_id("rehearsed", because.commit_id, str(len(self._told)))
        return Commit(
            commit_id=name, command_id=name, ticket_id=self._ticket.id, version=self._ticket.version + len(facts),
            at=at, actor=actor, correlation_id=because.correlation_id, causation_id=because.commit_id, facts=facts,
        )  # fmt: skip

    @property
    def _is_placed(self) -> bool:
        """Whether a team or somebody has the ticket, so that nobody looks for one."""
        return self._ticket.team_id is not None or self._ticket.assignee_id is not None

    def _retold(self, commit: Commit, fact: AnyFact) -> AnyFact | None:
        """What a recorded fact comes to; None when a team or an agent was found for a ticket that has one by now."""
        if _places(commit, fact) and self._is_placed:
            return None
        if _gives(commit, fact) and self._ticket.assignee_id is not None:
            return None
        if isinstance(fact, TagsChanged) and (fact.added or fact.removed):
            tags = {*self._ticket.tags, *fact.added} - {*fact.removed}
            return fact.model_copy(update={"tags": tuple(sorted(tags))})
        return fact


def _left_out(history: Sequence[Commit], span: Span) -> set[str]:
    """The commits of rules that the drafts take the place of."""
    moments: Mapping[str, datetime] = {commit.commit_id: commit.at for commit in history}
    answered = [
        answer for origin, answers in answers_in(history).items() if moments[origin] in span for answer in answers
    ]
    by_time = [commit for commit in history if commit.at in span and notes_of_time(commit)]
    return {commit.commit_id for commit in (*answered, *by_time)}


def _places(commit: Commit, fact: AnyFact) -> bool:
    """Whether a fact puts a new ticket into the queue of its channel."""
    return commit.actor == BY_ROUTING and isinstance(fact, Routed) and fact.before is None


def _gives(commit: Commit, fact: AnyFact) -> bool:
    """Whether a fact gives a ticket that nobody has to an agent of its team."""
    return commit.actor == BY_ROUTING and isinstance(fact, Assigned) and fact.before is None


def _read(facts: Iterable[AnyFact]) -> tuple[Part, ...]:
    """The facts that matter to assignment, as it reads them."""
    return tuple(READ[fact.type].model_validate(fact.model_dump()) for fact in facts if fact.type in READ)
