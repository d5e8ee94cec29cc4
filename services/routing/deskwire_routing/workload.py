"""How many open tickets each agent has, and whose turn was when."""

from collections import Counter

from deskwire_shared.contracts.facts import Assigned, Fact, Status, StatusChanged, Unassigned
from deskwire_shared.ticket.lifecycle import OVER


class Workload:
    """The assignments of all tickets that are not closed, in memory."""

    def __init__(self) -> None:
        self._agents: dict[str, str] = {}
        self._solved: set[str] = set()
        self._open: Counter[str] = Counter()
        self._last_turns: dict[str, int] = {}
        self._turns = 0

    def open_tickets(self, agent_id: str) -> int:
        """Count the unsolved tickets of an agent."""
        return self._open[agent_id]

    def last_turn(self, agent_id: str) -> int:
        """Tell when the agent last got a ticket: later turns are higher, 0 is never."""
        return self._last_turns.get(agent_id, 0)

    def apply(self, ticket_id: str, fact: Fact) -> None:
        """Take in what happened to a ticket."""
        match fact:
            case Assigned(agent_id=agent_id):
                self.assign(ticket_id, agent_id)
            case Unassigned():
                self.assign(ticket_id, None)
            case StatusChanged(after=status):
                self.put(ticket_id, status)

    def assign(self, ticket_id: str, agent_id: str | None) -> None:
        """Make an agent, or nobody, responsible for a ticket."""
        if self._agents.get(ticket_id) == agent_id:
            return
        self._count(ticket_id, -1)
        if agent_id is None:
            del self._agents[ticket_id]
            return
        self._agents[ticket_id] = agent_id
        self._count(ticket_id, 1)
        self._turns += 1
        self._last_turns[agent_id] = self._turns

    def put(self, ticket_id: str, status: Status) -> None:
        """Put a ticket in a status; a solved one is no work, a closed one is forgotten."""
        self._count(ticket_id, -1)
        if status in OVER:
            self._solved.add(ticket_id)
        else:
            self._solved.discard(ticket_id)
        self._count(ticket_id, 1)
        if status == "closed":
            self._solved.discard(ticket_id)
            self._agents.pop(ticket_id, None)

    def _count(self, ticket_id: str, step: int) -> None:
        if ticket_id not in self._solved and (agent_id := self._agents.get(ticket_id)) is not None:
            self._open[agent_id] += step
