"""How facts make a ticket what it is."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Literal, assert_never

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import (
    Acknowledged,
    AgentReplied,
    AnyFact,
    Assigned,
    CustomerReplied,
    FieldChanged,
    FollowersChanged,
    Linked,
    Merged,
    MergeReceived,
    NoteAdded,
    Opened,
    PriorityChanged,
    Rated,
    Redacted,
    Reopened,
    ReplyBounced,
    ReplyDelivered,
    ReplyWithdrawn,
    RequesterChanged,
    Routed,
    RuleApplied,
    SlaApplied,
    SlaBreached,
    SlaMet,
    SlaWarned,
    Snoozed,
    Split,
    StatusChanged,
    SubjectChanged,
    TagsChanged,
    TaskAdded,
    TaskCompleted,
    TicketFact,
    TimeLogged,
    TypeChanged,
    Unassigned,
    UnknownFact,
    WebhookDelivered,
    WebhookFailed,
    WebhookRequested,
    Woken,
)
from deskwire_shared.ticket.state import Delivery, Link, Rating, SlaOutcome, Task, Ticket, WebhookCall
from deskwire_shared.ticket.transcript import (
    addresses_of,
    customer_message,
    hidden,
    note_message,
    reply_message,
    with_messages,
)


class HistoryHasAGap(ValueError):
    """A commit does not follow on the ticket it is folded into."""


def fold(ticket_id: str, commits: Iterable[Commit]) -> Ticket:
    """Make a ticket out of its history.

    Raises `HistoryHasAGap`.
    """
    return reduce(evolve_commit, commits, Ticket.unborn(ticket_id))


def evolve_commit(ticket: Ticket, commit: Commit) -> Ticket:
    """Carry a ticket on by one commit.

    Raises `HistoryHasAGap` when the commit is another ticket's or not the next one.
    """
    if (commit.ticket_id, commit.first_version) != (ticket.id, ticket.version + 1):
        raise HistoryHasAGap(
            f"Commit {commit.commit_id} starts {commit.ticket_id} at version {commit.first_version}, "
            f"but {ticket.id} stands at version {ticket.version}."
        )
    version, command_ids = commit.version, ticket.command_ids | {commit.command_id}
    known = [fact for fact in commit.facts if not isinstance(fact, UnknownFact)]
    if not known:
        return replace(ticket, version=version, command_ids=command_ids)
    applied = reduce(lambda so_far, fact: _apply(so_far, fact, commit.at), known, ticket)
    return _counted(applied, commit.at, commit.actor, version, command_ids)


def evolve(ticket: Ticket, fact: AnyFact, *, at: datetime, actor: Actor) -> Ticket:
    """Carry a ticket on by one fact; an unknown one only counts."""
    version = ticket.version + 1
    if isinstance(fact, UnknownFact):
        return replace(ticket, version=version)
    return _counted(_apply(ticket, fact, at), at, actor, version, ticket.command_ids)


def _counted(ticket: Ticket, at: datetime, actor: Actor, version: int, command_ids: frozenset[str]) -> Ticket:
    """Note who brought facts and when, all in one copy: a ticket has fifty fields."""
    return replace(
        ticket,
        version=version,
        command_ids=command_ids,
        updated_at=at,
        updated_by=actor,
        handled_at=at if actor.kind == "agent" else ticket.handled_at,
    )


def _apply(ticket: Ticket, fact: TicketFact, at: datetime) -> Ticket:  # noqa: C901, PLR0911, PLR0912 - one case per fact
    match fact:
        case Opened():
            return _opened(ticket, fact, at)
        case CustomerReplied():
            return _customer_replied(ticket, fact, at)
        case AgentReplied():
            return _agent_replied(ticket, fact, at)
        case NoteAdded():
            return replace(ticket, messages=(*ticket.messages, note_message(fact, at)))
        case ReplyWithdrawn(message_id=message_id):
            return _withdrawn(ticket, message_id)
        case ReplyDelivered(message_id=message_id):
            return _delivery_became(ticket, message_id, "delivered")
        case ReplyBounced(message_id=message_id, permanent=permanent):
            return _delivery_became(ticket, message_id, "bounced") if permanent else ticket
        case Acknowledged():
            return replace(ticket, acknowledged=True)
        case Redacted(message_id=message_id):
            return with_messages(ticket, {message_id}, hidden)
        case SubjectChanged(after=subject):
            return replace(ticket, subject=subject)
        case PriorityChanged(after=priority):
            history = (*ticket.priority_history, (at, priority))
            return replace(ticket, priority=priority, priority_history=history)
        case TypeChanged(after=ticket_type):
            return replace(ticket, ticket_type=ticket_type)
        case TagsChanged(tags=tags):
            return replace(ticket, tags=tags)
        case FieldChanged():
            return _field_changed(ticket, fact)
        case RequesterChanged():
            return _requester_changed(ticket, fact)
        case FollowersChanged(followers=followers):
            return replace(ticket, followers=followers)
        case Routed(team_id=team_id):
            return replace(ticket, team_id=team_id, placements=ticket.placements + 1)
        case Assigned(before=before, agent_id=agent_id):
            previous = before or ticket.previous_assignee_id
            return _held_by(ticket, agent_id, previous=previous)
        case Unassigned(before=before):
            return _held_by(ticket, None, previous=before)
        case StatusChanged():
            return _status_changed(ticket, fact, at)
        case Snoozed(until=until):
            return replace(ticket, snoozed_until=until)
        case Woken():
            return replace(ticket, snoozed_until=None)
        case Reopened():
            return replace(ticket, solved_at=None)
        case Merged(into=into):
            return replace(ticket, merged_into=into)
        case MergeReceived(source=source, participants=participants):
            return replace(
                ticket,
                merged_sources=ticket.merged_sources | {source},
                participants=ticket.participants.union(participants),
            )
        case Split(message_ids=message_ids, into=into):
            return with_messages(ticket, message_ids, lambda message: replace(message, moved_to=into))
        case Linked():
            link = Link(ticket_id=fact.ticket_id, number=fact.number, kind=fact.kind)
            return replace(ticket, links=(*ticket.links, link))
        case TaskAdded():
            return _task_added(ticket, fact)
        case TaskCompleted():
            return _task_completed(ticket, fact)
        case TimeLogged(seconds=seconds):
            return replace(ticket, seconds_logged=ticket.seconds_logged + seconds)
        case Rated(score=score, comment=comment):
            return replace(ticket, rating=Rating(score=score, comment=comment))
        case SlaApplied():
            return replace(ticket, sla=fact)
        case SlaWarned(metric=metric, cycle=cycle, stage=stage):
            stages = {**ticket.sla_stages, (metric, cycle): stage}
            return replace(_with_outcome(ticket, (metric, cycle, "warned")), sla_stages=stages)
        case SlaBreached():
            return _with_outcome(ticket, (fact.metric, fact.cycle, "breached"))
        case SlaMet():
            return _with_outcome(ticket, (fact.metric, fact.cycle, "met"))
        case WebhookRequested():
            return replace(ticket, webhook_calls=(*ticket.webhook_calls, _webhook_call(fact, at)))
        case WebhookDelivered(request_id=request_id):
            return _webhook_became(ticket, request_id, "delivered")
        case WebhookFailed(request_id=request_id):
            return _webhook_became(ticket, request_id, "failed")
        case RuleApplied():
            applied = (fact.rule_id, fact.rule_revision, fact.trigger)
            return replace(ticket, rules_applied=(*ticket.rules_applied, applied))
        case _:
            assert_never(fact)


def _opened(ticket: Ticket, fact: Opened, at: datetime) -> Ticket:
    return replace(
        ticket,
        exists=True,
        number=fact.number,
        subject=fact.subject,
        priority=fact.priority,
        ticket_type=fact.ticket_type,
        tags=fact.tags,
        channel=fact.channel,
        channel_id=fact.channel_id,
        requester_id=fact.requester_id,
        requester=fact.author,
        participants=frozenset({fact.requester_id}),
        participant_addresses=addresses_of(fact.author, *fact.to, *fact.cc),
        messages=(customer_message(fact, fact.requester_id, at),),
        follow_up_of=fact.follow_up_of,
        opened_at=at,
        status_history=((at, ticket.status),),
        priority_history=((at, fact.priority),),
    )


def _customer_replied(ticket: Ticket, fact: CustomerReplied, at: datetime) -> Ticket:
    """Keep the words; neither a machine nor spam becomes somebody who may write here."""
    kept = replace(ticket, messages=(*ticket.messages, customer_message(fact, fact.author_id, at)))
    if fact.machine or fact.spam:
        return kept
    return replace(
        kept,
        participants=ticket.participants | {fact.author_id},
        participant_addresses=ticket.participant_addresses | addresses_of(fact.author, *fact.to, *fact.cc),
    )


def _agent_replied(ticket: Ticket, fact: AgentReplied, at: datetime) -> Ticket:
    reply = reply_message(fact, at)
    return replace(
        ticket,
        messages=(*ticket.messages, reply),
        participant_addresses=ticket.participant_addresses | addresses_of(*fact.to, *fact.cc),
        first_response_at=ticket.first_response_at or (at if reply.answers_the_customer else None),
    )


def _withdrawn(ticket: Ticket, message_id: str) -> Ticket:
    """Take a reply back; what the customer never got was no first response."""
    rest = _delivery_became(ticket, message_id, "withdrawn")
    answers = (message.at for message in rest.messages if message.answers_the_customer)
    return replace(rest, first_response_at=next(answers, None))


def _delivery_became(ticket: Ticket, message_id: str, delivery: Delivery) -> Ticket:
    return with_messages(ticket, {message_id}, lambda message: replace(message, delivery=delivery))


def _field_changed(ticket: Ticket, fact: FieldChanged) -> Ticket:
    others = {name: value for name, value in ticket.fields.items() if name != fact.name}
    return replace(ticket, fields=others if fact.after is None else {**others, fact.name: fact.after})


def _requester_changed(ticket: Ticket, fact: RequesterChanged) -> Ticket:
    return replace(
        ticket,
        requester_id=fact.after,
        requester=fact.requester,
        participants=ticket.participants | {fact.after},
        participant_addresses=ticket.participant_addresses | addresses_of(fact.requester),
    )


def _held_by(ticket: Ticket, agent_id: str | None, *, previous: str | None) -> Ticket:
    return replace(ticket, assignee_id=agent_id, previous_assignee_id=previous, placements=ticket.placements + 1)


def _status_changed(ticket: Ticket, fact: StatusChanged, at: datetime) -> Ticket:
    return replace(
        ticket,
        status=fact.after,
        placements=ticket.placements + 1,
        solved_at=at if fact.after == "solved" else ticket.solved_at,
        closed_at=at if fact.after == "closed" else None,
        status_history=(*ticket.status_history, (at, fact.after)),
    )


def _webhook_call(fact: WebhookRequested, at: datetime) -> WebhookCall:
    return WebhookCall(
        request_id=fact.request_id, webhook_id=fact.webhook_id, webhook_name=fact.webhook_name, at=at
    )  # fmt: skip


def _webhook_became(ticket: Ticket, request_id: str, outcome: Literal["delivered", "failed"]) -> Ticket:
    calls = (replace(call, outcome=outcome) if call.request_id == request_id else call for call in ticket.webhook_calls)
    return replace(ticket, webhook_calls=tuple(calls))


def _task_added(ticket: Ticket, fact: TaskAdded) -> Ticket:
    task = Task(id=fact.task_id, title=fact.title, assignee_id=fact.assignee_id, due_at=fact.due_at)
    return replace(ticket, tasks=(*ticket.tasks, task))


def _task_completed(ticket: Ticket, fact: TaskCompleted) -> Ticket:
    return replace(
        ticket,
        tasks=tuple(
            replace(task, completed_by=fact.agent_id) if task.id == fact.task_id else task for task in ticket.tasks
        ),
    )


def _with_outcome(ticket: Ticket, outcome: SlaOutcome) -> Ticket:
    return replace(ticket, sla_outcomes=ticket.sla_outcomes | {outcome})
