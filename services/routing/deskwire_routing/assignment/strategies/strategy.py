"""What a strategy is given, and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deskwire_routing.assignment.skills import Demand


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An agent who can take a ticket.

    `weight` is the open work, heavier for urgent tickets. `last_turn` and `idle_since` grow with time, 0 is never.
    `served_before` says that the customer's last ticket was theirs.
    """

    agent_id: str
    open_tickets: int = 0
    weight: int = 0
    last_turn: int = 0
    idle_since: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    served_before: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent who was chosen, and why."""

    agent_id: str
    reason: str


Strategy = Callable[[Sequence[Candidate], Demand], Choice | None]
"""Picks the agent for a ticket by the skills it asks for; None when there is nobody to pick."""
