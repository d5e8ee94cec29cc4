"""The workload kept live: read from the log to its end at the start, then followed for ever."""

import asyncio
from collections.abc import Callable
from typing import Final

from pydantic import ValidationError
from structlog import get_logger

from deskwire_routing.workload.snapshots import Snapshot, Snapshots
from deskwire_routing.workload.work import READ
from deskwire_routing.workload.workload import Workload
from deskwire_shared.contracts.facts import Part
from deskwire_shared.contracts.upcasts import upcast
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import PlainCommit, mentions, plain_commit
from deskwire_shared.eventstore.port import BrokenHistory

COMMITS_BETWEEN_SNAPSHOTS: Final = 20_000

log = get_logger(__name__)


class LiveWorkload:
    """The workload as of a position in the log.

    Each replica has its own. It lags by moments behind what others record; whoever must not be overtaken waits until
    it has `reached` a place.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self.now = Workload()
        self.position = 0
        self.is_caught_up = False
        self._last = b""
        self._saved = 0
        self._moved = asyncio.Event()

    async def reached(self, sequence: int) -> None:
        """Wait until a place in the log has been read. Raises TimeoutError."""
        if self.position >= sequence:
            return
        async with asyncio.timeout(self._patience_seconds):
            while self.position < sequence:
                await self._moved.wait()

    async def caught_up(self) -> None:
        """Wait until the log has been read to its end: before that a queue may hold more than is known.

        Raises TimeoutError.
        """
        if self.is_caught_up:
            return
        async with asyncio.timeout(self._patience_seconds):
            while not self.is_caught_up:
                await self._moved.wait()

    async def follow(self, new_follower: Callable[[int], Follower], snapshots: Snapshots) -> None:
        """Read on from the last snapshot, for ever; anew should the log turn out to be another one."""
        while True:
            self._start_from(await snapshots.load())
            follower = new_follower(self.position + 1)
            try:
                if not await follower.open():
                    self.catch_up()
                await self._follow(follower, snapshots)
            finally:
                await follower.close()

    async def save(self, snapshots: Snapshots) -> None:
        """Keep what is known for the next start, if that is more than was kept before."""
        if self.is_caught_up and self._last and self.position > self._saved:
            self._saved = self.position
            commit_id = plain_commit(self._last).commit_id
            await snapshots.save(Snapshot(sequence=self.position, commit_id=commit_id, memory=self.now.memory()))

    def hear(self, delivery: Delivery) -> None:
        """Take in a commit."""
        if mentions(delivery.headers.get(FACTS_HEADER, ""), READ.keys()):
            self._take_in(delivery)
        self.position, self._last = delivery.sequence, delivery.data
        if not delivery.pending:
            self.catch_up()
        self._tell()

    async def _follow(self, follower: Follower, snapshots: Snapshots) -> None:
        restarts = follower.restarts
        while True:
            deliveries = await follower.batch()
            if follower.restarts != restarts and not await self._is_of_this_log(snapshots):
                log.warning("the log is not the one that was read, it is read anew", position=self.position)
                return
            restarts = follower.restarts
            for delivery in deliveries:
                self.hear(delivery)
            if self.position - self._saved >= COMMITS_BETWEEN_SNAPSHOTS:
                await self.save(snapshots)

    async def _is_of_this_log(self, snapshots: Snapshots) -> bool:
        """Whether the server, perhaps another one now, still holds what was read last."""
        return not self._last or await snapshots.stands(self.position, plain_commit(self._last).commit_id)

    def _start_from(self, snapshot: Snapshot | None) -> None:
        self.now = Workload(snapshot.memory if snapshot else None)
        self.position = self._saved = snapshot.sequence if snapshot else 0
        self._last = b""
        self.is_caught_up = False

    def catch_up(self) -> None:
        """Know that nothing is left to read."""
        self.is_caught_up = True
        self._tell()

    def _tell(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _take_in(self, delivery: Delivery) -> None:
        try:
            commit = plain_commit(delivery.data)
            facts = facts_read(commit)
        except BrokenHistory as error:
            # Whoever reacts to this commit parks it; here it only makes the figures a little wrong.
            log.error("commit cannot be read, roster goes on without it", sequence=delivery.sequence, error=str(error))  # noqa: TRY400
            return
        self.now.apply(commit.ticket_id, facts, sequence=delivery.sequence)


def facts_read(commit: PlainCommit) -> list[Part]:
    """Read the facts of a commit that matter to the workload. Raises BrokenHistory."""
    try:
        stored = [upcast(fact) for fact in commit.facts]
        return [READ[fact["type"]].model_validate(fact) for fact in stored if fact["type"] in READ]
    except (KeyError, ValidationError) as error:
        raise BrokenHistory(f"commit {commit.commit_id} holds what is no fact: {error!r}") from error
