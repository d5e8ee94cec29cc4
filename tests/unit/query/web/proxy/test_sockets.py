"""Sockets passed on to intake in another process: both sides are real servers on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from deskwire_query.web.proxy import sockets
from deskwire_query.web.proxy.requests import ServiceProxy

DEADLINE = 10.0

Answer = Callable[[ServerConnection], Awaitable[None]]


async def echo(socket: ServerConnection) -> None:
    async for said in socket:
        await socket.send(said)


@asynccontextmanager
async def intake(answer: Answer) -> AsyncIterator[str]:
    """A server that plays intake; its address."""
    async with serve(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def public(app: ASGIApp) -> AsyncIterator[str]:
    """The application behind the public address, served as in production."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="websockets-sansio"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(DEADLINE):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def chatting(answer: Answer, path: str = "/intake/v1/chat/help/socket") -> AsyncIterator[ClientConnection]:
    """A browser whose socket is passed on."""
    async with intake(answer) as url, public(ServiceProxy(url)) as address, connect(f"{address}{path}") as browser:
        yield browser


async def test_what_both_sides_say_goes_through() -> None:
    async with asyncio.timeout(DEADLINE), chatting(echo) as browser:
        for said in ("hello", b"\x00\xff"):
            await browser.send(said)
            assert await browser.recv() == said


async def test_intake_sees_the_path_the_site_and_the_address_that_the_browser_sees() -> None:
    seen: dict[str, str] = {}

    async def look(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.update(path=socket.request.path, **dict(socket.request.headers.raw_items()))
        await socket.send("seen")

    async with asyncio.timeout(DEADLINE), intake(look) as url, public(ServiceProxy(url)) as address:
        async with connect(
            f"{address}/intake/v1/chat/help/socket?x=1", origin=Origin("https://shop.example")
        ) as browser:
            await browser.recv()
        assert seen["path"] == "/intake/v1/chat/help/socket?x=1"
        assert seen["Origin"] == "https://shop.example"
        assert seen["Host"] == urlsplit(address).netloc
        assert seen["X-Forwarded-For"] == "127.0.0.1"


async def test_how_intake_ends_a_socket_is_told_to_the_browser() -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.close(4403, "this site may not use the chat")

    async with asyncio.timeout(DEADLINE), chatting(refuse) as browser:
        with pytest.raises(ConnectionClosed):
            await browser.recv()
        assert (browser.close_code, browser.close_reason) == (4403, "this site may not use the chat")


async def test_a_browser_that_leaves_ends_the_socket_of_intake() -> None:
    ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def wait(socket: ServerConnection) -> None:
        await socket.wait_closed()
        ended.set_result(socket.close_code)

    async with asyncio.timeout(DEADLINE):
        async with chatting(wait) as browser:
            await browser.close(1000)
            assert await ended == 1000


async def test_a_connection_that_breaks_is_told_as_an_error() -> None:
    async def break_off(socket: ServerConnection) -> None:
        socket.transport.abort()

    async with asyncio.timeout(DEADLINE), chatting(break_off) as browser:
        with pytest.raises(ConnectionClosed):
            await browser.recv()
        assert browser.close_code == 1011


async def test_without_intake_a_socket_is_refused() -> None:
    async with asyncio.timeout(DEADLINE), public(ServiceProxy("http://127.0.0.1:9")) as address:
        with pytest.raises(InvalidStatus):
            await connect(f"{address}/intake/v1/chat/help/socket")


async def test_a_frame_that_is_too_large_ends_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MOST_FRAME_BYTES", 10)
    async with asyncio.timeout(DEADLINE), chatting(echo) as browser:
        await browser.send("x" * 11)
        with pytest.raises(ConnectionClosed):
            await browser.recv()
        assert browser.close_code == 1009


async def test_so_many_sockets_are_passed_on_and_no_more() -> None:
    async with (
        asyncio.timeout(DEADLINE),
        intake(echo) as url,
        public(ServiceProxy(url, most_sockets=1)) as address,
        connect(f"{address}/one") as first,
    ):
        await first.send("still here")
        with pytest.raises(InvalidStatus):
            await connect(f"{address}/two")
        assert await first.recv() == "still here"
        await first.close()
        await connect_when_free(f"{address}/three")


async def connect_when_free(address: str) -> None:
    """Connect once the place of somebody who left is free again."""
    while True:
        try:
            async with connect(address):
                return
        except InvalidStatus:
            await asyncio.sleep(0.01)
