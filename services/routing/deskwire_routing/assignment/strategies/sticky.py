"""Sticky: the agent who had this customer's last ticket."""

from collections.abc import Sequence

from deskwire_routing.assignment.skills import Demand
from deskwire_routing.assignment.strategies.strategy import Candidate, Choice


def pick(candidates: Sequence[Candidate], demand: Demand) -> Choice | None:
    """Pick the agent who knows the customer; None when that is nobody who can take the ticket."""
    del demand
    known = (candidate for candidate in candidates if candidate.served_before)
    return next((Choice(candidate.agent_id, "they had this customer's last ticket") for candidate in known), None)
