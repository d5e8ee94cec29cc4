"""One visit of a customer to a chat: their browser's WebSocket from `hello` to its end, within limits."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from nats.aio.client import Client
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from structlog import get_logger

from deskwire_intake.channels.chat.frames import (
    Hello,
    Introduce,
    Refused,
    Said,
    Say,
    Shown,
    Typing,
    UnreadableFrame,
    read_frame,
)
from deskwire_intake.channels.chat.messages import ChatMessages, Visitor, inbound_message
from deskwire_intake.channels.chat.outlets import Outlet
from deskwire_intake.channels.chat.room import Room
from deskwire_intake.channels.chat.states import has_ended
from deskwire_intake.channels.passing import passes
from deskwire_intake.channels.port import CannotBeHandled
from deskwire_intake.rates import RateLimit
from deskwire_intake.wishes import said_under
from deskwire_shared.contracts.subjects import chat_typing_subject

HELLO_SECONDS: Final = 10.0
FRAMES: Final = 60
FRAMES_SECONDS: Final = 10.0
"""So many frames of any kind in that time; a browser that sends more is cut off."""
TYPING_SECONDS: Final = 4.0

T = TypeVar("T")

log = get_logger(__name__)


class Cut(Exception):
    """The socket is closed by us; the widget knows the code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


UNREADABLE: Final = (4400, "a frame cannot be read")
REFUSED: Final = (4403, "this site may not use the chat")
UNKNOWN: Final = (4404, "there is no such chat")
SILENT: Final = (4408, "no hello came in time")
TOO_SLOW: Final = (4409, "the browser does not take what it is told")
FLOOD: Final = (4429, "too many frames")
FULL: Final = (4503, "all places are taken")
UNAVAILABLE: Final = (4500, "the desk cannot do this at the moment")
"""Why we close a socket: the codes from 4000 on are for applications (RFC 6455, 7.4.2)."""


async def next_frame(websocket: WebSocket) -> str:
    """The next text that a browser sends. Raises Cut or WebSocketDisconnect."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text = message.get("text")
    if text is None:
        raise Cut(*UNREADABLE)
    return str(text)


async def hello_of(websocket: WebSocket) -> Hello:
    """Wait for the first frame. Raises Cut or WebSocketDisconnect."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            frame = read_frame(await next_frame(websocket))
    except TimeoutError as error:
        raise Cut(*SILENT) from error
    except UnreadableFrame as error:
        raise Cut(*UNREADABLE) from error
    if not isinstance(frame, Hello):
        raise Cut(*UNREADABLE)
    return frame


@dataclass(kw_only=True)
class Visit:
    """A browser in a room."""

    websocket: WebSocket
    outlet: Outlet
    room: Room
    visitor: Visitor
    messages: ChatMessages
    connection: Client
    said: RateLimit
    """How much one customer may say; it is shared by all visits."""
    frames: RateLimit = field(default_factory=lambda: RateLimit(FRAMES, FRAMES_SECONDS))
    typed: RateLimit = field(default_factory=lambda: RateLimit(1, TYPING_SECONDS))

    async def run(self) -> None:
        """Carry on until the browser leaves. Raises Cut or WebSocketDisconnect."""
        await self.room.ask_for_replies()
        ways = (self._listen(), self.outlet.run(), self._broken())
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _broken(self) -> None:
        await self.outlet.is_broken.wait()
        raise Cut(*TOO_SLOW)

    async def _listen(self) -> None:
        while True:
            text = await next_frame(self.websocket)
            if self.frames.take():
                raise Cut(*FLOOD)
            try:
                frame = read_frame(text)
            except UnreadableFrame as error:
                raise Cut(*UNREADABLE) from error
            match frame:
                case Say():
                    await self._say(frame)
                case Introduce():
                    await self._introduce(frame)
                case Shown():
                    await self.room.was_shown(frame.id)
                case Typing():
                    await self._type()
                case Hello():
                    raise Cut(*UNREADABLE)

    async def _say(self, frame: Say) -> None:
        """Keep a message for good, then tell its browser so, and the others what was said."""
        wait = self.said.take(self.room.ticket_id)
        if wait:
            self.outlet.send(Refused(id=frame.id, code="slow_down", wait=round(wait, 1)))
            return
        ticket = self.room.ticket
        if has_ended(ticket):
            self.outlet.send(Refused(id=frame.id, code="ended"))
            return
        message = inbound_message(frame, ticket, self.visitor)
        own_id = said_under(message, ticket.id)
        self.outlet.told.add(own_id)  # the log may be heard before we go on here
        kept = await self._kept(frame.id, lambda: self.messages.keep(message))
        if kept is None:
            self.outlet.told.discard(own_id)
            return
        self.outlet.send(Said(id=frame.id, message_id=kept.message.id, at=kept.message.at))
        self.room.changed(kept.sequence)

    async def _introduce(self, frame: Introduce) -> None:
        """Note who the customer is, on the ticket too when there is one already."""
        introduced = self.visitor.introduced(frame)
        if wait := self.said.take(self.room.ticket_id):
            self.outlet.send(Refused(code="slow_down", wait=round(wait, 1)))
            return
        if introduced is None:
            self.outlet.send(Refused(code="no_address"))
            return
        if has_ended(self.room.ticket):
            self.outlet.send(Refused(code="ended"))
            return
        if self.room.ticket.exists:
            await self._kept("", lambda: self.messages.introduce(self.room.ticket, introduced))
        self.visitor = introduced

    async def _kept(self, asked_id: str, keep: Callable[[], Awaitable[T]]) -> T | None:
        try:
            return await keep()
        except CannotBeHandled:
            self.outlet.send(Refused(id=asked_id, code="not_accepted"))
        except Exception as error:
            if not passes(error):
                raise
            log.warning("chat message not kept at this moment", error=repr(error))
            self.outlet.send(Refused(id=asked_id, code="unavailable", wait=2.0))
        return None

    async def _type(self) -> None:
        if not self.typed.take():
            typing = {"by": "customer", "name": self.visitor.name}
            await self.connection.publish(chat_typing_subject(self.room.ticket_id), json.dumps(typing).encode())


async def close(websocket: WebSocket, cut: Cut) -> None:
    """Close a socket with a code that its widget knows."""
    if websocket.application_state is WebSocketState.CONNECTED:
        await websocket.close(cut.code, cut.reason)
