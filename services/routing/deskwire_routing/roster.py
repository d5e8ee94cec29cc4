"""Who can take a ticket now: agents from the directory, their work from the log."""

import asyncio
from typing import Final

from structlog import get_logger

from deskwire_routing.strategies.strategy import Candidate
from deskwire_routing.workload import Workload
from deskwire_shared.contracts.access import ROLE_PERMISSIONS
from deskwire_shared.contracts.directory import Agent
from deskwire_shared.contracts.facts import Assigned, StatusChanged, Unassigned
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import mentions, plain_commit
from deskwire_shared.eventstore.port import BrokenHistory

FACTS: Final = (Assigned, Unassigned, StatusChanged)
NAMES: Final = frozenset(model.model_fields["type"].default for model in FACTS)

log = get_logger(__name__)


class Roster:
    """The agents of each team with their work, rebuilt from the log at the start and kept live.

    Each replica has its own. It lags by moments behind what other replicas assign, which makes turns a
    little uneven and nothing wrong: a ticket is guarded by the log itself.
    """

    def __init__(self, directory: Directory, workload: Workload) -> None:
        self._directory = directory
        self.workload = workload
        self._caught_up = asyncio.Event()

    @property
    def is_caught_up(self) -> bool:
        """Whether the log was read to its end once."""
        return self._caught_up.is_set()

    async def caught_up(self, *, patience_seconds: float) -> None:
        """Wait until the log was read to its end. Raises TimeoutError."""
        await asyncio.wait_for(self._caught_up.wait(), patience_seconds)

    async def follow(self, follower: Follower) -> None:
        """Read the log to its end and go on for ever."""
        try:
            if not await follower.open():
                self._caught_up.set()
            while True:
                for delivery in await follower.batch():
                    self.hear(delivery)
        finally:
            await follower.close()

    def hear(self, delivery: Delivery) -> None:
        """Take in a commit."""
        if mentions(delivery.headers.get(FACTS_HEADER, ""), NAMES):
            self._take_in(delivery)
        if not delivery.pending:
            self._caught_up.set()

    def candidates(self, team_id: str) -> tuple[Candidate, ...]:
        """Name the members of a team who are there and may answer customers."""
        agents = self._directory.all(Agent).items()
        return tuple(self._candidate(agent_id) for agent_id, agent in agents if _is_available(agent, team_id))

    def _candidate(self, agent_id: str) -> Candidate:
        return Candidate(
            agent_id=agent_id,
            open_tickets=self.workload.open_tickets(agent_id),
            last_turn=self.workload.last_turn(agent_id),
        )

    def _take_in(self, delivery: Delivery) -> None:
        try:
            commit = plain_commit(delivery.data)
            facts = commit.of(*FACTS)
        except BrokenHistory as error:
            # Whoever reacts to this commit parks it; here it only makes the figures a little wrong.
            log.error("commit cannot be read, roster goes on without it", sequence=delivery.sequence, error=str(error))  # noqa: TRY400
            return
        for fact in facts:
            self.workload.apply(commit.ticket_id, fact)


def _is_available(agent: Agent, team_id: str) -> bool:
    may_answer = "tickets:reply" in ROLE_PERMISSIONS[agent.role]
    return agent.active and agent.availability == "online" and team_id in agent.team_ids and may_answer
