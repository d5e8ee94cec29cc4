"""Three routing processes share a rush of tickets, and one of them is killed in the middle."""

import asyncio
from pathlib import Path

import pytest

from assignment_rush import STRATEGIES, routing_processes, rush

TICKETS = 1_500
AGENTS = 40
WITHIN = 120.0


@pytest.mark.timeout(300)
def test_three_routing_processes_assign_each_ticket_once_and_nobody_beyond_capacity(tmp_path: Path) -> None:
    with routing_processes(tmp_path, 3) as processes:
        found = asyncio.run(rush(processes, tickets=TICKETS, agents=AGENTS, within=WITHIN, seed=20261124))
    assert found.doubled == []
    assert found.beyond == []
    assert found.unskilled == []
    assert found.unexplained == []
    assert found.assignments.total() == TICKETS
    assert any(found.fullest[one] == agent.capacity["default"] for one, agent in found.staff.agents.items())
    assert all(found.spread(strategy)[0] > 0 for strategy in STRATEGIES), "somebody was left out"
