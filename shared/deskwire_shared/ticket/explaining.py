"""Why a ticket is as it is: for each change the rule or strategy behind it, and the way back to where it began.

Every commit that a machine made names the commit that caused it. Whoever asks why follows these names down to the
customer's mail, the agent or the moment that began it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import (
    AgentReplied,
    AnyFact,
    Assigned,
    Considered,
    CustomerReplied,
    FieldChanged,
    FollowersChanged,
    NoteAdded,
    Opened,
    PriorityChanged,
    Routed,
    RuleApplied,
    SlaApplied,
    SlaBreached,
    SlaMet,
    SlaWarned,
    StatusChanged,
    SubjectChanged,
    TagsChanged,
    TypeChanged,
    Unassigned,
    WebhookRequested,
)

Name = Callable[[str], str]
"""Gives the name of somebody or something by its id, or the id itself."""

EXPLAINED: Final = (
    RuleApplied, Routed, Assigned, Unassigned, StatusChanged, PriorityChanged, TypeChanged, SubjectChanged, TagsChanged,
    FieldChanged, FollowersChanged, SlaWarned, SlaBreached, SlaMet, AgentReplied, NoteAdded,
    WebhookRequested,
)  # fmt: skip
"""What can be asked about."""

PROMISES: Final = (SlaWarned, SlaBreached, SlaMet)
TELLING: Final = (Opened, CustomerReplied, AgentReplied, *PROMISES, RuleApplied)
"""What says most about a commit, what says more first."""

OCCASIONS: Final[Mapping[str, str]] = {
    "opened": "the ticket was opened",
    "customer_replied": "the customer wrote",
    "agent_replied": "the customer was answered",
    "note_added": "a note was left",
    "reply_bounced": "a reply could not be delivered",
    "rated": "the customer rated the ticket",
    "status_changed": "the status changed",
    "reopened": "the ticket was opened again",
    "snoozed": "the ticket was snoozed",
    "woken": "the ticket woke",
    "priority_changed": "the priority changed",
    "type_changed": "the type changed",
    "subject_changed": "the subject changed",
    "tags_changed": "the tags changed",
    "field_changed": "a field changed",
    "requester_changed": "the customer changed",
    "routed": "the ticket came into a queue",
    "assigned": "the ticket was assigned",
    "unassigned": "the ticket was taken from its agent",
    "merge_received": "another ticket was merged into it",
    "sla_warned": "a promise was close to being missed",
    "sla_breached": "a promise was missed",
    "sla_met": "a promise was kept",
    "waited": "the ticket had stayed long enough in its status",
}
"""What sets rules off, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Something that happened, at its place among the facts of the ticket."""

    version: int
    at: datetime
    actor: Actor
    fact: AnyFact


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation(Step):
    """Something that happened, the rule and the promise behind it, and what caused it, nearest first."""

    correlation_id: str
    rule: RuleApplied | None = None
    promise: SlaApplied | None = None
    causes: tuple[Step, ...] = ()


def explain(history: Sequence[Commit]) -> tuple[Explanation, ...]:
    """Explain everything on a ticket that can be asked about, in its order."""
    return tuple(_explanations(history))


def reasons(explanation: Explanation, name: Name) -> tuple[str, ...]:
    """Say in sentences what spoke for something: the rule and its conditions, the promise, the candidates."""
    by_rule = _rule_reasons(explanation.rule) if explanation.rule is not None else ()
    return (*by_rule, *own_reasons(explanation, name))


def own_reasons(explanation: Explanation, name: Name) -> tuple[str, ...]:
    """Say what spoke for something beside the rule that did it."""
    return tuple(_own_reasons(explanation, name))


def occasion_words(occasion: str) -> str:
    """Say an occasion, as `rule_applied` names it, in words."""
    trigger = occasion.partition(":")[0]
    return OCCASIONS.get(trigger, trigger.replace("_", " "))


def _explanations(history: Sequence[Commit]) -> Iterator[Explanation]:
    by_id = {commit.commit_id: commit for commit in history}
    promise: SlaApplied | None = None
    for commit in history:
        rule: RuleApplied | None = None
        for number, fact in enumerate(commit.facts):
            promise = fact if isinstance(fact, SlaApplied) else promise
            if isinstance(fact, (RuleApplied, *PROMISES)):
                rule = fact if isinstance(fact, RuleApplied) else None
            if isinstance(fact, EXPLAINED):
                yield Explanation(
                    version=commit.first_version + number,
                    at=commit.at,
                    actor=commit.actor,
                    fact=fact,
                    correlation_id=commit.correlation_id,
                    rule=rule,
                    promise=promise if isinstance(fact, PROMISES) else None,
                    causes=tuple(_causes(commit, rule, by_id)),
                )


def _causes(commit: Commit, rule: RuleApplied | None, by_id: Mapping[str, Commit]) -> Iterator[Step]:
    """Follow a commit back to where it began; of each commit the fact that tells most."""
    seen = {commit.commit_id}
    while (cause := by_id.get(commit.causation_id or "")) is not None and cause.commit_id not in seen:
        seen.add(cause.commit_id)
        number = _telling(cause, rule)
        yield Step(version=cause.first_version + number, at=cause.at, actor=cause.actor, fact=cause.facts[number])
        rule = next((fact for fact in reversed(cause.facts[: number + 1]) if isinstance(fact, RuleApplied)), None)
        commit = cause


def _telling(commit: Commit, rule: RuleApplied | None) -> int:
    """The place of the fact that set a rule off, or of the one that says most."""
    sought = rule.trigger.partition(":")[0] if rule is not None else ""
    for number, fact in enumerate(commit.facts):
        if fact.type == f"ticket.{sought}.v1":
            return number
    kinds = [
        next((i for i, kind in enumerate(TELLING) if isinstance(fact, kind)), len(TELLING)) for fact in commit.facts
    ]
    return kinds.index(min(kinds))


def _own_reasons(explanation: Explanation, name: Name) -> Iterator[str]:
    fact = explanation.fact
    if explanation.promise is not None and explanation.promise.policy_id is not None:
        promise = explanation.promise
        yield f"Policy {name(promise.policy_id or '')}, revision {promise.policy_revision}."
        if promise.calendar_id is not None:
            yield f"Hours of {name(promise.calendar_id)}, revision {promise.calendar_revision}."
    match fact:
        case Assigned() if fact.decision is not None:
            yield from _candidates(fact, name)
        case Routed(reason=reason) | Unassigned(reason=reason) if reason:
            yield _sentence(reason)
        case _:
            pass


def _rule_reasons(rule: RuleApplied) -> Iterator[str]:
    yield f"Rule “{rule.rule_name}”, revision {rule.rule_revision}, because {occasion_words(rule.trigger)}."
    if rule.stopped:
        yield f"It was stopped: {rule.stopped}."
    for condition in rule.conditions:
        yield _sentence(condition)


def _candidates(assigned: Assigned, name: Name) -> Iterator[str]:
    decision = assigned.decision
    assert decision is not None
    strategy = assigned.strategy.replace("_", " ")
    yield f"{name(assigned.agent_id)} was chosen by {strategy} in {name(decision.team_id)}: {decision.reason}."
    chosen = next((one for one in decision.considered if one.agent_id == assigned.agent_id), None)
    for one in decision.considered:
        yield f"{name(one.agent_id)}: {_verdict(one, chosen)}."
    if (more := decision.candidates - len(decision.considered)) > 0:
        yield f"{more} more were considered."


def _verdict(one: Considered, chosen: Considered | None) -> str:
    """Say what spoke against a candidate; whoever could have taken the ticket is compared with the chosen one."""
    room = f" of {one.capacity}" if one.capacity is not None else ""
    had = f"{one.open_tickets}{room} open tickets"
    if one.verdict != "able":
        return f"{one.verdict}, {had}"
    return f"could have taken it, {had}" + (f" against {chosen.open_tickets}" if chosen is not None else "")


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."
