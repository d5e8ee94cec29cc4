"""What a ticket is about: its properties, its people, its links, tasks, time and rating."""

import re
from typing import Final, assert_never

from deskwire_shared.contracts.facts import (
    FieldChanged,
    FieldValue,
    FollowersChanged,
    Linked,
    PriorityChanged,
    Rated,
    RequesterChanged,
    SubjectChanged,
    TagsChanged,
    TaskAdded,
    TaskCompleted,
    TicketFact,
    TimeLogged,
    TypeChanged,
)
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    AddTask,
    ChangeField,
    ChangeFollowers,
    ChangePriority,
    ChangeRequester,
    ChangeSubject,
    ChangeTags,
    ChangeType,
    CompleteTask,
    FieldCommand,
    LinkTicket,
    LogTime,
    RateTicket,
)
from deskwire_shared.ticket.refusals import (
    CannotLinkToItself,
    EmptySubject,
    EmptyTitle,
    InvalidDuration,
    InvalidFieldName,
    InvalidFieldValue,
    InvalidRating,
    RatingNotYet,
    TaskAlreadyCompleted,
    TaskIdIsTaken,
    TaskUnknown,
    TooMany,
)
from deskwire_shared.ticket.state import Rating, Task, Ticket
from deskwire_shared.ticket.wording import one_line, sorted_tags

FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
BEST_RATING: Final = 5


def decide_fields(command: FieldCommand, ticket: Ticket) -> list[TicketFact]:  # noqa: C901, PLR0911, PLR0912 - one case per wish
    """Turn a wish about what the ticket is about into facts, or refuse."""
    match command:
        case ChangeSubject():
            return _change_subject(command, ticket)
        case ChangePriority():
            return _change_priority(command, ticket)
        case ChangeType():
            return _change_type(command, ticket)
        case ChangeTags():
            return _change_tags(command, ticket)
        case ChangeField():
            return _change_field(command, ticket)
        case ChangeRequester():
            return _change_requester(command, ticket)
        case ChangeFollowers():
            return _change_followers(command, ticket)
        case LinkTicket():
            return _link(command, ticket)
        case AddTask():
            return _add_task(command, ticket)
        case CompleteTask():
            return _complete_task(command, ticket)
        case LogTime():
            return _log_time(command)
        case RateTicket():
            return _rate(command, ticket)
        case _:
            assert_never(command)


def _change_subject(command: ChangeSubject, ticket: Ticket) -> list[TicketFact]:
    subject = one_line("subject", command.subject, limits.SUBJECT_LENGTH)
    if not subject:
        raise EmptySubject
    if subject == ticket.subject:
        return []
    return [SubjectChanged(person_id=ticket.requester_id, before=ticket.subject, after=subject)]


def _change_priority(command: ChangePriority, ticket: Ticket) -> list[TicketFact]:
    if command.priority == ticket.priority:
        return []
    return [PriorityChanged(before=ticket.priority, after=command.priority)]


def _change_type(command: ChangeType, ticket: Ticket) -> list[TicketFact]:
    if command.ticket_type == ticket.ticket_type:
        return []
    return [TypeChanged(before=ticket.ticket_type, after=command.ticket_type)]


def _change_tags(command: ChangeTags, ticket: Ticket) -> list[TicketFact]:
    before, removed = set(ticket.tags), set(sorted_tags(command.remove))
    after = (before | set(sorted_tags(command.add))) - removed
    if after == before:
        return []
    limits.require_count("tags", after, limits.TAGS)
    return [
        TagsChanged(
            added=tuple(sorted(after - before)),
            removed=tuple(sorted(before - after)),
            tags=tuple(sorted(after)),
        )
    ]


def _change_field(command: ChangeField, ticket: Ticket) -> list[TicketFact]:
    name, before, after = command.name, ticket.fields.get(command.name), command.value
    if not FIELD_NAME.fullmatch(name):
        raise InvalidFieldName
    # True == 1 in Python, but not in a custom field.
    if type(before) is type(after) and before == after:
        return []
    _require_field_value(name, after)
    if name not in ticket.fields and len(ticket.fields) >= limits.FIELDS:
        raise TooMany("fields", len(ticket.fields) + 1, limits.FIELDS)
    return [FieldChanged(name=name, before=before, after=after)]


def _require_field_value(name: str, value: FieldValue) -> None:
    match value:
        case str():
            limits.require_text(f"value for {name}", value, limits.FIELD_VALUE_SIZE)
        case tuple():
            limits.require_count(f"values for {name}", value, limits.FIELD_CHOICES)
            limits.require_lines(f"value for {name}", value)
        case int() if abs(value) > limits.FIELD_NUMBER:
            raise InvalidFieldValue(name)


def _change_requester(command: ChangeRequester, ticket: Ticket) -> list[TicketFact]:
    if command.requester_id == ticket.requester_id:
        return []
    limits.require_addresses((command.requester,))
    return [
        RequesterChanged(
            person_id=command.requester_id,
            before=ticket.requester_id,
            after=command.requester_id,
            requester=command.requester,
        )
    ]


def _change_followers(command: ChangeFollowers, ticket: Ticket) -> list[TicketFact]:
    before = set(ticket.followers)
    after = (before | set(command.add)) - set(command.remove)
    if after == before:
        return []
    limits.require_count("followers", after, limits.FOLLOWERS)
    return [
        FollowersChanged(
            added=tuple(sorted(after - before)),
            removed=tuple(sorted(before - after)),
            followers=tuple(sorted(after)),
        )
    ]


def _link(command: LinkTicket, ticket: Ticket) -> list[TicketFact]:
    if command.ticket_id == ticket.id:
        raise CannotLinkToItself
    if any((link.ticket_id, link.kind) == (command.ticket_id, command.kind) for link in ticket.links):
        return []
    if len(ticket.links) >= limits.LINKS:
        raise TooMany("links", len(ticket.links) + 1, limits.LINKS)
    return [Linked(ticket_id=command.ticket_id, number=command.number, kind=command.kind)]


def _add_task(command: AddTask, ticket: Ticket) -> list[TicketFact]:
    title = one_line("title", command.title, limits.SUBJECT_LENGTH)
    if not title:
        raise EmptyTitle
    known = ticket.task(command.task_id)
    if known is not None:
        return _repeated_task(command, known, title)
    if len(ticket.tasks) >= limits.TASKS:
        raise TooMany("tasks", len(ticket.tasks) + 1, limits.TASKS)
    return [
        TaskAdded(
            person_id=ticket.requester_id,
            task_id=command.task_id,
            assignee_id=command.assignee_id,
            due_at=command.due_at,
            title=title,
        )
    ]


def _repeated_task(command: AddTask, known: Task, title: str) -> list[TicketFact]:
    if (known.title, known.assignee_id, known.due_at) != (title, command.assignee_id, command.due_at):
        raise TaskIdIsTaken(command.task_id)
    return []


def _complete_task(command: CompleteTask, ticket: Ticket) -> list[TicketFact]:
    task = ticket.task(command.task_id)
    if task is None:
        raise TaskUnknown(command.task_id)
    if task.is_completed:
        raise TaskAlreadyCompleted(command.task_id)
    return [TaskCompleted(task_id=task.id, agent_id=command.agent_id)]


def _log_time(command: LogTime) -> list[TicketFact]:
    if not 0 < command.seconds <= limits.SECONDS_AT_ONCE:
        raise InvalidDuration(limits.SECONDS_AT_ONCE)
    limits.require_lines("activity", (command.activity,))
    return [TimeLogged(agent_id=command.agent_id, seconds=command.seconds, activity=command.activity)]


def _rate(command: RateTicket, ticket: Ticket) -> list[TicketFact]:
    if not 1 <= command.score <= BEST_RATING:
        raise InvalidRating
    if ticket.status not in {"solved", "closed"}:
        raise RatingNotYet
    if ticket.rating == Rating(score=command.score, comment=command.comment):
        return []
    limits.require_text("comment", command.comment, limits.COMMENT_SIZE)
    return [Rated(person_id=ticket.requester_id, score=command.score, comment=command.comment)]
