"""Promises that end on `deskwire up` while mails come in: how late does the one process note each breach?"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, percentile
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import SlaBreached
from deskwire_shared.contracts.policies import SlaPolicy, SlaTarget
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import mentions, plain_commit
from deskwire_shared.runtime.data_directory import find_running
from deskwire_shared.runtime.desk import Desk, open_desk
from deskwire_shared.runtime.settings import CommonSettings
from up_desk import UpDesk, up_desk

PACES = (5, 20)
"""Mails a second."""

SECONDS = 30
PROMISED_SECONDS = 6
WITHIN_SECONDS = 180.0
ADMIN = Actor(kind="agent", id="admin")
BREACHED = SlaBreached.model_fields["type"].default


async def measure() -> list[Figure]:
    """At each pace every mail is promised an answer that nobody gives, so that as many promises end as mails come."""
    return [figure for pace in PACES for figure in await _at(pace)]


async def _at(pace: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder, up_desk(Path(folder)) as desk:
        running = find_running(Path(folder) / "data")
        assert running is not None
        settings = CommonSettings(nats_url=running.nats_url, data_dir=Path(folder) / "data")
        async with open_desk(settings) as log:
            target = SlaTarget(metric="first_response", seconds={"normal": PROMISED_SECONDS})
            await log.directory.put("promise", SlaPolicy(name="Promise", targets=(target,), warn_at=()), actor=ADMIN)
            late, _ = await asyncio.gather(_breaches(log, pace * SECONDS), _send(desk, pace))
    note = f"{pace} mails/s and as many promises that end, five services in one process"
    return [
        Figure("due → breach noted, p50", percentile(late, 0.5), "s", note=note),
        Figure("due → breach noted, p99", percentile(late, 0.99), "s", 1, "less", note),
    ]


async def _send(desk: UpDesk, pace: int) -> None:
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(pace * SECONDS):
            await asyncio.sleep(max(0.0, started + number / pace - time.perf_counter()))
            sender = f"customer{number}@example.com"
            tasks.create_task(asyncio.to_thread(desk.send, f"Order {number}", "Where is it?", sender=sender))


async def _breaches(log: Desk, count: int) -> list[float]:
    """Follow the log until so many breaches are noted; how late each was heard of there."""
    follower = Follower(log.connection, TICKETS)
    late: list[float] = []
    await follower.open()
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            while len(late) < count:
                late += [
                    time.time() - breach.due_at.timestamp()
                    for delivery in await follower.batch()
                    if mentions(delivery.headers.get(FACTS_HEADER, ""), {BREACHED})
                    for breach in _breaches_in(delivery.data)
                ]
    finally:
        await follower.close()
    return late


def _breaches_in(raw: bytes) -> Iterator[SlaBreached]:
    yield from (fact for fact in plain_commit(raw).of(SlaBreached) if isinstance(fact, SlaBreached))
