"""The key ring's promises, kept by the one in memory and the one on JetStream."""

import asyncio

import pytest
import pytest_asyncio
from nats.aio.client import Client

from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.testing.key_ring_contract import KeyRingContract


class TestInMemory(KeyRingContract):
    @pytest.fixture
    def keys(self) -> MemoryKeyRing:
        return MemoryKeyRing()


class TestOnJetStream(KeyRingContract):
    @pytest_asyncio.fixture
    async def keys(self, desk_nats: Client) -> JetStreamKeyRing:
        ring = JetStreamKeyRing(desk_nats)
        await ring.start()
        return ring

    async def test_processes_agree_on_the_keys(self, keys: JetStreamKeyRing, desk_nats: Client) -> None:
        elsewhere = JetStreamKeyRing(desk_nats)
        person = new_id()
        assert await elsewhere.current(person) == await keys.current(person)

    async def test_a_person_who_was_only_thought_new_keeps_their_key(
        self, keys: JetStreamKeyRing, desk_nats: Client
    ) -> None:
        elsewhere = JetStreamKeyRing(desk_nats)
        known = await elsewhere.current(person := new_id())
        assert await keys.current(person, expect_new=True) == known
        await elsewhere.destroy(erased := (await elsewhere.current(new_id()))[0].partition(".")[0])
        assert (await keys.current(erased, expect_new=True))[0] == f"{erased}.2"

    async def test_a_key_destroyed_elsewhere_is_forgotten_here(self, keys: JetStreamKeyRing, desk_nats: Client) -> None:
        key_id, _ = await keys.current(person := new_id())
        await JetStreamKeyRing(desk_nats).destroy(person)
        await desk_nats.flush()
        assert await keys.find(key_id) is None

    async def test_thousands_of_keys_are_read_ahead_in_a_few_requests(
        self, keys: JetStreamKeyRing, desk_nats: Client
    ) -> None:
        people = [new_id() for _ in range(1_500)]
        found = dict(zip(people, await asyncio.gather(*(keys.current(person) for person in people)), strict=True))
        elsewhere = JetStreamKeyRing(desk_nats)
        before = desk_nats.stats["out_msgs"]
        await elsewhere.warm(people)
        assert {person: await elsewhere.current(person) for person in people} == found
        assert desk_nats.stats["out_msgs"] - before < 10
