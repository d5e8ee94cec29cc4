"""The reference of all that writes: messages appended to the same stream of the same server, and nothing else."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import nats
from nats.aio.client import Client

from benchmarks.figures import Figure
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.subjects import TICKETS, ticket_subject
from deskwire_shared.runtime.data_directory import find_running

AT_ONCE = 64
APPENDS = 3_000


async def raw_appends(data_dir: Path) -> Figure:
    """Append messages of the size of the last commit to the log of a desk that runs here."""
    running = find_running(data_dir)
    assert running is not None
    connection = await nats.connect(running.nats_url)
    try:
        payload = b"x" * await stored_size(connection)
        appended = await rate(APPENDS, lambda _: append(connection, payload))
    finally:
        await connection.close()
    return Figure("raw JetStream appends of the same size, same server", appended, "msg/s", note="64 in flight")


async def rate(count: int, work: Callable[[int], Awaitable[None]]) -> float:
    """How many pieces of work are done a second with `AT_ONCE` under way."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await work(number)

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - start)


async def append(connection: Client, payload: bytes) -> None:
    """Append a message guarded as a commit is."""
    guard = {"Nats-Expected-Last-Subject-Sequence": "0"}
    await connection.jetstream().publish(ticket_subject(new_id()), payload, stream=TICKETS, headers=guard)


async def stored_size(connection: Client) -> int:
    """How long the last commit is, in bytes."""
    info = await connection.jetstream().stream_info(TICKETS)
    message = await connection.jetstream().get_msg(TICKETS, seq=info.state.last_seq)
    return len(message.data or b"")
