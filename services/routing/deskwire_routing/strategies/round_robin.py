"""Round robin: whoever has the fewest open tickets, and among those the one who has waited longest.

It reads the turns from the log and keeps no counter, so replicas that lag a little stay fair.
"""

from collections.abc import Collection

from deskwire_routing.strategies.strategy import Candidate
from deskwire_shared.ticket.state import Ticket


def pick(candidates: Collection[Candidate], ticket: Ticket) -> str | None:
    """Pick the agent whose turn it is; who gave the ticket back gets it again only for want of others."""

    def turn(candidate: Candidate) -> tuple[bool, int, int, str]:
        gave_it_back = candidate.agent_id == ticket.previous_assignee_id
        return gave_it_back, candidate.open_tickets, candidate.last_turn, candidate.agent_id

    return min(candidates, key=turn).agent_id if candidates else None
