"""How replicas keep to an agent's capacity together, whatever dies when.

The log guards each ticket, but an agent's room is spread over many tickets. So whoever is about to assign a ticket
first *claims* room: it writes the ticket into the agent's claims, guarded by their revision. Three rules make the
sum right at every place of the log:

1. A claim names the `placements` of the ticket, and the assignment is only recorded while nobody has moved the
   ticket since. So a claim whose ticket has moved is settled: recorded, then the log counts the ticket, or void.
2. Whoever claims counts the open tickets that the log gives the agent, and the claims that are not settled by it.
3. They write down how far they had read the log, and nobody claims who has not read that far. So what one of them
   counted as settled is in the log that every later one counts. After a disaster the log may end before that; then all
   that is left of it is read.

A claim is never released, and needs no clock: that of a process which died is settled when the ticket is assigned
by another one, to whomever, and until then the ticket itself may be claimed again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict

from deskwire_routing.assignment.capacity import Load, room
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.work import Work
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.runtime.buckets import Kept

ATTEMPTS: Final = 20
PAUSE_SECONDS: Final = 0.002


class Claim(BaseModel):
    """Room for a ticket as it stood after so many placements."""

    model_config = ConfigDict(frozen=True)

    placements: int
    medium: str


class AgentsClaims(BaseModel):
    """What is claimed of one agent's room, by somebody who had read the log to a place."""

    model_config = ConfigDict(frozen=True)

    read_to: int = 0
    tickets: dict[str, Claim] = {}


class ClaimStore(Protocol):
    """Keeps the claims of each agent, and guards them by revision."""

    async def get(self, key: str) -> Kept:
        """The claims of an agent as stored."""
        ...

    async def put(self, key: str, value: bytes, *, revision: int) -> bool:
        """Store the claims of an agent; False when they have changed since that revision."""
        ...


class Claims:
    """Claims room with agents, in competition with the other replicas."""

    def __init__(self, store: ClaimStore, workload: LiveWorkload, log_end: Callable[[], Awaitable[int]]) -> None:
        self._store = store
        self._workload = workload
        self._log_end = log_end
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def claim(self, agent_id: str, agent: Agent, ticket_id: str, work: Work) -> bool:
        """Claim room for a ticket; False when there is none, or rivals keep being faster. Raises TimeoutError."""
        async with self._turns.setdefault(agent_id, asyncio.Lock()):
            for attempt in range(ATTEMPTS):
                kept = await self._store.get(agent_id)
                known = AgentsClaims.model_validate_json(kept.value) if kept.value else AgentsClaims()
                if self._workload.position < known.read_to:
                    await self._workload.reached(min(known.read_to, await self._log_end()))
                others = {
                    other_id: claim
                    for other_id, claim in known.tickets.items()
                    if other_id != ticket_id and not self._is_settled(other_id, claim)
                }
                if room(agent, work.medium, self._load(agent_id, work.medium, others.values())) == 0:
                    return False
                claim = Claim(placements=work.placements, medium=work.medium)
                claims = AgentsClaims(read_to=self._workload.position, tickets={**others, ticket_id: claim})
                if await self._store.put(agent_id, claims.model_dump_json().encode(), revision=kept.revision):
                    return True
                await asyncio.sleep(PAUSE_SECONDS * attempt)
            return False

    def _is_settled(self, ticket_id: str, claim: Claim) -> bool:
        work = self._workload.now.work(ticket_id)
        return work is None or work.placements != claim.placements

    def _load(self, agent_id: str, medium: str, claims: Iterable[Claim]) -> Load:
        now, claimed = self._workload.now, [claim.medium for claim in claims]
        return Load(
            total=now.open_tickets(agent_id) + len(claimed),
            of_medium=now.open_tickets(agent_id, medium) + claimed.count(medium),
        )
