"""Where a ticket stands."""

from datetime import timedelta

import pytest

from deskwire_shared.contracts.facts import (
    Assigned,
    Merged,
    MergeReceived,
    Reopened,
    Routed,
    Snoozed,
    Split,
    StatusChanged,
    Unassigned,
    Woken,
)
from deskwire_shared.testing.ticket import CUSTOMER_ID, NOON, TICKET_ID, a_ticket, given, opened
from deskwire_shared.ticket.commands import (
    AddNote,
    AssignTicket,
    ChangePriority,
    ChangeStatus,
    LinkTicket,
    MergeTicket,
    ReceiveMerge,
    RouteTicket,
    SingleCommand,
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
    TicketIsClosed,
    TicketIsMerged,
    UnknownMessage,
)

TOMORROW = NOON + timedelta(days=1)
OPEN = StatusChanged(before="new", after="open")
SOLVED = StatusChanged(before="open", after="solved")
CLOSED = StatusChanged(before="open", after="closed")
MERGED = Merged(into="t2", into_number=2)


def test_a_closed_ticket_cannot_be_closed_again() -> None:
    given(opened(), OPEN, CLOSED).when(ChangeStatus(status="closed")).refuses(TicketIsClosed)


@pytest.mark.parametrize("status", ["open", "pending", "on_hold", "solved", "closed"])
def test_a_new_ticket_can_go_anywhere(status: str) -> None:
    given(opened()).when(ChangeStatus(status=status)).then(StatusChanged(before="new", after=status))  # type: ignore[arg-type]


def test_no_ticket_becomes_new_again() -> None:
    given(opened(), OPEN).when(ChangeStatus(status="new")).refuses(IllegalStatusMove)
    given(opened()).when(ChangeStatus(status="new")).then()


def test_an_agent_reopens_a_solved_ticket_by_taking_it_up() -> None:
    given(opened(), OPEN, SOLVED).when(ChangeStatus(status="pending")).then(
        Reopened(before="solved", reason="agent"), StatusChanged(before="solved", after="pending")
    )


def test_closing_a_solved_ticket_does_not_reopen_it() -> None:
    ticket = given(opened(), OPEN, SOLVED).when(ChangeStatus(status="closed")).leads_to()
    assert (ticket.status, ticket.solved_at, ticket.closed_at) == ("closed", NOON, NOON)


def test_a_reopened_ticket_is_no_longer_solved() -> None:
    ticket = given(opened(), OPEN, SOLVED).when(ChangeStatus(status="open")).leads_to()
    assert ticket.solved_at is None


def test_the_history_of_statuses_is_kept() -> None:
    assert a_ticket(OPEN, SOLVED).status_history == ((NOON, "new"), (NOON, "open"), (NOON, "solved"))


@pytest.mark.parametrize(
    "command",
    [ChangePriority(priority="high"), AssignTicket(agent_id="ada"), AddNote(message_id="n", agent_id="a", text="x")],
)
def test_closed_is_final(command: SingleCommand) -> None:
    given(opened(), OPEN, CLOSED).when(command).refuses(TicketIsClosed)


def test_routing_puts_a_ticket_in_a_queue_once() -> None:
    given(opened()).when(RouteTicket(team_id="support", rule_id="r")).then(Routed(team_id="support", rule_id="r"))
    given(opened(), Routed(team_id="support")).when(RouteTicket(team_id="support")).then()


def test_routing_to_another_team_takes_the_ticket_from_its_agent() -> None:
    assigned = given(opened(), Routed(team_id="support"), Assigned(agent_id="ada"))
    assigned.when(RouteTicket(team_id="billing")).then(
        Routed(before="support", team_id="billing"),
        Unassigned(before="ada", reason="routed to another team"),
    )
    assigned.when(RouteTicket(team_id="billing", keep_assignee=True)).then(Routed(before="support", team_id="billing"))


def test_assigning_a_new_ticket_keeps_it_new() -> None:
    given(opened()).when(AssignTicket(agent_id="ada")).then(Assigned(agent_id="ada"))


def test_assigning_to_the_same_agent_changes_nothing() -> None:
    given(opened(), Assigned(agent_id="ada")).when(AssignTicket(agent_id="ada")).then()


def test_the_previous_agent_is_remembered() -> None:
    ticket = given(opened(), Assigned(agent_id="ada")).when(AssignTicket(agent_id="bob")).leads_to()
    assert (ticket.assignee_id, ticket.previous_assignee_id) == ("bob", "ada")
    nobody = given(opened(), Assigned(agent_id="ada")).when(UnassignTicket(reason="away")).leads_to()
    assert (nobody.assignee_id, nobody.previous_assignee_id) == (None, "ada")


def test_nobody_cannot_be_unassigned() -> None:
    given(opened()).when(UnassignTicket()).then()


def test_a_ticket_sleeps_until_a_moment_to_come() -> None:
    given(opened()).when(SnoozeTicket(until=TOMORROW, at=NOON, agent_id="ada")).then(
        Snoozed(until=TOMORROW, agent_id="ada")
    )
    given(opened()).when(SnoozeTicket(until=NOON, at=NOON)).refuses(SnoozeInThePast)
    given(opened()).when(SnoozeTicket(until=NOON + timedelta(days=731), at=NOON)).refuses(SnoozeTooFar)
    given(opened(), Snoozed(until=TOMORROW)).when(SnoozeTicket(until=TOMORROW, at=NOON)).then()


def test_a_solved_ticket_does_not_sleep() -> None:
    given(opened(), OPEN, SOLVED).when(SnoozeTicket(until=TOMORROW, at=NOON)).refuses(NothingToSnooze)
    given(opened(), OPEN, Snoozed(until=TOMORROW)).when(ChangeStatus(status="solved")).then(
        Woken(reason="agent"), SOLVED
    )


def test_a_timer_that_fires_early_wakes_nobody() -> None:
    asleep = given(opened(), Snoozed(until=TOMORROW))
    asleep.when(WakeTicket(reason="due", at=NOON)).then()
    asleep.when(WakeTicket(reason="due", at=TOMORROW)).then(Woken(reason="due"))
    asleep.when(WakeTicket(reason="agent", at=NOON)).then(Woken(reason="agent"))
    given(opened()).when(WakeTicket(reason="due", at=TOMORROW)).then()


def test_a_merged_ticket_is_closed_in_the_same_commit() -> None:
    given(opened(), OPEN).when(MergeTicket(into="t2", into_number=2)).then(MERGED, CLOSED)


def test_a_merged_ticket_takes_no_more_wishes() -> None:
    merged = given(opened(), OPEN, MERGED, CLOSED)
    merged.when(MergeTicket(into="t2", into_number=2)).then()
    merged.when(MergeTicket(into="t3", into_number=3)).refuses(TicketIsMerged)
    merged.when(LinkTicket(ticket_id="t3", number=3)).refuses(TicketIsMerged)


def test_a_ticket_cannot_be_merged_into_itself() -> None:
    given(opened()).when(MergeTicket(into=TICKET_ID, into_number=1)).refuses(CannotMergeIntoItself)
    given(opened()).when(ReceiveMerge(source=TICKET_ID, source_number=1)).refuses(CannotMergeIntoItself)


def test_merges_make_no_circle() -> None:
    given(opened(), MergeReceived(source="t2", source_number=2)).when(MergeTicket(into="t2", into_number=2)).refuses(
        MergeWouldCircle
    )


def test_the_participants_of_a_merged_ticket_may_write_on_the_one_it_lives_on_as() -> None:
    receive = ReceiveMerge(source="t2", source_number=2, participants=("p2",))
    ticket = given(opened()).when(receive).leads_to()
    assert ticket.participants == {CUSTOMER_ID, "p2"}
    given(opened(), MergeReceived(source="t2", source_number=2)).when(receive).then()


def test_messages_can_become_a_ticket_of_their_own() -> None:
    given(opened()).when(SplitTicket(message_ids=("m1", "m1"), into="t2", into_number=2)).then(
        Split(into="t2", into_number=2, message_ids=("m1",))
    )


def test_messages_are_split_off_once() -> None:
    moved = given(opened(), Split(into="t2", into_number=2, message_ids=("m1",)))
    moved.when(SplitTicket(message_ids=("m1",), into="t2", into_number=2)).then()
    moved.when(SplitTicket(message_ids=("m1",), into="t3", into_number=3)).refuses(UnknownMessage)


def test_a_split_moves_known_messages_to_another_ticket() -> None:
    given(opened()).when(SplitTicket(message_ids=(), into="t2", into_number=2)).refuses(EmptySplit)
    given(opened()).when(SplitTicket(message_ids=("m9",), into="t2", into_number=2)).refuses(UnknownMessage)
    given(opened()).when(SplitTicket(message_ids=("m1",), into=TICKET_ID, into_number=1)).refuses(CannotSplitIntoItself)
