"""Timers on a real NATS server: set, moved, due together, heard by several replicas."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from nats.aio.client import Client

from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.subjects import TIMERS
from deskwire_shared.runtime.boot import runtime
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.runtime.service import Runtime
from deskwire_shared.runtime.ticks import Ticks
from deskwire_shared.runtime.timers import PART, DueTimer, Timers, tick_after
from ticket_desk import ticket_desk, until

MANY = 40 * PART
SOON = timedelta(seconds=1)
NOW = SystemClock().now


@dataclass
class Replica:
    """A service that notes which timers it hears, and may fail at some."""

    heard: Counter[tuple[str, str]] = field(default_factory=Counter)
    failing: Counter[str] = field(default_factory=Counter)

    async def react(self, heard: Heard) -> None:
        """Note a timer, or fail as often as is wanted."""
        if self.failing[heard.ticket_id]:
            self.failing[heard.ticket_id] -= 1
            raise ConnectionError("not now")
        self.heard[heard.ticket_id, heard.subject.rpartition(".")[2]] += 1


@dataclass
class Desk:
    """Replicas of sla that only hear timers."""

    runtime: Runtime
    timers: Timers
    replicas: list[Replica]

    @property
    def heard(self) -> Counter[tuple[str, str]]:
        """What all of them heard."""
        return sum((one.heard for one in self.replicas), Counter())

    async def all_heard(self, wanted: int) -> None:
        """Wait until so many timers were heard."""

        async def look() -> bool | None:
            return self.heard.total() >= wanted or None

        await until(look)

    async def all_handled(self) -> None:
        """Wait until nothing is due any more."""

        async def look() -> bool | None:
            info = await self.runtime.js.consumer_info(TIMERS, "sla-timers")
            return not (info.num_pending or info.num_ack_pending) or None

        await until(look)

    async def stored(self, subject: str = "timer.>") -> list[str]:
        """The subjects of what the stream holds."""
        return list((await self.runtime.js.stream_info(TIMERS, subjects_filter=subject)).state.subjects or {})


@asynccontextmanager
async def desk_of(nats_url: str, folder: Path, *, replicas: int = 1) -> AsyncIterator[Desk]:
    """Start replicas that hear the timers of sla."""
    async with ticket_desk(nats_url, folder) as first:
        timers = Timers(first.runtime.js, "sla")
        found = [Replica() for _ in range(replicas)]
        async with asyncio.TaskGroup() as tasks:
            stop = asyncio.Event()
            ready = [asyncio.Event() for _ in found]
            for replica, is_ready in zip(found, ready, strict=True):
                tasks.create_task(_run(first.runtime, replica, is_ready, stop))
            await asyncio.gather(*(one.wait() for one in ready))
            try:
                yield Desk(first.runtime, timers, found)
            finally:
                stop.set()


async def _run(like: Runtime, replica: Replica, is_ready: asyncio.Event, stop: asyncio.Event) -> None:
    async with runtime(like.settings, ()) as built:
        built.react_to_timers(Timers(built.js, "sla"), replica.react)
        await built.broker.start()
        is_ready.set()
        await stop.wait()
        await built.broker.stop()


async def set_at_once(timers: Timers, count: int, at: timedelta) -> set[tuple[str, str]]:
    moment, ids = NOW() + at, [new_id() for _ in range(count)]
    await asyncio.gather(*(timers.set(ticket_id, "next", moment) for ticket_id in ids))
    return {(ticket_id, "next") for ticket_id in ids}


async def test_a_timer_is_heard_once_and_not_before_its_moment(fresh_nats: str, tmp_path: Path) -> None:
    async with desk_of(fresh_nats, tmp_path) as desk:
        moment = NOW() + SOON
        await desk.timers.set("t1", "next", moment)
        assert await desk.timers.stands("t1", "next", moment)
        await desk.all_heard(1)
        assert NOW() >= moment
        await desk.all_handled()
        assert desk.heard == {("t1", "next"): 1}
        assert not await desk.timers.stands("t1", "next", moment)
        assert await desk.stored() == []


async def test_many_timers_of_one_moment_are_shared_by_all_replicas(fresh_nats: str, tmp_path: Path) -> None:
    async with desk_of(fresh_nats, tmp_path, replicas=2) as desk:
        wanted = await set_at_once(desk.timers, MANY, timedelta(seconds=4))
        assert len(await desk.stored("timer.set.>")) == 1
        await desk.all_heard(MANY)
        await desk.all_handled()
        assert set(desk.heard) == wanted
        assert desk.heard.total() == MANY
        assert all(replica.heard for replica in desk.replicas)
        assert await desk.stored() == []


async def test_a_timer_for_a_moment_that_has_passed_is_heard_at_once(fresh_nats: str, tmp_path: Path) -> None:
    async with desk_of(fresh_nats, tmp_path) as desk:
        past = NOW() - timedelta(days=1)
        await desk.timers.set("t1", "next", past)
        await desk.all_heard(1)
        await desk.all_handled()
        await desk.timers.set("t2", "next", past)
        await desk.all_heard(2)
        assert desk.heard == {("t1", "next"): 1, ("t2", "next"): 1}


async def test_a_cancelled_timer_is_not_heard_and_keeps_nobody_from_theirs(fresh_nats: str, tmp_path: Path) -> None:
    async with desk_of(fresh_nats, tmp_path) as desk:
        moment = NOW() + SOON
        await desk.timers.set("t1", "next", moment)
        await desk.timers.set("t2", "next", moment)
        await desk.timers.cancel("t1", "next", moment)
        await desk.all_heard(1)
        await desk.all_handled()
        assert desk.heard == {("t2", "next"): 1}


async def test_a_look_that_fails_is_tried_again_and_holds_up_no_other(fresh_nats: str, tmp_path: Path) -> None:
    async with desk_of(fresh_nats, tmp_path) as desk:
        desk.replicas[0].failing["bad"] = 2
        moment = NOW() + SOON
        await asyncio.gather(*(desk.timers.set(ticket_id, "next", moment) for ticket_id in ("bad", "a", "b")))
        await desk.all_heard(3)
        await desk.all_handled()
        assert desk.heard == {("a", "next"): 1, ("b", "next"): 1, ("bad", "next"): 1}


async def test_what_comes_due_while_nobody_listens_is_heard_later(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        wanted = await set_at_once(Timers(desk.runtime.js, "sla"), 2 * PART, -SOON)
    async with desk_of(fresh_nats, tmp_path) as later:
        await later.all_heard(2 * PART)
        assert set(later.heard) == wanted


async def test_more_timers_than_the_server_lists_are_read_one_by_one(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        replica, timers = Replica(), Timers(desk.runtime.js, "sla")
        wanted = await set_at_once(timers, PART, -SOON)
        ticks = Ticks(desk.runtime.connection, timers, replica.react, most_listed=1)
        await ticks.hear(await tick_that_came(desk.runtime.connection))
        assert set(replica.heard) == wanted


async def tick_that_came(connection: Client) -> Heard:
    """The tick that the server says has come."""
    subscription = await connection.jetstream().subscribe("timer.due.sla.*.tick.due", stream=TIMERS)
    message = await subscription.next_msg(timeout=10)
    sequence = message.metadata.sequence.stream
    return Heard("", sequence, message.subject, frozenset(), message.metadata.timestamp)


async def test_many_can_be_looked_at_for_one_reason(fresh_nats: str, tmp_path: Path) -> None:
    async with desk_of(fresh_nats, tmp_path) as desk:
        due = [DueTimer(new_id(), "recheck") for _ in range(3 * PART + 1)]
        await desk.timers.fire_all(due, b"{}", once="because")
        await desk.timers.fire_all(due, b"{}", once="because")
        await desk.all_heard(len(due))
        await desk.all_handled()
        assert desk.heard == {(timer.ticket_id, timer.name): 1 for timer in due}


def test_a_tick_is_never_before_its_moment_and_less_than_a_quarter_of_a_second_after_it() -> None:
    start = NOW().replace(microsecond=0)
    for microseconds in (0, 1, 249_999, 250_000, 250_001, 999_999):
        moment = start + timedelta(microseconds=microseconds)
        assert timedelta() <= tick_after(moment) - moment < timedelta(seconds=0.25)
