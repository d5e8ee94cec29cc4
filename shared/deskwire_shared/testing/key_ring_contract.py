"""What every key ring promises. A test class inherits it and gives the fixture `keys`."""

import asyncio

from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.keyring import KEY_BYTES, KeyRing, split_key_id


class KeyRingContract:
    """The promises of a key ring."""

    async def test_a_person_keeps_their_key(self, keys: KeyRing) -> None:
        person = new_id()
        key_id, key = await keys.current(person)
        assert len(key) == KEY_BYTES
        assert split_key_id(key_id)[0] == person
        assert await keys.current(person) == (key_id, key)
        assert await keys.find(key_id) == key

    async def test_a_new_person_gets_a_key_without_a_look(self, keys: KeyRing) -> None:
        assert await keys.current(person := new_id(), expect_new=True) == await keys.current(person)

    async def test_people_have_different_keys(self, keys: KeyRing) -> None:
        assert (await keys.current(new_id()))[1] != (await keys.current(new_id()))[1]

    async def test_a_key_that_never_was_is_not_found(self, keys: KeyRing) -> None:
        assert await keys.find(f"{new_id()}.1") is None
        key_id, _ = await keys.current(person := new_id())
        assert await keys.find(f"{person}.{split_key_id(key_id)[1] + 1}") is None

    async def test_writers_at_the_same_time_agree_on_one_key(self, keys: KeyRing) -> None:
        person = new_id()
        found = await asyncio.gather(*(keys.current(person) for _ in range(16)))
        assert len(set(found)) == 1

    async def test_a_destroyed_key_is_gone(self, keys: KeyRing) -> None:
        key_id, _ = await keys.current(person := new_id())
        assert await keys.destroy(person) == 1
        assert await keys.find(key_id) is None

    async def test_destroying_again_destroys_nothing(self, keys: KeyRing) -> None:
        await keys.current(person := new_id())
        await keys.destroy(person)
        assert await keys.destroy(person) == 0
        assert await keys.destroy(new_id()) == 0

    async def test_who_writes_again_after_an_erasure_gets_a_new_key_and_none_of_the_past(self, keys: KeyRing) -> None:
        old_id, old = await keys.current(person := new_id())
        await keys.destroy(person)
        new_key_id, new = await keys.current(person)
        assert new_key_id != old_id
        assert new != old
        assert await keys.find(old_id) is None
        assert await keys.find(new_key_id) == new

    async def test_an_erasure_takes_every_generation(self, keys: KeyRing) -> None:
        person = new_id()
        for _ in range(3):
            key_id, _ = await keys.current(person)
            await keys.destroy(person)
            assert await keys.find(key_id) is None

    async def test_keys_that_were_read_ahead_are_the_same_keys(self, keys: KeyRing) -> None:
        people = {person: await keys.current(person) for person in (new_id() for _ in range(3))}
        gone_id, _ = await keys.current(gone := new_id())
        await keys.destroy(gone)
        await keys.warm([*people, gone, new_id()])
        assert [await keys.find(key_id) for key_id, _ in people.values()] == [key for _, key in people.values()]
        assert await keys.find(gone_id) is None

    async def test_reading_nothing_ahead_is_no_error(self, keys: KeyRing) -> None:
        await keys.warm([])
        await keys.warm([new_id()])
