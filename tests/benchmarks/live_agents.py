"""Five hundred agents at once: each has a page open that changes by itself, and works at the pace of a human."""

import asyncio
import contextlib
import os
import random
import re
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx2
from pydantic import SecretStr

from benchmarks.figures import Figure, chosen, percentile
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.runtime.data_directory import find_running
from deskwire_shared.runtime.desk import Desk, open_desk
from deskwire_shared.runtime.http_access import CSRF_HEADER
from deskwire_shared.runtime.identity import SESSION_COOKIE
from deskwire_shared.runtime.settings import CommonSettings
from processes import LOOPBACK
from up_desk import UpDesk, up_desk

TICKETS: Final = 300
SETUP: Final = Actor(kind="system", id="benchmark")
LOOK_SECONDS: Final = 30.0
"""How long an agent reads a ticket before the next one, on average."""
PRESENCE_SECONDS: Final = 20.0
CHANGE_SECONDS: Final = 60.0
VIEWS: Final = ("open", "mine", "unassigned", "soon")
TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")

ROWS = re.compile(rb"id: (\d+)\r\nevent: rows")


@dataclass
class Worker:
    """An agent with a session, and when which change stood on their screen."""

    agent_id: str
    number: int
    cookie: str
    csrf: str
    shown: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        """What their browser sends."""
        return {"Cookie": f"{SESSION_COOKIE}={self.cookie}", CSRF_HEADER: self.csrf}


@dataclass
class Work:
    """What all of them do on a desk."""

    desk: UpDesk
    client: httpx2.AsyncClient
    tickets: list[tuple[str, int]] = field(default_factory=list)
    changes: list[tuple[int, float]] = field(default_factory=list)
    """The sequence of each change, and when it was asked for."""
    looks: list[float] = field(default_factory=list)
    """How long each page of a ticket took."""


async def measure() -> list[Figure]:
    """Let them work for a while and look at the process that serves them."""
    agents, seconds = chosen("AGENTS", 500), chosen("SECONDS", 60)
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder, up_desk(Path(folder)) as desk:
        limits = httpx2.Limits(max_connections=100)
        async with httpx2.AsyncClient(base_url=desk.url, limits=limits, timeout=60) as client:
            work = Work(desk, client)
            workers = await _hire(desk, agents)
            for number in range(TICKETS):
                await _open_ticket(work, workers[0], number)
            return await _measured(work, workers, seconds)


async def _measured(work: Work, workers: list[Worker], seconds: int) -> list[Figure]:
    idle = _resident(work.desk)
    async with _screens(work.desk, workers):
        await asyncio.sleep(3)
        began, busy = time.perf_counter(), _cpu(work.desk)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(_live(work, worker) for worker in workers))
        share = (_cpu(work.desk) - busy) / (time.perf_counter() - began)
        memory = _resident(work.desk)
        await asyncio.sleep(2)
        delays = _delays(work, workers)
    note = (
        f"{len(workers)} agents, {len(work.changes) / seconds:.0f} changes/s, {len(work.looks) / seconds:.0f} pages/s"
    )
    return [
        Figure("live agents: memory of the desk's process", memory, "MB", note=f"{idle:.0f} MB before they came"),
        Figure("live agents: CPU of the desk's process", share, "cores", note=note),
        Figure("live agents: change → on a screen, p50", percentile(delays, 0.5) * 1000, "ms"),
        Figure("live agents: change → on a screen, p95", percentile(delays, 0.95) * 1000, "ms", 250, "less"),
        Figure("live agents: page of a ticket, p95", percentile(work.looks, 0.95) * 1000, "ms"),
    ]


async def _hire(desk: UpDesk, count: int) -> list[Worker]:
    data = desk.folder / "data"
    running = find_running(data)
    assert running is not None
    settings = CommonSettings(data_dir=data, nats_url=SecretStr(running.nats_url))
    async with open_desk(settings) as opened:
        return [await _hired(opened, number) for number in range(count)]


async def _hired(opened: Desk, number: int) -> Worker:
    agent_id = f"agent{number}"
    agent = Agent(email=f"{agent_id}@desk.example", name=f"Agent {number}", role="agent")
    await opened.directory.put(agent_id, agent, actor=SETUP)
    cookie = await opened.identity.open_session(agent_id)
    return Worker(agent_id, number, cookie, (await opened.identity.by_cookie(cookie)).csrf or "")


async def _open_ticket(work: Work, worker: Worker, number: int) -> None:
    body = {"requester": {"address": f"c{number}@example.com"}, "subject": f"Ticket {number}", "text": "Hi. " * 50}
    answer = await work.client.post("/intake/v1/tickets", json=body, headers=worker.headers)
    answer.raise_for_status()
    work.tickets.append((answer.json()["ticket_id"], answer.json()["number"]))


@contextlib.asynccontextmanager
async def _screens(desk: UpDesk, workers: list[Worker]) -> AsyncIterator[None]:
    watching = [asyncio.create_task(_watch(desk, worker)) for worker in workers]
    try:
        yield
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _watch(desk: UpDesk, worker: Worker) -> None:
    """Read a page's stream as bytes: a client that takes it apart would need more CPU than the desk."""
    reader, writer = await asyncio.open_connection(LOOPBACK, desk.ports[0])
    view = VIEWS[worker.number % len(VIEWS)]
    asked = f"GET /live?view={view}&tab=tab{worker.number}&after={2**60} HTTP/1.1\r\nHost: {LOOPBACK}\r\n"
    writer.write(f"{asked}Cookie: {SESSION_COOKIE}={worker.cookie}\r\n\r\n".encode())
    rest = b""
    with contextlib.closing(writer):
        while piece := await reader.read(65_536):
            found = list(ROWS.finditer(rest + piece))
            if found:
                worker.shown.append(int(found[-1][1]))
                worker.at.append(time.perf_counter())
            rest = (rest + piece)[-64:] if not found else b""


async def _live(work: Work, worker: Worker) -> None:
    await asyncio.gather(
        _again(LOOK_SECONDS, lambda: _look(work, worker)),
        _again(PRESENCE_SECONDS, lambda: _tell(work, worker)),
        _again(CHANGE_SECONDS, lambda: _change(work, worker)),
    )


async def _again(pace: float, act: Callable[[], Awaitable[None]]) -> None:
    """Do something now and then, as people do: not all at the same moment."""
    await asyncio.sleep(random.uniform(0, pace))
    while True:
        began = time.perf_counter()
        await act()
        await asyncio.sleep(max(0.0, pace * random.uniform(0.5, 1.5) - (time.perf_counter() - began)))


async def _look(work: Work, worker: Worker) -> None:
    _, number = random.choice(work.tickets)
    began = time.perf_counter()
    headers = worker.headers | {"Deskwire-Part": "pane"}
    (await work.client.get(f"/tickets/{number}?view=open", headers=headers)).raise_for_status()
    work.looks.append(time.perf_counter() - began)


async def _tell(work: Work, worker: Worker) -> None:
    ticket_id, _ = work.tickets[worker.number % len(work.tickets)]
    looking = {"tab": f"tab{worker.number}", "ticket_id": ticket_id, "typing": False}
    (await work.client.post("/presence", json=looking, headers=worker.headers)).raise_for_status()


async def _change(work: Work, worker: Worker) -> None:
    ticket_id, _ = random.choice(work.tickets)
    began = time.perf_counter()
    body = {"subject": f"Changed {time.monotonic_ns()}"}
    answer = await work.client.patch(f"/intake/v1/tickets/{ticket_id}", json=body, headers=worker.headers)
    answer.raise_for_status()
    work.changes.append((answer.json()["sequence"], began))


def _delays(work: Work, workers: list[Worker]) -> list[float]:
    """How long each change took to each screen."""
    delays = []
    for worker in workers:
        for sequence, began in work.changes:
            place = bisect_left(worker.shown, sequence)
            delays.append(worker.at[place] - began if place < len(worker.at) else float("inf"))
    return delays


def _resident(desk: UpDesk) -> float:
    """Resident memory of the process in MB."""
    assert desk.process is not None
    lines = Path(f"/proc/{desk.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _cpu(desk: UpDesk) -> float:
    """The seconds of CPU that the process has taken."""
    assert desk.process is not None
    fields = Path(f"/proc/{desk.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
