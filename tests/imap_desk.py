"""A desk that fetches from mailboxes on a real Dovecot and keeps its tickets on a real NATS server."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deskwire_intake.app import intake_of, scanner_of
from deskwire_intake.channels.imap.channel import ImapChannel
from deskwire_intake.channels.imap.credentials import MailboxSecret
from deskwire_intake.figures import Figures
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.wiring.mails import email_channel, imap_channel
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import CustomerReplied, Opened
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.parking import Parked, list_parked
from dovecot import PASSWORD, Dovecot
from processes import LOOPBACK
from ticket_desk import TicketDesk, ticket_desk, until

SUPPORT = "support@example.com"
BOX = "support"
"""The name of the mailbox on its server."""


def a_mail(number: int, *, answers: int | None = None, body: bytes = b"Please help.\r\n") -> bytes:
    """A mail of a customer; with `answers`, to an earlier mail."""
    thread = "" if answers is None else f"In-Reply-To: <order-{answers}@example.com>\r\n"
    return (
        f"From: Customer <customer{number if answers is None else answers}@example.org>\r\n"
        f"To: {SUPPORT}\r\n"
        f"Subject: Order {number}\r\n"
        f"Message-ID: <order-{number}@example.com>\r\n"
        f"{thread}"
        "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
        "\r\n"
    ).encode() + body


@dataclass(frozen=True)
class Said:
    """A message of a customer on a ticket."""

    ticket_id: str
    message_id: str


@dataclass
class ImapDesk:
    """A desk, its mailbox on a server, and a fetcher between them."""

    desk: TicketDesk
    server: Dovecot
    imap: ImapChannel

    async def watch(self, **settings: Any) -> None:
        """Have the mailbox watched, or watched in another way."""
        usual = {"host": LOOPBACK, "port": self.server.port, "tls": "none", "username": BOX, "poll_seconds": 5}
        channel = {"name": "Support", "medium": "email", "address": SUPPORT, "imap": {**usual, **settings}}
        await self.desk.put(BOX, Channel.model_validate(channel))

    async def knows_password(self, password: str = PASSWORD) -> None:
        """Enter the password of the mailbox."""
        secret = MailboxSecret.model_validate({"password": password})
        await self.desk.runtime.secrets.set_channel(BOX, secret.stored())

    async def deliver(self, *mails: bytes) -> None:
        """Let mails come to the mailbox."""
        await asyncio.to_thread(self.server.deliver, BOX, mails)

    async def count(self, criteria: str, folder: str = "INBOX") -> int:
        """How many mails on the server match."""
        return await asyncio.to_thread(self.server.count, BOX, criteria, folder)

    async def state(self) -> str:
        """How the mailbox fares."""
        return self.imap.states().get(BOX, "")

    async def becomes(self, beginning: str) -> str:
        """Wait for a state of the mailbox."""

        async def look() -> str | None:
            state = await self.state()
            return state if state.startswith(beginning) else None

        return await until(look)

    async def messages(self) -> list[Said]:
        """What customers wrote, from the whole log."""
        return await messages(self.desk)

    async def has_begun(self, commits: int) -> None:
        """Wait until the log holds so many commits."""

        async def look() -> bool | None:
            return (await self.desk.runtime.js.stream_info(TICKETS)).state.messages >= commits or None

        await until(look)

    async def has(self, count: int) -> list[Said]:
        """Wait until so many messages are on tickets; not one more, and each once."""
        await self.has_begun(count)
        found = await self.messages()
        doubled = {one: times for one, times in Counter(said.message_id for said in found).items() if times > 1}
        assert (len(found), doubled) == (count, {})
        return found

    async def all_flagged(self) -> None:
        """Wait until the server holds no mail that the desk has not."""

        async def look() -> bool | None:
            return (await self.count("UNKEYWORD $Deskwire")) == 0 or None

        await until(look)

    async def parked(self) -> list[Parked]:
        """What waits for a person."""
        return await list_parked(self.desk.runtime.js)


@asynccontextmanager
async def imap_desk(
    nats_url: str, data: Path, server: Dovecot, *, password: str = PASSWORD, **settings: Any
) -> AsyncIterator[ImapDesk]:
    """Start a desk with one mailbox, and stop it in the middle of whatever it does."""
    async with ticket_desk(nats_url, data) as desk:
        chosen = IntakeSettings.model_validate({k: v for k, v in settings.items() if k in IntakeSettings.model_fields})
        intake = await intake_of(desk.runtime, scanner_of(chosen))
        channel = await email_channel(desk.runtime, chosen, intake, Figures(desk.runtime.registry))
        imap = imap_channel(desk.runtime, chosen, channel)
        watching = ImapDesk(desk, server, imap)
        if password:
            await watching.knows_password(password)
        await watching.watch(**{k: v for k, v in settings.items() if k not in IntakeSettings.model_fields})
        running = asyncio.create_task(imap.run())
        try:
            yield watching
        finally:
            await end(running)


async def messages(desk: TicketDesk) -> list[Said]:
    """What customers wrote, from the whole log."""
    info = await desk.runtime.js.stream_info(TICKETS)
    ids: dict[str, None] = {}
    for sequence in range(1, info.state.last_seq + 1):
        message = await desk.runtime.js.get_msg(TICKETS, seq=sequence)
        ids[(message.subject or "").rpartition(".")[2]] = None
    return [
        Said(ticket_id, fact.internet_message_id or "")
        for ticket_id in ids
        for fact in await desk.facts(ticket_id, Opened, CustomerReplied)
    ]
