"""Rules and people write on one ticket at the same time, and what they wrote tells integrators everything."""

import asyncio
from typing import Any

import pytest

from deskwire_shared.contracts.facts import Merged, MergeReceived, RuleApplied, TagsChanged
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.recorder import Cause, VersionConflict
from deskwire_shared.testing.ticket import AGENT, TICKET_ID, a_ticket
from deskwire_shared.ticket.commands import ChangePriority, ChangeTags, MergeTicket, ReceiveMerge
from deskwire_shared.ticket.decider import decide
from routing_desk import FollowedStore, RoutingDesk, a_rule, another_replica, opening, routing_desk


class SlowStore(FollowedStore):
    """A store in which everybody decides before anybody has appended."""

    async def append_together(self, commits: Any) -> Any:
        """Let the others go first."""
        await asyncio.sleep(0.01)
        return await super().append_together(commits)


async def a_desk_with_a_rule() -> RoutingDesk:
    rule = a_rule({"do": "add_tags", "tags": ["by-rule"]}, {"do": "set_priority", "priority": "high"})
    desk = await routing_desk(SlowStore, r1=rule)
    await desk.do(opening(message_id="m1", tags=("first",)))
    return desk


async def test_an_agent_and_a_rule_never_lose_each_others_tags() -> None:
    desk = await a_desk_with_a_rule()
    elsewhere = another_replica(desk.store, desk.directory, desk.clock, desk.claims, desk.timers)
    await asyncio.gather(
        elsewhere.routing.on_commits(desk.message(1)), desk.do(ChangeTags(add=("by-agent",), remove=("first",)))
    )
    assert (await desk.ticket()).tags == ("by-agent", "by-rule")


async def test_a_rule_that_is_heard_of_twice_at_the_same_time_acts_once() -> None:
    desk = await a_desk_with_a_rule()
    elsewhere = another_replica(desk.store, desk.directory, desk.clock, desk.claims, desk.timers)
    await asyncio.gather(*(one.routing.on_commits(desk.message(1)) for one in (desk, elsewhere, desk)))
    assert (await desk.facts()).count(RuleApplied) == 1


async def test_rules_that_write_more_than_a_commit_holds_leave_the_rest_undone() -> None:
    note = a_rule({"do": "write_note", "text": "ü" * 20_000})
    desk = await routing_desk(**{f"r{number:02}": note for number in range(20)})
    ticket = await desk.after(opening(message_id="m1"))
    assert 1 < len(ticket.messages) - 1 < 20


async def test_whoever_writes_on_a_version_that_is_past_is_told_what_came_in_between() -> None:
    desk = await a_desk_with_a_rule()
    await desk.settle()
    wish = ChangePriority(priority="low")
    with pytest.raises(VersionConflict) as conflict:
        await desk.recorder.record(TICKET_ID, wish, Cause(new_id(), AGENT, desk.clock.now()), expected_version=1)
    since = [fact for recorded in conflict.value.since for fact in recorded.commit.facts]
    assert [fact.type for fact in since] == [
        "ticket.rule_applied.v1",
        "ticket.tags_changed.v1",
        "ticket.priority_changed.v1",
    ]
    assert (await desk.ticket()).priority == "high"


def test_a_merge_tells_its_target_and_the_target_its_source() -> None:
    merged = decide(MergeTicket(into="t2", into_number=2), a_ticket())[0]
    assert isinstance(merged, Merged)
    assert (merged.into, merged.into_number) == ("t2", 2)
    (received,) = decide(ReceiveMerge(source="t1", source_number=1), a_ticket())
    assert isinstance(received, MergeReceived)
    assert (received.source, received.source_number) == ("t1", 1)


def test_a_change_of_tags_tells_all_tags_that_hold_and_which_came_and_went() -> None:
    (changed,) = decide(ChangeTags(add=("c",), remove=("a",)), a_ticket(tags=("a", "b")))
    assert changed == TagsChanged(added=("c",), removed=("a",), tags=("b", "c"))
