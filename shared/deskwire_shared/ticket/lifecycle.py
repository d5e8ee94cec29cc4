"""Where a ticket stands: its queue, its agent, its status, its sleep, its merges and splits."""

from typing import Final, Literal, assert_never

from deskwire_shared.contracts.facts import (
    Assigned,
    Merged,
    MergeReceived,
    Reopened,
    Routed,
    Snoozed,
    Split,
    Status,
    StatusChanged,
    TicketFact,
    Unassigned,
    Woken,
)
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    AssignTicket,
    ChangeStatus,
    LifecycleCommand,
    MergeTicket,
    ReceiveMerge,
    RouteTicket,
    SnoozeTicket,
    SplitTicket,
    UnassignTicket,
    WakeTicket,
)
from deskwire_shared.ticket.refusals import (
    CannotMergeIntoItself,
    CannotSplitIntoItself,
    EmptySplit,
    IllegalStatusMove,
    MergeWouldCircle,
    NothingToSnooze,
    SnoozeInThePast,
    SnoozeTooFar,
    UnknownMessage,
)
from deskwire_shared.ticket.state import Ticket

OVER: Final[frozenset[Status]] = frozenset({"solved", "closed"})
WAITING: Final[frozenset[Status]] = frozenset({"pending", "on_hold", "solved"})
"""The statuses that a customer's reply ends."""

TO_ANOTHER_TEAM: Final = "routed to another team"
"""The reason why an agent does not keep a ticket that is moved."""


def decide_lifecycle(command: LifecycleCommand, ticket: Ticket) -> list[TicketFact]:  # noqa: PLR0911 - one case per wish
    """Turn a wish about the ticket's place and status into facts, or refuse."""
    match command:
        case RouteTicket():
            return _route(command, ticket)
        case AssignTicket():
            return _assign(command, ticket)
        case UnassignTicket():
            return _unassign(command, ticket)
        case ChangeStatus():
            return move(ticket, command.status)
        case SnoozeTicket():
            return _snooze(command, ticket)
        case WakeTicket():
            return _wake(command, ticket)
        case MergeTicket():
            return _merge(command, ticket)
        case ReceiveMerge():
            return _receive_merge(command, ticket)
        case SplitTicket():
            return _split(command, ticket)
        case _:
            assert_never(command)


def move(ticket: Ticket, status: Status, *, because: Literal["customer_reply", "agent"] = "agent") -> list[TicketFact]:
    """Put the ticket in a status; what is solved or closed no longer sleeps."""
    if status == ticket.status:
        return []
    if status == "new":
        raise IllegalStatusMove(ticket.status, status)
    facts: list[TicketFact] = []
    if ticket.is_snoozed and status in OVER:
        facts.append(Woken(reason="agent"))
    if ticket.status == "solved" and status != "closed":
        facts.append(Reopened(before=ticket.status, reason=because))
    return [*facts, StatusChanged(before=ticket.status, after=status)]


def resume(ticket: Ticket) -> list[TicketFact]:
    """Take the ticket up again because its customer wrote."""
    woken: list[TicketFact] = [Woken(reason="reply")] if ticket.is_snoozed else []
    moved = move(ticket, "open", because="customer_reply") if ticket.status in WAITING else []
    return woken + moved


def _route(command: RouteTicket, ticket: Ticket) -> list[TicketFact]:
    if command.team_id == ticket.team_id:
        return []
    limits.require_lines("reason", (command.reason,))
    routed = Routed(
        before=ticket.team_id, team_id=command.team_id, rule_id=command.rule_id, reason=command.reason
    )  # fmt: skip
    if ticket.assignee_id is None or command.keep_assignee:
        return [routed]
    return [routed, Unassigned(before=ticket.assignee_id, reason=TO_ANOTHER_TEAM)]


def _assign(command: AssignTicket, ticket: Ticket) -> list[TicketFact]:
    if command.agent_id == ticket.assignee_id:
        return []
    limits.require_lines("strategy", (command.strategy,))
    if command.decision is not None:
        limits.require_count("considered candidates", command.decision.considered, limits.CONSIDERED)
    return [
        Assigned(
            before=ticket.assignee_id,
            agent_id=command.agent_id,
            strategy=command.strategy,
            decision=command.decision,
        )
    ]


def _unassign(command: UnassignTicket, ticket: Ticket) -> list[TicketFact]:
    if ticket.assignee_id is None:
        return []
    limits.require_lines("reason", (command.reason,))
    return [Unassigned(before=ticket.assignee_id, reason=command.reason)]


def _snooze(command: SnoozeTicket, ticket: Ticket) -> list[TicketFact]:
    if ticket.status in OVER:
        raise NothingToSnooze
    if command.until <= command.at:
        raise SnoozeInThePast
    if command.until - command.at > limits.SNOOZE:
        raise SnoozeTooFar(limits.SNOOZE.days)
    if command.until == ticket.snoozed_until:
        return []
    return [Snoozed(until=command.until, agent_id=command.agent_id)]


def _wake(command: WakeTicket, ticket: Ticket) -> list[TicketFact]:
    if ticket.snoozed_until is None:
        return []
    # A timer is a hint: the snooze may have been moved since it was set.
    if command.reason == "due" and command.at is not None and command.at < ticket.snoozed_until:
        return []
    return [Woken(reason=command.reason)]


def _merge(command: MergeTicket, ticket: Ticket) -> list[TicketFact]:
    if command.into == ticket.merged_into:
        return []
    if command.into == ticket.id:
        raise CannotMergeIntoItself
    if command.into in ticket.merged_sources:
        raise MergeWouldCircle(command.into)
    return [Merged(into=command.into, into_number=command.into_number), *move(ticket, "closed")]


def _receive_merge(command: ReceiveMerge, ticket: Ticket) -> list[TicketFact]:
    if command.source == ticket.id:
        raise CannotMergeIntoItself
    if command.source in ticket.merged_sources:
        return []
    limits.require_count("participants", command.participants, limits.PARTICIPANTS)
    return [
        MergeReceived(source=command.source, source_number=command.source_number, participants=command.participants)
    ]


def _split(command: SplitTicket, ticket: Ticket) -> list[TicketFact]:
    if command.into == ticket.id:
        raise CannotSplitIntoItself
    if not command.message_ids:
        raise EmptySplit
    moved = {message.id: message.moved_to for message in ticket.messages}
    for message_id in command.message_ids:
        if message_id not in moved or moved[message_id] not in {None, command.into}:
            raise UnknownMessage(message_id)
    staying = tuple(one for one in dict.fromkeys(command.message_ids) if moved[one] is None)
    if not staying:
        return []
    return [Split(into=command.into, into_number=command.into_number, message_ids=staying)]
