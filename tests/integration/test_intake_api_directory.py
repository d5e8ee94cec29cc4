"""The directory over the command API: documents, agents, tokens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from command_api import OPENING, Api, opened, problem_of
from deskwire_shared.contracts.access import ADMIN
from deskwire_shared.contracts.facts import Assigned
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.runtime.identity import Unauthenticated
from intake_desk import api_desk


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with api_desk(fresh_nats, tmp_path, ADMIN) as started:
        yield started


async def test_documents_are_written_read_and_deleted_with_their_history(api: Api) -> None:
    _, client = api
    path = "/directory/team/support"
    assert (await client.put(path, json={"name": "Support"})).headers["etag"] == '"1"'
    old = await client.put(path, json={"name": "Old"}, headers={"If-Match": '"7"'})
    assert problem_of(old) == (409, "revision-conflict")
    await client.put(path, json={"name": "Help"}, headers={"If-Match": '"1"'})
    read = (await client.get(path)).json()
    assert (read["document"]["name"], [one["document"]["name"] for one in read["history"]]) == (
        "Help",
        ["Support", "Help"],
    )
    assert problem_of(await client.delete(path, headers={"If-Match": '"1"'})) == (409, "revision-conflict")
    assert (await client.delete(path, headers={"If-Match": '"2"'})).json()["deleted"]
    assert problem_of(await client.delete(path)) == (404, "unknown-document")


async def test_a_document_that_is_not_valid_is_refused_by_field(api: Api) -> None:
    _, client = api
    answer = await client.put("/directory/team/support", json={"name": "", "colour": "red"})
    assert problem_of(answer) == (422, "invalid-request")
    assert {error["loc"][-1] for error in answer.json()["errors"]} == {"name", "colour"}
    assert problem_of(await client.put("/directory/nothing/x", json={})) == (404, "unknown-document")


async def test_an_agent_is_added_signs_in_and_cannot_be_added_twice(api: Api) -> None:
    desk, client = api
    new = {"email": "bob@example.com", "name": "Bob", "password": "correct horse battery"}
    answer = await client.post("/agents", json=new)
    assert answer.status_code == 201
    assert "horse" not in answer.text
    cookie = await desk.runtime.identity.sign_in("bob@example.com", "correct horse battery")
    assert (await desk.runtime.identity.by_cookie(cookie)).name == "Bob"
    assert problem_of(await client.post("/agents", json=new)) == (409, "address-is-taken")
    short = await client.post("/agents", json={**new, "email": "eve@example.com", "password": "short"})
    assert problem_of(short) == (422, "weak-password")
    path = f"/agents/{answer.json()['id']}/password"
    assert (await client.put(path, json={"password": "another good one"})).status_code == 204
    with pytest.raises(Unauthenticated):
        await desk.runtime.identity.by_cookie(cookie)
    await desk.runtime.identity.sign_in("bob@example.com", "another good one")


async def test_the_last_administrator_stays(api: Api) -> None:
    desk, client = api
    assert problem_of(await client.delete("/directory/agent/ada")) == (409, "last-administrator")
    demoted = {"email": "ada@example.com", "name": "Ada", "role": "agent"}
    assert problem_of(await client.put("/directory/agent/ada", json=demoted)) == (409, "last-administrator")
    await desk.put("bob", Agent(email="bob@example.com", name="Bob", role="admin"))
    assert (await client.put("/directory/agent/ada", json=demoted)).status_code == 200


async def test_a_token_is_shown_once_works_and_can_be_revoked(api: Api) -> None:
    _, client = api
    made = (await client.post("/tokens", json={"name": "Shop", "scopes": ["tickets:write"]})).json()
    with_token = {"Authorization": f"Bearer {made['token']}"}
    assert (await client.post("/tickets", json=OPENING, headers=with_token)).status_code == 201
    assert problem_of(await client.post("/tokens", json={}, headers=with_token))[0] in {403, 422}
    read = await client.get(f"/directory/api_token/{made['id']}")
    assert "secret" not in read.text
    forged = await client.put(f"/directory/api_token/{made['id']}", json={"name": "x"})
    assert problem_of(forged) == (405, "made-elsewhere")
    await client.delete(f"/directory/api_token/{made['id']}")
    answer = await client.post("/tickets", json=OPENING, headers=with_token)
    assert problem_of(answer) == (401, "unauthenticated")


async def test_an_agent_who_is_gone_gets_no_ticket(api: Api) -> None:
    desk, client = api
    ticket_id = await opened(client)
    await desk.put("gone", Agent(email="gone@example.com", name="Gone", active=False))
    answer = await client.post(f"/tickets/{ticket_id}/assignment", json={"agent_id": "gone"})
    assert problem_of(answer) == (422, "unknown-reference")
    assert await desk.facts(ticket_id, Assigned) == []
