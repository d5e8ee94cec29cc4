"""A desk with nothing but notify in it, on a real NATS server, for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from deskwire_notify.app import service, wired
from deskwire_notify.channels.port import Relay
from deskwire_notify.figures import Figures
from deskwire_notify.handlers import Outgoing
from deskwire_notify.settings import NotifySettings
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Address, Fact, Opened
from deskwire_shared.contracts.ids import new_id, person_id
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.runtime.boot import migrate, runtime
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.runtime.service import Runtime
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.ticket.commands import OpenTicket, SendReply, TicketCommand
from deskwire_shared.ticket.state import Ticket

PATIENCE_SECONDS = 20.0
CORA = Address(address="cora@example.org", name="Cora Customer")
ADMIN = Actor(kind="agent", id="root")
CUSTOMER = Actor(kind="customer", id="cora")
CHANNEL = "mailchannel"


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to hold, with a deadline."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class NotifyDesk:
    """A desk, and what its people do."""

    runtime: Runtime

    async def key(self) -> bytes:
        """The site's key."""
        return await self.runtime.secrets.site_key()

    async def do(self, ticket_id: str, command: TicketCommand, actor: Actor = CUSTOMER) -> None:
        """Carry a wish out on a ticket."""
        cause = Cause(command_id=new_id(), actor=actor, at=self.runtime.clock.now())
        await self.runtime.recorder.record(ticket_id, command, cause)

    async def open(self, *, actor: Actor = CUSTOMER, **changes: Any) -> str:
        """Open a ticket by a customer's mail."""
        ticket_id = new_id()
        usual: dict[str, Any] = {
            "message_id": new_id(),
            "number": 42,
            "channel": "email",
            "channel_id": CHANNEL,
            "author": CORA,
            "requester_id": person_id(CORA.address, b"site"),
            "subject": "Printer on fire",
            "text": "Please help.",
            "internet_message_id": "c1@mail.example",
            "references": ("c0@mail.example",),
        }
        await self.do(ticket_id, OpenTicket(**{**usual, **changes}), actor)
        return ticket_id

    async def reply(self, ticket_id: str, **changes: Any) -> str:
        """Answer the customer."""
        message_id = new_id()
        usual: dict[str, Any] = {"message_id": message_id, "agent_id": "ada", "text": "Use water."}
        await self.do(ticket_id, SendReply(**{**usual, **changes}), Actor(kind="agent", id="ada"))
        return message_id

    async def ticket(self, ticket_id: str) -> Ticket:
        """The ticket as it is now."""
        return await self.runtime.recorder.ticket(ticket_id)

    async def facts(self, ticket_id: str, *kinds: type[Fact]) -> list[Any]:
        """What notify recorded on a ticket."""
        history = await self.runtime.store.load(ticket_id, fresh=True)
        return [fact for commit in history.commits for fact in commit.facts if isinstance(fact, kinds)]

    async def settled(self, ticket_id: str, message_id: str) -> Ticket:
        """Wait until a reply has a fate."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                ticket = await self.ticket(ticket_id)
                message = ticket.message(message_id)
                if message is not None and message.delivery != "waiting":
                    return ticket
                await asyncio.sleep(0.02)

    async def recorded(self, ticket_id: str, kind: type[Fact], count: int = 1) -> list[Any]:
        """Wait until facts of a kind stand on a ticket."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found := await self.facts(ticket_id, kind)) < count:
                await asyncio.sleep(0.02)
            return found

    async def outgoing(self, relay: Relay) -> Outgoing:
        """The parts of one more replica that sends through another relay."""
        return await wired(self.runtime, NotifySettings(), relay, Figures(CollectorRegistry()))

    def heard(self, ticket_id: str) -> Heard:
        """Wake a replica for a ticket, as a timer would."""
        now = self.runtime.clock.now()
        return Heard(ticket_id, 1, f"timer.due.notify.{ticket_id}.x", frozenset(), now)


@asynccontextmanager
async def notify_desk(nats_url: str, folder: Path, *, running: bool = True) -> AsyncIterator[NotifyDesk]:
    """Start a desk with one mailbox and one agent; with `running`, notify listens."""
    settings = CommonSettings(nats_url=SecretStr(nats_url), data_dir=folder, durability="dev")
    await migrate(settings)
    async with runtime(settings, [service]) as built:
        desk = NotifyDesk(built)
        await _furnish(built)
        if not running:
            yield desk
            return
        await service.start(built, None)
        await built.broker.start()
        try:
            yield desk
        finally:
            await built.broker.stop()
            for stop in reversed(built.stops):
                await stop()


async def _furnish(built: Runtime) -> None:
    mailbox = Channel(name="Support", medium="email", address="support@acme.example", sender_name="Acme Support")
    await built.directory.put(CHANNEL, mailbox, actor=ADMIN)
    await built.directory.put("ada", Agent(email="ada@acme.example", name="Ada Agent"), actor=ADMIN)


__all__ = ["CHANNEL", "CORA", "NotifyDesk", "Opened", "notify_desk", "until"]
