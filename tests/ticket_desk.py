"""A desk with some of the services in it, on a real NATS server, for tests of one service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Address, Fact
from deskwire_shared.contracts.ids import new_id, person_id
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.runtime.boot import migrate, runtime
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.ticket.commands import OpenTicket, TicketCommand
from deskwire_shared.ticket.state import Ticket

PATIENCE_SECONDS = 20.0
ADMIN = Actor(kind="agent", id="root")
CUSTOMER = Actor(kind="customer", id="cora")
CORA = Address(address="cora@example.org", name="Cora Customer")
CORA_ID = person_id(CORA.address, b"site")

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T | None]], *, within: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something to see, with a deadline."""
    async with asyncio.timeout(within):
        while (found := await look()) is None:
            await asyncio.sleep(0.01)
        return found


@dataclass(frozen=True)
class TicketDesk:
    """A desk, and what its people do."""

    runtime: Runtime

    async def put(self, document_id: str, document: Document) -> None:
        """Store a directory document."""
        await self.runtime.directory.put(document_id, document, actor=ADMIN)

    async def do(self, ticket_id: str, command: TicketCommand, actor: Actor = CUSTOMER) -> None:
        """Carry a wish out on a ticket."""
        cause = Cause(command_id=new_id(), actor=actor, at=self.runtime.clock.now())
        await self.runtime.recorder.record(ticket_id, command, cause)

    async def open(self, **changes: Any) -> str:
        """Open a ticket by a customer's mail."""
        ticket_id = new_id()
        usual: dict[str, Any] = {
            "message_id": new_id(), "number": 42, "channel": "email", "channel_id": "mail", "author": CORA,
            "requester_id": CORA_ID, "subject": "Printer on fire", "text": "Please help.",
        }  # fmt: skip
        await self.do(ticket_id, OpenTicket(**{**usual, **changes}))
        return ticket_id

    async def ticket(self, ticket_id: str) -> Ticket:
        """The ticket as it is now."""
        return await self.runtime.recorder.ticket(ticket_id)

    async def commits(self, ticket_id: str) -> tuple[Commit, ...]:
        """The history of a ticket."""
        return (await self.runtime.store.load(ticket_id, fresh=True)).commits

    async def facts(self, ticket_id: str, *kinds: type[Fact]) -> list[Any]:
        """The facts of some kinds on a ticket."""
        return [fact for commit in await self.commits(ticket_id) for fact in commit.facts if isinstance(fact, kinds)]

    async def commit_with(self, ticket_id: str, kind: type[Fact], *, count: int = 1) -> Commit:
        """Wait for the commit with so many facts of a kind behind it."""

        async def look() -> Commit | None:
            found = [c for c in await self.commits(ticket_id) for fact in c.facts if isinstance(fact, kind)]
            return found[count - 1] if len(found) >= count else None

        return await until(look)

    async def settled(self, *consumers: tuple[str, str]) -> None:
        """Wait until consumers, each with its stream, have handled everything."""

        async def look() -> bool | None:
            for stream, consumer in consumers:
                info = await self.runtime.js.consumer_info(stream, consumer)
                if info.num_pending or info.num_ack_pending:
                    return None
            return True

        await until(look)


@asynccontextmanager
async def ticket_desk(nats_url: str, folder: Path, *services: Service) -> AsyncIterator[TicketDesk]:
    """Start a desk in which these services listen."""
    settings = CommonSettings(nats_url=SecretStr(nats_url), data_dir=folder, durability="dev")
    await migrate(settings)
    async with runtime(settings, services) as built, asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:
        built.tasks = tasks
        for service in services:
            await service.start(built, None)
        await built.broker.start()
        stack.push_async_callback(_stop, built)
        yield TicketDesk(built)


async def _stop(built: Runtime) -> None:
    await built.broker.stop()
    for stop in reversed(built.stops):
        await stop()
    for task in built.spawned:
        task.cancel()
