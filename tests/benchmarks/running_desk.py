"""The whole desk as `deskwire up` runs it: start, memory at rest, and a change on an agent's screen."""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import Page, async_playwright

from benchmarks.figures import Figure, percentile
from browser import find_browser
from up_desk import UpDesk, up_desk

STARTS = 3
WATCHED = 50
CHANGES_PER_SECOND = 200
SECONDS = 10
STREAMS = 20
PASSWORD = "correct horse battery"  # of an agent who lives for the length of a benchmark
SCOPES = "tickets:read,tickets:write,tickets:reply"

WATCH_ROWS = """() => {
  window.seen = [];
  const known = new Map();
  new MutationObserver(() => {
    for (const row of document.querySelectorAll("#rows .row")) {
      const sent = row.textContent.match(/sent=([1-9]\\d+)/);
      if (!sent || known.get(row.id) === sent[1]) continue;
      known.set(row.id, sent[1]);
      window.seen.push(Date.now() - Number(sent[1]));
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


async def measure() -> list[Figure]:
    """Everything on one fresh desk, one thing after another."""
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        figures = [_start(Path(folder))]
        with up_desk(Path(folder)) as desk:
            figures.append(Figure("memory at rest, the desk and its nats-server", _memory(desk), "MB", 300, "less"))
            token = desk.command("token", "create", "--name", "bench", "--scopes", SCOPES).split()[-1]
            headers, limits = {"Authorization": f"Bearer {token}"}, httpx2.Limits(max_connections=None)
            async with httpx2.AsyncClient(base_url=desk.url, headers=headers, limits=limits, timeout=60) as client:
                figures += await _live(desk, client)
        return figures


def _start(folder: Path) -> Figure:
    """The median start on a data folder that exists already."""
    desk = UpDesk(folder)
    seconds = []
    for _ in range(STARTS + 1):
        began = time.perf_counter()
        try:
            desk.start()
            seconds.append(time.perf_counter() - began)
        finally:
            desk.stop()
    return Figure("`deskwire up` until it is ready", sorted(seconds[1:])[STARTS // 2], "s", 3, "less")


def _memory(desk: UpDesk) -> float:
    """Resident memory of the process and its children, ten seconds after the start."""
    assert desk.process is not None
    time.sleep(10)
    pids = [desk.process.pid, *_children(desk.process.pid)]
    return sum(_resident(pid) for pid in pids) / 1024


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


async def _open(client: httpx2.AsyncClient, subject: str, address: str) -> str:
    body = {"requester": {"address": address}, "subject": subject, "text": "Where is it? " * 20}
    answer = await client.post("/intake/v1/tickets", json=body)
    answer.raise_for_status()
    ticket_id: str = answer.json()["ticket_id"]
    return ticket_id


async def _live(desk: UpDesk, client: httpx2.AsyncClient) -> list[Figure]:
    """Change tickets all the time; how long until a listener hears of it, and until it stands on an agent's screen."""
    tickets = [await _open(client, "sent=0", f"watched{number}@example.com") for number in range(WATCHED)]
    sent: dict[int, float] = {}
    heard: list[float] = []
    async with _screen(desk) as page, asyncio.TaskGroup() as tasks:
        listeners = [tasks.create_task(_listen(client, sent, heard)) for _ in range(STREAMS)]
        await page.evaluate(WATCH_ROWS)
        await _change(client, tickets, sent)
        await asyncio.sleep(1)
        seen: list[float] = await page.evaluate("window.seen")
        for listener in listeners:
            listener.cancel()
    note = f"{CHANGES_PER_SECOND} changes/s, {STREAMS} more listeners"
    return [
        Figure("change → heard on a stream, p50", percentile(heard, 0.5) * 1000, "ms", note=note),
        Figure("change → heard on a stream, p95", percentile(heard, 0.95) * 1000, "ms", 250, "less"),
        Figure("change → on an agent's screen, p50", percentile(seen, 0.5), "ms", note=f"{len(seen)} rows redrawn"),
        Figure("change → on an agent's screen, p95", percentile(seen, 0.95), "ms", 250, "less"),
    ]


@contextlib.asynccontextmanager
async def _screen(desk: UpDesk) -> AsyncIterator[Page]:
    """A browser with the list of open tickets."""
    desk.command("user", "add", "ann@desk.example", "--name", "Ann", "--password-stdin", typed=PASSWORD)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(f"{desk.url}/signin")
        await page.fill("input[name=email]", "ann@desk.example")
        await page.fill("input[name=password]", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#list")
        await page.goto(f"{desk.url}/?view=open")
        await page.wait_for_selector("#rows .row")
        yield page
        await browser.close()


async def _listen(client: httpx2.AsyncClient, sent: dict[int, float], heard: list[float]) -> None:
    async with client.stream("GET", "/v1/stream", timeout=None) as stream:
        async for line in stream.aiter_lines():
            if not line.startswith("data:"):
                continue
            began = sent.get(json.loads(line[5:]).get("sequence", 0))
            if began is not None:
                heard.append(time.perf_counter() - began)


async def _change(client: httpx2.AsyncClient, tickets: list[str], sent: dict[int, float]) -> None:
    """Change a subject every few milliseconds, whether or not the last change was answered."""
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for turn in range(CHANGES_PER_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, started + turn / CHANGES_PER_SECOND - time.perf_counter()))
            tasks.create_task(_change_one(client, tickets[turn % WATCHED], sent))


async def _change_one(client: httpx2.AsyncClient, ticket_id: str, sent: dict[int, float]) -> None:
    began = time.perf_counter()
    body: dict[str, Any] = {"subject": f"sent={int(time.time() * 1000)}"}
    answer = await client.patch(f"/intake/v1/tickets/{ticket_id}", json=body)
    answer.raise_for_status()
    sent[answer.json()["sequence"]] = began
