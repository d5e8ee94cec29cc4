"""A follower on a real server: whatever happens to the server or its consumer, nothing is missed or doubled."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.embedded_nats import EmbeddedNats

STREAM = "NUMBERS"
SECONDS = 20.0


@contextlib.asynccontextmanager
async def a_stream(url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, error_cb=_quiet)
    try:
        await connection.jetstream().add_stream(name=STREAM, subjects=["n.*"])
        yield connection
    finally:
        await connection.close()


async def _quiet(_error: Exception) -> None:
    """Reconnecting is what these tests are about."""


async def publish(connection: Client, first: int, last: int, subject: str = "n.a") -> None:
    js = connection.jetstream()
    for number in range(first, last + 1):
        await js.publish(subject, str(number).encode(), stream=STREAM)


async def publish_until(told: asyncio.Event, connection: Client) -> int:
    """Publish the numbers from 1 on in spite of everything; the last one."""
    number = 0
    while not told.is_set():
        number += 1
        await _publish_once(connection, number)
    return number


async def _publish_once(connection: Client, number: int) -> None:
    while True:
        with contextlib.suppress(nats.errors.Error):
            headers = {"Nats-Msg-Id": str(number)}
            await connection.jetstream(timeout=1).publish("n.a", str(number).encode(), headers=headers)
            return
        await asyncio.sleep(0.02)  # the server is away


async def hear(follower: Follower, many: int) -> list[int]:
    heard: list[int] = []
    async with asyncio.timeout(SECONDS):
        while len(heard) < many:
            heard += [int(delivery.data) for delivery in await follower.batch()]
    return heard


@contextlib.asynccontextmanager
async def following(follower: Follower) -> AsyncIterator[Follower]:
    await follower.open()
    try:
        yield follower
    finally:
        await follower.close()


async def consumers(connection: Client) -> list[str]:
    return [info.name for info in await connection.jetstream().consumers_info(STREAM)]


async def test_everything_is_heard_in_order_from_the_start_asked_for(fresh_nats: str) -> None:
    async with a_stream(fresh_nats) as connection:
        await publish(connection, 1, 500)
        async with following(Follower(connection, STREAM, start=101)) as follower:
            assert follower.pending == 400
            await publish(connection, 501, 600)
            assert await hear(follower, 500) == list(range(101, 601))


async def test_only_the_subjects_asked_for_are_heard(fresh_nats: str) -> None:
    async with a_stream(fresh_nats) as connection:
        await publish(connection, 1, 3, "n.a")
        await publish(connection, 4, 6, "n.b")
        async with following(Follower(connection, STREAM, subjects=["n.b"])) as follower:
            await publish(connection, 7, 7, "n.a")
            await publish(connection, 8, 8, "n.b")
            assert await hear(follower, 4) == [4, 5, 6, 8]


async def test_a_batch_within_a_time_may_be_empty(fresh_nats: str) -> None:
    async with a_stream(fresh_nats) as connection, following(Follower(connection, STREAM)) as follower:
        assert await follower.batch(within=0.01) == []


async def test_without_the_stream_the_start_fails(fresh_nats: str) -> None:
    connection = await nats.connect(fresh_nats)
    try:
        with pytest.raises(NotFoundError):
            await Follower(connection, "NOTHING").open()
    finally:
        await connection.close()


async def test_a_slow_reader_loses_nothing(fresh_nats: str) -> None:
    async with a_stream(fresh_nats) as connection:
        await asyncio.gather(*(publish(connection, first, first + 499) for first in range(1, 5_000, 500)))
        async with following(Follower(connection, STREAM)) as follower:
            heard: list[int] = []
            async with asyncio.timeout(SECONDS):
                while len(heard) < 5_000:
                    heard += [delivery.sequence for delivery in await follower.batch(7)]
            assert heard == list(range(1, 5_001))


async def test_a_consumer_that_is_deleted_is_made_again(fresh_nats: str) -> None:
    async with a_stream(fresh_nats) as connection, following(Follower(connection, STREAM)) as follower:
        await publish(connection, 1, 10)
        heard = await hear(follower, 10)
        (name,) = await consumers(connection)
        await connection.jetstream().delete_consumer(STREAM, name)
        await publish(connection, 11, 20)
        assert heard + await hear(follower, 10) == list(range(1, 21))
        assert follower.restarts == 1


async def test_a_closed_follower_leaves_no_task_behind(fresh_nats: str) -> None:
    async with a_stream(fresh_nats) as connection:
        before = asyncio.all_tasks()
        async with following(Follower(connection, STREAM)):
            pass
        assert {task.get_name() for task in asyncio.all_tasks() - before} & {f"follow {STREAM}"} == set()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_is_missed_or_doubled_when_the_server_dies(tmp_path: Path, blow: signal.Signals) -> None:
    async with EmbeddedNats(tmp_path, port=0, sync_interval="always") as server, a_stream(server.url) as connection:
        watching = asyncio.create_task(server.supervise())
        enough = asyncio.Event()
        writing = asyncio.create_task(publish_until(enough, connection))
        async with following(Follower(connection, STREAM)) as follower:
            heard = await hear(follower, 100)
            for _ in range(2):
                assert server.pid is not None
                os.kill(server.pid, blow)
                heard += await hear(follower, 100)
            enough.set()
            heard += await hear(follower, await writing - len(heard))
            assert heard == list(range(1, writing.result() + 1))
        await server.stop()
        await watching
