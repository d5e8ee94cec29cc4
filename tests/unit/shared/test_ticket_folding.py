"""How a history becomes a ticket."""

import pytest

from deskwire_shared.contracts.facts import PriorityChanged, StatusChanged, UnknownFact
from deskwire_shared.testing.ticket import AGENT, TICKET_ID, a_commit, a_ticket, given, opened
from deskwire_shared.ticket.commands import ChangePriority, ChangeStatus, ChangeTags, OpenTicket, Several
from deskwire_shared.ticket.decider import decide, evolve_commit, fold
from deskwire_shared.ticket.evolving import HistoryHasAGap
from deskwire_shared.ticket.refusals import TicketIsClosed
from deskwire_shared.ticket.state import Ticket

FIRST = a_commit(opened())
SECOND = a_commit(PriorityChanged(before="normal", after="high"), StatusChanged(before="new", after="open"), after=1)


def test_a_ticket_without_history_does_not_exist() -> None:
    assert fold(TICKET_ID, []) == Ticket.unborn(TICKET_ID)
    assert not Ticket.unborn(TICKET_ID).exists


def test_the_version_counts_the_facts() -> None:
    ticket = fold(TICKET_ID, [FIRST, SECOND])
    assert (ticket.version, ticket.priority, ticket.status) == (3, "high", "open")


def test_a_ticket_knows_every_command_it_ever_obeyed() -> None:
    assert fold(TICKET_ID, [FIRST, SECOND]).command_ids == {FIRST.command_id, SECOND.command_id}


def test_a_ticket_is_carried_on_commit_by_commit() -> None:
    assert evolve_commit(fold(TICKET_ID, [FIRST]), SECOND) == fold(TICKET_ID, [FIRST, SECOND])


def test_facts_of_a_newer_version_only_count() -> None:
    before = a_ticket()
    after = a_ticket(UnknownFact(type="ticket.teleported.v1", data={"where": "Mars"}))
    assert (after.version, after.updated_at) == (before.version + 1, before.updated_at)
    assert after.status == before.status


def test_a_history_with_a_gap_is_not_folded() -> None:
    with pytest.raises(HistoryHasAGap):
        fold(TICKET_ID, [SECOND])
    with pytest.raises(HistoryHasAGap):
        fold(TICKET_ID, [FIRST, FIRST])


def test_the_history_of_another_ticket_is_not_folded() -> None:
    with pytest.raises(HistoryHasAGap):
        fold("another", [FIRST])


def test_who_changed_the_ticket_last_is_known() -> None:
    assert a_ticket().updated_by == AGENT


def test_several_wishes_are_decided_one_after_the_other() -> None:
    wishes = Several(
        commands=(ChangePriority(priority="high"), ChangePriority(priority="high"), ChangeStatus(status="open"))
    )
    given(opened()).when(wishes).then(
        PriorityChanged(before="normal", after="high"), StatusChanged(before="new", after="open")
    )


def test_one_refused_wish_refuses_them_all() -> None:
    wishes = Several(commands=(ChangeStatus(status="closed"), ChangeTags(add=("late",))))
    given(opened()).when(wishes).refuses(TicketIsClosed)


def test_a_ticket_can_be_opened_and_changed_at_once() -> None:
    first = opened()
    opening = OpenTicket(
        message_id=first.message_id,
        channel=first.channel,
        author=first.author,
        subject=first.subject,
        text=first.text,
        number=first.number,
        requester_id=first.requester_id,
    )
    wishes = Several(commands=(opening, ChangePriority(priority="high")))
    assert decide(wishes, Ticket.unborn(TICKET_ID)) == [first, PriorityChanged(before="normal", after="high")]
