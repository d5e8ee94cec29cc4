"""The way out of one WebSocket: frames wait for a slow browser up to a limit, and nobody waits for it."""

import asyncio
from typing import Final

from starlette.websockets import WebSocket

from deskwire_intake.channels.chat.frames import Outgoing

MOST_WAITING: Final = 200


class Outlet:
    """What is on its way to one browser, and which messages it has been told."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._frames: asyncio.Queue[Outgoing] = asyncio.Queue(MOST_WAITING)
        self.is_broken = asyncio.Event()
        """The socket has to be closed: its browser is too slow, or the chat cannot be kept up."""
        self.told: set[str] = set()

    def send(self, frame: Outgoing) -> None:
        """Send a frame as soon as the browser takes it."""
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.is_broken.set()

    async def run(self) -> None:
        """Carry frames out for as long as the socket is open."""
        while True:
            frame = await self._frames.get()
            await self._websocket.send_text(frame.model_dump_json(exclude_none=True))
