"""`deskwire up` from outside: it says where it is, lets nobody in twice, stops when told and goes on where it was."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deskwire_shared.runtime import boot, embedded_nats
from deskwire_shared.runtime.data_directory import find_running
from deskwire_shared.runtime.embedded_nats import EmbeddedNatsFailed
from deskwire_shared.runtime.settings import CommonSettings
from processes import DESKWIRE, LOOPBACK, free_ports, listens

SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Up:
    """A running `deskwire up`."""

    process: subprocess.Popen[str]
    folder: Path
    port: int
    said: str

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(STOP_SECONDS)


def environment(folder: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DESKWIRE_")}
    return inherited | {"DESKWIRE_DATA_DIR": str(folder), "DESKWIRE_NATS_PORT": "0", **settings}


@contextlib.contextmanager
def desk_up(folder: Path, *services: str, **settings: str) -> Iterator[Up]:
    http, smtp = free_ports(2)
    ports = {"DESKWIRE_HTTP_PORT": str(http), "DESKWIRE_SMTP_PORT": str(smtp)}
    with (folder / "up.log").open("w") as log:
        process = subprocess.Popen(
            [DESKWIRE, "up", *services], env=environment(folder, **ports, **settings), stdout=subprocess.PIPE,
            stderr=log, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        said = "".join(iter(lambda: _line(process), "  Stop      Ctrl-C\n"))
        yield Up(process, folder, http, said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(f"deskwire up ended with code {process.wait()}")
    return line


def deskwire(folder: Path, *words: str, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DESKWIRE, *words], env=environment(folder, **settings), input=typed, capture_output=True, text=True,
        timeout=SECONDS, check=False,
    )  # fmt: skip


def becomes_ready(up: Up, unless: Callable[[], bool] = lambda: False) -> None:
    deadline = time.monotonic() + SECONDS
    while unless() or not _is_ready(up.port):  # another process has no event to wait for
        assert time.monotonic() < deadline, (up.folder / "up.log").read_text()
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def nats_pid(folder: Path) -> int:
    """The server's process id; 0 in the moment in which a new one is written."""
    return int((folder / "nats" / "lock").read_text() or 0)


def test_a_new_desk_says_where_it_is_and_lets_one_person_in(tmp_path: Path) -> None:
    with desk_up(tmp_path) as up:
        assert f"Desk      http://{LOOPBACK}:{up.port}\n" in up.said
        assert re.search(rf"Start     http://{LOOPBACK}:{up.port}/setup\?token=\S{{20,}}\n", up.said)
        assert re.search(rf"Mail in   smtp://{LOOPBACK}:\d+\n", up.said)
        assert "/outbox (no mail server is configured: DESKWIRE_NOTIFY_SMTP_HOST)" in up.said
        becomes_ready(up)
        assert up.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_desk_stops_with_everything_it_started(tmp_path: Path, how: signal.Signals) -> None:
    with desk_up(tmp_path) as up:
        server = nats_pid(tmp_path)
        assert up.stop(how) == 0
        assert not is_alive(server)
        assert find_running(tmp_path) is None
        assert "Traceback" not in (tmp_path / "up.log").read_text()


def test_a_second_start_goes_on_where_the_first_one_was(tmp_path: Path) -> None:
    with desk_up(tmp_path) as up:
        assert "Start" in up.said
        added = deskwire(
            tmp_path, "user", "add", "ada@example.org", "--name", "Ada", "--role", "admin", "--password-stdin",
            typed="correct horse battery\n",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        up.stop()
    with desk_up(tmp_path) as up:
        assert "Start" not in up.said
        assert "ada@example.org" in deskwire(tmp_path, "user", "list").stdout


def test_after_a_kill_the_next_start_works(tmp_path: Path) -> None:
    with desk_up(tmp_path, "sla") as up:
        up.process.kill()
        up.process.wait()
        assert find_running(tmp_path) is None
    with desk_up(tmp_path, "sla") as up:
        assert up.stop() == 0


def test_two_at_once_on_one_folder_are_refused(tmp_path: Path) -> None:
    with desk_up(tmp_path, "sla") as up:
        second = deskwire(tmp_path, "up", "sla", DESKWIRE_HTTP_PORT=str(free_ports(1)[0]))
        assert second.returncode == 1
        assert second.stderr.startswith(f"deskwire: {tmp_path} is in use by process {up.process.pid}.")
        assert "DESKWIRE_DATA_DIR" in second.stderr
        assert listens(up.port)


def test_a_port_that_is_taken_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        refused = deskwire(tmp_path, "up", "sla", DESKWIRE_HTTP_PORT=str(port))
    assert refused.returncode == 1
    assert f"port {port} on {LOOPBACK} is used by another program" in refused.stderr
    assert "DESKWIRE_HTTP_PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_mail_port_that_is_taken_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = str(other.getsockname()[1])
        refused = deskwire(tmp_path, "up", "intake", DESKWIRE_SMTP_PORT=port, DESKWIRE_HTTP_PORT=str(free_ports(1)[0]))
    assert refused.returncode == 1
    assert "DESKWIRE_SMTP_PORT" in refused.stderr


def test_a_setting_of_a_service_that_is_wrong_is_named(tmp_path: Path) -> None:
    http = str(free_ports(1)[0])
    refused = deskwire(tmp_path, "up", "notify", DESKWIRE_HTTP_PORT=http, DESKWIRE_NOTIFY_SMTP_PORT="many")
    assert refused.returncode == 1
    assert "deskwire: setting DESKWIRE_NOTIFY_SMTP_PORT: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_server_that_dies_is_started_again_and_the_desk_lives_on(tmp_path: Path) -> None:
    with desk_up(tmp_path, "sla") as up:
        os.kill(first := nats_pid(tmp_path), signal.SIGKILL)
        becomes_ready(up, unless=lambda: nats_pid(tmp_path) in {0, first})
        assert up.stop() == 0


def test_a_desk_stops_while_its_server_is_away(tmp_path: Path) -> None:
    with desk_up(tmp_path) as up:
        becomes_ready(up)
        os.kill(nats_pid(tmp_path), signal.SIGKILL)
        assert up.stop() == 0
        assert "Traceback" not in (tmp_path / "up.log").read_text()


async def test_when_the_server_keeps_dying_the_desk_ends_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_nats, "_MOST_DEATHS", 0)
    settings = CommonSettings(data_dir=tmp_path, nats_port=0, durability="dev")

    async def run() -> None:
        async with boot.embedded_server(settings):
            os.kill(nats_pid(tmp_path), signal.SIGKILL)
            await asyncio.wait_for(asyncio.Event().wait(), SECONDS)

    with pytest.raises(ExceptionGroup) as failure:
        await run()
    assert failure.group_contains(EmbeddedNatsFailed, match="died 1 times in a row")


def test_a_server_that_is_weaker_than_promised_is_refused(tmp_path: Path) -> None:
    with desk_up(tmp_path, "sla", DESKWIRE_DURABILITY="single"):
        running = json.loads((tmp_path / "runtime.json").read_text())
        refused = deskwire(
            tmp_path, "run", "sla", DESKWIRE_NATS_URL=running["nats_url"], DESKWIRE_DURABILITY="single",
            DESKWIRE_HTTP_PORT=str(free_ports(1)[0]),
        )  # fmt: skip
    assert refused.returncode == 1
    assert "DESKWIRE_NATS_SYSTEM_URL" in refused.stderr


def test_help_is_quick_because_it_imports_no_service() -> None:
    asked = "import sys; from deskwire_shared.runtime.cli import app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert not {"fastapi", "faststream", "nats", "sqlalchemy", "structlog", "uvicorn"} & set(loaded)
    assert not [name for name in loaded if name.startswith("deskwire_") and not name.startswith("deskwire_shared")]


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/healthz/ready", timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
