"""What routing does about a ticket, on real parts in memory."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from deskwire_routing.handlers import HEARD, PLACED
from deskwire_routing.rules.occasions import TRIGGERS
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Assigned, Opened, PriorityChanged, Routed, RuleApplied
from deskwire_shared.contracts.staff import Team
from deskwire_shared.ticket.commands import AssignTicket, ChangeStatus, RouteTicket, UnassignTicket
from routing_desk import (
    MAIL,
    REPLY,
    SUPPORT,
    FollowedStore,
    a_rule,
    a_work,
    an_agent,
    opening,
    routing_desk,
)

OPEN = opening(message_id="m1")
BILLING = Team(name="Billing", assignment="manual")
TO_BILLING = a_rule({"do": "set_team", "team_id": "billing"})
URGENT = {"do": "set_priority", "priority": "urgent"}


async def test_a_new_ticket_goes_to_its_channels_team_and_to_an_agent_of_it() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("support", "ada")
    assert await desk.facts() == [Opened, Routed, Assigned]


async def test_team_and_agent_are_found_in_one_commit_that_names_its_cause() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(OPEN)
    opened, placed = await desk.commits()
    assert placed.actor == Actor(kind="system", id="routing")
    assert (placed.causation_id, placed.correlation_id) == (opened.commit_id, opened.correlation_id)


async def test_a_rule_wins_over_the_channels_team() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, billing=BILLING, r1=TO_BILLING, ada=an_agent("support"))
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("billing", None)
    _, ruled = await desk.commits()
    assert [type(fact) for fact in ruled.facts] == [RuleApplied, Routed]
    assert ruled.actor == Actor(kind="rule", id="routing")


async def test_rules_only_see_tickets_of_their_trigger() -> None:
    desk = await routing_desk(r1=a_rule(URGENT, trigger="customer_replied"))
    assert (await desk.after(OPEN)).priority == "normal"
    ticket = await desk.after(REPLY)
    assert ticket.priority == "urgent"
    assert ticket.rules_applied == (("r1", 1, "customer_replied:m2"),)


async def test_hearing_it_all_again_changes_nothing() -> None:
    desk = await routing_desk(
        mail=MAIL, support=SUPPORT, ada=an_agent("support"),
        a=a_rule(URGENT, conditions={"all": [{"field": "ticket.tags", "op": "contains", "value": "vip"}]}),
        b=a_rule({"do": "add_tags", "tags": ["vip"]}),
    )  # fmt: skip
    before = await desk.after(OPEN)
    assert before.priority == "normal"
    desk.heard = 0
    await desk.settle()
    assert await desk.ticket() == before


async def test_a_team_that_assigns_by_hand_is_left_to_do_so() -> None:
    desk = await routing_desk(
        mail=MAIL.model_copy(update={"team_id": "billing"}), billing=BILLING, ada=an_agent("billing")
    )
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("billing", None)


async def test_a_ticket_stays_in_the_queue_when_nobody_is_there() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", availability="away"))
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("support", None)


async def test_a_ticket_that_an_agent_moves_to_another_team_finds_an_agent_there() -> None:
    desk = await routing_desk(
        mail=MAIL, support=SUPPORT, vip=Team(name="VIP"), ada=an_agent("support"), bob=an_agent("vip")
    )
    assert (await desk.after(OPEN)).assignee_id == "ada"
    ticket = await desk.after(RouteTicket(team_id="vip"))
    assert (ticket.team_id, ticket.assignee_id) == ("vip", "bob")


async def test_a_ticket_that_an_agent_gives_back_goes_to_another_one() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"), bob=an_agent("support"))
    first = (await desk.after(OPEN)).assignee_id
    second = (await desk.after(UnassignTicket(reason="not mine"))).assignee_id
    assert {first, second} == {"ada", "bob"}


async def test_an_assignee_is_never_taken_away() -> None:
    agents = {agent_id: an_agent("support") for agent_id in ("ada", "bob", "zoe")}
    desk = await routing_desk(mail=MAIL, support=SUPPORT, **agents)
    await desk.after(OPEN)
    await desk.after(AssignTicket(agent_id="zoe"))
    assert (await desk.after(REPLY)).assignee_id == "zoe"


@pytest.mark.parametrize("status", ["solved", "closed"])
async def test_a_ticket_that_is_over_is_not_assigned(status: Any) -> None:
    desk = await routing_desk(support=SUPPORT, ada=an_agent("support"))
    await desk.after(OPEN)
    await desk.do(RouteTicket(team_id="support"))
    assert (await desk.after(ChangeStatus(status=status))).assignee_id is None


async def test_an_old_ticket_without_a_team_is_left_alone() -> None:
    desk = await routing_desk(mail=MAIL, support=SUPPORT)
    await desk.after(OPEN)
    await desk.after(RouteTicket(team_id=None))
    assert (await desk.after(REPLY)).team_id is None


async def test_a_channel_or_team_that_does_not_exist_leaves_the_ticket_unrouted() -> None:
    for documents in ({}, {"mail": MAIL}, {"mail": MAIL.model_copy(update={"team_id": None})}):
        assert (await (await routing_desk(**documents)).after(OPEN)).team_id is None


async def test_a_rule_that_names_an_inactive_agent_acts_without_that() -> None:
    rule = a_rule({"do": "set_assignee", "agent_id": "left"}, URGENT)
    desk = await routing_desk(r1=rule, left=an_agent("support", active=False))
    ticket = await desk.after(OPEN)
    assert (ticket.assignee_id, ticket.priority) == (None, "urgent")
    assert await desk.facts() == [Opened, RuleApplied, PriorityChanged]


async def test_a_rule_that_could_do_nothing_is_not_noted() -> None:
    desk = await routing_desk(r1=a_rule({"do": "set_assignee", "agent_id": "gone"}))
    await desk.after(OPEN)
    assert await desk.facts() == [Opened]


async def test_occasions_heard_together_are_all_answered() -> None:
    desk = await routing_desk(
        opening=a_rule(URGENT), replying=a_rule({"do": "add_tags", "tags": ["again"]}, trigger="customer_replied")
    )
    await desk.do(OPEN)
    await desk.do(REPLY)
    await desk.routing.on_commits(desk.message(1, 2))
    ticket = await desk.ticket()
    assert (ticket.priority, ticket.tags) == ("urgent", ("again",))


class SlowStore(FollowedStore):
    """A store in which everybody decides before anybody has appended."""

    async def append_together(self, commits: Any) -> Any:
        """Let the others go first."""
        await asyncio.sleep(0.01)
        return await super().append_together(commits)


async def test_tickets_worked_on_at_the_same_time_go_to_different_agents() -> None:
    agents = {f"agent{number}": an_agent("support") for number in range(4)}
    desk = await routing_desk(SlowStore, mail=MAIL, support=SUPPORT, **agents)
    tickets = [f"t{number:015}" for number in range(40)]
    for ticket_id in tickets:
        await desk.do(OPEN, ticket_id)
    await asyncio.gather(*(desk.routing.on_commits(desk.message(number)) for number in range(1, 41)))
    counts = Counter(await desk.assignees(*tickets))
    assert counts == dict.fromkeys(agents, 10)


class FullStore(FollowedStore):
    """A store whose disk is full as soon as a ticket is opened."""

    async def append_together(self, commits: Any) -> Any:
        if self.last:
            raise OSError("no space left on device")
        return await super().append_together(commits)


async def test_an_agent_whose_assignment_could_not_be_recorded_has_no_ticket() -> None:
    desk = await routing_desk(FullStore, mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.do(OPEN)
    with pytest.raises(OSError, match="no space"):
        await desk.settle()
    (assessment,) = desk.routing.assignment.placing.roster.assess("support", SUPPORT, a_work())
    assert assessment.candidate.open_tickets == 0


def test_routing_hears_what_can_change_where_a_ticket_belongs() -> None:
    assert {
        "ticket.opened.v1", "ticket.customer_replied.v1", "ticket.reopened.v1", "ticket.routed.v1",
        "ticket.assigned.v1", "ticket.unassigned.v1", "ticket.status_changed.v1", "ticket.tags_changed.v1",
    } == PLACED  # fmt: skip


def test_routing_hears_whatever_can_set_a_rule_off() -> None:
    assert TRIGGERS.keys() | PLACED <= HEARD
