"""Skills: the agent who is best at what the ticket asks for.

Required skills are required whatever the strategy: agents without them are no candidates.
"""

from collections.abc import Sequence

from deskwire_routing.assignment.skills import Demand
from deskwire_routing.assignment.strategies.strategy import Candidate, Choice


def pick(candidates: Sequence[Candidate], demand: Demand) -> Choice | None:
    """Pick the agent with the highest proficiency, among equals the one with the least work."""
    if not candidates:
        return None

    def rank(candidate: Candidate) -> tuple[int, int, int, str]:
        return -demand.match(candidate.skills), candidate.weight, candidate.last_turn, candidate.agent_id

    best = min(candidates, key=rank)
    return Choice(best.agent_id, f"they are best at what is asked for: proficiency {demand.match(best.skills)}")
