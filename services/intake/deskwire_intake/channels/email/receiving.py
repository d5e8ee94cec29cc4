"""Receives a mail over SMTP in pieces instead of lines, since most of a session's time went there; within limits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

END_OF_DATA: Final = b"\r\n.\r\n"


class TooBig(Exception):
    """The mail is beyond the limit."""


class OutOfMemory(Exception):
    """All mails together are beyond the limit."""


class Memory:
    """The memory for all mails that are being received at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def holding(self) -> Iterator["HeldBytes"]:
        """Count the bytes of a mail while it is in memory."""
        held = HeldBytes(self)
        try:
            yield held
        finally:
            self._held -= held.size

    def hold(self, size: int) -> None:
        """Count bytes as held. Raises OutOfMemory."""
        self._held += size
        if self._held > self._most:
            raise OutOfMemory


class HeldBytes:
    """The bytes of one mail being received."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.size = 0

    def add(self, size: int) -> None:
        """Count more. Raises OutOfMemory."""
        self.size += size
        self._memory.hold(size)


async def receive(reader: asyncio.StreamReader, held: HeldBytes, *, most: int) -> bytes:
    """Read a mail; one that is too big is read to its end, so that the answer is understood.

    Raises TooBig or OutOfMemory.
    """
    pieces = [await _beginning(reader)]
    if pieces[0] == b".\r\n":
        return b""
    size, limit = len(pieces[0]), most + len(END_OF_DATA)
    ended = pieces[0].endswith(END_OF_DATA)
    while not ended:
        piece, ended = await _piece(reader)
        size += len(piece)
        if size > limit:
            pieces.clear()
            continue
        held.add(len(piece))
        pieces.append(piece)
    if size > limit:
        raise TooBig
    return _without_dots(b"".join(pieces)[: 2 - len(END_OF_DATA)])


async def _beginning(reader: asyncio.StreamReader) -> bytes:
    """The first bytes, so many that the end cannot begin among them."""
    beginning = bytes(await reader.readexactly(3))
    while not beginning.endswith(END_OF_DATA) and _may_be_ending(beginning):
        beginning += await reader.readexactly(1)
    return beginning


def _may_be_ending(text: bytes) -> bool:
    return any(text.endswith(END_OF_DATA[:length]) for length in range(1, len(END_OF_DATA)))


async def _piece(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """What has arrived, up to the end of the mail; whether it was the end."""
    try:
        return await reader.readuntil(END_OF_DATA), True
    except asyncio.LimitOverrunError as more:
        return await reader.readexactly(more.consumed), False


def _without_dots(content: bytes) -> bytes:
    """Undo the doubling of dots at the beginning of lines (RFC 5321, 4.5.2)."""
    content = content.removeprefix(b".")
    return content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content
