"""Which tickets are there, and how do they stand? One row a ticket, carried on commit by commit."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    Assigned,
    CustomerMessage,
    CustomerReplied,
    Fact,
    FieldChanged,
    FollowersChanged,
    Linked,
    Merged,
    MergeReceived,
    NoteAdded,
    Opened,
    Priority,
    PriorityChanged,
    Rated,
    Redacted,
    Reopened,
    ReplyWithdrawn,
    RequesterChanged,
    Routed,
    SlaApplied,
    SlaBreached,
    SlaClock,
    SlaMet,
    SlaWarned,
    Snoozed,
    Split,
    StatusChanged,
    SubjectChanged,
    TagsChanged,
    TaskAdded,
    TaskCompleted,
    TimeLogged,
    TypeChanged,
    Unassigned,
    UnknownFact,
    Woken,
)

Row = Mapping[str, Any]
Changes = dict[str, Any]
F = TypeVar("F", bound=Fact)

EXCERPT: Final = 200
PRIORITY_RANKS: Final[Mapping[Priority, int]] = {"low": 0, "normal": 1, "high": 2, "urgent": 3}


def project(row: Row | None, commit: Commit, *, sequence: int) -> Row | None:
    """Carry a ticket's row on by one commit; a ticket that was never seen opened has none."""
    for fact in commit.facts:
        kind = type(fact)
        if kind is Opened:
            row = _opened(fact, commit, sequence)
        elif row is not None and kind is not UnknownFact:
            change = CHANGES.get(kind)
            row = {**row, "updated_at": commit.at, **(change(row, fact, commit.at) if change else {})}
    return None if row is None else {**row, "version": commit.version, "sequence": sequence}


def _opened(fact: Any, commit: Commit, sequence: int) -> Row:
    return {
        "id": commit.ticket_id,
        "opening": sequence,
        "number": fact.number,
        "subject": fact.subject,
        "status": "new",
        "priority": fact.priority,
        "priority_rank": PRIORITY_RANKS[fact.priority],
        "ticket_type": fact.ticket_type,
        "tags": list(fact.tags),
        "channel": fact.channel,
        "channel_id": fact.channel_id,
        **_requester(fact.requester_id, fact.author),
        "team_id": None,
        "assignee_id": None,
        "message_count": 1,
        **_said_by_customer(fact, commit.at),
        "opened_at": commit.at,
        "updated_at": commit.at,
        "first_response_at": None,
        "solved_at": None,
        "closed_at": None,
        "snoozed_until": None,
        "merged_into": None,
        "clocks": [],
        "due_at": None,
        "breached": False,
        "fields": {},
        "followers": [],
        "links": [],
        "tasks": [],
        "answers": [],
        "seconds_logged": 0,
        "rating": None,
        "follow_up_of": fact.follow_up_of,
    }


def _requester(person_id: str, address: Address) -> Changes:
    return {"requester_id": person_id, "requester_name": address.name, "requester_address": address.address}


def _said_by_customer(fact: CustomerMessage, at: datetime) -> Changes:
    cc = [{"address": person.address, "name": person.name} for person in fact.cc]
    return {"cc": cc, **_said("customer", fact.message_id, fact.text, at)}


def _said(by: str, message_id: str, text: str, at: datetime) -> Changes:
    excerpt = " ".join(text[: 2 * EXCERPT].split())[:EXCERPT]
    return {"excerpt": excerpt, "excerpt_of": message_id, "last_message_by": by, "last_message_at": at}


def _customer_replied(row: Row, fact: CustomerReplied, at: datetime) -> Changes:
    return {"message_count": row["message_count"] + 1, **_said_by_customer(fact, at)}


def _agent_replied(row: Row, fact: AgentReplied, at: datetime) -> Changes:
    said = {"message_count": row["message_count"] + 1, **_said("agent", fact.message_id, fact.text, at)}
    if fact.automated:
        return said
    answers = [*row["answers"], [fact.message_id, at.isoformat()]]
    return {**said, "answers": answers, "first_response_at": row["first_response_at"] or at}


def _reply_withdrawn(row: Row, fact: ReplyWithdrawn, at: datetime) -> Changes:
    """What the customer never got was no answer."""
    del at
    answers = [answer for answer in row["answers"] if answer[0] != fact.message_id]
    first = datetime.fromisoformat(answers[0][1]) if answers else None
    return {"answers": answers, "first_response_at": first}


def _note_added(row: Row, fact: NoteAdded, at: datetime) -> Changes:
    del fact, at
    return {"message_count": row["message_count"] + 1}


def _redacted(row: Row, fact: Redacted, at: datetime) -> Changes:
    del at
    return {"excerpt": ""} if row["excerpt_of"] == fact.message_id else {}


def _priority_changed(row: Row, fact: PriorityChanged, at: datetime) -> Changes:
    del row, at
    return {"priority": fact.after, "priority_rank": PRIORITY_RANKS[fact.after]}


def _field_changed(row: Row, fact: FieldChanged, at: datetime) -> Changes:
    del at
    others = {name: value for name, value in row["fields"].items() if name != fact.name}
    value = list(fact.after) if isinstance(fact.after, tuple) else fact.after
    return {"fields": others if value is None else {**others, fact.name: value}}


def _status_changed(row: Row, fact: StatusChanged, at: datetime) -> Changes:
    return {
        "status": fact.after,
        "solved_at": at if fact.after == "solved" else row["solved_at"],
        "closed_at": at if fact.after == "closed" else None,
    }


def _linked(row: Row, fact: Linked, at: datetime) -> Changes:
    del at
    return _with_link(row, fact.ticket_id, fact.number, fact.kind)


def _merged(row: Row, fact: Merged, at: datetime) -> Changes:
    del at
    return {"merged_into": fact.into, **_with_link(row, fact.into, fact.into_number, "merged_into")}


def _merge_received(row: Row, fact: MergeReceived, at: datetime) -> Changes:
    del at
    return _with_link(row, fact.source, fact.source_number, "merged_from")


def _split(row: Row, fact: Split, at: datetime) -> Changes:
    del at
    return _with_link(row, fact.into, fact.into_number, "split_into")


def _with_link(row: Row, ticket_id: str, number: int, kind: str) -> Changes:
    return {"links": [*row["links"], {"ticket_id": ticket_id, "number": number, "kind": kind}]}


def _task_added(row: Row, fact: TaskAdded, at: datetime) -> Changes:
    del at
    task = {
        "id": fact.task_id,
        "title": fact.title,
        "assignee_id": fact.assignee_id,
        "due_at": _iso(fact.due_at),
        "completed_by": None,
    }
    return {"tasks": [*row["tasks"], task]}


def _task_completed(row: Row, fact: TaskCompleted, at: datetime) -> Changes:
    del at
    done = {"completed_by": fact.agent_id}
    return {"tasks": [{**task, **done} if task["id"] == fact.task_id else task for task in row["tasks"]]}


def _sla_applied(row: Row, fact: SlaApplied, at: datetime) -> Changes:
    """New clocks take the place of the old ones; a run that has an outcome stays until its metric runs again."""
    del at
    known = {(clock["metric"], clock["cycle"]): clock for clock in row["clocks"]}
    running = {clock.metric: _clock(clock, known.get((clock.metric, clock.cycle))) for clock in fact.clocks}
    ended = [clock for clock in row["clocks"] if clock["metric"] not in running and _has_ended(clock)]
    return _with_clocks([*ended, *running.values()])


def _clock(clock: SlaClock, known: Row | None) -> Row:
    known = known or {}
    return {
        "metric": clock.metric,
        "cycle": clock.cycle,
        "state": "met" if known.get("state") == "met" else clock.state,
        "target": clock.target,
        "used": clock.used,
        "warn_at": _iso(clock.warn_at),
        "due_at": _iso(clock.due_at),
        "warned": known.get("warned", False),
        "breached": known.get("breached", False),
    }


def _has_ended(clock: Row) -> bool:
    return bool(clock["state"] == "met" or clock["breached"])


def _sla_warned(row: Row, fact: SlaWarned, at: datetime) -> Changes:
    del at
    return _with_outcome(row, fact, {"warned": True})


def _sla_breached(row: Row, fact: SlaBreached, at: datetime) -> Changes:
    del at
    return _with_outcome(row, fact, {"breached": True})


def _sla_met(row: Row, fact: SlaMet, at: datetime) -> Changes:
    del at
    outcome: Changes = {"state": "met", "used": fact.used, "warn_at": None, "due_at": None}
    return _with_outcome(row, fact, {**outcome, "breached": True} if fact.late else outcome)


def _with_outcome(row: Row, fact: SlaWarned | SlaBreached | SlaMet, outcome: Changes) -> Changes:
    """Note an outcome; a run that was never shown becomes known by it."""
    run = (fact.metric, fact.cycle)
    clocks = row["clocks"]
    if all((clock["metric"], clock["cycle"]) != run for clock in clocks):
        unseen = SlaClock(metric=fact.metric, cycle=fact.cycle, state="paused", target=fact.target, used=0)
        clocks = [*(clock for clock in clocks if clock["metric"] != fact.metric), _clock(unseen, None)]
    return _with_clocks(
        [{**clock, **outcome} if (clock["metric"], clock["cycle"]) == run else clock for clock in clocks]
    )


def _with_clocks(clocks: list[Row]) -> Changes:
    due = [clock["due_at"] for clock in clocks if clock["state"] == "running" and not clock["breached"]]
    return {
        "clocks": clocks,
        "due_at": _earliest(due),
        "breached": any(clock["breached"] for clock in clocks),
    }


def _earliest(moments: Iterable[str | None]) -> datetime | None:
    return min((datetime.fromisoformat(moment) for moment in moments if moment), default=None)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


Change = Callable[[Row, Any, datetime], Changes]

CHANGES: Final[Mapping[type[Fact], Change]] = {
    CustomerReplied: _customer_replied,
    AgentReplied: _agent_replied,
    ReplyWithdrawn: _reply_withdrawn,
    NoteAdded: _note_added,
    Redacted: _redacted,
    SubjectChanged: lambda _row, fact, _at: {"subject": fact.after},
    PriorityChanged: _priority_changed,
    TypeChanged: lambda _row, fact, _at: {"ticket_type": fact.after},
    TagsChanged: lambda _row, fact, _at: {"tags": list(fact.tags)},
    FieldChanged: _field_changed,
    RequesterChanged: lambda _row, fact, _at: _requester(fact.after, fact.requester),
    FollowersChanged: lambda _row, fact, _at: {"followers": list(fact.followers)},
    Routed: lambda _row, fact, _at: {"team_id": fact.team_id},
    Assigned: lambda _row, fact, _at: {"assignee_id": fact.agent_id},
    Unassigned: lambda _row, _fact, _at: {"assignee_id": None},
    StatusChanged: _status_changed,
    Snoozed: lambda _row, fact, _at: {"snoozed_until": fact.until},
    Woken: lambda _row, _fact, _at: {"snoozed_until": None},
    Reopened: lambda _row, _fact, _at: {"solved_at": None},
    Linked: _linked,
    Merged: _merged,
    MergeReceived: _merge_received,
    Split: _split,
    TaskAdded: _task_added,
    TaskCompleted: _task_completed,
    TimeLogged: lambda row, fact, _at: {"seconds_logged": row["seconds_logged"] + fact.seconds},
    Rated: lambda _row, fact, _at: {"rating": fact.score},
    SlaApplied: _sla_applied,
    SlaWarned: _sla_warned,
    SlaBreached: _sla_breached,
    SlaMet: _sla_met,
}
"""What each fact changes; the ones left out change nothing a list shows."""
