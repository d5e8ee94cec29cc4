"""The read API over HTTP, on the real service: who may read what, within which limits."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient, Response
from starlette.types import Message

from deskwire_query.app import service
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.conditions import Condition, Conditions
from deskwire_shared.contracts.directory import ApiToken, View
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.ticket.commands import AddNote, ChangeStatus
from ticket_desk import ADMIN, TicketDesk, ticket_desk, until

EVERYTHING: tuple[Permission, ...] = ("tickets:read", "customers:read", "reports:read", "feed:internal")
DEADLINE = 20.0
END = "the stream has ended"

PERMISSIONS: list[tuple[str, Permission]] = [
        ("/tickets", "tickets:read"), ("/tickets/1", "tickets:read"), ("/tickets/1/timeline", "tickets:read"),
        ("/tickets/1/history", "tickets:read"), ("/tickets/1/explanation", "tickets:read"), ("/search?q=x", "tickets:read"), ("/views", "tickets:read"),
        ("/tickets/1/messages/1/raw", "tickets:read"), ("/tickets/1/messages/1/attachments/0", "tickets:read"),
        ("/stream", "tickets:read"), ("/customers", "customers:read"), ("/customers/x", "customers:read"),
        ("/events", "feed:internal"), ("/reports/counts", "reports:read"),
        ("/reports/response-times?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z", "reports:read"),
    ]  # fmt: skip

OUT_OF_BOUNDS = [
        "/tickets?limit=0", "/tickets?limit=201", "/tickets?limit=x", "/tickets?sort=subject", "/tickets?order=up",
        "/tickets?status=angry", "/tickets?unknown=1", "/tickets?cursor=nonsense", "/tickets?after=-1",
        "/tickets?after=99999999999999999999", "/tickets?team=%00", "/tickets?opened_after=2026-01-01",
        "/tickets?" + "&".join(f"tag=t{n}" for n in range(11)), "/tickets?cursor=" + "x" * 501,
        "/search", "/search?q=" + "x" * 401, "/search?q=%00", "/search?q=x&limit=101",
        "/customers?q=%00", "/customers?limit=999", "/events?after=-1", "/events?limit=501",
        "/tickets/1/timeline?limit=0", "/tickets/1/history?at=yesterday", "/reports/response-times",
        "/reports/response-times?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
        "/reports/response-times?since=1926-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
        "/tickets/" + "x" * 65,
    ]  # fmt: skip


class Api:
    """A desk and somebody who reads it."""

    def __init__(self, desk: TicketDesk, http: AsyncClient) -> None:
        self.desk = desk
        self.http = http
        self.sequence = 0

    async def allow(self, *scopes: Permission) -> None:
        """Read with a token that may do this."""
        token = await self.desk.runtime.identity.create_token("test", scopes, actor=ADMIN)
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def do(self, ticket_id: str, command: Any) -> int:
        """Change a ticket and give the sequence of the change."""
        cause = Cause(command_id=new_id(), actor=Actor(kind="agent", id="ada"), at=self.desk.runtime.clock.now())
        return (await self.desk.runtime.recorder.record(ticket_id, command, cause)).sequence

    async def answers(self) -> bool | None:
        """Whether the read models have been built."""
        return (await self.get("/tickets")).status_code == 200 or None

    async def get(self, path: str, **asked: Any) -> Response:
        return await self.http.get(f"/v1{path}", params=asked)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKWIRE_QUERY_WAIT_SECONDS", "0.05")


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKWIRE_QUERY_HEARTBEAT_SECONDS", "1")


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with (
        ticket_desk(fresh_nats, tmp_path, service) as desk,
        AsyncClient(transport=ASGITransport(desk.runtime.http), base_url="http://desk") as http,
    ):
        api = Api(desk, http)
        await api.allow(*EVERYTHING)
        await until(api.answers)
        yield api


async def test_an_own_write_is_seen_by_the_next_read(api: Api) -> None:
    ticket_id = await api.desk.open()
    sequence = await api.do(ticket_id, ChangeStatus(status="open"))
    read = await api.get(f"/tickets/{ticket_id}", after=sequence)
    assert (read.status_code, read.json()["status"], read.json()["sequence"]) == (200, "open", sequence)
    listed = (await api.get("/tickets", status="open", after=sequence)).json()
    assert [row["id"] for row in listed["items"]] == [ticket_id]
    found = (await api.get("/search", q="printer is:open", after=sequence)).json()
    assert [hit["ticket"]["id"] for hit in found["items"]] == [ticket_id]


@pytest.mark.usefixtures("impatient")
async def test_a_write_that_never_comes_is_waited_for_so_long(api: Api) -> None:
    answer = await api.get("/tickets", after=10**9)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:deskwire:problem:not-caught-up"


async def test_every_read_needs_its_permission(api: Api) -> None:
    for path, scope in PERMISSIONS:
        others: set[Permission] = {"directory:read", *EVERYTHING} - {scope}
        await api.allow(*others)
        refused = await api.http.get(f"/v1{path}")
        assert (refused.status_code, refused.json().get("permission")) == (403, scope), path


async def test_who_is_not_recognised_reads_nothing(api: Api) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer dw_nobody_x"}, {"Cookie": "deskwire_session=x"}):
        for path, _ in PERMISSIONS:
            api.http.headers.pop("Authorization", None)
            assert (await api.http.get(f"/v1{path}", headers=headers)).status_code == 401, (path, headers)


async def test_what_is_out_of_bounds_is_refused_as_a_problem(api: Api) -> None:
    for path in OUT_OF_BOUNDS:
        answer = await api.http.get(f"/v1{path}")
        assert answer.status_code == 422, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 422


async def test_what_is_not_there_is_a_problem(api: Api) -> None:
    for path in ("/tickets/404", "/tickets/nobody/timeline", "/tickets/x/history", "/customers/nobody",
                 "/tickets?view=none", "/nowhere"):  # fmt: skip
        answer = await api.http.get(f"/v1{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path


async def test_saved_views_are_listed_with_counts_and_narrow_lists(api: Api) -> None:
    first = await api.desk.open(number=1)
    await api.desk.open(number=2)
    is_open = Conditions(all=(Condition(field="ticket.status", op="is", value="open"),))
    await api.desk.put("open", View(name="Open", conditions=is_open))
    await api.desk.put("private", View(name="Somebody's", agent_id="bob", conditions=is_open))
    sequence = await api.do(first, ChangeStatus(status="open"))
    views = (await api.get("/views", after=sequence)).json()
    assert views == [{"id": "open", "name": "Open", "shared": True, "count": 1}]
    assert [row["id"] for row in (await api.get("/tickets", view="open")).json()["items"]] == [first]
    assert (await api.get("/tickets", view="private")).status_code == 404


async def test_events_are_read_on_by_cursor(api: Api) -> None:
    ticket_id = await api.desk.open()
    last = await api.do(ticket_id, AddNote(message_id="n1", agent_id="ada", text="Psst"))
    await api.get("/tickets", after=last)
    first = (await api.get("/events", limit=1)).json()
    second = (await api.get("/events", after=first["next_after"])).json()
    assert first["items"][0]["facts"][0]["text"] == "Please help."
    assert [fact["text"] for fact in second["items"][0]["facts"]] == ["Psst"]
    nothing = (await api.get("/events", after=second["next_after"])).json()
    assert (nothing["items"], nothing["next_after"]) == ([], last)


async def test_reports_are_counted_over_http(api: Api) -> None:
    ticket_id = await api.desk.open()
    sequence = await api.do(ticket_id, ChangeStatus(status="open"))
    await api.get("/tickets", after=sequence)
    assert (await api.get("/reports/counts")).json()["by_status"] == {"open": 1}
    answer = await api.get("/reports/response-times", since="2020-01-01T00:00:00Z", until="2020-02-01T00:00:00Z")
    assert answer.json()["opened"] == 0


async def test_the_api_describes_itself(api: Api) -> None:
    described = (await api.get("/openapi.json")).json()
    assert {"/tickets", "/search", "/events", "/stream"} <= set(described["paths"])
    (scheme,) = described["components"]["securitySchemes"].items()
    assert scheme[1].items() >= {"type": "http", "scheme": "bearer"}.items()
    assert all(
        operation["security"] == [{scheme[0]: []}] for p in described["paths"].values() for operation in p.values()
    )


async def test_a_stream_goes_on_behind_the_last_event_that_was_heard(api: Api) -> None:
    ticket_id = await api.desk.open()
    await api.get("/tickets", after=await api.do(ticket_id, ChangeStatus(status="open")))
    async with stream(api, {"last-event-id": "1"}) as chunks:
        assert await chunks.get() == event(2, ticket_id, 2, "ticket.status_changed.v1")
        await api.do(ticket_id, ChangeStatus(status="pending"))
        assert await chunks.get() == event(3, ticket_id, 3, "ticket.status_changed.v1")


@pytest.mark.usefixtures("watchful")
async def test_a_stream_ends_when_its_token_is_revoked(api: Api) -> None:
    ticket_id = await api.desk.open()
    directory = api.desk.runtime.directory
    async with stream(api, {}) as chunks:
        for token_id, token in directory.all(ApiToken).items():
            await directory.put(token_id, token.model_copy(update={"active": False}), actor=ADMIN)
        said = ""
        while said != END:
            await api.do(ticket_id, AddNote(message_id=new_id(), agent_id="ada", text="Anybody there?"))
            said = await chunks.get()


async def test_a_last_event_that_is_none_of_ours_is_answered_with_everything(api: Api) -> None:
    ticket_id = await api.desk.open()
    await api.get("/tickets", after=await api.do(ticket_id, ChangeStatus(status="open")))
    async with stream(api, {"last-event-id": "x"}) as chunks:
        assert (await chunks.get()).startswith("id: 1\r\n")


def event(sequence: int, ticket_id: str, version: int, *facts: str) -> str:
    said = {"sequence": sequence, "ticket_id": ticket_id, "version": version, "facts": list(facts)}
    return f"id: {sequence}\r\nevent: commit\r\ndata: {json.dumps(said)}\r\n\r\n"


@asynccontextmanager
async def stream(api: Api, headers: dict[str, str]) -> AsyncIterator[asyncio.Queue[str]]:
    """Open an event stream as a server does, for our test client would wait for its end."""
    sent: asyncio.Queue[str] = asyncio.Queue()
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.put_nowait(message["body"].decode() if message.get("more_body") else END)

    asked = {**headers, "authorization": api.http.headers["Authorization"]}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/v1/stream", "raw_path": b"/v1/stream", "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in asked.items()],
        "client": ("127.0.0.1", 1), "server": ("desk", 80),
    }  # fmt: skip
    serving = asyncio.create_task(api.desk.runtime.http(scope, receive, send))
    async with asyncio.timeout(DEADLINE):
        yield sent
        gone.set()
        await serving
