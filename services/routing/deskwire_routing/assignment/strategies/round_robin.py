"""Round robin: the agent whose last turn is the longest ago.

It reads the turns from the log and keeps no counter, so replicas that lag a little stay fair.
"""

from collections.abc import Sequence

from deskwire_routing.assignment.skills import Demand
from deskwire_routing.assignment.strategies.strategy import Candidate, Choice


def pick(candidates: Sequence[Candidate], demand: Demand) -> Choice | None:
    """Pick the agent whose turn it is."""
    del demand
    if not candidates:
        return None
    next_one = min(candidates, key=lambda candidate: (candidate.last_turn, candidate.agent_id))
    return Choice(next_one.agent_id, "their last turn is the longest ago")
