"""The open work of a desk as the log tells it: who has which tickets, which queue holds what, whose turn was when."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

from pydantic import BaseModel

from deskwire_routing.workload.queues import Queue
from deskwire_routing.workload.work import Work, carried
from deskwire_shared.contracts.facts import Part, Priority, Status

WEIGHTS: Final[dict[Priority, int]] = {"low": 1, "normal": 2, "high": 4, "urgent": 8}
CUSTOMERS_REMEMBERED: Final = 100_000
"""Customers whose last agent is known; those served longest ago are forgotten first."""


class Memory(BaseModel):
    """All that has to be kept of the log, to go on from where it was read to."""

    tickets: dict[str, Work] = {}
    last_turns: dict[str, int] = {}
    idle_since: dict[str, int] = {}
    last_agents: dict[str, str] = {}


class Workload:
    """The tickets that are not closed, counted by agent and by queue."""

    def __init__(self, memory: Memory | None = None) -> None:
        memory = memory or Memory()
        self._tickets = memory.tickets
        self._last_turns = memory.last_turns
        self._idle_since = memory.idle_since
        self._last_agents = OrderedDict(memory.last_agents)
        self._held: dict[str, dict[str, None]] = {}
        self._weights: Counter[str] = Counter()
        self._media: Counter[tuple[str, str]] = Counter()
        self._queues: dict[str, Queue] = {}
        for ticket_id, work in self._tickets.items():
            self._count_in(ticket_id, work)

    def memory(self) -> Memory:
        """Give what another one can go on from."""
        return Memory.model_construct(
            tickets=self._tickets,
            last_turns=self._last_turns,
            idle_since=self._idle_since,
            last_agents=dict(self._last_agents),
        )

    def copy(self) -> "Workload":
        """Give the same, to go on from by itself."""
        return Workload(
            Memory.model_construct(
                tickets=dict(self._tickets),
                last_turns=dict(self._last_turns),
                idle_since=dict(self._idle_since),
                last_agents=dict(self._last_agents),
            )
        )

    def work(self, ticket_id: str) -> Work | None:
        """Look at a ticket; None when it is closed or was never opened."""
        return self._tickets.get(ticket_id)

    def tickets(self) -> Mapping[str, Work]:
        """All tickets that are not closed."""
        return self._tickets

    def held_by(self, agent_id: str) -> Collection[str]:
        """Name the open tickets of an agent."""
        return self._held.get(agent_id, {}).keys()

    def open_tickets(self, agent_id: str, medium: str | None = None) -> int:
        """Count the open tickets of an agent: all, or those that came by a medium."""
        return len(self._held.get(agent_id, ())) if medium is None else self._media[agent_id, medium]

    def weight(self, agent_id: str) -> int:
        """Weigh the open tickets of an agent by their priorities."""
        return self._weights[agent_id]

    def last_turn(self, agent_id: str) -> int:
        """Tell when the agent last got a ticket: later turns are higher, 0 is never."""
        return self._last_turns.get(agent_id, 0)

    def idle_since(self, agent_id: str) -> int:
        """Tell when the agent last got or got rid of a ticket: later is higher, 0 is never."""
        return self._idle_since.get(agent_id, 0)

    def last_agent_of(self, requester_id: str) -> str | None:
        """Name the agent who last got a ticket of this customer."""
        return self._last_agents.get(requester_id)

    def queue(self, team_id: str) -> Queue:
        """Give the queue of a team."""
        return self._queues.get(team_id) or Queue()

    def waiting_teams(self) -> list[str]:
        """Name the teams in whose queues tickets wait."""
        return [team_id for team_id, queue in self._queues.items() if queue]

    def in_status(self, status: Status) -> list[str]:
        """Name the tickets in a status."""
        return [ticket_id for ticket_id, work in self._tickets.items() if work.status == status]

    def apply(self, ticket_id: str, facts: Iterable[Part], *, sequence: int) -> None:
        """Take in what happened to a ticket at a place in the log."""
        for fact in facts:
            before = self._tickets.get(ticket_id)
            if before is not None:
                self._count_out(ticket_id, before)
            after = carried(before, fact, sequence)
            self._note_turns(before, after, sequence)
            if after is None:
                self._tickets.pop(ticket_id, None)
            else:
                self._tickets[ticket_id] = after
                self._count_in(ticket_id, after)

    def _note_turns(self, before: Work | None, after: Work | None, sequence: int) -> None:
        had = before.agent_id if before and before.is_open else None
        has = after.agent_id if after and after.is_open else None
        if had == has:
            return
        for agent_id in filter(None, (had, has)):
            self._idle_since[agent_id] = sequence
        if after is not None and has is not None and (before is None or before.agent_id != has):
            self._last_turns[has] = sequence
            self._remember_agent(after.requester_id, has)

    def _remember_agent(self, requester_id: str, agent_id: str) -> None:
        self._last_agents[requester_id] = agent_id
        self._last_agents.move_to_end(requester_id)
        if len(self._last_agents) > CUSTOMERS_REMEMBERED:
            self._last_agents.popitem(last=False)

    def _count_in(self, ticket_id: str, work: Work) -> None:
        if work.is_waiting and work.team_id is not None:
            self._queues.setdefault(work.team_id, Queue()).put(ticket_id, work.urgency)
        elif work.is_open and work.agent_id is not None:
            self._held.setdefault(work.agent_id, {})[ticket_id] = None
            self._weights[work.agent_id] += WEIGHTS[work.priority]
            self._media[work.agent_id, work.medium] += 1

    def _count_out(self, ticket_id: str, work: Work) -> None:
        if work.is_waiting and work.team_id is not None:
            self._queues[work.team_id].remove(ticket_id)
        elif work.is_open and work.agent_id is not None:
            del self._held[work.agent_id][ticket_id]
            self._weights[work.agent_id] -= WEIGHTS[work.priority]
            self._media[work.agent_id, work.medium] -= 1


class Known(Protocol):
    """The workload as far as somebody knows it."""

    @property
    def now(self) -> Workload:
        """The workload as of the last place that was read."""
        ...
