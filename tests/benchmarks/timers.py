"""Timers: many that wait, and many that come due in the same second while customers write and tickets are routed.

Three moments are told apart: the server says that the tick has come, sla has dealt the timers out, the breach is
noted. Only the last one takes a write to the log for each ticket; what a breach says was due does not depend on that.

To let tickets that were opened one after the other come due together, their calendar opens at one minute.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from benchmarks.figures import Figure, chosen, percentile
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Address, SlaBreached
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import TICKETS, TIMERS
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.plain_facts import mentions, plain_commit
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.runtime.desk import Desk as Log
from deskwire_shared.runtime.desk import open_desk
from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.runtime.streams import migrate
from deskwire_shared.runtime.timers import DueTimers, Timers, tick_after
from deskwire_shared.ticket.commands import OpenTicket
from deskwire_sla.hints import NEXT_LOOK, SERVICE
from processes import LOOPBACK, Desk

PENDING = 100_000
IDLE_SECONDS = 10
FIRING = 500
STORM = chosen("STORM", 20_000)
REPLICAS = [f"sla-{number}" for number in range(2, chosen("REPLICAS", 1) + 1)]
"""Further sla processes in the storm."""

TRIAL = 3_000
"""Tickets by which it is found out how fast sla is on this machine."""

AT_ONCE = 64
QUIET_SECONDS = 15
OPENED_PER_SECOND = 20
AGENTS = 20
TARGET = 5
WITHIN_SECONDS = 600.0
ADMIN = Actor(kind="agent", id="admin")
SCOPES: tuple[Permission, ...] = ("tickets:write",)
CUSTOMER = Address(address="ann@example.com", name="Ann")
FACTS_HEADER = "Deskwire-Facts"
TICKS = f"timer.due.{SERVICE}.*.tick.due"
WAITING = f"timer.wait.{SERVICE}.>"
PARTS = f"timer.due.{SERVICE}.*.part.*"
BREACHED = SlaBreached.model_fields["type"].default


async def measure() -> list[Figure]:
    """First timers that only wait, then the storm."""
    return [*await _waiting(), *await _storm()]


# Timers that wait


async def _waiting() -> list[Figure]:
    """How much of a core the server needs for timers that are pending, and how much memory."""
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        async with EmbeddedNats(Path(folder), port=0) as server:
            connection = await nats.connect(server.url)
            await migrate(connection.jetstream())
            assert server.pid is not None
            empty = _resident(server.pid)
            seconds = await _set_timers(connection)
            memory = _resident(server.pid) - empty
            before = _cpu_seconds(server.pid)
            await asyncio.sleep(IDLE_SECONDS)
            used = _cpu_seconds(server.pid) - before
            late = await _some_that_fire(connection)
            await connection.close()
    return [
        Figure("timers set, fsync always, 64 in flight", PENDING / seconds, "timers/s"),
        Figure(
            f"CPU of nats-server with {PENDING:,} pending timers", 100 * used / IDLE_SECONDS, "% of a core", 1, "less"
        ),
        Figure(f"memory of nats-server for {PENDING:,} pending timers", memory, "MB"),
        Figure("due → timer fired, p99", percentile(late, 0.99), "s", 1, "less", "50 due each second, 100,000 waiting"),
    ]


async def _some_that_fire(connection: Client) -> list[float]:
    """How late timers fire that come due one after the other while all the others wait."""
    js = connection.jetstream(timeout=30)
    timers, first = Timers(js, SERVICE), SystemClock().now() + timedelta(seconds=5)
    due = [first + timedelta(milliseconds=20 * number) for number in range(FIRING)]
    for moment in due:
        await timers.set(new_id(), NEXT_LOOK, moment)
    late: list[float] = []
    subscription = await js.subscribe(TICKS, stream=TIMERS, ordered_consumer=True)
    while len(late) < FIRING:
        message = await subscription.next_msg(timeout=60)
        tick = datetime.fromtimestamp(int(message.subject.split(".")[3]) / 1000, UTC)
        late += [(message.metadata.timestamp - moment).total_seconds() for moment in due if tick_after(moment) == tick]
    return late


async def _set_timers(connection: Client) -> float:
    timers = Timers(connection.jetstream(timeout=30), SERVICE)
    numbers = iter(range(PENDING))
    later = datetime.fromisoformat("2099-01-01T00:00:00+00:00")

    async def worker() -> None:
        for number in numbers:
            await timers.set(new_id(), NEXT_LOOK, later + timedelta(seconds=number))

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return time.perf_counter() - started


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


# Timers that come due in the same second


@dataclass(frozen=True)
class Answer:
    """A command of a customer: when it was sent, and how long its answer took."""

    sent: float
    seconds: float


async def _storm() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        services: dict[str, tuple[str, ...]] = {name: (name,) for name in ("intake", "routing", "sla")}
        desk = Desk(Path(folder), services=services | dict.fromkeys(REPLICAS, ("sla",)))
        try:
            await asyncio.to_thread(desk.start)
            for replica in REPLICAS:
                desk.kill(replica)
            async with _opened(desk) as log:
                await _furnish(log)
                speed = await _speed(desk, log)
                due = await _prepare(log, speed)
                for replica in REPLICAS:
                    await asyncio.to_thread(desk.start_one, replica)
                return [
                    Figure("reactions to new tickets", speed, "tickets/s", note="one sla process, one promise"),
                    *await _weather(desk, log, due),
                ]
        finally:
            await asyncio.to_thread(desk.stop)


@asynccontextmanager
async def _opened(desk: Desk) -> AsyncIterator[Log]:
    async with open_desk(CommonSettings(nats_url=desk.nats_url, data_dir=desk.folder / "data")) as found:
        yield found


async def _speed(desk: Desk, log: Log) -> float:
    """How many tickets a second sla gives clocks and a timer, when many have come while it was away."""
    due = await _let_open_at(log, log.clock.now() + timedelta(hours=12))
    await _until(lambda: _is_quiet(log), within=WITHIN_SECONDS)
    desk.kill("sla")
    await _open_tickets(log, TRIAL)
    await asyncio.to_thread(desk.start_one, "sla")
    started = time.perf_counter()
    before = await _subjects(log, WAITING)
    await _timers_set(log, TRIAL, due)
    return (TRIAL - before) / (time.perf_counter() - started)


async def _prepare(log: Log, speed: float) -> datetime:
    """Open the tickets, all due at one moment, and wait until each has its timer; the moment is told."""
    takes = STORM / speed * 2
    due = await _let_open_at(log, log.clock.now() + timedelta(seconds=takes + QUIET_SECONDS + 30))
    await _open_tickets(log, STORM - TRIAL)
    await _timers_set(log, STORM, due)
    return due


async def _furnish(log: Log) -> None:
    urgent = [{"metric": "first_response", "seconds": {"urgent": TARGET}}]
    documents: dict[str, Document] = {
        "storm": SlaPolicy.model_validate({"name": "Storm", "targets": urgent, "calendar_id": "storm", "warn_at": []}),
        "frontline": Team(name="Frontline"),
        "route": Rule.model_validate(
            {
                "name": "Route",
                "conditions": {"all": [{"field": "ticket.channel", "op": "is", "value": "api"}]},
                "actions": [{"do": "set_team", "team_id": "frontline"}],
            }
        ),
        **{
            f"agent{number}": Agent(email=f"agent{number}@example.com", name="Agent", team_ids=("frontline",))
            for number in range(AGENTS)
        },
    }
    for document_id, document in documents.items():
        await log.directory.put(document_id, document, actor=ADMIN)


async def _let_open_at(log: Log, moment: datetime) -> datetime:
    """Let the calendar open at the next full minute; when what counts from there is due."""
    opens = (moment + timedelta(minutes=1)).replace(second=0, microsecond=0)
    day, minute = opens.date(), f"{opens:%H:%M}"
    hours = {str(day): [[minute, "24:00"]], str(day + timedelta(days=1)): [["00:00", "24:00"]]}
    calendar = Calendar.model_validate({"name": "Storm", "time_zone": "UTC", "exceptions": hours})
    await log.directory.put("storm", calendar, actor=ADMIN)
    return opens + timedelta(seconds=TARGET)


async def _open_tickets(log: Log, count: int) -> None:
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            command = OpenTicket(
                message_id=new_id(), number=number + 1, channel="email", author=CUSTOMER, requester_id="ann",
                subject="The printer is on fire", text="It says PC LOAD LETTER. " * 8, priority="urgent",
            )  # fmt: skip
            await log.recorder.record(new_id(), command, Cause(new_id(), ADMIN, log.clock.now()), unwritten=True)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def _timers_set(log: Log, count: int, due: datetime) -> None:
    async def are_set() -> bool:
        info = await log.js.consumer_info(TICKETS, "sla")
        handled = not info.num_pending and not info.num_ack_pending
        return handled and await _subjects(log, WAITING) == count and await _is_quiet(log)

    await _until(are_set, within=WITHIN_SECONDS)
    if log.clock.now() > due - timedelta(seconds=QUIET_SECONDS):
        raise AssertionError("the timers were not set in time: this machine is busy with something else")


async def _is_quiet(log: Log) -> bool:
    """Whether no ticket has to be looked at again because the calendar changed."""
    info = await log.js.consumer_info(TIMERS, "sla-timers")
    changes = await log.js.consumer_info("DIRECTORY", "sla-calendars")
    return not any((one.num_pending or 0) + (one.num_ack_pending or 0) for one in (info, changes))


async def _subjects(log: Log, subject: str) -> int:
    state = (await log.js.stream_info(TIMERS, subjects_filter=subject)).state
    return len(state.subjects or {})


async def _weather(desk: Desk, log: Log, due: datetime) -> list[Figure]:
    """Customers write before, during and after the moment."""
    token = await log.identity.create_token("bench", SCOPES, actor=ADMIN)
    answers: list[Answer] = []
    moment = due.timestamp()
    async with httpx2.AsyncClient(
        base_url=f"http://{LOOPBACK}:{desk.ports['intake']}", headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        await asyncio.sleep(max(0.0, moment - QUIET_SECONDS - time.time()))
        customers = asyncio.create_task(_write(client, answers))
        dealt = await _listen_for_parts(log, moment)
        noted = await _breaches(log, due)
        customers.cancel()
        await asyncio.gather(customers, return_exceptions=True)
    last = moment + max(noted)
    quiet = [one.seconds * 1000 for one in answers if one.sent < moment - 1]
    busy = [one.seconds * 1000 for one in answers if moment <= one.sent <= last]
    return [*_lateness(dealt, noted), *_commands(quiet, busy)]


async def _write(client: httpx2.AsyncClient, answers: list[Answer]) -> None:
    started = time.perf_counter()
    turn = 0
    async with asyncio.TaskGroup() as tasks:
        while True:
            turn += 1
            await asyncio.sleep(max(0.0, started + turn / OPENED_PER_SECOND - time.perf_counter()))
            tasks.create_task(_write_one(client, turn, answers))


async def _write_one(client: httpx2.AsyncClient, number: int, answers: list[Answer]) -> None:
    sent, began = time.time(), time.perf_counter()
    body = {"requester": {"address": f"customer{number}@example.com"}, "subject": "Late", "text": "Where is it?"}
    answer = await client.post("/intake/v1/tickets", json=body)
    answer.raise_for_status()
    answers.append(Answer(sent, time.perf_counter() - began))


async def _breaches(log: Log, due: datetime) -> list[float]:
    """Follow the log until every breach is noted; how late each was, in seconds."""
    follower = Follower(log.connection, TICKETS)
    late: dict[str, float] = {}
    await follower.open()
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            while len(late) < STORM:
                for delivery in await follower.batch():
                    if mentions(delivery.headers.get(FACTS_HEADER, ""), {BREACHED}):
                        commit = plain_commit(delivery.data)
                        (breached,) = commit.of(SlaBreached)
                        assert isinstance(breached, SlaBreached)
                        assert breached.due_at == due
                        assert commit.ticket_id not in late, "a breach was noted twice"
                        late[commit.ticket_id] = time.time() - due.timestamp()
    finally:
        await follower.close()
    return list(late.values())


async def _listen_for_parts(log: Log, due: float) -> list[float]:
    """Note how late each timer of the storm is dealt out."""
    late: list[float] = []

    async def hear(message: Msg) -> None:
        late.extend([time.time() - due] * len(DueTimers.model_validate_json(message.data).timers))

    await log.connection.subscribe(PARTS, cb=hear)
    return late


def _lateness(dealt: list[float], noted: list[float]) -> list[Figure]:
    note = f"{STORM:,} due in the same second"
    replicas = f"{len(REPLICAS) + 1} sla processes" if REPLICAS else "one sla process"
    assert len(dealt) == STORM
    return [
        Figure("due → with sla, p50", percentile(dealt, 0.5), "s", note=note),
        Figure("due → with sla, p99", percentile(dealt, 0.99), "s", 1, "less", note),
        Figure("due → breach noted, p50", percentile(noted, 0.5), "s", note=replicas),
        Figure("due → breach noted, p99", percentile(noted, 0.99), "s", note=replicas),
        Figure("breaches noted", STORM / max(noted), "tickets/s", note=replicas),
    ]


def _commands(quiet: list[float], busy: list[float]) -> list[Figure]:
    note = f"{OPENED_PER_SECOND} tickets opened a second, each routed and assigned"
    figures: list[Figure] = []
    for when, answers in (("before", quiet), ("while timers fire", busy)):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            figures.append(Figure(f"a command {when}, {name}", percentile(answers, share), "ms", note=note))
    return figures


async def _until(holds: Callable[[], Awaitable[Any]], *, within: float) -> None:
    async with asyncio.timeout(within):
        while not await holds():
            await asyncio.sleep(0.2)
