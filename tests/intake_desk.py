"""A desk whose mail listener and command API run for real, on a real NATS server."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from deskwire_intake.app import api_of, intake_of, scanner_of
from deskwire_intake.channels.email.smtp import SmtpListener
from deskwire_intake.figures import Figures
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.wiring.mails import email_channel, smtp_listener
from deskwire_shared.contracts.access import AGENT, Permission
from deskwire_shared.contracts.facts import Opened
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.runtime.listening import bind
from deskwire_shared.ticket.state import Ticket
from ticket_desk import ADMIN, TicketDesk, ticket_desk

SUPPORT = "support@example.com"
SENDER = "ann@example.net"


@dataclass(frozen=True)
class IntakeDesk:
    """A desk, and what comes to it from outside."""

    desk: TicketDesk
    listener: SmtpListener

    async def send(self, mail: bytes, *, to: Sequence[str] = (SUPPORT,), sender: str = SENDER) -> tuple[int, bytes]:
        """Send a mail as a mail program does; the code and words of the last answer."""
        return await asyncio.to_thread(self._send, mail.replace(b"\n", b"\r\n"), to, sender)

    def _send(self, mail: bytes, to: Sequence[str], sender: str) -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", self.listener.port, timeout=30) as client:
            try:
                refused = client.sendmail(sender, list(to), mail)
            except smtplib.SMTPRecipientsRefused as error:
                return next(iter(error.recipients.values()))
            except smtplib.SMTPResponseException as error:
                return error.smtp_code, bytes(error.smtp_error)  # type: ignore[arg-type]  # bytes, as it came
        return next(iter(refused.values()), (250, b""))

    async def tickets(self) -> list[Ticket]:
        """Every ticket, in the order of their opening."""
        info = await self.desk.runtime.js.stream_info(TICKETS)
        found: dict[str, None] = {}
        for sequence in range(1, info.state.last_seq + 1):
            message = await self.desk.runtime.js.get_msg(TICKETS, seq=sequence)
            found[(message.subject or "").rpartition(".")[2]] = None
        return [await self.desk.ticket(ticket_id) for ticket_id in found]

    async def opening(self, ticket: Ticket) -> Opened:
        """The fact that opened a ticket."""
        (opened,) = await self.desk.facts(ticket.id, Opened)
        assert isinstance(opened, Opened)
        return opened


@asynccontextmanager
async def intake_desk(nats_url: str, folder: Path, **settings: Any) -> AsyncIterator[IntakeDesk]:
    """Start a desk that takes mails in."""
    async with ticket_desk(nats_url, folder) as desk:
        chosen = IntakeSettings.model_validate(settings)
        intake = await intake_of(desk.runtime, scanner_of(chosen))
        listener = smtp_listener(
            chosen, await email_channel(desk.runtime, chosen, intake, Figures(desk.runtime.registry))
        )
        await listener.start(bind("127.0.0.1", 0, setting="none"))
        desk.runtime.on_stop(listener.stop)
        yield IntakeDesk(desk, listener)


@asynccontextmanager
async def api_desk(
    nats_url: str, folder: Path, scopes: frozenset[Permission] = AGENT
) -> AsyncIterator[tuple[TicketDesk, httpx2.AsyncClient]]:
    """Start a desk with the command API, and a client that sends a token with these scopes."""
    async with ticket_desk(nats_url, folder) as desk:
        api = api_of(
            desk.runtime, IntakeSettings(json_bytes=20_000, attachment_bytes=20_000), await intake_of(desk.runtime)
        )
        desk.runtime.mount("/intake", api)
        await desk.put("ada", Agent(email="ada@example.com", name="Ada", role="admin"))
        token = await desk.runtime.identity.create_token("test", tuple(sorted(scopes)), actor=ADMIN)
        transport = httpx2.ASGITransport(app=desk.runtime.http, raise_app_exceptions=False)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://desk/intake/v1", headers={"Authorization": f"Bearer {token}"}
        ) as client:
            yield desk, client
