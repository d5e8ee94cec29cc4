"""Tickets opened over the command API by eight clients, each one request after another on its own connection."""

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.figures import Figure, percentile
from benchmarks.mail_to_ticket import desk, tickets_in
from deskwire_shared.runtime.data_directory import find_running
from processes import DESKWIRE

CLIENTS = 8
WARM_UP = 20
TICKETS_PER_CLIENT = 250


async def measure() -> list[Figure]:
    """Open tickets of new customers; intake, its NATS server and the clients share the cores."""
    async with desk() as (_, data_dir):
        running = find_running(data_dir)
        assert running is not None
        token = _token(data_dir)
        await _all_clients(running.http_url, token, "warm-up", WARM_UP)
        began = time.perf_counter()
        seconds = await _all_clients(running.http_url, token, "measured", TICKETS_PER_CLIENT)
        rate = len(seconds) / (time.perf_counter() - began)
        if await tickets_in(data_dir) != CLIENTS * (WARM_UP + TICKETS_PER_CLIENT):
            raise AssertionError("not every accepted ticket is there")
    return [
        Figure(f"tickets opened over the API, {CLIENTS} clients, fsync always", rate, "tickets/s", bar=800),
        Figure("opening a ticket over the API, median", percentile(seconds, 0.5) * 1000, "ms"),
        Figure("opening a ticket over the API, 99 of 100", percentile(seconds, 0.99) * 1000, "ms", 50, "less"),
    ]


def _token(data_dir: Path) -> str:
    words = ["token", "create", "--name", "bench", "--scopes", "tickets:write"]
    environment = {**os.environ, "DESKWIRE_DATA_DIR": str(data_dir)}
    made = subprocess.run([DESKWIRE, *words], env=environment, capture_output=True, text=True, check=True, timeout=60)
    return made.stdout.split()[-1]


async def _all_clients(url: str, token: str, run: str, tickets: int) -> list[float]:
    clients = (_client(url, token, f"{run}-{number}", tickets) for number in range(CLIENTS))
    return [seconds for found in await asyncio.gather(*clients) for seconds in found]


async def _client(url: str, token: str, name: str, tickets: int) -> list[float]:
    """One connection, spoken to by hand: a client library would take as much of the processor as the desk does."""
    host = urlsplit(url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    seconds = []
    for turn in range(tickets):
        began = time.perf_counter()
        writer.write(_request(host.netloc, token, f"{name}-{turn}"))
        await _answer(reader)
        seconds.append(time.perf_counter() - began)
    writer.close()
    await writer.wait_closed()
    return seconds


def _request(host: str, token: str, name: str) -> bytes:
    body = json.dumps(
        {
            "requester": {"address": f"{name}@example.org"},
            "subject": f"Order {name} is late",
            "text": "Where is it? " * 20,
        }
    ).encode()
    head = (
        f"POST /intake/v1/tickets HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    body = await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
    if " 201 " not in head.splitlines()[0]:
        raise AssertionError(f"{head}{body.decode()}")
