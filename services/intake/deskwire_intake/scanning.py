"""Looks for viruses in what came: not at all, or by a `clamd` at hand.

Errors:

    ScannerUnavailable       passes: the message waits until the scanner is back
    CannotBeHandled
    └── TooLargeToScan       the scanner takes no file of that size: the message is parked
"""

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from structlog import get_logger

from deskwire_intake.channels.port import CannotBeHandled
from deskwire_shared.runtime.objects import Content, pieces_of, size_of

MOST_ANSWER_BYTES: Final = 4 * 1024
DEFAULT_PORT: Final = 3310
PAUSE_SECONDS: Final = 0.2
MOST_NAME: Final = 200

_ANSWER = re.compile(r"stream: (?:(?P<clean>OK)|(?P<name>[^\0\r\n]{1,1000}) FOUND)\Z")

log = get_logger(__name__)


class ScannerUnavailable(Exception):
    """Nobody looks for viruses at the moment."""


class TooLargeToScan(CannotBeHandled):
    """The scanner refuses a file of that size."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the virus scanner takes no file of {size} bytes: raise its StreamMaxLength, then replay")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a scan came to: the name of a virus, or that nobody looked."""

    infected: str | None = None
    unscanned: bool = False


CLEAN: Final = Finding()


class Scanner(Protocol):
    """Looks for viruses."""

    async def scan(self, content: Content) -> Finding:
        """Look into a file, from its beginning. Raises ScannerUnavailable or TooLargeToScan."""
        ...


class NoScanner:
    """Lets everything pass, on a desk that has chosen no scanner."""

    async def scan(self, content: Content) -> Finding:
        """Find nothing."""
        del content
        return CLEAN


NO_SCANNER: Final = NoScanner()


@dataclass(frozen=True, kw_only=True, slots=True)
class Clamd:
    """Asks a `clamd` by its command INSTREAM, over TCP or a Unix socket."""

    address: str
    """`unix:/run/clamav/clamd.ctl` or `tcp://clamav:3310`."""
    seconds: float
    tries: int
    accepts_unscanned: bool = False
    """Whether files are taken in unscanned, and marked as such, while no scanner answers."""

    async def scan(self, content: Content) -> Finding:
        """See `Scanner.scan`."""
        size = size_of(content)
        if not size:
            return CLEAN
        for number in range(self.tries):
            try:
                async with asyncio.timeout(self.seconds):
                    return _finding(await self._ask(content), size)
            except OSError as error:
                trouble = error
            if number + 1 < self.tries:
                await asyncio.sleep(PAUSE_SECONDS)
        if not self.accepts_unscanned:
            raise ScannerUnavailable(f"clamd at {self.address} does not answer: {trouble!r}") from trouble
        log.warning("file taken in unscanned", scanner=self.address, error=repr(trouble))
        return Finding(unscanned=True)

    async def _ask(self, content: Content) -> str:
        with await self._connect() as connection:
            await _send(connection, content)
            return await _answer(connection)

    async def _connect(self) -> socket.socket:
        """Connect to the first address that answers: a name may stand for one of IPv6 and one of IPv4."""
        place = urlsplit(self.address)
        if place.scheme == "unix":
            return await _connected(socket.AF_UNIX, place.path)
        loop, port = asyncio.get_running_loop(), place.port or DEFAULT_PORT
        *others, last = await loop.getaddrinfo(place.hostname, port, type=socket.SOCK_STREAM)
        for family, _, _, _, address in others:
            with suppress(OSError):  # the last one tells why it does not answer
                return await _connected(family, address)
        return await _connected(last[0], last[4])


async def _connected(family: int, address: Any) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)  # noqa: FBT003  # the standard library's signature
    try:
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _send(connection: socket.socket, content: Content) -> None:
    """Send a file in pieces; a server that refuses it hangs up, and what it answered before can still be read."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        await loop.sock_sendall(connection, b"zINSTREAM\0")
        for piece in pieces_of(content):
            await loop.sock_sendall(connection, len(piece).to_bytes(4, "big") + piece)
        await loop.sock_sendall(connection, bytes(4))


async def _answer(connection: socket.socket) -> str:
    """Read up to a NUL or to the end, within bounds."""
    loop, answer = asyncio.get_running_loop(), b""
    while b"\0" not in answer and len(answer) < MOST_ANSWER_BYTES:
        more = await loop.sock_recv(connection, MOST_ANSWER_BYTES)
        if not more:
            break
        answer += more
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _finding(answer: str, size: int) -> Finding:
    """Read an answer; one that is neither clean nor a finding is trouble. Raises TooLargeToScan or OSError."""
    read = _ANSWER.match(answer)
    if read is None and "size limit exceeded" in answer:
        raise TooLargeToScan(size)
    if read is None:
        raise OSError(f"clamd answered {answer[:MOST_NAME]!r}")
    return CLEAN if read["clean"] else Finding(infected=read["name"][:MOST_NAME])
