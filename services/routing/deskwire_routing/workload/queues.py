"""A team's queue: tickets that wait for an agent, the most urgent first."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from deskwire_shared.contracts.facts import Priority

Urgency = tuple[datetime, int, int]
"""When the next promise falls due, then the priority, then how long ago the ticket was opened; less is more urgent."""

NEVER: Final = datetime.max.replace(tzinfo=UTC)
RANKS: Final[dict[Priority, int]] = {"urgent": 0, "high": 1, "normal": 2, "low": 3}


def urgency(due: datetime | None, priority: Priority, opened: int) -> Urgency:
    """Say how urgent a ticket is, whose opening has a place in the log."""
    return due or NEVER, RANKS[priority], opened


class Queue:
    """Tickets in the order of their urgency."""

    def __init__(self) -> None:
        self._urgencies: dict[str, Urgency] = {}
        self._order: list[tuple[Urgency, str]] = []

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        return (ticket_id for _, ticket_id in self._order)

    def put(self, ticket_id: str, urgent: Urgency) -> None:
        """Let a ticket wait."""
        self._urgencies[ticket_id] = urgent
        insort(self._order, (urgent, ticket_id))

    def remove(self, ticket_id: str) -> None:
        """Let a ticket wait no longer."""
        place = bisect_left(self._order, (self._urgencies.pop(ticket_id), ticket_id))
        del self._order[place]

    def ahead_of(self, ticket_id: str, urgent: Urgency) -> int:
        """Count the tickets that are more urgent than one, which may wait here or not."""
        return bisect_left(self._order, (urgent, ticket_id))
