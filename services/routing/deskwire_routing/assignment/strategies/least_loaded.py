"""Least loaded: the agent with the least open work, in which an urgent ticket weighs more than a low one."""

from collections.abc import Sequence

from deskwire_routing.assignment.skills import Demand
from deskwire_routing.assignment.strategies.strategy import Candidate, Choice


def pick(candidates: Sequence[Candidate], demand: Demand) -> Choice | None:
    """Pick the agent with the least work, among equals the one whose last turn is the longest ago."""
    del demand
    if not candidates:
        return None
    least = min(candidates, key=lambda candidate: (candidate.weight, candidate.last_turn, candidate.agent_id))
    return Choice(least.agent_id, f"they have the least work: {least.open_tickets} open, weight {least.weight}")
