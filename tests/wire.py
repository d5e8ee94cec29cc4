"""A wire between a client and a server that can be cut, or go silent as when a firewall forgets a connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from processes import LOOPBACK


@dataclass
class Wire:
    """Hands bytes on, in both directions, while it is whole."""

    target_port: int
    port: int = 0
    connections: int = 0
    _whole: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def go_silent(self) -> None:
        """Hand nothing on any more, and tell nobody."""
        self._whole.clear()

    def mend(self) -> None:
        """Hand everything on again."""
        self._whole.set()

    def cut(self) -> None:
        """End every connection at once."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Wire"]:
        """Lay the wire."""
        self.mend()
        server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.mend()
            self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection(LOOPBACK, self.target_port)
        self._writers += [writer, back]
        with suppress(ConnectionError):
            await asyncio.gather(self._hand_on(reader, back), self._hand_on(there, writer))

    async def _hand_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._whole.wait()
            target.write(data)
            await target.drain()
        target.close()
