"""What draft rules would have done to a ticket of the past, beside what rules did.

What rules did is taken as an answer to what happened before. The drafts are put to the same question, about the
ticket as it was at that moment. What people would have done otherwise nobody knows: every question is about the
ticket as it really was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from deskwire_routing.actors import BY_RULE
from deskwire_routing.rehearsal.rules.answers import (
    Answer,
    Drafts,
    drafted_answer,
    none,
    occasions_among,
    recorded_answer,
)
from deskwire_routing.rules.applying import StandingRule
from deskwire_routing.rules.lineage import lineage_of
from deskwire_routing.rules.occasions import WAITED, Occasion, stay_of, topic_of
from deskwire_routing.rules.waiting import due_of
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import RuleApplied
from deskwire_shared.ticket.decider import evolve_commit
from deskwire_shared.ticket.state import Ticket


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment until before another one."""

    since: datetime
    until: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True, kw_only=True, slots=True)
class Encounter:
    """Something that happened to a ticket, what rules did about it, and what the drafts would have done."""

    at: datetime
    occasion: str
    recorded: Answer
    draft: Answer

    @property
    def differences(self) -> dict[str, tuple[object, object]]:
        """What would have become different: by name, as it was recorded and as it was drafted."""
        recorded, draft = self.recorded.features, self.draft.features
        touched = sorted(self.recorded.touched | self.draft.touched)
        pairs = {name: (recorded.get(name), draft.get(name)) for name in touched}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class Past:
    """The history of a ticket, and its state after each commit."""

    history: Sequence[Commit]
    states: Sequence[Ticket]

    @classmethod
    def of(cls, ticket_id: str, history: Sequence[Commit]) -> "Past":
        """Live a history through."""
        states = [Ticket.unborn(ticket_id)]
        for commit in history:
            states.append(evolve_commit(states[-1], commit))
        return cls(history, states[1:])


def rehearse(past: Past, drafts: Drafts, span: Span) -> Iterator[Encounter]:
    """Put the drafts to everything in a span on which rules acted or the drafts could."""
    yield from _on_commits(past, drafts, span)
    yield from _on_time(past, drafts, span)


def _on_commits(past: Past, drafts: Drafts, span: Span) -> Iterator[Encounter]:
    answers = answers_in(past.history)
    triggers = {standing.rule.trigger for standing in drafts.rules if standing.rule.active}
    for index, commit in enumerate(past.history):
        if commit.actor == BY_RULE or commit.at not in span:
            continue
        occasions = occasions_among(commit.facts, commit.commit_id)
        concerned = [occasion for occasion in occasions if occasion.trigger in triggers]
        recorded = answers.get(commit.commit_id, ())
        if concerned or recorded:
            lineage = lineage_of(past.history[: index + 1], commit.commit_id)
            ticket = past.states[index]
            yield Encounter(
                at=commit.at,
                occasion=", ".join(occasion.name for occasion in concerned or occasions),
                recorded=recorded_answer(ticket, recorded),
                draft=drafted_answer(ticket, concerned, drafts.rules, drafts, lineage=lineage, at=commit.at),
            )


def answers_in(history: Iterable[Commit]) -> Mapping[str, Sequence[Commit]]:
    """What rules did, by the commit that it all goes back to; a rule that time set off answers no commit."""
    origins: dict[str, str] = {}
    answers: dict[str, list[Commit]] = {}
    for commit in history:
        origins[commit.commit_id] = commit.commit_id
        if commit.actor == BY_RULE and not notes_of_time(commit):
            origin = origins[commit.commit_id] = origins.get(commit.causation_id or "", commit.commit_id)
            answers.setdefault(origin, []).append(commit)
    return answers


def _on_time(past: Past, drafts: Drafts, span: Span) -> Iterator[Encounter]:
    noted = {
        (note.trigger, note.rule_id): index
        for index, commit in enumerate(past.history)
        for note in notes_of_time(commit)
    }
    waiting = [standing for standing in drafts.rules if standing.rule.active and standing.rule.wait]
    for stay in _stays(past, span.until):
        drafted = {standing.id: standing for standing in waiting if stay.occasion(standing) is not None}
        for rule_id in sorted(drafted.keys() | {rule_id for name, rule_id in noted if name == stay.name}):
            by_then = _ByThen(past, drafts, span, stay, noted.get((stay.name, rule_id)))
            yield from by_then.encounter(drafted.get(rule_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stay:
    """A stay of a ticket in a status: the places of its commits in the history, and when it ended."""

    ticket: Ticket
    commits: range
    ended: datetime

    @property
    def name(self) -> str:
        """The name of the occasion for rules that wait."""
        return f"{WAITED}:{self.ticket.status}:{len(self.ticket.status_history)}"

    def occasion(self, standing: StandingRule) -> Occasion | None:
        """The occasion for a rule, if it waits for this status."""
        return stay_of(self.ticket, standing.rule.wait) if standing.rule.wait else None


@dataclass(frozen=True, slots=True)
class _ByThen:
    """A stay that was long enough for a rule, as it was recorded at a place in the history or never."""

    past: Past
    drafts: Drafts
    span: Span
    stay: _Stay
    noted: int | None

    def encounter(self, standing: StandingRule | None) -> Iterator[Encounter]:
        """Compare what the rule did with what a draft of it would have done, if either did anything."""
        due = due_of(standing, self.stay.ticket) if standing else None
        draft = self._drafted(standing, due) if standing and due and self._is_reached(due) else None
        recorded = self._recorded()
        at = self.past.history[self.noted].at if recorded and self.noted else due
        either = recorded or draft
        if at is not None and either is not None:
            yield Encounter(
                at=at,
                occasion=self.stay.name,
                recorded=recorded or none(either.before),
                draft=draft or none(either.before),
            )

    def _is_reached(self, due: datetime) -> bool:
        return due in self.span and due <= self.stay.ended

    def _recorded(self) -> Answer | None:
        if self.noted is None or self.past.history[self.noted].at not in self.span:
            return None
        return recorded_answer(self.past.states[self.noted - 1], [self.past.history[self.noted]])

    def _drafted(self, standing: StandingRule, due: datetime) -> Answer:
        until_then = [i for i in self.stay.commits if self.past.history[i].at <= due and i != self.noted]
        ticket = self.past.states[until_then[-1]]
        occasion = self.stay.occasion(standing)
        lineage = lineage_of(self.past.history, self.past.history[self.stay.commits.start].commit_id)
        return drafted_answer(ticket, filter(None, [occasion]), [standing], self.drafts, lineage=lineage, at=due)


def _stays(past: Past, until: datetime) -> Iterator[_Stay]:
    numbered = enumerate(past.states)
    for _, run in groupby(numbered, key=lambda one: len(one[1].status_history)):
        places = [index for index, _ in run]
        after = places[-1] + 1
        ended = past.history[after].at if after < len(past.history) else until
        yield _Stay(ticket=past.states[places[0]], commits=range(places[0], after), ended=ended)


def notes_of_time(commit: Commit) -> list[RuleApplied]:
    """What a commit notes of rules that time set off."""
    if commit.actor != BY_RULE:
        return []
    notes = (fact for fact in commit.facts if isinstance(fact, RuleApplied))
    return [note for note in notes if topic_of(note.trigger) == WAITED]
