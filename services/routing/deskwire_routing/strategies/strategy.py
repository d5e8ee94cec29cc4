"""What a strategy is given, and what it answers."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from deskwire_shared.ticket.state import Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An agent who could take a ticket; `last_turn` grows from one assignment to the next."""

    agent_id: str
    open_tickets: int = 0
    last_turn: int = 0


Strategy = Callable[[Collection[Candidate], Ticket], str | None]
"""Picks the agent for a ticket; None when there is no candidate."""
