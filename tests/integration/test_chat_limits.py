"""Who may chat, how much, and what a socket bears."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from deskwire_notify.app import service as notify
from deskwire_shared.contracts.subjects import chat_typing_subject
from ticket_desk import until
from visitor_desk import CHAT, SHOP, VisitorDesk, closed, visitor_desk


@pytest_asyncio.fixture
async def desk(fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VisitorDesk]:
    """A desk whose customers may be away for a second before answers are mailed."""
    monkeypatch.setenv("DESKWIRE_NOTIFY_CHAT_GRACE_SECONDS", "1")
    async with visitor_desk(fresh_nats, tmp_path, notify) as running:
        yield running


async def test_only_the_sites_of_the_channel_may_chat(desk: VisitorDesk) -> None:
    for origin, allowed in ((SHOP, True), ("https://evil.example", False), ("null", False), (None, True)):
        async with desk.socket(origin=origin) as socket:
            if allowed:
                await socket.send(json.dumps({"type": "hello"}))
                assert json.loads(await socket.recv())["type"] == "welcome"
            else:
                assert await closed(socket) == 4403
        described = await desk.client.get(f"/intake/v1/chat/{CHAT}", headers={"Origin": origin} if origin else {})
        assert described.headers.get("Access-Control-Allow-Origin") == (SHOP if origin == SHOP else None)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("", 4400),
        ("no json", 4400),
        ('{"type":"say","id":"abcdefgh","text":"before hello"}', 4400),
        ('{"type":"hello","more":1}', 4400),
        ('{"type":"hello","session":"' + "x" * 100 + '"}', 4400),
        (b"\x00\xff", 4400),
        ("[" * 15_000, 4400),
        ("x" * 70_000, 1009),
    ],
)
async def test_what_cannot_be_read_closes_the_socket_with_a_clear_code(
    desk: VisitorDesk, sent: str | bytes, code: int
) -> None:
    async with desk.socket() as socket:
        await socket.send(sent)
        assert await closed(socket) == code


async def test_there_is_no_chat_where_none_was_made(desk: VisitorDesk) -> None:
    for channel in ("unknown", "contact"):
        async with desk.socket(channel=channel) as socket:
            assert await closed(socket) == 4404


async def test_a_flood_is_cut_off_and_nobody_else_suffers(desk: VisitorDesk) -> None:
    async with desk.widget() as (calm, _), desk.widget() as (flooding, _):
        for _ in range(200):
            await flooding.send(type="typing")
        assert await closed(flooding.socket) == 4429
        started = asyncio.get_running_loop().time()
        await calm.say("Hello")
        assert asyncio.get_running_loop().time() - started < 5


async def test_who_writes_too_much_is_asked_to_wait_and_loses_nothing(fresh_nats: str, tmp_path: Path) -> None:
    async with visitor_desk(fresh_nats, tmp_path, chat_messages_rate=2) as desk, desk.widget() as (widget, _):
        await widget.say("One")
        await widget.say("Two")
        await widget.send(type="say", id="abcdefgh", text="Three")
        refused = await widget.hear("refused")
        assert (refused["id"], refused["code"]) == ("abcdefgh", "slow_down")
        assert 0 < refused["wait"] <= 30


async def test_places_are_limited_in_all_and_for_each_client(fresh_nats: str, tmp_path: Path) -> None:
    async with visitor_desk(fresh_nats, tmp_path, chat_client_sockets=2) as desk:
        async with desk.widget(), desk.widget(), desk.socket() as third:
            assert await closed(third) == 4503
            gauge = desk.desk.runtime.registry.get_sample_value
            assert gauge("deskwire_intake_open_sockets", {"channel": "chat"}) == 2

        async def is_empty() -> bool | None:
            return gauge("deskwire_intake_open_sockets", {"channel": "chat"}) == 0 or None

        await until(is_empty)
        async with desk.widget():
            pass


async def test_a_browser_that_takes_nothing_is_cut_off(desk: VisitorDesk) -> None:
    connection = desk.desk.runtime.connection
    async with AsyncExitStack() as stack:
        widget, _ = await stack.enter_async_context(desk.widget())
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        typing = json.dumps({"by": "agent", "name": "A" * 50_000}).encode()
        for _ in range(400):
            await connection.publish(chat_typing_subject(ticket.id), typing)
        gauge = desk.desk.runtime.registry.get_sample_value

        async def is_gone() -> bool | None:
            return gauge("deskwire_intake_open_sockets", {"channel": "chat"}) == 0 or None

        await until(is_gone, within=40)
