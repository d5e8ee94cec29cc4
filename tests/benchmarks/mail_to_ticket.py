"""Mails per second from SMTP to a durable ticket: sender, intake and a NATS server that syncs every write share the cores."""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats

from benchmarks.appends import raw_appends
from benchmarks.figures import Figure, percentile
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.runtime.data_directory import find_running

CONNECTIONS = 64
MAILS_PER_CONNECTION = 40
WARM_UP = 5
BAR = 600
START_SECONDS = 30

MAIL = """\
From: Customer {n} <customer-{n}@example.org>\r
To: support@example.com\r
Subject: The printer in room {n} is on fire\r
Message-ID: <{n}.{run}@example.org>\r
Date: Tue, 24 Nov 2026 10:00:00 +0000\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
\r
Hello,\r
\r
{text}\r
\r
Kind regards\r
Customer {n}\r
.\r
"""
TEXT = "it says PC LOAD LETTER, and smoke comes out of it. Could somebody have a look?\r\n" * 8


async def measure() -> list[Figure]:
    """Send mails of new customers over many connections; every one must be a ticket at the end."""
    async with desk() as (port, data_dir):
        await send(port, WARM_UP, "warm-up")
        started = time.perf_counter()
        seconds = await send(port, MAILS_PER_CONNECTION, "measured")
        elapsed = time.perf_counter() - started
        tickets = await tickets_in(data_dir)
        reference = await raw_appends(data_dir)
    sent = CONNECTIONS * (WARM_UP + MAILS_PER_CONNECTION)
    if tickets != sent:
        raise AssertionError(f"{sent} mails were accepted, but {tickets} tickets are there")
    rate = len(seconds) / elapsed
    return [
        Figure(
            "mail to durable ticket over SMTP, fsync always", rate, "mails/s", bar=BAR, note=f"{CONNECTIONS} senders"
        ),
        Figure("answer to a mail, median", percentile(seconds, 0.5) * 1000, "ms"),
        Figure("answer to a mail, 99 of 100", percentile(seconds, 0.99) * 1000, "ms"),
        reference,
    ]


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[int, Path]]:
    """Run the intake service with a NATS server of its own; its SMTP port and data folder."""
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        ports = {"DESKWIRE_HTTP_PORT": free_port(), "DESKWIRE_SMTP_PORT": free_port(), "DESKWIRE_NATS_PORT": 0}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DESKWIRE_")},
            **{name: str(port) for name, port in ports.items()},
            "DESKWIRE_DATA_DIR": folder,
            "DESKWIRE_LOG_FORMAT": "json",
        }
        program = Path(sys.executable).with_name("deskwire")
        with (Path(folder) / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                program, "up", "intake", env=environment, stdout=log, stderr=log
            )
        try:
            await listening(ports["DESKWIRE_SMTP_PORT"], process)
            yield ports["DESKWIRE_SMTP_PORT"], Path(folder)
        finally:
            process.terminate()
            await process.wait()


async def listening(port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until the port is listened on."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                if process.returncode is not None:
                    raise RuntimeError("the desk did not start") from None
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def send(port: int, mails: int, run: str) -> list[float]:
    """Send mails over all connections at once; how long each answer took."""
    results = await asyncio.gather(*(_session(port, number, mails, run) for number in range(CONNECTIONS)))
    return [seconds for result in results for seconds in result]


async def _session(port: int, number: int, mails: int, run: str) -> list[float]:
    """Send mails as a mail server does: commands without waiting for each answer (RFC 2920)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _answer(reader, b"220")
    writer.write(b"EHLO bench.example.org\r\n")
    await _answer(reader, b"250")
    seconds = []
    for mail in range(mails):
        name = f"{number}.{mail}.{run}"
        started = time.perf_counter()
        envelope = f"MAIL FROM:<customer-{name}@example.org>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n"
        writer.write(envelope.encode())
        for expected in (b"250", b"250", b"354"):
            await _answer(reader, expected)
        writer.write(MAIL.format(n=name, run=run, text=TEXT).encode())
        await _answer(reader, b"250")
        seconds.append(time.perf_counter() - started)
    writer.write(b"QUIT\r\n")
    await _answer(reader, b"221")
    writer.close()
    return seconds


async def _answer(reader: asyncio.StreamReader, expected: bytes) -> None:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    if not line.startswith(expected):
        raise AssertionError(f"expected {expected.decode()}, got {line.decode()!r}")


async def tickets_in(data_dir: Path) -> int:
    """How many tickets the log holds."""
    running = find_running(data_dir)
    assert running is not None
    connection = await nats.connect(running.nats_url)
    try:
        info = await connection.jetstream().stream_info(TICKETS)
        return int(info.state.messages)
    finally:
        await connection.close()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
