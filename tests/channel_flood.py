"""A flood of mails beside a form and a chat: each channel in a process of its own, all on one log."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Origin

from deskwire_intake.channels.imap.credentials import MailboxSecret
from deskwire_intake.channels.visitor_tokens import new_token
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.runtime.desk import Desk as OpenedDesk
from deskwire_shared.runtime.desk import open_desk
from deskwire_shared.runtime.settings import CommonSettings
from dovecot import PASSWORD, Dovecot, running_dovecot
from imap_desk import a_mail
from processes import LOOPBACK, Desk, send_until_accepted

CHANNELS = ("email", "imap", "web", "chat")
MAIL_CHANNELS = ("email", "imap")
SHOP = "https://shop.example"
SUPPORT, BOX, FORM, CHAT = "support@example.com", "support", "contact", "help"
DOCUMENTS: dict[str, dict[str, Any]] = {
    BOX: {"name": "Support", "medium": "email", "address": SUPPORT},
    FORM: {"name": "Contact", "medium": "web", "form": {"origins": [SHOP]}},
    CHAT: {"name": "Help", "medium": "chat", "chat": {"origins": [SHOP]}},
}
SMTP_CONNECTIONS = 20
PATIENCE_SECONDS = 900.0
PAUSE_SECONDS = 0.05
"""Between two customers who ask."""
SETTINGS = {"DESKWIRE_INTAKE_WEB_CLIENT_RATE": "10000", "DESKWIRE_INTAKE_CHAT_CLIENT_RATE": "10000"}


@dataclass
class Answers:
    """How long customers waited for an answer, in seconds."""

    form: list[float] = field(default_factory=list)
    chat: list[float] = field(default_factory=list)
    backlog: int = 0
    """The mails that were not on tickets yet when the last of them was answered."""


@dataclass
class Flood:
    """A desk of processes, a mail server, and what comes to them."""

    desk: Desk
    server: Dovecot
    key: bytes
    http: httpx2.AsyncClient
    mails: int = 0

    async def answers(self, times: int, *, during: asyncio.Task[None] | None = None) -> Answers:
        """Ask by form and chat so many times; with `during`, no longer than that goes on."""
        answers = Answers()
        while len(answers.form) < times and (during is None or not during.done()):
            form, chat = await _seconds(self._send_form()), await _seconds(self._chat())
            backlog = await self.backlog() if during is not None else 0
            if during is None or backlog:  # what was asked after the flood does not count
                answers.form.append(form)
                answers.chat.append(chat)
                answers.backlog = backlog
            await asyncio.sleep(PAUSE_SECONDS)
        return answers

    async def come(self, mails: int) -> None:
        """Let half of the mails lie in the mailbox and half come by SMTP, and wait until all are on tickets."""
        await asyncio.to_thread(self.server.deliver, BOX, [a_mail(number) for number in range(0, mails, 2)])
        sent = [a_mail(number) for number in range(1, mails, 2)]
        self.mails = mails
        await self._watch_mailbox()
        shares = [sent[first::SMTP_CONNECTIONS] for first in range(SMTP_CONNECTIONS)]
        await asyncio.gather(*(asyncio.to_thread(self._send, share) for share in shares))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.backlog():
                await asyncio.sleep(PAUSE_SECONDS)

    async def backlog(self) -> int:
        """How many mails are not on tickets yet."""
        accepted = [_accepted(await self.figures(channel)) for channel in MAIL_CHANNELS]
        return self.mails - sum(accepted)

    async def figures(self, channel: str) -> str:
        """What a channel's process tells its operators."""
        return (await self.http.get(self._url(channel, "/metrics"))).text

    async def readiness(self, channel: str) -> dict[str, Any]:
        """Whether a channel's process is ready, and how it fares."""
        answer: dict[str, Any] = (await self.http.get(self._url(channel, "/healthz/ready"))).json()
        return answer

    async def _watch_mailbox(self) -> None:
        imap = {"host": LOOPBACK, "port": self.server.port, "tls": "none", "username": BOX, "poll_seconds": 2}
        async with open_desk(_settings(self.desk)) as opened:
            await _put(opened, BOX, {**DOCUMENTS[BOX], "imap": imap})

    def _send(self, mails: Sequence[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        send_until_accepted(self.desk.ports["smtp"], "sender@example.com", SUPPORT, list(mails), deadline=deadline)

    async def _send_form(self) -> None:
        shown_at = SystemClock().now() - timedelta(seconds=10)
        written = {"name": "Ann Lee", "address": "ann@example.com", "subject": "Where is it?", "message": "It is late."}
        answer = await self.http.post(
            self._url("web", f"/intake/v1/forms/{FORM}"),
            data={**written, "token": new_token("form", FORM, shown_at, self.key)},
            headers={"Accept": "application/json"},
        )
        assert answer.status_code == 201, answer.text

    async def _chat(self) -> None:
        """Open a chat, say something, and wait until it is kept."""
        address = self._url("chat", f"/intake/v1/chat/{CHAT}/socket").replace("http", "ws", 1)
        async with websockets.connect(address, origin=Origin(SHOP)) as socket:
            await socket.send(json.dumps({"type": "hello", "session": "", "last_seen": ""}))
            await _hear(socket, "welcome")
            await socket.send(json.dumps({"type": "say", "id": new_id(), "text": "Are you there?"}))
            await _hear(socket, "said")

    def _url(self, channel: str, path: str) -> str:
        return f"http://{LOOPBACK}:{self.desk.ports[channel]}{path}"


@asynccontextmanager
async def flood(folder: Path) -> AsyncIterator[Flood]:
    """Start a process for each channel; nothing comes yet."""
    services: dict[str, tuple[str, ...]] = {channel: ("intake", "--channel", channel) for channel in CHANNELS}
    with running_dovecot(mail_format="sdbox") as server:
        desk = Desk(folder, SETTINGS, services)
        try:
            await asyncio.to_thread(desk.start)
            key = await _furnish(desk)
            async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http:
                yield Flood(desk, server, key, http)
        finally:
            await asyncio.to_thread(desk.stop)


async def _furnish(desk: Desk) -> bytes:
    """Set the channels up; the site's key."""
    async with open_desk(_settings(desk)) as opened:
        await opened.secrets.set_channel(BOX, MailboxSecret.model_validate({"password": PASSWORD}).stored())
        for channel_id, document in DOCUMENTS.items():
            await _put(opened, channel_id, document)
        return await opened.secrets.site_key()


async def _put(opened: OpenedDesk, channel_id: str, document: dict[str, Any]) -> None:
    await opened.directory.put(channel_id, Channel.model_validate(document), actor=Actor(kind="system", id="test"))


def _settings(desk: Desk) -> CommonSettings:
    return CommonSettings.model_validate({"nats_url": desk.nats_url, "data_dir": desk.folder / "data"})


def _accepted(figures: str) -> int:
    found = re.findall(
        r'^deskwire_intake_messages_total{channel="email",outcome="accepted"} (\S+)', figures, re.MULTILINE
    )
    return sum(int(float(value)) for value in found)


async def _hear(socket: ClientConnection, kind: str) -> None:
    while json.loads(await socket.recv())["type"] != kind:
        pass


async def _seconds(doing: Awaitable[None]) -> float:
    started = time.perf_counter()
    await doing
    return time.perf_counter() - started
