"""Macros over the command API, on a real log: all of it or nothing, by whom it is permitted, once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from deskwire_shared.contracts.access import ADMIN, LIGHT, Permission
from deskwire_shared.contracts.facts import AgentReplied, StatusChanged, TagsChanged
from deskwire_shared.contracts.rules import Macro
from deskwire_shared.contracts.staff import Agent, Team
from intake_desk import api_desk
from ticket_desk import TicketDesk

Api = tuple[TicketDesk, httpx2.AsyncClient]

OPENING = {"requester": {"address": "Ann@example.net", "name": "Ann"}, "subject": "Printer", "text": "It burns."}
REPLY = "Hello {{ customer.name }}, ticket {{ ticket.number }} is being worked on."
SOLVE: dict[str, Any] = {"do": "set_status", "status": "solved"}


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with api_desk(fresh_nats, tmp_path, ADMIN) as started:
        yield started


def a_macro(*actions: dict[str, Any], **changes: Any) -> Macro:
    return Macro.model_validate({"name": "Warranty", "actions": actions, **changes})


async def opened(client: httpx2.AsyncClient) -> dict[str, Any]:
    return dict((await client.post("/tickets", json=OPENING)).json())


async def test_a_macro_answers_and_changes_the_ticket_in_one_commit(api: Api) -> None:
    desk, client = api
    await desk.put("warranty", a_macro({"do": "add_tags", "tags": ["warranty"]}, SOLVE, reply=REPLY))
    ticket = await opened(client)
    answer = await client.post(f"/tickets/{ticket['ticket_id']}/macros/warranty")
    assert answer.status_code == 200, answer.text
    _, used = await desk.commits(ticket["ticket_id"])
    assert [type(fact) for fact in used.facts[:1]] == [AgentReplied]
    assert {AgentReplied, TagsChanged, StatusChanged} <= {type(fact) for fact in used.facts}
    (reply,) = [message for message in (await desk.ticket(ticket["ticket_id"])).messages if message.kind == "agent"]
    assert reply.text == f"Hello Ann, ticket {ticket['number']} is being worked on."
    assert not reply.automated


async def test_a_macro_that_is_sent_again_with_its_key_is_used_once(api: Api) -> None:
    desk, client = api
    await desk.put("note", a_macro({"do": "write_note", "text": "Called."}))
    ticket_id = (await opened(client))["ticket_id"]
    answers = [
        await client.post(f"/tickets/{ticket_id}/macros/note", headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert len((await desk.ticket(ticket_id)).messages) == 2


async def test_a_macro_does_nothing_at_all_when_it_names_what_is_gone(api: Api) -> None:
    desk, client = api
    await desk.put("move", a_macro({"do": "set_team", "team_id": "gone"}, SOLVE))
    ticket_id = (await opened(client))["ticket_id"]
    answer = await client.post(f"/tickets/{ticket_id}/macros/move")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("macro-impossible")
    assert "there is no team gone" in answer.json()["detail"]
    assert len(await desk.commits(ticket_id)) == 1


async def test_a_macro_opens_a_follow_up_along(api: Api) -> None:
    desk, client = api
    follow_up = {"do": "open_follow_up", "subject": "Call {{ customer.name }}", "text": "Tomorrow.", "team_id": "calls"}
    await desk.put("calls", Team(name="Calls"))
    await desk.put("call", a_macro(follow_up))
    ticket = await opened(client)
    assert (await client.post(f"/tickets/{ticket['ticket_id']}/macros/call")).status_code == 200
    (link,) = (await desk.ticket(ticket["ticket_id"])).links
    other = await desk.ticket(link.ticket_id)
    assert (other.subject, other.team_id, other.number) == ("Call Ann", "calls", ticket["number"] + 1)
    assert [one.number for one in other.links] == [ticket["number"]]


@pytest.mark.parametrize("path", ["tickets/{}/macros/gone", "tickets/aaaaaaaaaaaaaaaa/macros/note"])
async def test_a_macro_or_ticket_that_is_not_there_is_not_found(api: Api, path: str) -> None:
    desk, client = api
    await desk.put("note", a_macro({"do": "write_note", "text": "Called."}))
    ticket_id = (await opened(client))["ticket_id"]
    assert (await client.post(f"/{path.format(ticket_id)}")).status_code == 404


ACTIONS: list[tuple[dict[str, Any], Permission]] = [
    ({"do": "write_reply", "text": "Hello"}, "tickets:reply"),
    ({"do": "set_assignee", "agent_id": "ada"}, "tickets:assign"),
    ({"do": "set_team", "team_id": "support"}, "tickets:assign"),
    ({"do": "unassign"}, "tickets:assign"),
    (SOLVE, "tickets:write"),
    ({"do": "set_field", "name": "x", "value": 1}, "tickets:write"),
]


async def test_a_macro_needs_the_permissions_for_what_it_does(fresh_nats: str, tmp_path: Path) -> None:
    async with api_desk(fresh_nats, tmp_path, LIGHT) as (desk, client):
        await desk.put("ada", Agent(email="ada@desk.example", name="Ada"))
        ticket_id = await desk.open()
        await desk.put("note", a_macro({"do": "write_note", "text": "Called."}))
        assert (await client.post(f"/tickets/{ticket_id}/macros/note")).status_code == 200
        for action, permission in ACTIONS:
            await desk.put("more", a_macro({"do": "write_note", "text": "Called."}, action))
            answer = await client.post(f"/tickets/{ticket_id}/macros/more")
            assert (answer.status_code, answer.json()["permission"]) == (403, permission)
        assert len(await desk.commits(ticket_id)) == 2


async def test_a_macro_tells_beforehand_what_it_would_do_and_does_nothing(api: Api) -> None:
    desk, client = api
    note = {"do": "write_note", "text": "Called."}
    await desk.put("warranty", a_macro({"do": "add_tags", "tags": ["warranty"]}, note, SOLVE, reply=REPLY))
    ticket = await opened(client)
    preview = (await client.get(f"/tickets/{ticket['ticket_id']}/macros/warranty")).json()
    assert preview["replies"] == [f"Hello Ann, ticket {ticket['number']} is being worked on."]
    assert preview["notes"] == ["Called."]
    assert "tags are now: warranty" in preview["changes"]
    assert preview["version"] == ticket["version"]
    assert len(await desk.commits(ticket["ticket_id"])) == 1


async def test_the_preview_of_a_macro_that_cannot_be_used_says_why(api: Api) -> None:
    desk, client = api
    await desk.put("move", a_macro({"do": "set_team", "team_id": "gone"}))
    ticket_id = (await opened(client))["ticket_id"]
    answer = await client.get(f"/tickets/{ticket_id}/macros/move")
    assert answer.status_code == 409
    assert "there is no team gone" in answer.json()["detail"]


async def test_a_macro_is_used_on_many_tickets_and_each_is_answered_for(api: Api) -> None:
    desk, client = api
    await desk.put("solve", a_macro({"do": "write_note", "text": "Swept."}, SOLVE))
    first, second = [(await opened(client))["ticket_id"] for _ in range(2)]
    closed = await client.post(f"/tickets/{second}/status", json={"status": "closed"})
    assert closed.status_code == 200, closed.text
    answers = (await client.post("/bulk", json={"ticket_ids": [first, second], "macro_id": "solve"})).json()
    assert [answer["status"] for answer in answers] == [200, 409]
    assert "closed" in answers[1]["problem"]["detail"]
    assert (await desk.ticket(first)).status == "solved"


async def test_messages_that_a_macro_makes_on_many_tickets_are_different_ones(api: Api) -> None:
    desk, client = api
    await desk.put("note", a_macro({"do": "write_note", "text": "Swept."}))
    ids = [(await opened(client))["ticket_id"] for _ in range(2)]
    await client.post("/bulk", json={"ticket_ids": ids, "macro_id": "note"})
    notes = [(await desk.ticket(ticket_id)).messages[-1].id for ticket_id in ids]
    assert len(set(notes)) == 2


@pytest.mark.parametrize("wish", [{}, {"macro_id": "solve", "change": {"status": "solved"}}, {"macro_id": "gone"}])
async def test_many_tickets_are_asked_about_one_thing_that_exists(api: Api, wish: dict[str, Any]) -> None:
    _, client = api
    answer = await client.post("/bulk", json={"ticket_ids": [(await opened(client))["ticket_id"]], **wish})
    assert answer.status_code == (404 if wish == {"macro_id": "gone"} else 422)
