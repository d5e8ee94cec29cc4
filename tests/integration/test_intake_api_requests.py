"""Requests to the command API: who is let in, what is refused, and how a refusal is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from command_api import MISSING, OPENING, Api, opened, problem_of
from deskwire_shared.contracts.access import ADMIN, LIGHT
from deskwire_shared.runtime.identity import SESSION_COOKIE, Unauthenticated
from intake_desk import api_desk


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with api_desk(fresh_nats, tmp_path, ADMIN) as started:
        yield started


async def test_a_light_agent_leaves_notes_and_nothing_else(fresh_nats: str, tmp_path: Path) -> None:
    async with api_desk(fresh_nats, tmp_path, LIGHT) as (desk, client):
        ticket_id = await desk.open()
        assert (await client.post(f"/tickets/{ticket_id}/notes", json={"text": "Seen"})).status_code == 200
        for step, body in (
            ("replies", {"text": "x"}), ("status", {"status": "open"}), ("assignment", {"agent_id": "ada"}),
            ("merge", {"into": MISSING}), ("time", {"seconds": 1}),
        ):  # fmt: skip
            answer = await client.post(f"/tickets/{ticket_id}/{step}", json=body)
            assert problem_of(answer) == (403, "not-permitted"), step
        assert (await client.post("/tickets", json=OPENING)).status_code == 403
        bulk = {"ticket_ids": [ticket_id], "change": {"status": "open"}}
        assert (await client.post("/bulk", json=bulk)).status_code == 403
        assert (await client.put("/directory/team/x", json={"name": "X"})).status_code == 403


async def test_nobody_is_let_in_without_a_credential(api: Api) -> None:
    _, client = api
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer dw_x_y"}, {"Cookie": f"{SESSION_COOKIE}=x"}):
        client.headers.pop("Authorization", None)
        answer = await client.post("/tickets", json=OPENING, headers=headers)
        assert problem_of(answer) == (401, "unauthenticated")


async def test_a_browser_repeats_its_token_with_each_change(api: Api) -> None:
    desk, client = api
    client.headers.pop("Authorization")
    client.cookies.set(SESSION_COOKIE, cookie := await desk.runtime.identity.open_session("ada"))
    answer = await client.post("/tickets", json=OPENING)
    assert problem_of(answer) == (403, "csrf-refused")
    csrf = (await desk.runtime.identity.by_cookie(cookie)).csrf or ""
    ticket_id = (await client.post("/tickets", json=OPENING, headers={"X-CSRF-Token": csrf})).json()["ticket_id"]
    assert (await desk.commits(ticket_id))[0].actor.id == "ada"


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"x" * 30_000, "application/json", (413, "body-too-large")),
        (b'{"text": "x"}', "text/plain", (415, "unsupported-media-type")),
        (b"text=x", "application/x-www-form-urlencoded", (415, "unsupported-media-type")),
        (b"{", "application/json", (422, "invalid-request")),
        (b"[" * 19_000, "application/json", (400, "bad-request")),
        (b'{"text": ' + b"[" * 200 + b"]" * 200 + b"}", "application/json", (422, "invalid-request")),
        (b'{"text": 5}', "application/json", (422, "invalid-request")),
        (b'{"text": "x", "agent_id": "eve"}', "application/json", (422, "invalid-request")),
        (b'{"text": "a\\u0000b"}', "application/json", (422, "unreadable-text")),
        (b'{"text": "\\ud800"}', "application/json", (422, "unreadable-text")),
        (b'{"text": "  "}', "application/json", (422, "empty-message")),
    ],
)
async def test_odd_bodies_are_refused_by_name(
    api: Api, content: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    _, client = api
    ticket_id = await opened(client)
    answer = await client.post(f"/tickets/{ticket_id}/notes", content=content, headers={"Content-Type": content_type})
    assert problem_of(answer) == expected


async def test_a_body_without_a_length_is_bounded_too(api: Api) -> None:
    _, client = api

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000

    answer = await client.post("/tickets", content=endless(), headers={"Content-Type": "application/json"})
    assert problem_of(answer) == (413, "body-too-large")
    large = await client.post("/attachments", files={"file": ("x", b"x" * 200_000)})
    assert problem_of(large) == (413, "body-too-large")


async def test_what_was_sent_is_not_repeated_in_a_problem(api: Api) -> None:
    _, client = api
    answer = await client.post(
        "/tickets", json={**OPENING, "priority": "secret-word", "requester": {"address": "secret-word"}}
    )
    assert problem_of(answer) == (422, "invalid-request")
    assert "secret-word" not in answer.text
    assert {tuple(error["loc"]) for error in answer.json()["errors"]} == {
        ("body", "priority"),
        ("body", "requester", "address"),
    }


@pytest.mark.parametrize("ticket_id", ["x", "A" * 16, "..", "*", ">" * 16])
async def test_odd_ids_reach_no_log(api: Api, ticket_id: str) -> None:
    _, client = api
    answer = await client.post(f"/tickets/{ticket_id}/notes", json={"text": "x"})
    assert answer.status_code in {404, 405, 422}


async def test_an_unknown_path_and_method_are_problems(api: Api) -> None:
    _, client = api
    assert problem_of(await client.get("/nothing")) == (404, "not-found")
    assert problem_of(await client.put("/tickets")) == (405, "method-not-allowed")


async def test_a_callers_correlation_id_reaches_the_log(api: Api) -> None:
    desk, client = api
    answer = await client.post("/tickets", json=OPENING, headers={"X-Correlation-ID": "order-7"})
    assert answer.headers["x-correlation-id"] == "order-7"
    assert (await desk.commits(answer.json()["ticket_id"]))[0].correlation_id == "order-7"
    odd = await client.post("/tickets", json=OPENING, headers={"X-Correlation-ID": "a b"})
    assert odd.headers["x-correlation-id"] != "a b"


async def test_an_error_of_ours_is_a_problem_that_tells_nothing(api: Api) -> None:
    desk, client = api
    object.__setattr__(desk.runtime.recorder, "record", None)
    answer = await client.post("/tickets", json=OPENING)
    assert problem_of(answer) == (500, "unexpected")
    assert "NoneType" not in answer.text


@pytest.mark.parametrize("cookie", ["", "x", "*.x", ">.x", "ada", "ada.*", "ada." + "x" * 5000])
async def test_no_made_up_cookie_is_a_session(api: Api, cookie: str) -> None:
    desk, _ = api
    await desk.runtime.identity.open_session("ada")
    await desk.runtime.identity.sign_out(cookie)
    with pytest.raises(Unauthenticated):
        await desk.runtime.identity.by_cookie(cookie)


async def test_every_operation_is_described(api: Api) -> None:
    _, client = api
    description = (await client.get("http://desk/intake/openapi.json")).json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert len(operations) >= 28
    assert all(operation["description"] for operation in operations)
