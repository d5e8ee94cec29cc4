"""The desk as separate processes against a real nats-server, each of which can be killed and started again."""

import contextlib
import json
import os
import secrets
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deskwire_shared.runtime.nats_server import find_program

LOOPBACK = "127.0.0.1"
SERVICES = ("intake", "routing", "sla", "notify", "query")
BEHIND_QUERY = ("intake", "routing", "sla")
"""The services whose APIs query passes on."""
START_SECONDS = 30.0
DESKWIRE = Path(sys.executable).with_name("deskwire")

NATS_CONF = """\
listen: "127.0.0.1:{port}"
max_payload: 4MB
jetstream {{ store_dir: "{store}", sync_interval: always }}
accounts {{
  DESKWIRE {{ jetstream: enabled, users: [{{ user: desk, password: "{password}" }}] }}
  SYS {{ users: [{{ user: sys, password: "{password}" }}] }}
}}
system_account: SYS
"""


class NotReady(Exception):
    """A process did not become ready in time."""


@dataclass
class Desk:
    """Services and a nats-server, one process each; `settings` are added to every environment."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    services: dict[str, tuple[str, ...]] = field(default_factory=lambda: {name: (name,) for name in SERVICES})
    """What `deskwire run` is told, by the name of the process."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = ("nats", "smtp", *SERVICES, *(name for name in self.services if name not in SERVICES))
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.password = secrets.token_hex(8)
        (self.folder / "nats.conf").write_text(
            NATS_CONF.format(port=self.ports["nats"], store=self.folder / "jetstream", password=self.password)
        )

    @property
    def servers(self) -> tuple[str, ...]:
        """The processes that keep the log."""
        return ("nats",)

    @property
    def nats_url(self) -> str:
        """Where the services reach the server."""
        return f"nats://desk:{self.password}@{LOOPBACK}:{self.ports['nats']}"

    @property
    def url(self) -> str:
        """The workspace and both APIs: query passes commands on to intake."""
        return f"http://{LOOPBACK}:{self.ports['query']}"

    def environment(self, name: str) -> dict[str, str]:
        """The settings of one process."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("DESKWIRE_")}
        return inherited | {
            "DESKWIRE_DATA_DIR": str(self.folder / "data"),
            "DESKWIRE_NATS_URL": self.nats_url,
            "DESKWIRE_NATS_SYSTEM_URL": self.nats_url.replace("desk:", "sys:"),
            "DESKWIRE_SMTP_PORT": str(self.ports["smtp"]),
            "DESKWIRE_HTTP_PORT": str(self.ports.get(name, 0)),
            "DESKWIRE_PUBLIC_URL": self.url,
            **{f"DESKWIRE_QUERY_{name.upper()}_URL": f"http://{LOOPBACK}:{self.ports[name]}" for name in BEHIND_QUERY},
            **self.settings,
        }

    def start(self) -> None:
        """Start everything, the streams first."""
        (self.folder / "data").mkdir(exist_ok=True)
        self._start_together(self.servers)
        self.command("migrate")
        self._start_together(self.services)

    def start_one(self, name: str) -> None:
        """Start a process and wait until it is ready."""
        self._spawn(name)
        self._wait_until_ready(name)

    def kill(self, name: str) -> None:
        """`kill -9` a process."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Stop everything, the server last; what does not stop is killed."""
        for name in reversed(list(self.running)):
            process = self.running.pop(name)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `deskwire` command against this desk."""
        return subprocess.run(
            [DESKWIRE, *words],
            env=self.environment("command"),
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def log(self, name: str) -> str:
        """What a process has logged so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _start_together(self, names: Iterable[str]) -> None:
        for name in names:
            self._spawn(name)
        for name in names:
            self._wait_until_ready(name)

    def _spawn(self, name: str) -> None:
        words: list[str | Path] = (
            [find_program(), "-c", self.folder / f"{name}.conf"]
            if name in self.servers
            else [DESKWIRE, "run", *self.services[name]]
        )
        with (self.folder / f"{name}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                words, env=self.environment(name), stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )

    def _wait_until_ready(self, name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(name):
            if time.monotonic() > deadline or self.running[name].poll() is not None:
                raise NotReady(f"{name} is not ready:\n{self.log(name)[-3000:]}")
            time.sleep(0.02)

    def _is_ready(self, name: str) -> bool:
        if name in self.servers:
            return listens(self.ports["nats"])
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.ports[name]}/healthz/ready", timeout=3) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextlib.contextmanager
def running_desk(folder: Path, **settings: str) -> Iterator[Desk]:
    """Five ready services, stopped at the end."""
    desk = Desk(folder, settings)
    try:
        desk.start()
        yield desk
    finally:
        desk.stop()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def send_until_accepted(port: int, sender: str, recipient: str, mails: list[bytes], *, deadline: float) -> None:
    """Send mails as a mail server does: each again and again until it was answered with 250."""
    waiting = list(mails)
    while waiting:
        try:
            with smtplib.SMTP(LOOPBACK, port, timeout=20) as smtp:
                while waiting:
                    smtp.sendmail(sender, [recipient], waiting[0])
                    waiting.pop(0)
        except (OSError, smtplib.SMTPException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def get_json(url: str, token: str) -> dict[str, object]:
    """An answer of the API."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, object] = json.load(answer)
        return found
