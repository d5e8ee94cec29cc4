"""A desk with forms and chats behind a real HTTP server, on a real NATS server, and a foreign site that embeds them."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Origin

from deskwire_intake.app import intake_of
from deskwire_intake.figures import Figures
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.wiring.visitors import chat_channel, serve_chat, serve_forms, web_channel
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.boot import WEBSOCKET_FRAME_BYTES
from deskwire_shared.runtime.service import Service
from deskwire_shared.ticket.commands import SendReply
from deskwire_shared.ticket.state import Ticket
from ticket_desk import TicketDesk, ticket_desk, until

SHOP = "https://shop.example"
FORM, CHAT = "contact", "help"
PATIENCE_SECONDS = 15.0


@dataclass
class Widget:
    """A chat's widget, as a browser would drive it."""

    socket: ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list)
    shows: bool = True

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def hear(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """Wait for a frame of a kind, with some values in it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame: dict[str, Any] = json.loads(await self.socket.recv())
                self.frames.append(frame)
                if self.shows and frame["type"] == "message" and frame["message"]["by"] == "agent":
                    await self.send(type="shown", id=frame["message"]["id"])
                if frame["type"] == kind and all(frame.get(key) == value for key, value in wanted.items()):
                    return frame

    async def stands(self, **wanted: Any) -> dict[str, Any]:
        """Wait until the chat stands in some way, if it does not already."""
        known = [frame for frame in self.frames if frame["type"] == "state"]
        if known and all(known[-1].get(key) == value for key, value in wanted.items()):
            return known[-1]
        return await self.hear("state", **wanted)

    async def say(self, text: str, message_id: str | None = None) -> dict[str, Any]:
        """Write, and wait until it is kept."""
        message_id = message_id or new_id()
        await self.send(type="say", id=message_id, text=text)
        return await self.hear("said", id=message_id)


async def closed(socket_: ClientConnection) -> int:
    """Wait until the desk closes a socket; the code."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            while True:
                await socket_.recv()
        except websockets.ConnectionClosed as gone:
            return gone.rcvd.code if gone.rcvd else 1006


@dataclass
class VisitorDesk:
    """A desk, and what visitors do."""

    desk: TicketDesk
    port: int
    client: httpx2.AsyncClient

    @property
    def url(self) -> str:
        """Where forms and chats are."""
        return f"http://127.0.0.1:{self.port}/intake/v1"

    async def tickets(self) -> list[Ticket]:
        """Every ticket, in the order of their opening."""
        info = await self.desk.runtime.js.stream_info(TICKETS)
        found: dict[str, None] = {}
        for sequence in range(1, info.state.last_seq + 1):
            message = await self.desk.runtime.js.get_msg(TICKETS, seq=sequence)
            found[(message.subject or "").rpartition(".")[2]] = None
        return [await self.desk.ticket(ticket_id) for ticket_id in found]

    async def only_ticket(self) -> Ticket:
        """The ticket that is there."""
        (ticket,) = await self.tickets()
        return ticket

    @asynccontextmanager
    async def socket(self, *, origin: str | None = SHOP, channel: str = CHAT) -> AsyncIterator[ClientConnection]:
        """Open a socket, as a page of some site would."""
        address = f"ws://127.0.0.1:{self.port}/intake/v1/chat/{channel}/socket"
        async with websockets.connect(address, origin=Origin(origin) if origin else None, max_size=None) as socket_:
            yield socket_

    @asynccontextmanager
    async def widget(
        self, session: str = "", *, last_seen: str = "", channel: str = CHAT
    ) -> AsyncIterator[tuple[Widget, dict[str, Any]]]:
        """Open a chat; the widget, and the frame that welcomes it."""
        async with self.socket(channel=channel) as socket_:
            widget = Widget(socket_)
            await widget.send(type="hello", session=session, last_seen=last_seen)
            yield widget, await widget.hear("welcome")

    async def reply(self, ticket: Ticket, text: str = "Let me see.", **more: Any) -> str:
        """Let an agent answer."""
        message_id = new_id()
        await self.desk.do(ticket.id, SendReply(message_id=message_id, agent_id="ada", text=text, **more))
        return message_id

    async def delivery(self, ticket: Ticket, message_id: str, wanted: str) -> Ticket:
        """Wait until an answer has a fate."""

        async def look() -> Ticket | None:
            now = await self.desk.ticket(ticket.id)
            message = now.message(message_id)
            return now if message is not None and message.delivery == wanted else None

        return await until(look)


@asynccontextmanager
async def visitor_desk(nats_url: str, folder: Path, *services: Service, **settings: Any) -> AsyncIterator[VisitorDesk]:
    """Start a desk that shows a form and a chat to a shop; beside it, services such as notify."""
    async with ticket_desk(nats_url, folder, *services) as desk:
        runtime, chosen = desk.runtime, IntakeSettings.model_validate(settings)
        intake, figures = await intake_of(runtime), Figures(runtime.registry)
        serve_forms(runtime, await web_channel(runtime, chosen, intake, figures))
        await serve_chat(runtime, await chat_channel(runtime, chosen, intake, figures))
        await desk.put("ada", Agent(email="ada@example.com", name="Ada Agent"))
        await desk.put(FORM, Channel.model_validate({"name": "Contact", "medium": "web", "form": {"origins": [SHOP]}}))
        await desk.put(CHAT, Channel.model_validate({"name": "Help", "medium": "chat", "chat": {"origins": [SHOP]}}))
        async with served(runtime.http) as port, httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield VisitorDesk(desk, port, client)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[int]:
    """Serve an application over HTTP, as `boot` does; its port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ws_max_size=WEBSOCKET_FRAME_BYTES, ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: _started(server))
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.wait({serving}, timeout=10)
        await end(serving)
        listener.close()


async def _started(server: uvicorn.Server) -> bool | None:
    return server.started or None
