"""Longest idle: the agent who has neither got nor finished a ticket for the longest time, if possible without any."""

from collections.abc import Sequence

from deskwire_routing.assignment.skills import Demand
from deskwire_routing.assignment.strategies.strategy import Candidate, Choice


def pick(candidates: Sequence[Candidate], demand: Demand) -> Choice | None:
    """Pick the agent who is idle for the longest time."""
    del demand
    if not candidates:
        return None

    def rank(candidate: Candidate) -> tuple[bool, int, str]:
        return candidate.open_tickets > 0, candidate.idle_since, candidate.agent_id

    return Choice(min(candidates, key=rank).agent_id, "they have been idle for the longest time")
