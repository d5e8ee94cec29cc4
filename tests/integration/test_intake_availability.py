"""Agents say whether they take tickets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from deskwire_shared.contracts.staff import Agent
from deskwire_shared.runtime.http_access import CSRF_HEADER
from deskwire_shared.runtime.identity import SESSION_COOKIE
from intake_desk import api_desk
from ticket_desk import TicketDesk

PATH = "/me/availability"
Api = tuple[TicketDesk, httpx2.AsyncClient]


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with api_desk(fresh_nats, tmp_path) as desk_and_client:
        yield desk_and_client


async def signed_in(api: Api, **changes: Any) -> dict[str, str]:
    """The headers of Bob's browser."""
    desk, client = api
    await desk.put("bob", Agent.model_validate({"email": "bob@example.com", "name": "Bob", **changes}))
    cookie = await desk.runtime.identity.open_session("bob")
    principal = await desk.runtime.identity.by_cookie(cookie)
    del client.headers["Authorization"]
    return {"Cookie": f"{SESSION_COOKIE}={cookie}", CSRF_HEADER: principal.csrf or ""}


def bob(api: Api) -> Agent:
    agent = api[0].runtime.directory.get(Agent, "bob")
    assert agent is not None
    return agent


async def test_an_agent_goes_away_and_comes_back(api: Api) -> None:
    headers = await signed_in(api, skills={"german": 3})
    answer = await api[1].put(PATH, json={"availability": "away"}, headers=headers)
    assert answer.json() == {"availability": "away", "out_until": None, "revision": 2}
    assert (bob(api).availability, bob(api).skills) == ("away", {"german": 3})
    await api[1].put(PATH, json={"availability": "online"}, headers=headers)
    assert bob(api).availability == "online"


async def test_what_is_so_already_is_not_stored_again(api: Api) -> None:
    headers = await signed_in(api)
    for _ in range(2):
        answer = await api[1].put(PATH, json={"availability": "offline"}, headers=headers)
    assert answer.json()["revision"] == 2


async def test_an_absence_has_an_end_and_is_over_when_it_is_not_named(api: Api) -> None:
    headers = await signed_in(api)
    until = api[0].runtime.clock.now().replace(microsecond=0).isoformat()
    await api[1].put(PATH, json={"availability": "online", "out_until": until}, headers=headers)
    assert bob(api).out_until is not None
    await api[1].put(PATH, json={"availability": "online"}, headers=headers)
    assert bob(api).out_until is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"availability": "asleep"},
        {"availability": "online", "out_until": "2026-12-24T00:00:00"},
        {"availability": "online", "out_until": "2099-01-01T00:00:00Z"},
        {"availability": "online", "out_until": "tomorrow"},
        {"availability": "online", "role": "admin"},
    ],
)
async def test_what_is_no_availability_is_refused(api: Api, body: dict[str, str]) -> None:
    headers = await signed_in(api)
    answer = await api[1].put(PATH, json=body, headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (422, "invalid-request")
    assert bob(api).availability == "online"


async def test_a_program_has_no_availability(api: Api) -> None:
    answer = await api[1].put(PATH, json={"availability": "away"})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "not-an-agent")


async def test_who_may_not_answer_customers_takes_no_tickets_and_need_not_say_so(api: Api) -> None:
    headers = await signed_in(api, role="light_agent")
    assert (await api[1].put(PATH, json={"availability": "away"}, headers=headers)).status_code == 403


async def test_a_form_of_somebody_else_changes_nothing(api: Api) -> None:
    headers = await signed_in(api)
    forged = await api[1].put(PATH, json={"availability": "away"}, headers={**headers, CSRF_HEADER: "guess"})
    assert forged.status_code == 403
    assert bob(api).availability == "online"
