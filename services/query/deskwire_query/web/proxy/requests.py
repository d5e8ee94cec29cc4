"""Passes requests on to services that run in other processes, so that one address serves the APIs of all.

Bodies are streamed in both directions. Errors of the passage itself are told as RFC 9457 problems.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import h11
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from deskwire_query.web.proxy.sockets import MOST_SOCKETS, SocketPassage

MOST_BYTES: Final = 30 * 1024 * 1024
PIECE: Final = 64 * 1024
CONNECT_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 75.0
"""Longer than a rehearsal may take."""

Headers = list[tuple[bytes, bytes]]

ONLY_BETWEEN_NEIGHBOURS: Final = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade", b"expect",
})  # fmt: skip


class TooLarge(Exception):
    """A body is larger than any service would take."""


class ServiceUnreachable(Exception):
    """A service does not answer, or not as HTTP."""


class ServiceProxy:
    """An ASGI application in front of the service at an address."""

    def __init__(self, url: str, *, service: str = "intake", most_sockets: int = MOST_SOCKETS) -> None:
        self._service = service
        address = urlsplit(url)
        self._host = address.hostname or ""
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._port = address.port or (443 if self._tls else 80)
        self._sockets = SocketPassage(self._host, self._port, self._tls, most=most_sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and its answer back."""
        if scope["type"] == "websocket":
            await self._sockets.serve(WebSocket(scope, receive, send))
            return
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            await self._pass_on(request, send)
        except TooLarge:
            await _problem(413, "The request is too large.")(scope, receive, send)
        except ServiceUnreachable as error:
            await _problem(502, str(error))(scope, receive, send)
        except ClientDisconnect:  # nobody is left to be answered
            return

    async def _pass_on(self, request: Request, send: Send) -> None:
        if int(request.headers.get("content-length", "0")) > MOST_BYTES:
            raise TooLarge
        exchange = await self._open()
        try:
            await exchange.ask(request)
            start = await exchange.start()
            headers = _passed(start.headers)
            await send({"type": "http.response.start", "status": start.status_code, "headers": headers})
            with suppress(ServiceUnreachable):  # without its end nobody takes the answer for whole
                async for piece in exchange.body():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            exchange.close()

    async def _open(self) -> "_Exchange":
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        except (OSError, TimeoutError) as error:
            detail = f"The {self._service} service cannot be reached; nothing was changed."
            raise ServiceUnreachable(detail) from error
        return _Exchange(self._service, reader, writer)


class _Exchange:
    """One request and its answer on a connection of its own."""

    def __init__(self, service: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._service = service
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)

    async def ask(self, request: Request) -> None:
        """Send the request; the service may answer before it has read all of it."""
        size = 0
        with suppress(ConnectionError):
            await self._send(h11.Request(method=request.method, target=_target(request), headers=_asked(request)))
            async for piece in request.stream():
                size += len(piece)
                if size > MOST_BYTES:
                    raise TooLarge
                await self._send(h11.Data(data=piece))
            await self._send(h11.EndOfMessage())

    async def start(self) -> h11.Response:
        """Read the head of the answer."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                detail = f"The {self._service} service broke off; whether it acted is not known. Try again."
                raise ServiceUnreachable(detail)

    async def body(self) -> AsyncIterator[bytes]:
        """Read the body of the answer in pieces."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _next(self) -> h11.Event | type[h11.PAUSED] | type[h11.NEED_DATA]:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(SILENCE_SECONDS):
                    self._http.receive_data(await self._reader.read(PIECE))
        except (h11.RemoteProtocolError, OSError, TimeoutError) as error:
            detail = f"The {self._service} service does not answer; whether it acted is not known."
            raise ServiceUnreachable(detail) from error
        return event


def _target(request: Request) -> bytes:
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return path + (b"?" + query if query else b"")


def _asked(request: Request) -> Headers:
    """The headers to pass on: what we know of the asker is ours to say, not theirs."""
    headers = [
        (name, value) for name, value in _passed(request.scope["headers"]) if not name.startswith(b"x-forwarded")
    ]
    peer = request.client.host if request.client else ""
    headers += [(b"x-forwarded-for", peer.encode()), (b"x-forwarded-proto", request.url.scheme.encode())]
    if "host" not in request.headers:  # HTTP/1.0 needs none
        headers.append((b"host", request.url.netloc.encode()))
    if "content-length" not in request.headers and "transfer-encoding" in request.headers:
        headers.append((b"transfer-encoding", b"chunked"))
    return [*headers, (b"connection", b"close")]


def _passed(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in ONLY_BETWEEN_NEIGHBOURS]


def _problem(status: int, detail: str) -> JSONResponse:
    title = {413: "Content too large", 502: "Bad gateway"}[status]
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(problem, status, media_type="application/problem+json")
