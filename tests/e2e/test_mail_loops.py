"""Two desks answer each other's automatic mails, and a relay between them takes away every sign that machines wrote."""

import asyncio
import json
import re
import smtplib
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Literal

import pytest

from mail_sink import MailSink
from up_desk import UpDesk, wait_until

MOST: Final = 8
"""Automatic mails that one customer gets within an hour, in this test."""
ROUNDS: Final = 60
"""Mails that are carried over at most; a loop that goes on for ever comes this far."""
QUIET_SECONDS: Final = 3.0
SIGNS: Final = ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Deskwire-Loop", "Return-Path")
THREAD: Final = ("Message-ID", "In-Reply-To", "References", "Reply-To")
WITHHELD: Final = re.compile(r"^deskwire_notify_(?:replies|acknowledgements)_withheld_total (\d+)", re.MULTILINE)
Answering = Literal["on the same ticket", "with a new ticket each"]


@dataclass
class Side:
    """A desk, and the mail server that takes what it sends."""

    name: str
    sink: MailSink
    desk: UpDesk
    carried: int = 0

    def withheld(self) -> int:
        """How many automatic mails it kept back."""
        with urllib.request.urlopen(f"{self.desk.url}/metrics", timeout=5) as answer:
            return sum(int(number) for number in WITHHELD.findall(answer.read().decode()))


@dataclass
class Relay:
    """Carries mails between two desks, as if people had written them."""

    sides: tuple[Side, Side]
    answering: Answering
    last_at: float = field(default_factory=time.monotonic)

    @property
    def carried(self) -> int:
        """How many mails were carried over."""
        return sum(side.carried for side in self.sides)

    async def run(self) -> None:
        """Carry every mail over, up to `ROUNDS`."""
        while True:
            for side, other in (self.sides, self.sides[::-1]):
                while side.carried < len(side.sink.mails) and self.carried < ROUNDS:
                    mail = self._laundered(side, side.sink.mails[side.carried])
                    side.carried += 1
                    self.last_at = time.monotonic()
                    await asyncio.to_thread(deliver, other.desk, mail)
            await asyncio.sleep(0.02)  # between two looks

    def is_quiet(self) -> bool:
        """Whether the conversation has ended."""
        return time.monotonic() - self.last_at > QUIET_SECONDS

    def _laundered(self, side: Side, mail: EmailMessage) -> EmailMessage:
        starts_anew = self.answering == "with a new ticket each"
        for name in (*SIGNS, "From", "To", *(THREAD if starts_anew else ())):
            del mail[name]
        mail["To"], mail["From"] = "support@localhost", f"desk@{side.name}.example"
        if starts_anew:
            mail.replace_header("From", f"desk+{side.carried}@{side.name}.example")
            mail.replace_header("Subject", f"We have received your mail ({side.carried})")
            mail["Message-ID"] = f"<{time.monotonic_ns()}@{side.name}.example>"
        return mail


def deliver(desk: UpDesk, mail: EmailMessage) -> None:
    """Hand a mail over to a desk."""
    with smtplib.SMTP("127.0.0.1", desk.smtp_port, timeout=20) as smtp:
        smtp.send_message(mail)


def furnish(desk: UpDesk) -> None:
    """Give a desk a mailbox that acknowledges tickets, and rules that answer whatever a customer says."""
    answer = {"name": "Thanks", "actions": [{"do": "write_reply", "text": "We look into it."}]}
    rules = {trigger: {**answer, "trigger": trigger} for trigger in ("opened", "customer_replied")}
    mailbox = {"name": "Mail", "medium": "email", "address": "support@localhost"}
    documents = desk.folder / "documents.json"
    documents.write_text(json.dumps({"channel": {"mail": mailbox}, "rule": rules}))
    desk.command("apply", "-f", str(documents))


@asynccontextmanager
async def a_side(name: str, folder: Path) -> AsyncIterator[Side]:
    """A desk that answers everything, and its mail server."""
    await asyncio.to_thread(folder.mkdir)
    async with MailSink().open() as sink:
        settings = {
            "DESKWIRE_NOTIFY_SMTP_HOST": "127.0.0.1",
            "DESKWIRE_NOTIFY_SMTP_PORT": str(sink.port),
            "DESKWIRE_NOTIFY_SMTP_TLS": "none",
            "DESKWIRE_NOTIFY_AUTOMATIC_MAILS_PER_HOUR": str(MOST),
        }
        desk = UpDesk(folder, settings)
        try:
            await asyncio.to_thread(desk.start)
            await asyncio.to_thread(furnish, desk)
            yield Side(name, sink, desk)
        finally:
            await asyncio.to_thread(desk.stop)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("answering", ["on the same ticket", "with a new ticket each"])
async def test_two_desks_that_answer_each_other_fall_silent(answering: Answering, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        a = await stack.enter_async_context(a_side("a", tmp_path / "a"))
        b = await stack.enter_async_context(a_side("b", tmp_path / "b"))
        relay = Relay((a, b), answering)
        carrying = asyncio.create_task(relay.run())
        try:
            first = {"subject": "Hello", "text": "Is anybody there?", "sender": "desk@b.example"}
            await asyncio.to_thread(a.desk.send, **first)
            await asyncio.to_thread(wait_until, lambda: relay.carried > 1, "the desks talk", within=30)
            await asyncio.to_thread(wait_until, relay.is_quiet, "the desks fall silent", within=60)
        finally:
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying
        assert 4 < relay.carried <= 2 * MOST
        assert max(len(side.sink.mails) for side in relay.sides) <= MOST
        if answering == "with a new ticket each":
            assert all([await asyncio.to_thread(side.withheld) for side in relay.sides])
            assert all("automatic reply withheld" in side.desk.log for side in relay.sides)
