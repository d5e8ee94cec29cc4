"""`deskwire up` as a newcomer runs it: one process with a nats-server of its own, driven from outside."""

import contextlib
import os
import re
import smtplib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from processes import DESKWIRE, LOOPBACK, NotReady, free_ports

if TYPE_CHECKING:
    from playwright.sync_api import StorageState

START_SECONDS = 30.0
STOP_SECONDS = 20.0
SETUP_LINK = re.compile(r"https?://\S+/setup\?token=\S+")


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in, with the browser's memory of a session."""

    name: str
    email: str
    password: str
    session: "StorageState"


@dataclass
class UpDesk:
    """A desk in one process, on ports of its own."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=lambda: free_ports(2))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the workspace is."""
        return f"http://{LOOPBACK}:{self.ports[0]}"

    @property
    def smtp_port(self) -> int:
        """Where mails are taken."""
        return self.ports[1]

    @property
    def log(self) -> str:
        """What the desk has said so far."""
        return (self.folder / "desk.log").read_text(errors="replace")

    @property
    def setup_link(self) -> str:
        """The link that makes the first administrator."""
        found = SETUP_LINK.search(self.log)
        assert found is not None, self.log
        return found[0]

    def environment(self) -> dict[str, str]:
        """The settings of the desk, and of commands for it."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("DESKWIRE_")}
        return inherited | {
            "DESKWIRE_DATA_DIR": str(self.folder / "data"),
            "DESKWIRE_HTTP_PORT": str(self.ports[0]),
            "DESKWIRE_SMTP_PORT": str(self.smtp_port),
            "DESKWIRE_NATS_PORT": "0",
            **self.settings,
        }

    def children(self, name: str) -> list[int]:
        """The processes of that name that the desk has started."""
        assert self.process is not None
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), name], capture_output=True, text=True, timeout=10, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def command(self, *words: str, typed: str | None = None) -> str:
        """Run a `deskwire` command for this desk; what it prints."""
        done = subprocess.run(
            [DESKWIRE, *words],
            env=self.environment(),
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def start(self) -> None:
        """Start the desk and wait until it is ready."""
        with (self.folder / "desk.log").open("ab") as output:
            self.process = subprocess.Popen(
                [DESKWIRE, "up"], env=self.environment(), stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        wait_until(self._is_ready, "the desk is ready", within=START_SECONDS, told=lambda: self.log[-3000:])

    def stop(self) -> None:
        """Stop the desk; kill it when it does not stop."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def send(
        self, subject: str, text: str, *, sender: str = "Ann Lee <ann@example.com>", html: str | None = None
    ) -> None:
        """Let a customer write."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, "support@localhost", subject
        mail["Message-ID"] = f"<{time.monotonic_ns()}@example.com>"
        mail.set_content(text)
        if html is not None:
            mail.add_alternative(html, subtype="html")
        with smtplib.SMTP(LOOPBACK, self.smtp_port, timeout=20) as smtp:
            smtp.send_message(mail)

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise NotReady(f"the desk has ended:\n{self.log[-3000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz/ready", timeout=3) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextlib.contextmanager
def up_desk(folder: Path, **settings: str) -> Iterator[UpDesk]:
    """A ready desk without people, stopped at the end."""
    desk = UpDesk(folder, settings)
    try:
        desk.start()
        yield desk
    finally:
        desk.stop()


def wait_until(
    holds: Callable[[], bool], what: str, *, within: float = 15.0, told: Callable[[], str] = lambda: ""
) -> None:
    """Wait for something with a deadline."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise NotReady(f"waited in vain until {what}:\n{told()}")
        time.sleep(0.02)
