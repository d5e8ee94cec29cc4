"""A row tells whether it belongs to a selection exactly as the database does."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from deskwire_query.reading.membership import belongs, is_plain
from deskwire_query.reading.read_models import NOBODY, TicketFilter
from deskwire_shared.contracts.conditions import Condition, Conditions
from deskwire_shared.contracts.facts import (
    Assigned,
    Merged,
    PriorityChanged,
    Routed,
    SlaApplied,
    SlaBreached,
    SlaClock,
    Snoozed,
    StatusChanged,
    TagsChanged,
    TypeChanged,
)
from query_desk import MONDAY, QueryDesk, query_desk, ticket_id

SELECTIONS: Final = [
    TicketFilter(),
    TicketFilter(merged=True),
    TicketFilter(statuses=("new", "open"), snoozed=False),
    TicketFilter(snoozed=True),
    TicketFilter(priorities=("urgent", "high")),
    TicketFilter(ticket_type="problem"),
    TicketFilter(team_id="support"),
    TicketFilter(team_id=NOBODY),
    TicketFilter(assignee_id="ada"),
    TicketFilter(assignee_id=NOBODY),
    TicketFilter(requester_id="dora"),
    TicketFilter(channel="chat"),
    TicketFilter(tags=("vip",)),
    TicketFilter(tags=("vip", "refund")),
    TicketFilter(breached=True),
    TicketFilter(breached=False),
    TicketFilter(due_before=MONDAY + timedelta(hours=2)),
    TicketFilter(opened_after=MONDAY + timedelta(minutes=4)),
    TicketFilter(opened_before=MONDAY + timedelta(minutes=4)),
    TicketFilter(updated_after=MONDAY + timedelta(minutes=12)),
]


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[QueryDesk]:
    """A desk with a ticket of every sort."""
    async with query_desk(f"sqlite+aiosqlite:///{tmp_path}/desk.db") as built:
        await built.open(1)
        await built.open(2, requester_id="dora", channel="chat")
        for number in range(3, 9):
            await built.open(number)
        await built.add(1, StatusChanged(before="new", after="open"), Assigned(agent_id="ada"))
        await built.add(2, TagsChanged(added=("vip",), tags=("vip",)), PriorityChanged(before="normal", after="urgent"))
        await built.add(
            3, TagsChanged(added=("vip", "refund"), tags=("refund", "vip")), TypeChanged(before=None, after="problem")
        )
        await built.add(4, Routed(team_id="support"))
        await built.add(5, Snoozed(until=MONDAY + timedelta(days=1), agent_id="ada"))
        await built.add(6, Merged(into=ticket_id(1), into_number=1))
        due = MONDAY + timedelta(hours=1)
        clock = SlaClock(metric="resolution", cycle=1, state="running", target=3600, used=0, due_at=due)
        await built.add(7, SlaApplied(policy_id="gold", clocks=(clock,)))
        breach = SlaBreached(metric="resolution", cycle=1, policy_id="gold", target=3600, due_at=due)
        await built.add(8, SlaApplied(policy_id="gold", clocks=(clock,)), breach)
        yield built


@pytest.mark.parametrize("wanted", SELECTIONS)
async def test_a_row_and_the_database_agree_on_where_it_belongs(desk: QueryDesk, wanted: TicketFilter) -> None:
    everything = await desk.reader.rows([ticket_id(number) for number in range(1, 9)])
    listed = await desk.reader.list_tickets(wanted)
    assert {row.number for row in everything if belongs(row, wanted)} == {row.number for row in listed.items}


async def test_every_selection_of_these_tests_tells_tickets_apart(desk: QueryDesk) -> None:
    everything = await desk.reader.rows([ticket_id(number) for number in range(1, 9)])
    found = [frozenset(row.number for row in everything if belongs(row, wanted)) for wanted in SELECTIONS[1:8]]
    assert all(one != other for one, other in itertools.combinations(found, 2))


async def test_conditions_are_asked_of_the_database(desk: QueryDesk) -> None:
    spoken = TicketFilter(conditions=Conditions(all=(Condition(field="ticket.tags", op="contains", value="refund"),)))
    impossible = TicketFilter(conditions=Conditions(all=(Condition(field="message.text", op="contains", value="x"),)))
    assert not is_plain(spoken)
    ids = [ticket_id(number) for number in range(1, 9)]
    found = await desk.reader.changed(ids, [spoken, impossible, TicketFilter(assignee_id="ada")])
    assert found.members[spoken] == {ticket_id(3)}
    assert found.members[impossible] == frozenset()
    assert found.members[TicketFilter(assignee_id="ada")] == {ticket_id(1)}
    assert len(found.rows) == 8
