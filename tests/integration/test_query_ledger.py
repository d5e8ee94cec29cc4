"""The table of the ledger follows its stream: each entry once, whoever else follows it, and whatever became of it."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from nats.aio.client import Client

from deskwire_query.app import service
from deskwire_query.arrivals import following
from deskwire_query.arrivals.following import ArrivalsFollower
from deskwire_query.arrivals.reading import ArrivalFilter, ArrivalReader
from deskwire_query.arrivals.tables import create_arrivals
from deskwire_query.database import Database, open_database
from deskwire_query.projections import upkeep
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.intake_ledger import LedgerEntry, LedgerPage, message_digest
from deskwire_shared.contracts.subjects import INTAKE, LEDGER_SUBJECT
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.health import Unhealthy
from deskwire_shared.runtime.parking import ParkingLot, list_parked
from deskwire_shared.runtime.streams import migrate
from ledger_entries import MONDAY, a_parked_entry, an_entry, enter
from ticket_desk import ADMIN, TicketDesk, ticket_desk, until
from web_desk import web_desk


@dataclass
class World:
    """A stream, a database, and a hand that writes to the stream."""

    connection: Client
    database: Database

    async def write(self, *entries: LedgerEntry) -> None:
        body = LedgerPage(entries=entries).model_dump_json(exclude_defaults=True).encode()
        await self.connection.jetstream().publish(LEDGER_SUBJECT, body, stream=INTAKE)

    async def sources(self) -> list[str]:
        page = await ArrivalReader(self.database).page(ArrivalFilter(), limit=200)
        return [row.source for row in reversed(page.items)]

    async def shows(self, *sources: str) -> None:
        """Wait until the table holds just these."""

        async def look() -> bool | None:
            return (await self.sources()) == list(sources) or None

        await until(look)

    @asynccontextmanager
    async def follower(self) -> AsyncIterator[ArrivalsFollower]:
        parking = ParkingLot(self.connection.jetstream(), ManualClock(MONDAY), "query")
        follower = ArrivalsFollower(self.database, self.connection, parking)
        running = asyncio.create_task(follower.run())
        try:
            yield follower
        finally:
            await end(running)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database, where services that are started find it too."""
    sqlite = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    url = sqlite if request.param == "sqlite" else str(request.getfixturevalue("fresh_postgres"))
    monkeypatch.setenv("DESKWIRE_DATABASE_URL", url)
    return url


@pytest_asyncio.fixture
async def world(fresh_nats: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0.05)
    connection = await nats.connect(fresh_nats)
    await migrate(connection.jetstream())
    database = open_database(database_url)
    await create_arrivals(database)
    yield World(connection, database)
    await database.close()
    await connection.close()


async def test_every_entry_is_in_the_table_once_though_two_follow_and_both_start_again(world: World) -> None:
    await world.write(an_entry(source="1"), an_entry(source="2"))
    for number in range(3, 9):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(world.follower())
            await stack.enter_async_context(world.follower())
            await world.write(an_entry(source=str(number)))
            await world.shows(*map(str, range(1, number + 1)))


async def test_a_page_that_cannot_be_read_is_parked_and_holds_up_nobody(world: World) -> None:
    async with world.follower():
        await world.connection.jetstream().publish(LEDGER_SUBJECT, b"{}", stream=INTAKE)
        await world.write(an_entry(source="1"))
        await world.shows("1")
    (parked,) = await list_parked(world.connection.jetstream())
    assert (parked.service, parked.reference, parked.data) == ("query", "INTAKE sequence 1", b"{}")


async def made_anew(world: World) -> None:
    js = world.connection.jetstream()
    config = (await js.stream_info(INTAKE)).config
    await js.delete_stream(INTAKE)
    await js.add_stream(config)


async def test_a_stream_that_was_made_anew_is_read_anew(world: World) -> None:
    async with world.follower():
        await world.write(an_entry(source="old"))
        await world.shows("old")
    await made_anew(world)
    await world.write(an_entry(source="new"))
    async with world.follower():
        await world.shows("new")


async def test_a_stream_made_anew_under_a_running_follower_is_read_anew(world: World) -> None:
    async with world.follower() as follower:
        await world.write(an_entry(source="old"))
        await world.shows("old")
        await made_anew(world)
        await world.write(an_entry(source="new"))
        await world.shows("new")
        await follower.upkeep.check()


async def test_what_the_stream_has_forgotten_leaves_the_table(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FORGET_SECONDS", 0.05)
    async with world.follower():
        for source in ("1", "2", "3"):
            await world.write(an_entry(source=source))
        await world.shows("1", "2", "3")
        await world.connection.jetstream().purge_stream(INTAKE, seq=3)
        await world.shows("3")
    async with world.follower():
        await world.write(an_entry(source="4"))
        await world.shows("3", "4")


async def test_a_missing_stream_is_told_and_no_end(world: World) -> None:
    js = world.connection.jetstream()
    config = (await js.stream_info(INTAKE)).config
    await js.delete_stream(INTAKE)
    async with world.follower() as follower:
        with pytest.raises(Unhealthy):
            await follower.upkeep.check()
        await js.add_stream(config)
        await world.write(an_entry(source="1"))
        await world.shows("1")
        await follower.upkeep.check()


@asynccontextmanager
async def an_api(nats_url: str, folder: Path, *scopes: Permission) -> AsyncIterator[tuple[AsyncClient, TicketDesk]]:
    async with ticket_desk(nats_url, folder, service) as desk:
        token = await desk.runtime.identity.create_token("test", scopes, actor=ADMIN)
        transport = ASGITransport(app=desk.runtime.http, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with AsyncClient(transport=transport, base_url="http://desk/v1", headers=headers) as http:
            yield http, desk


@pytest.mark.usefixtures("database_url")
async def test_the_ledger_is_read_over_http_page_by_page(fresh_nats: str, tmp_path: Path) -> None:
    async with an_api(fresh_nats, tmp_path, "admin") as (http, desk):
        entries = tuple(an_entry(source=f"7:{number}", number=number) for number in range(1, 6))
        page = LedgerPage(entries=entries).model_dump_json().encode()
        await desk.runtime.js.publish(LEDGER_SUBJECT, page, stream=INTAKE)

        async def look() -> list[str] | None:
            page = (await http.get("/intake/ledger?limit=3&channel=support")).json()
            return [one["source"] for one in page["items"]] or None

        assert await until(look) == ["7:5", "7:4", "7:3"]
        first = (await http.get("/intake/ledger?limit=3")).json()
        rest = (await http.get(f"/intake/ledger?limit=3&cursor={first['next']}")).json()
        assert [one["source"] for one in rest["items"]] == ["7:2", "7:1"]
        assert rest["next"] is None
        counts = (await http.get("/intake/ledger/counts?decision=opened")).json()
        assert counts == [{"channel_id": "support", "via": "imap", "decision": "opened", "count": 5}]


async def test_the_page_of_the_ledger_finds_counts_and_turns_on(database_url: str) -> None:
    async with web_desk(database_url) as web:
        await web.hire()
        web.sign_in()
        calls = (an_entry(via="phone", channel_id=None, mailbox="", number=n, source=f"s{n}") for n in range(1, 61))
        await enter(web.desk.database, *calls, a_parked_entry(message_digest=message_digest("m1@example.org")))
        shown = await web.page("/admin/ledger")
        assert '<th scope="row">no channel</th><td>phone call</td>' in shown
        assert ("Opened #60<" in shown, "Opened #11<" in shown) == (True, False)
        (further,) = re.findall(r'href="(/admin/ledger\?[^"]*cursor=[^"]*)"', shown)
        assert "Opened #11<" in await web.page(html.unescape(further))
        found = await web.page("/admin/ledger?decision=parked&message=%3Cm1@example.org%3E")
        assert ("the sender is blocked" in found, "Opened #" in found) == (True, False)


@pytest.mark.parametrize(
    "question",
    [
        "limit=0",
        "decision=eaten",
        "via=pigeon",
        "since=yesterday",
        "cursor=nonsense",
        "message_id=",
        "unknown=1",
        "channel=%00",
    ],
)
async def test_questions_that_make_no_sense_are_refused(fresh_nats: str, tmp_path: Path, question: str) -> None:
    async with an_api(fresh_nats, tmp_path, "admin") as (http, _):
        assert (await http.get(f"/intake/ledger?{question}")).status_code == 422


async def test_only_administrators_read_the_ledger(fresh_nats: str, tmp_path: Path) -> None:
    async with an_api(fresh_nats, tmp_path, "tickets:read", "directory:write") as (http, _):
        assert (await http.get("/intake/ledger")).status_code == 403
        assert (await http.get("/intake/ledger/counts")).status_code == 403
