"""A virus scanner that speaks the language of clamd, over a Unix socket or TCP, and knows one virus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""What every scanner takes for a virus, so that it can be tried (eicar.org); harmless."""
MOST_BYTES = 4 * 1024 * 1024


@dataclass
class ClamdServer:
    """A scanner and what it was asked."""

    scanned: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    """What it answers next instead of the truth; nothing means to hang up."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one command."""
        try:
            command = await reader.readuntil(b"\0")
            writer.write(await self._answer(reader) if command == b"zINSTREAM\0" else b"UNKNOWN COMMAND\0")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        content = bytearray()
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
            if len(content) > MOST_BYTES:
                return b"INSTREAM size limit exceeded. ERROR\0"
        self.scanned.append(bytes(content))
        if self.answers:
            return self.answers.pop(0)
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"


@asynccontextmanager
async def clamd_server(path: Path) -> AsyncIterator[ClamdServer]:
    """Serve on a Unix socket."""
    clamd = ClamdServer()
    server = await asyncio.start_unix_server(clamd.serve, path)
    try:
        yield clamd
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def clamd_over_tcp() -> AsyncIterator[tuple[ClamdServer, int]]:
    """Serve on a port."""
    clamd = ClamdServer()
    server = await asyncio.start_server(clamd.serve, "127.0.0.1", 0)
    try:
        yield clamd, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
