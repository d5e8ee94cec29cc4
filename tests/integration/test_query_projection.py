"""Projections on a real log and both databases: exactly once, whatever dies, moves or lies."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deskwire_query import catalogue, generations
from deskwire_query.catalogue import Overtaken
from deskwire_query.projections.log import LogChanged
from deskwire_query.projections.runner import Runner
from deskwire_query.reading.reader import Reader
from deskwire_query.verifying import verify
from deskwire_shared.contracts.facts import Address, Assigned, StatusChanged, TagsChanged
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.subjects import TICKETS, ticket_subject
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.runtime.streams import migrate
from query_desk import MONDAY, opening, ticket_id
from query_log import World, a_world, projectors, until


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest_asyncio.fixture
async def world(fresh_nats: str, database_url: str) -> AsyncIterator[World]:
    async with a_world(fresh_nats, database_url) as world:
        yield world


async def test_a_desk_is_projected_from_its_first_commit(world: World) -> None:
    await world.write(1)
    await world.write(1, StatusChanged(before="new", after="open"), Assigned(agent_id="ada"))
    await world.write(2)
    generation = await world.living()
    assert generation.position.sequence == 3
    assert await world.count(generation, "tickets") == 2
    assert await world.count(generation, "ledger") == 3
    assert await world.count(generation, "timeline") == 4


async def test_two_projectors_that_start_at_once_build_one_desk(world: World) -> None:
    for number in range(1, 11):
        await world.write(number)

    async def lives() -> bool:
        async with world.database.reading() as connection:
            found = await catalogue.list_generations(connection)
        return [(one.state, one.position.sequence) for one in found] == [("living", 10)]

    async with projectors(world, 2):
        await until(lives)


async def test_two_projectors_at_once_apply_every_commit_once(world: World) -> None:
    await world.living()

    async def caught_up() -> bool:
        return (await world.living()).position.sequence == 80

    async with projectors(world, 2):
        for number in range(1, 41):
            await world.write(number)
            await world.write(number, StatusChanged(before="new", after="open"))
        await until(caught_up)
    living = await world.living()
    assert await world.count(living, "ledger") == 80
    assert await world.count(living, "gaps") == 0
    rebuilt = await generations.rebuild(world.sources, grace_seconds=0)
    assert (await world.count(rebuilt.generation, "tickets")) == 40


async def test_a_projector_that_dies_between_batches_goes_on_where_it_was(world: World) -> None:
    generation = await world.living()
    for number in range(1, 11):
        await world.write(number)
    first = Runner(world.sources, generation)
    await first.catch_up()
    for number in range(1, 11):
        await world.write(number, StatusChanged(before="new", after="open"))
    second = Runner(world.sources, await world.living())
    await second.catch_up()
    with pytest.raises(Overtaken):
        await first.catch_up()
    assert (await world.living()).position.sequence == 20
    assert await world.count(second.generation, "gaps") == 0


async def test_a_failed_batch_leaves_neither_rows_nor_position(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    generation = await world.living()
    await world.write(1)
    runner = Runner(world.sources, generation)

    class Fault(Exception):
        pass

    async def fail(*_: Any) -> None:
        raise Fault

    with monkeypatch.context() as patched:
        patched.setattr(runner._desk, "_write_documents", fail)
        with pytest.raises(Fault):
            await runner.catch_up()
    assert await world.count(generation, "tickets") == 0
    assert (await world.living()).position.sequence == 0
    await runner.catch_up()
    assert await world.count(generation, "tickets") == 1


async def test_a_lost_tail_whose_numbers_are_given_away_again_halts_the_projection(world: World) -> None:
    generation = await world.living()
    await world.write(1)
    await world.write(2)
    runner = Runner(world.sources, generation)
    await runner.catch_up()
    forged = replace(runner.position, commit_id="of-the-lost-tail")
    async with world.database.writing() as connection:
        await catalogue.advance(connection, runner.generation, forged)
    with pytest.raises(LogChanged, match=r"sequence 2 holds c2\.0, not commit of-the-lost-tail"):
        await Runner(world.sources, await world.living()).follow()


async def test_a_log_that_is_shorter_than_what_was_projected_halts_the_projection(world: World) -> None:
    await world.write(1)
    generation = await world.living()
    beyond = replace(generation.position, sequence=7, commit_id="of-the-lost-tail")
    async with world.database.writing() as connection:
        await catalogue.advance(connection, generation, beyond)
    with pytest.raises(LogChanged, match="sequence 7 holds nothing"):
        await Runner(world.sources, await world.living()).follow()


async def test_a_log_that_was_made_anew_halts_the_projection(world: World) -> None:
    await world.write(1)
    await world.living()
    await world.connection.jetstream().delete_stream(TICKETS)
    await migrate(world.connection.jetstream())
    world.tips.clear()
    await world.write(1)
    with pytest.raises(LogChanged, match="made anew"):
        await Runner(world.sources, await world.living()).follow()


async def test_a_rebuild_after_a_lost_tail_keeps_the_old_ledger(world: World) -> None:
    await world.write(1)
    generation = await world.living()
    beyond = replace(generation.position, sequence=7, commit_id="of-the-lost-tail")
    async with world.database.writing() as connection:
        await catalogue.advance(connection, generation, beyond)
    rebuilt = await generations.rebuild(world.sources, grace_seconds=0)
    assert rebuilt.kept_ledger == f"g{generation.number}_ledger"
    assert (await world.living()).position.sequence == 1
    assert await world.count(generation, "ledger") == 1


async def test_a_rebuild_while_the_desk_is_written_to_gives_the_same_tables(world: World) -> None:
    for number in range(1, 31):
        await world.write(number)
    first = await world.living()

    async def write() -> None:
        for number in range(1, 31):
            await world.write(number, StatusChanged(before="new", after="open"))
            await world.write(number, StatusChanged(before="open", after="solved"))

    async def caught_up() -> bool:
        return (await world.living()).position.sequence == 90

    async with projectors(world, 1):
        writing = asyncio.create_task(write())
        rebuilt = await generations.rebuild(world.sources, grace_seconds=0)
        await writing
        await until(caught_up)
    living = await world.living()
    assert living.number == rebuilt.generation.number > first.number
    kept = await world.dump(living)
    again = await generations.rebuild(world.sources, grace_seconds=0)
    assert await world.dump(again.generation) == kept
    async with world.database.reading() as connection:
        assert [found.number for found in await catalogue.list_generations(connection)] == [again.generation.number]


async def test_a_commit_that_cannot_be_read_is_told_and_the_projection_goes_on(world: World) -> None:
    generation = await world.living()
    await world.write(1)
    await world.connection.jetstream().publish(ticket_subject(ticket_id(1)), b"\xff no commit", stream=TICKETS)
    await world.write(2)
    told = []

    async def unreadable(logged: Any) -> None:
        told.append(logged.sequence)

    runner = Runner(world.sources, generation, unreadable=unreadable)
    await runner.catch_up()
    assert told == [2]
    assert runner.position.sequence == 3
    assert await world.count(generation, "ledger") == 3
    assert await world.count(generation, "gaps") == 1
    again = Runner(world.sources, await world.living())
    await again.catch_up()
    assert again.position.commit_id == "c2.0"


async def test_the_position_can_stand_on_a_commit_that_cannot_be_read(world: World) -> None:
    generation = await world.living()
    await world.connection.jetstream().publish(ticket_subject(ticket_id(1)), b"no commit", stream=TICKETS)
    await Runner(world.sources, generation).catch_up()
    await world.write(2)
    runner = Runner(world.sources, await world.living())
    await runner.catch_up()
    assert runner.position.sequence == 2


async def test_a_build_that_was_cut_off_is_taken_up_again(world: World) -> None:
    for number in range(1, 6):
        await world.write(number)
    begun = await generations.find_or_start(world.sources)
    filling = Runner(world.sources, begun)
    await filling.catch_up()
    await world.write(6)
    generation = await world.living()
    assert generation.number == begun.number
    assert await world.count(generation, "tickets") == 6


async def test_an_erased_person_is_gone_from_all_that_was_projected(world: World) -> None:
    secret = Address(address="zoe@secret.example", name="Zoe Secret")
    zoe = new_id()
    said = {"author": secret, "subject": "My hushhush", "text": "swordfish"}
    await world.write(1, opening(1, requester_id=zoe, person_id=zoe, **said))
    await world.write(1, StatusChanged(before="new", after="open"), TagsChanged(tags=("vip",)))
    await world.write(2)
    generation = await world.living()
    reader = Reader(world.database, MemoryDirectory(world.keys, lambda: MONDAY))
    assert [hit.ticket.number for hit in await reader.search("swordfish")] == [1]
    before = await world.dump(generation)

    async def is_gone() -> bool:
        return "swordfish" not in str(await world.dump(generation)) and not await reader.search("hushhush")

    async with projectors(world, 1):
        await world.keys.destroy(zoe)
        await until(is_gone)
        await world.write(1, StatusChanged(before="open", after="pending"))
        await until(lambda: _has_reached(world, 4))
    after = await world.dump(generation)
    for word in ("swordfish", "hushhush", "Zoe Secret", "zoe@secret.example"):
        assert word in str(before)
        assert word not in str(after), word
    assert [hit.ticket.number for hit in await reader.search("tag:vip is:pending")] == [1]
    assert [len(after[name]) for name in ("ledger", "tickets", "timeline", "tags")] == [4, 2, 5, 1]
    assert (await verify(world.sources)).differences == []


async def test_an_erasure_that_nobody_projected_is_made_up_for(world: World) -> None:
    person_id = new_id()
    await world.write(1, opening(1, requester_id=person_id, person_id=person_id, text="swordfish"))
    generation = await world.living()
    await world.keys.destroy(person_id)

    async def is_gone() -> bool:
        return "swordfish" not in str(await world.dump(generation))

    async with projectors(world, 1):
        await until(is_gone)


async def _has_reached(world: World, sequence: int) -> bool:
    return (await world.living()).position.sequence == sequence
