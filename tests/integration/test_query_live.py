"""The hub: everybody hears of every commit once, also who comes back, is slow or waits for an own write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from deskwire_query import live
from deskwire_query.live import Announcement, Hub, NotCaughtUp, TooManyListeners
from deskwire_query.projections.runner import Runner
from deskwire_query.reading.reader import Reader
from deskwire_shared.contracts.facts import StatusChanged
from deskwire_shared.contracts.subjects import PROJECTED_SUBJECT
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.memory import MemoryKeyRing
from query_desk import MONDAY, ticket_id
from query_log import DEADLINE, World, a_world


@pytest_asyncio.fixture
async def world(fresh_nats: str, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(fresh_nats, f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}") as world:
        yield world


@asynccontextmanager
async def a_hub(world: World, *, most_listeners: int = 10) -> AsyncIterator[Hub]:
    """A hub at work, on read models that have caught up."""
    runner = Runner(world.sources, await world.living())
    await runner.catch_up()
    reader = Reader(world.database, MemoryDirectory(MemoryKeyRing(), lambda: MONDAY))
    hub = Hub(world.connection, reader, most_listeners=most_listeners)
    await hub.start()
    running = asyncio.create_task(hub.run())
    await hub.wait_for(runner.position.sequence, within=DEADLINE)
    try:
        yield hub
    finally:
        await end(running)


async def project(world: World) -> int:
    """Bring the read models up to date and say so."""
    runner = Runner(world.sources, await world.living())
    await runner.catch_up()
    await world.connection.publish(PROJECTED_SUBJECT, b"{}")
    return runner.position.sequence


async def heard(hub: Hub, count: int, after: int | None = None) -> list[Announcement]:
    """Listen for so many announcements."""
    found: list[Announcement] = []
    async with asyncio.timeout(DEADLINE), aclosing(hub.listen(after)) as announcements:
        async for announcement in announcements:
            found.append(announcement)
            if len(found) == count:
                return found
    return found


async def test_a_commit_is_announced_when_it_can_be_read(world: World) -> None:
    await world.write(1)
    async with a_hub(world) as hub:
        listening = asyncio.create_task(heard(hub, 1))
        await world.write(1, StatusChanged(before="new", after="open"))
        await project(world)
        (announcement,) = await listening
    assert announcement == Announcement(2, ticket_id(1), 2, ("ticket.status_changed.v1",))


async def test_a_frame_names_its_sequence_so_that_a_lost_connection_goes_on_behind_it(world: World) -> None:
    announcement = Announcement(7, "t1", 3, ("ticket.routed.v1",))
    assert announcement.frame == (
        b"id: 7\r\nevent: commit\r\n"
        b'data: {"sequence": 7, "ticket_id": "t1", "version": 3, "facts": ["ticket.routed.v1"]}\r\n\r\n'
    )
    assert announcement.frame is announcement.frame
    assert Announcement(7, event="reset").frame == b'id: 7\r\nevent: reset\r\ndata: {"sequence": 7}\r\n\r\n'


async def test_who_comes_back_is_told_what_was_missed(world: World) -> None:
    for number in range(1, 6):
        await world.write(number)
    async with a_hub(world) as hub:
        assert [one.sequence for one in await heard(hub, 3, after=2)] == [3, 4, 5]


async def test_what_happens_during_a_replay_is_neither_lost_nor_told_twice(world: World) -> None:
    for number in range(1, 4):
        await world.write(number)
    async with a_hub(world) as hub, aclosing(hub.listen(0)) as announcements:
        first = await anext(announcements)
        await world.write(4)
        await hub.wait_for(await project(world), within=DEADLINE)
        async with asyncio.timeout(DEADLINE):
            rest = [await anext(announcements) for _ in range(3)]
    assert [one.sequence for one in (first, *rest)] == [1, 2, 3, 4]


async def test_who_missed_too_much_is_asked_to_load_everything_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_REPLAYED", 2)
    monkeypatch.setattr(live, "AT_ONCE", 1)
    for number in range(1, 6):
        await world.write(number)
    async with a_hub(world) as hub:
        assert [(one.sequence, one.event) for one in await heard(hub, 3, after=0)] == [
            (1, "commit"), (2, "commit"), (5, "reset"),
        ]  # fmt: skip


async def test_who_comes_from_a_log_that_is_no_more_is_asked_to_load_everything_anew(world: World) -> None:
    await world.write(1)
    async with a_hub(world) as hub:
        assert [(one.sequence, one.event) for one in await heard(hub, 1, after=99)] == [(1, "reset")]


async def test_a_listener_that_is_too_slow_is_cut_off_and_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUEUE", 3)
    await world.write(1)
    async with a_hub(world) as hub, aclosing(hub.listen()) as slow:
        waiting = asyncio.ensure_future(anext(slow))
        await asyncio.sleep(0)
        quick = asyncio.create_task(heard(hub, 2))
        await world.write(2)
        await hub.wait_for(await project(world), within=DEADLINE)
        assert (await waiting).sequence == 2
        await world.write(3)
        await hub.wait_for(await project(world), within=DEADLINE)
        assert [one.sequence for one in await quick] == [2, 3]
        for number in range(4, 9):
            await world.write(number)
        await hub.wait_for(await project(world), within=DEADLINE)
        async with asyncio.timeout(DEADLINE):
            rest = [one.sequence async for one in slow]
    assert rest == []


async def test_a_process_serves_so_many_listeners_and_no_more(world: World) -> None:
    await world.write(1)
    async with a_hub(world, most_listeners=1) as hub:
        async with aclosing(hub.listen(0)) as first:
            await anext(first)
            with pytest.raises(TooManyListeners):
                hub.require_room()
            with pytest.raises(TooManyListeners):
                await anext(hub.listen())
        hub.require_room()


async def test_a_read_waits_for_the_askers_own_write(world: World) -> None:
    await world.write(1)
    async with a_hub(world) as hub:
        waiting = asyncio.create_task(hub.wait_for(2, within=DEADLINE))
        await asyncio.sleep(0)
        assert not waiting.done()
        await world.write(2)
        await project(world)
        await waiting
        assert hub.sequence == 2


async def test_a_read_waits_only_so_long(world: World) -> None:
    await world.write(1)
    async with a_hub(world) as hub:
        with pytest.raises(NotCaughtUp, match="have reached 1, not 5"):
            await hub.wait_for(5, within=0.01)
        await hub.wait_for(0, within=0.01)
        for sequence in range(100, 200):
            with pytest.raises(NotCaughtUp):
                await hub.wait_for(sequence, within=0)
        assert not hub.waiting


async def test_a_lost_notice_is_made_up_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 0.05)
    await world.write(1)
    async with a_hub(world) as hub:
        await world.write(2)
        await Runner(world.sources, await world.living()).catch_up()
        await hub.wait_for(2, within=DEADLINE)
