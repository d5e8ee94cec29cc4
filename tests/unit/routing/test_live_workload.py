"""The workload as the log is read."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.snapshots import Snapshot
from deskwire_shared.contracts.facts import AnyFact, Assigned, NoteAdded
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.follower import Delivery
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.eventstore.port import UNWRITTEN
from deskwire_shared.testing.ticket import TICKET_ID, a_commit, opened

TO_ADA = Assigned(agent_id="ada")


async def a_delivery(*facts: AnyFact, sequence: int = 1, pending: int = 0, named: bool = True) -> Delivery:
    _, raw = await Codec(MemoryKeyRing()).encode(a_commit(*facts), after=UNWRITTEN)
    headers = {FACTS_HEADER: ",".join(fact.type for fact in facts)} if named else {}
    return Delivery(sequence, f"ticket.00.{TICKET_ID}", raw, headers, pending)


@dataclass
class KeptSnapshot:
    """A snapshot in memory; the log is always the same one."""

    kept: Snapshot | None = None

    async def load(self) -> Snapshot | None:
        return self.kept

    async def save(self, snapshot: Snapshot) -> None:
        self.kept = snapshot

    async def stands(self, sequence: int, commit_id: str) -> bool:
        return True


@pytest.mark.parametrize("named", [True, False])
async def test_the_log_tells_who_has_which_tickets(named: bool) -> None:
    live = LiveWorkload(patience_seconds=1)
    live.hear(await a_delivery(opened(), TO_ADA, named=named))
    assert live.now.open_tickets("ada") == 1


async def test_it_has_caught_up_when_nothing_is_pending() -> None:
    live = LiveWorkload(patience_seconds=1)
    live.hear(await a_delivery(TO_ADA, pending=1))
    assert not live.is_caught_up
    live.hear(await a_delivery(NoteAdded(person_id="p1", message_id="m1", agent_id="ada", text="hm")))
    assert live.is_caught_up


async def test_whoever_waits_for_a_place_in_the_log_goes_on_when_it_has_been_read() -> None:
    live = LiveWorkload(patience_seconds=5)
    waiting = asyncio.create_task(live.reached(2))
    live.hear(await a_delivery(TO_ADA, sequence=1))
    await asyncio.sleep(0)
    assert not waiting.done()
    live.hear(await a_delivery(TO_ADA, sequence=2))
    await waiting


async def test_the_wait_for_a_place_in_the_log_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        await LiveWorkload(patience_seconds=0.01).reached(1)


async def test_a_commit_that_cannot_be_read_does_not_end_the_reading() -> None:
    live = LiveWorkload(patience_seconds=1)
    live.hear(Delivery(1, f"ticket.00.{TICKET_ID}", b"not a commit", {}, 1))
    live.hear(await a_delivery(opened(), TO_ADA, sequence=2))
    assert (live.position, live.now.open_tickets("ada")) == (2, 1)


async def test_what_is_known_is_saved_once_with_the_commit_it_stands_on() -> None:
    live, snapshots = LiveWorkload(patience_seconds=1), KeptSnapshot()
    live.hear(await a_delivery(opened(), TO_ADA, sequence=7))
    await live.save(snapshots)
    assert snapshots.kept is not None
    assert (snapshots.kept.sequence, snapshots.kept.commit_id) == (7, "c2")
    snapshots.kept = None
    await live.save(snapshots)
    assert snapshots.kept is None


async def test_nothing_is_saved_before_the_log_has_been_read() -> None:
    live, snapshots = LiveWorkload(patience_seconds=1), KeptSnapshot()
    live.hear(await a_delivery(opened(), pending=1))
    await live.save(snapshots)
    assert snapshots.kept is None


class AnotherLog:
    """A follower whose server is exchanged for one with an empty log after the first batch."""

    def __init__(self, start: int, *batches: list[Delivery]) -> None:
        self.start = start
        self.restarts = 0
        self._batches = list(batches)

    async def open(self) -> int:
        return sum(map(len, self._batches))

    async def batch(self) -> list[Delivery]:
        self.restarts += 1
        if not self._batches:
            await asyncio.Event().wait()
        return self._batches.pop(0)

    async def close(self) -> None:
        """Nothing is left open."""


class Replaced(KeptSnapshot):
    """Snapshots of a log that is not there any more."""

    async def stands(self, sequence: int, commit_id: str) -> bool:
        return False


async def test_a_log_that_turns_out_to_be_another_one_is_read_from_its_beginning() -> None:
    first = await a_delivery(opened(), TO_ADA, sequence=8, pending=1)
    other = await a_delivery(opened(), Assigned(agent_id="bob"), sequence=1)
    followers: list[AnotherLog] = []

    def new_follower(start: int) -> Any:
        batches = [[first], [other]] if not followers else [[other]]
        followers.append(AnotherLog(start, *batches))
        return followers[-1]

    live = LiveWorkload(patience_seconds=1)
    following = asyncio.create_task(live.follow(new_follower, Replaced()))
    async with asyncio.timeout(5):
        while not live.now.open_tickets("bob"):
            await asyncio.sleep(0)
    await end(following)
    assert [follower.start for follower in followers] == [1, 1]
    assert live.now.open_tickets("ada") == 0


async def test_whoever_looks_at_queues_waits_until_the_log_has_been_read() -> None:
    live = LiveWorkload(patience_seconds=0.01)
    with pytest.raises(TimeoutError):
        await live.caught_up()
    live.catch_up()
    await live.caught_up()
