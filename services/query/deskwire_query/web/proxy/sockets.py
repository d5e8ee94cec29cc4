"""Passes WebSockets on to the intake service in another process: the chat stands behind the one public address too."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from structlog import get_logger
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Origin, Subprotocol

from deskwire_shared.eventstore.ending import end

MOST_SOCKETS: Final = 2_000
MOST_FRAME_BYTES: Final = 1024 * 1024
FRAMES_AHEAD: Final = 16
OPEN_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 5.0
GOING_AWAY: Final = 1001
TOO_BIG: Final = 1009
BROKEN: Final = 1011
TRY_LATER: Final = 1013
NOT_SENT: Final = frozenset({1004, 1005, 1006, 1015})
"""Codes that tell how a socket ended and that nobody may send (RFC 6455, 7.4.1)."""

_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one side ended its socket."""

    code: int
    reason: str = ""

    @property
    def sendable(self) -> int:
        """The code to tell the other side."""
        return GOING_AWAY if self.code in NOT_SENT else self.code


class SocketPassage:
    """Passes sockets of browsers on to an address, so many at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, *, most: int) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._free = most

    async def serve(self, browser: WebSocket) -> None:
        """Pass one socket on until either side ends it; the other is told how."""
        if self._free <= 0:
            await browser.close(TRY_LATER, "too many sockets are open here")
            return
        self._free -= 1
        try:
            async with self._opened(browser) as intake:
                await browser.accept(intake.subprotocol)
                await _relay(browser, intake)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            log.warning("intake takes no socket", error=repr(error))
            await browser.close(TRY_LATER, "the intake service cannot be reached")
        finally:
            self._free += 1

    @asynccontextmanager
    async def _opened(self, browser: WebSocket) -> AsyncIterator[ClientConnection]:
        """Open the same socket at intake, which sees the address and the site that the browser sees."""
        named = browser.headers.get("host", "")
        host = named if _HOST.fullmatch(named) else f"{self._host}:{self._port}"
        origin = browser.headers.get("origin")
        query = f"?{browser.url.query}" if browser.url.query else ""
        async with connect(
            f"{'wss' if self._tls else 'ws'}://{host}{browser.url.path}{query}",
            host=self._host,
            port=self._port,
            ssl=self._tls,
            server_hostname=self._host if self._tls else None,
            proxy=None,
            origin=Origin(origin) if origin is not None else None,
            subprotocols=[Subprotocol(name) for name in browser.scope["subprotocols"]] or None,
            additional_headers={"X-Forwarded-For": browser.client.host if browser.client else ""},
            user_agent_header=None,
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=MOST_FRAME_BYTES,
            max_queue=FRAMES_AHEAD,
        ) as intake:
            yield intake


async def _relay(browser: WebSocket, intake: ClientConnection) -> None:
    tasks = [asyncio.create_task(_from_browser(browser, intake)), asyncio.create_task(_from_intake(intake, browser))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = done.pop().result()
    finally:
        await asyncio.gather(*map(end, tasks), return_exceptions=True)
    await intake.close(ended.sendable, ended.reason)
    if browser.application_state is WebSocketState.CONNECTED and browser.client_state is WebSocketState.CONNECTED:
        await browser.close(ended.sendable, ended.reason)


async def _from_browser(browser: WebSocket, intake: ClientConnection) -> Ended:
    while True:
        message = await browser.receive()
        if message["type"] == "websocket.disconnect":
            return Ended(message.get("code") or GOING_AWAY, message.get("reason") or "")
        said: str | bytes = message["text"] if message.get("text") is not None else message["bytes"]
        if len(said) > MOST_FRAME_BYTES:
            return Ended(TOO_BIG, "the frame is too large")
        try:
            await intake.send(said)
        except ConnectionClosed:
            return _ending_of(intake)


async def _from_intake(intake: ClientConnection, browser: WebSocket) -> Ended:
    try:
        async for said in intake:
            await (browser.send_text(said) if isinstance(said, str) else browser.send_bytes(said))
    except ConnectionClosed:
        pass  # how it ended is told below
    except (WebSocketDisconnect, RuntimeError):  # the browser is gone in the middle of a frame
        return Ended(GOING_AWAY)
    return _ending_of(intake)


def _ending_of(intake: ClientConnection) -> Ended:
    """Say how intake ended; a connection that broke is told as an error of ours."""
    code = intake.close_code
    return (
        Ended(BROKEN, "the desk broke off")
        if code is None or code in NOT_SENT
        else Ended(code, intake.close_reason or "")
    )
