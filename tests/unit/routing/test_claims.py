"""Several replicas keep to the capacity of agents together, however far they lag and whoever dies."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from itertools import count

import pytest

from deskwire_routing.assignment.claims import AgentsClaims, Claims
from deskwire_routing.assignment.placing import SOON
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.work import Opening
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import Assigned, StatusChanged
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.port import Recorded, Tip
from deskwire_shared.ticket.commands import ChangeStatus
from routing_desk import (
    MAIL,
    FollowedStore,
    MemoryClaims,
    RoutingDesk,
    a_team,
    a_work,
    an_agent,
    another_replica,
    opening,
    routing_desk,
)

ONE = an_agent("support", capacity={"default": 1})
TWO_CHATS = an_agent("support", capacity={"default": 3, "chat": 2})
OPENING = Opening(requester_id="cora", channel="email")


def a_replica(store: MemoryClaims, *, log_end: int = 1_000) -> tuple[Claims, LiveWorkload]:
    """Somebody who claims, and what they have read; three tickets are opened."""

    async def end() -> int:
        return log_end

    live = LiveWorkload(patience_seconds=5)
    for sequence, ticket_id in enumerate(("t1", "t2", "t3"), 1):
        live.now.apply(ticket_id, [OPENING], sequence=sequence)
        live.position = sequence
    return Claims(store, live, end), live


def read(live: LiveWorkload, ticket_id: str, *facts: Assigned | StatusChanged) -> None:
    """Read a commit on."""
    live.position += 1
    live.now.apply(ticket_id, facts, sequence=live.position)
    live._tell()


async def test_room_that_is_claimed_by_one_is_no_room_for_another() -> None:
    store = MemoryClaims()
    (ada, _), (bob, _) = a_replica(store), a_replica(store)
    assert await ada.claim("agent", ONE, "t1", a_work())
    assert not await bob.claim("agent", ONE, "t2", a_work())


async def test_a_ticket_can_be_claimed_again_by_whoever_takes_over() -> None:
    store = MemoryClaims()
    (dead, _), (heir, _) = a_replica(store), a_replica(store)
    assert await dead.claim("agent", ONE, "t1", a_work())
    assert await heir.claim("agent", ONE, "t1", a_work())


async def test_a_claim_is_settled_when_its_ticket_has_moved() -> None:
    store = MemoryClaims()
    claims, live = a_replica(store)
    assert await claims.claim("agent", ONE, "t1", a_work())
    read(live, "t1", Assigned(agent_id="other"))
    assert await claims.claim("agent", ONE, "t2", a_work())


async def test_a_settled_claim_counts_as_the_ticket_it_became() -> None:
    store = MemoryClaims()
    claims, live = a_replica(store)
    assert await claims.claim("agent", ONE, "t1", a_work())
    read(live, "t1", Assigned(agent_id="agent"))
    assert not await claims.claim("agent", ONE, "t2", a_work())
    read(live, "t1", StatusChanged(before="open", after="solved"))
    assert await claims.claim("agent", ONE, "t2", a_work())


async def test_nobody_claims_who_has_read_less_than_the_last_one_had() -> None:
    store = MemoryClaims()
    (ahead, ahead_live), (behind, behind_live) = a_replica(store), a_replica(store)
    assert await ahead.claim("agent", TWO_CHATS, "t1", a_work())
    read(ahead_live, "t1", Assigned(agent_id="agent"))
    assert await ahead.claim("agent", TWO_CHATS, "t2", a_work())
    late = asyncio.create_task(behind.claim("agent", TWO_CHATS, "t3", a_work()))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not late.done()
    read(behind_live, "t1", Assigned(agent_id="agent"))
    assert await late


async def test_a_claim_of_a_log_that_lost_its_end_keeps_nobody_waiting_for_what_will_not_come() -> None:
    store = MemoryClaims()
    before, before_live = a_replica(store)
    before_live.position = 500
    assert await before.claim("agent", TWO_CHATS, "lost", a_work())
    after, _ = a_replica(store, log_end=3)
    assert await after.claim("agent", ONE, "t1", a_work())


async def test_a_medium_is_claimed_for_itself() -> None:
    claims, _ = a_replica(MemoryClaims())
    chat = a_work(medium="chat")
    assert await claims.claim("agent", TWO_CHATS, "t1", chat)
    assert await claims.claim("agent", TWO_CHATS, "t2", chat)
    assert not await claims.claim("agent", TWO_CHATS, "t3", chat)
    assert await claims.claim("agent", TWO_CHATS, "t3", a_work())


async def test_claims_stay_as_many_as_there_are_tickets_on_their_way() -> None:
    store = MemoryClaims()
    claims, live = a_replica(store)
    roomy = an_agent("support", capacity={"default": 1000})
    for number in range(50):
        live.now.apply(f"n{number}", [OPENING], sequence=live.position + 1)
        read(live, f"n{number}")
        assert await claims.claim("agent", roomy, f"n{number}", a_work())
        read(live, f"n{number}", Assigned(agent_id="agent"))
    assert len(AgentsClaims.model_validate_json(store.kept["agent"].value).tickets) == 1


class LaggingStore(FollowedStore):
    """A log that each follower hears in order, but by and by."""

    def __init__(self, codec: Codec) -> None:
        super().__init__(codec)
        self.chance = random.Random()
        self._heard: Counter[int] = Counter()
        self.telling: set[asyncio.Task[None]] = set()

    async def append_together(self, commits: Sequence[tuple[Commit, Tip]]) -> tuple[Recorded, ...]:
        """Store commits; whoever is faster wins."""
        await self.turns(3)
        recorded = await super(FollowedStore, self).append_together(commits)
        for number, follower in enumerate(self.followers):
            task = asyncio.create_task(self._tell(number, follower))
            self.telling.add(task)
            task.add_done_callback(self.telling.discard)
        return recorded

    async def _tell(self, number: int, follower: LiveWorkload) -> None:
        await self.turns(30)
        self._heard[number] += 1
        follower.hear(self.delivery(self._heard[number]))

    async def turns(self, most: int) -> None:
        """Let others go first."""
        for _ in range(self.chance.randrange(most)):
            await asyncio.sleep(0)


class Rush:
    """Replicas that hear of every commit in any order, and die on the way; agents who solve what they get."""

    def __init__(self, desk: RoutingDesk, store: LaggingStore, *, replicas: int, capacity: int) -> None:
        self.desk = desk
        self.store = store
        self.capacity = capacity
        self.replicas = [
            another_replica(store, desk.directory, desk.clock, desk.claims, desk.timers) for _ in range(replicas)
        ]
        self.deaths = 0

    async def run(self) -> None:
        """Hear of everything until there is nothing left to hear."""
        heard = 0
        async with asyncio.TaskGroup() as tasks:
            running: set[asyncio.Task[None]] = set()
            while heard < self.store.last or any(not task.done() for task in running):
                while heard < self.store.last:
                    heard += 1
                    running.add(tasks.create_task(self._hear(heard)))
                    running.add(tasks.create_task(self._solve(heard)))
                await asyncio.sleep(0)

    async def _hear(self, sequence: int) -> None:
        while True:
            replica = self.store.chance.choice(self.replicas)
            reacting = asyncio.create_task(replica.routing.on_commits(replica.message(sequence)))
            if self.store.chance.random() < 0.2:
                await self.store.turns(25)
                if reacting.cancel():
                    self.deaths += 1
                    await asyncio.wait([reacting])
                    continue
            return await reacting

    async def _solve(self, sequence: int) -> None:
        (commit,) = [await self.desk.store._codec.decode(self.store._stored[sequence - 1][1])]
        if any(isinstance(fact, Assigned) for fact in commit.facts) and self.store.chance.random() < 0.6:
            await self.store.turns(100)
            await self.desk.do(ChangeStatus(status="solved"), commit.ticket_id)

    async def wait(self) -> None:
        """Let time pass until no timer is left that fills a queue."""
        while self.desk.timers.standing.pop(("support", "soon"), None):
            now = self.desk.clock.advance(SOON)
            await self.store.chance.choice(self.replicas).routing.assignment.on_alarm("support", "soon", now)
            await self.run()
        await asyncio.gather(*self.store.telling)


async def replayed(store: FollowedStore, capacity: int) -> Counter[str]:
    """Read the log in order; nobody ever has too much, and no ticket is given to two."""
    holders: dict[str, str] = {}
    open_tickets: Counter[str] = Counter()
    for _, raw in store._stored:
        commit = await store._codec.decode(raw)
        for fact in commit.facts:
            if isinstance(fact, Assigned):
                assert commit.ticket_id not in holders, "assigned twice"
                holders[commit.ticket_id] = fact.agent_id
                open_tickets[fact.agent_id] += 1
                assert open_tickets[fact.agent_id] <= capacity, "over capacity"
            elif isinstance(fact, StatusChanged) and fact.after == "solved":
                open_tickets[holders[commit.ticket_id]] -= 1
    return Counter(holders.values())


@pytest.mark.parametrize("seed", range(8))
async def test_no_replica_goes_beyond_capacity_or_assigns_twice_however_they_lag_and_die(seed: int) -> None:
    agents = {f"agent{number}": an_agent("support", capacity={"default": 2}) for number in range(4)}
    desk = await routing_desk(LaggingStore, mail=MAIL, support=a_team(assignment="least_loaded"), **agents)
    store = desk.store
    assert isinstance(store, LaggingStore)
    store.chance.seed(seed)
    rush = Rush(desk, store, replicas=3, capacity=2)
    numbers = count()
    for _ in range(40):
        await desk.do(opening(), f"t{next(numbers):015}")
    await rush.run()
    await rush.wait()
    served = await replayed(store, capacity=2)
    assert rush.deaths > 0
    waiting = len(desk.routing.assignment.workload.now.queue("support"))
    assert served.total() == 40 - waiting
    assert waiting == 0 or all(desk.routing.assignment.workload.now.open_tickets(agent) == 2 for agent in agents)
