"""Commands passed on to intake in another process: a tiny server on loopback plays intake."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
from starlette.types import Message

from deskwire_query.web.proxy.requests import MOST_BYTES, ServiceProxy

OK = b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nETag: "4"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}'


@dataclass
class Intake:
    """What a server was asked, and what it says."""

    says: bytes = OK
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with aclosing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            self.bodies.append(await reader.readexactly(lengths[0]) if lengths else b"")
            writer.write(self.says)
            await writer.drain()


@asynccontextmanager
async def aclosing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        await writer.wait_closed()


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def browser_before(answer: Answer) -> AsyncIterator[httpx2.AsyncClient]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = httpx2.ASGITransport(app=ServiceProxy(f"http://127.0.0.1:{port}"))
    async with server, httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as browser:
        yield browser


async def test_a_command_goes_through_with_its_body_headers_and_answer() -> None:
    intake = Intake()
    async with browser_before(intake.answer) as browser:
        answer = await browser.post(
            "/intake/v1/tickets/abc/notes?x=1", json={"text": "Hi"}, headers={"If-Match": '"3"'}
        )
    assert (answer.status_code, answer.json(), answer.headers["ETag"]) == (201, {}, '"4"')
    assert intake.heads[0].startswith(b"POST /intake/v1/tickets/abc/notes?x=1 HTTP/1.1\r\n")
    assert b'if-match: "3"' in intake.heads[0].lower()
    assert intake.bodies[0] == b'{"text":"Hi"}'


async def test_who_asks_is_told_by_us_and_not_by_them() -> None:
    intake = Intake()
    async with browser_before(intake.answer) as browser:
        await browser.get("/intake/v1/x", headers={"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example"})
    assert b"6.6.6.6" not in intake.heads[0]
    assert b"evil.example" not in intake.heads[0]
    assert b"x-forwarded-for: 127.0.0.1" in intake.heads[0].lower()


async def test_a_refusal_of_intake_comes_through_as_it_is() -> None:
    body = b'{"type":"ticket-closed","status":409}'
    head = b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with browser_before(Intake(says=head + body).answer) as browser:
        answer = await browser.post("/intake/v1/x", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "ticket-closed")


async def test_a_body_that_is_too_large_is_refused_before_it_is_passed_on() -> None:
    intake = Intake()
    async with browser_before(intake.answer) as browser:
        answer = await browser.post("/intake/v1/attachments", content=b"x" * (MOST_BYTES + 1))
    assert answer.status_code == 413
    assert intake.heads == []


async def test_intake_that_is_away_is_a_problem_that_says_nothing_was_changed() -> None:
    transport = httpx2.ASGITransport(app=ServiceProxy("http://127.0.0.1:1"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as browser:
        answer = await browser.post("/intake/v1/x", json={})
    assert answer.status_code == 502
    assert "nothing was changed" in answer.json()["detail"]


async def test_intake_that_breaks_off_is_a_problem_that_claims_nothing() -> None:
    async with browser_before(Intake(says=b"").answer) as browser:
        answer = await browser.post("/intake/v1/x", json={})
    assert answer.status_code == 502
    assert "not known" in answer.json()["detail"]


async def test_what_is_no_http_is_a_problem() -> None:
    async with browser_before(Intake(says=b"SSH-2.0-OpenSSH\r\n\r\n").answer) as browser:
        assert (await browser.post("/intake/v1/x", json={})).status_code == 502


async def test_an_answer_that_breaks_off_has_no_end() -> None:
    cut_short = OK.replace(b"Content-Length: 2", b"Content-Length: 2000")
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async with await asyncio.start_server(Intake(says=cut_short).answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/intake/v1/x",
            "query_string": b"",
            "headers": [],
            "scheme": "http",
        }
        await ServiceProxy(f"http://127.0.0.1:{port}")({**scope, "server": ("desk.example", 80)}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"]
