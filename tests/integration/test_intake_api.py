"""The command API, on a real log: what may be done, by whom, and how often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from deskwire_shared.contracts.access import ADMIN, LIGHT
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import AgentReplied, Assigned, Opened
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.runtime.identity import SESSION_COOKIE, Unauthenticated
from intake_desk import api_desk
from ticket_desk import TicketDesk

Api = tuple[TicketDesk, httpx2.AsyncClient]

OPENING: dict[str, Any] = {
    "requester": {"address": "Ann@example.net", "name": "Ann"},
    "subject": "Printer",
    "text": "It burns.",
}
MISSING = "a" * 16


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with api_desk(fresh_nats, tmp_path, ADMIN) as started:
        yield started


async def opened(client: httpx2.AsyncClient, **changes: Any) -> str:
    """The id of a new ticket."""
    answer = await client.post("/tickets", json={**OPENING, **changes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket_id"])


def problem_of(answer: httpx2.Response) -> tuple[int, str]:
    """The status and type of a problem that has all a problem must have."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "correlation_id"} <= set(body)
    assert body["status"] == answer.status_code
    assert answer.headers.get("x-correlation-id", body["correlation_id"]) == body["correlation_id"] != ""
    return answer.status_code, body["type"].removeprefix("urn:deskwire:problem:")


async def test_a_ticket_is_opened_on_behalf_of_a_customer(api: Api) -> None:
    desk, client = api
    await desk.put("support", Team(name="Support"))
    answer = await client.post(
        "/tickets",
        json={**OPENING, "team_id": "support", "agent_id": "ada", "tags": ["Fire"], "fields": {"room": 7}},
    )
    done = answer.json()
    ticket = await desk.ticket(done["ticket_id"])
    assert (ticket.number, ticket.team_id, ticket.assignee_id) == (done["number"], "support", "ada")
    assert (ticket.tags, dict(ticket.fields), ticket.version) == (("fire",), {"room": 7}, done["version"])
    assert answer.headers["etag"] == f'"{done["version"]}"'
    customer = await desk.runtime.directory.fetch(Customer, ticket.requester_id)
    assert customer == Customer(address="ann@example.net", name="Ann")


async def test_a_request_that_is_sent_again_with_its_key_is_done_once(api: Api) -> None:
    desk, client = api
    key = {"Idempotency-Key": "k"}
    first, second = [await client.post("/tickets", json=OPENING, headers=key) for _ in range(2)]
    assert first.json() == second.json()
    ticket_id = first.json()["ticket_id"]
    note, key = {"text": "Called back."}, {"Idempotency-Key": "another"}
    answers = await asyncio.gather(
        *(client.post(f"/tickets/{ticket_id}/notes", json=note, headers=key) for _ in range(3))
    )
    assert len({answer.text for answer in answers}) == 1
    assert len((await desk.ticket(ticket_id)).messages) == 2


async def test_a_key_that_is_used_for_another_request_is_refused(api: Api) -> None:
    _, client = api
    key = {"Idempotency-Key": "k"}
    ticket_id = (await client.post("/tickets", json=OPENING, headers=key)).json()["ticket_id"]
    changed = await client.post("/tickets", json={**OPENING, "subject": "Scanner"}, headers=key)
    assert problem_of(changed) == (422, "idempotency-key-reused")
    note = await client.post(f"/tickets/{ticket_id}/notes", json={"text": "x"}, headers=key)
    assert problem_of(note) == (422, "idempotency-key-reused")


async def test_a_change_of_an_old_version_is_refused_with_what_happened_since(api: Api) -> None:
    _, client = api
    ticket_id = await opened(client)
    await client.post(f"/tickets/{ticket_id}/status", json={"status": "pending"}, headers={"If-Match": '"1"'})
    answer = await client.post(f"/tickets/{ticket_id}/status", json={"status": "open"}, headers={"If-Match": '"1"'})
    assert problem_of(answer) == (409, "version-conflict")
    (since,) = answer.json()["since"]
    assert (since["type"], since["actor"]["kind"]) == ("ticket.status_changed.v1", "integration")
    assert since["summary"] == "The status went from new to pending."
    odd = await client.post(f"/tickets/{ticket_id}/status", json={"status": "open"}, headers={"If-Match": "x"})
    assert problem_of(odd) == (400, "unreadable-precondition")
    anything = await client.post(f"/tickets/{ticket_id}/status", json={"status": "open"}, headers={"If-Match": "*"})
    assert anything.status_code == 200


async def test_two_answers_at_the_same_time_are_both_kept(api: Api) -> None:
    desk, client = api
    ticket_id = await opened(client)
    path = f"/tickets/{ticket_id}/replies"
    answers = await asyncio.gather(*(client.post(path, json={"text": f"answer {n}"}) for n in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await desk.facts(ticket_id, AgentReplied)) == 5


async def test_an_answer_can_be_taken_back_while_it_waits(api: Api) -> None:
    desk, client = api
    ticket_id = await opened(client)
    reply = await client.post(f"/tickets/{ticket_id}/replies", json={"text": "Oops", "undo_seconds": 60})
    answer = await client.delete(f"/tickets/{ticket_id}/replies/{reply.json()['message_id']}")
    assert answer.status_code == 200
    assert (await desk.ticket(ticket_id)).messages[-1].delivery == "withdrawn"
    sent = await client.post(f"/tickets/{ticket_id}/replies", json={"text": "Now"})
    refused = await client.delete(f"/tickets/{ticket_id}/replies/{sent.json()['message_id']}")
    assert problem_of(refused) == (409, "reply-is-leaving")


async def test_a_file_is_uploaded_and_then_sent_along(api: Api) -> None:
    desk, client = api
    ticket_id = await opened(client)
    file = await client.post("/attachments", files={"file": ("../a b.txt", b"hello", "text/plain; charset=x")})
    assert file.status_code == 201
    assert (file.json()["filename"], file.json()["content_type"], file.json()["size"]) == ("a b.txt", "text/plain", 5)
    await client.post(f"/tickets/{ticket_id}/replies", json={"text": "See", "attachments": [file.json()]})
    (attachment,) = (await desk.ticket(ticket_id)).messages[-1].attachments
    assert attachment.key == file.json()["key"]


async def test_a_file_that_was_never_uploaded_or_lies_elsewhere_is_not_sent(api: Api) -> None:
    _, client = api
    ticket_id = await opened(client)
    for file in ({"sha256": "0" * 64, "filename": "x"}, {"sha256": "0" * 64, "filename": "x", "key": "raw/ab/abc"}):
        answer = await client.post(f"/tickets/{ticket_id}/notes", json={"text": "See", "attachments": [file]})
        assert problem_of(answer) == (422, "unknown-reference")


async def test_properties_are_changed_together_or_not_at_all(api: Api) -> None:
    desk, client = api
    ticket_id = await opened(client)
    change = {
        "subject": "Scanner", "priority": "high", "ticket_type": "incident", "add_tags": ["b", "a"],
        "fields": {"room": 7}, "requester": {"address": "bob@example.org", "name": "Bob"},
    }  # fmt: skip
    assert (await client.patch(f"/tickets/{ticket_id}", json=change)).json()["version"] == 7
    ticket = await desk.ticket(ticket_id)
    assert (ticket.subject, ticket.priority, ticket.ticket_type, ticket.tags) == (
        "Scanner",
        "high",
        "incident",
        ("a", "b"),
    )
    assert ticket.requester is not None
    assert ticket.requester.address == "bob@example.org"
    answer = await client.patch(f"/tickets/{ticket_id}", json={"priority": "low", "fields": {"Not A Name": 1}})
    assert problem_of(answer) == (422, "invalid-field-name")
    assert (await desk.ticket(ticket_id)).version == 7
    assert problem_of(await client.patch(f"/tickets/{ticket_id}", json={})) == (422, "invalid-request")


async def test_a_ticket_is_moved_assigned_snoozed_and_woken(api: Api) -> None:
    desk, client = api
    await desk.put("support", Team(name="Support"))
    ticket_id = await opened(client)
    path = f"/tickets/{ticket_id}"
    for step, body in (
        ("team", {"team_id": "support"}),
        ("assignment", {"agent_id": "ada"}),
        ("followers", {"add": ["ada"]}),
        ("snooze", {"until": (desk.runtime.clock.now() + timedelta(days=1)).isoformat()}),
        ("wake", None),
        ("time", {"seconds": 60, "activity": "phone"}),
        ("status", {"status": "solved"}),
        ("rating", {"score": 5, "comment": "Thanks"}),
    ):
        answer = await client.post(f"{path}/{step}", json=body)
        assert answer.status_code == 200, (step, answer.text)
    ticket = await desk.ticket(ticket_id)
    assert (ticket.team_id, ticket.assignee_id, ticket.followers) == ("support", "ada", ("ada",))
    assert (ticket.status, ticket.is_snoozed, ticket.seconds_logged) == ("solved", False, 60)
    await client.post(f"{path}/assignment", json={"agent_id": None})
    assert (await desk.ticket(ticket_id)).assignee_id is None


async def test_tasks_are_added_and_done(api: Api) -> None:
    desk, client = api
    ticket_id = await opened(client)
    task = (await client.post(f"/tickets/{ticket_id}/tasks", json={"title": "Order paper"})).json()["task_id"]
    assert (await client.post(f"/tickets/{ticket_id}/tasks/{task}/complete")).status_code == 200
    assert (await desk.ticket(ticket_id)).tasks[0].is_completed
    again = await client.post(f"/tickets/{ticket_id}/tasks/{task}/complete")
    assert problem_of(again) == (409, "task-already-completed")
    assert problem_of(await client.post(f"/tickets/{ticket_id}/tasks/nope/complete")) == (404, "unknown-task")


async def test_a_message_is_redacted(api: Api) -> None:
    desk, client = api
    ticket_id = await opened(client)
    message_id = (await desk.ticket(ticket_id)).messages[0].id
    await client.post(f"/tickets/{ticket_id}/redactions", json={"message_id": message_id, "reason": "card number"})
    assert (await desk.ticket(ticket_id)).messages[0].redacted


async def test_a_merge_concerns_both_tickets_and_then_points_the_way(api: Api) -> None:
    desk, client = api
    source, target = await opened(client), await opened(client)
    assert (await client.post(f"/tickets/{source}/merge", json={"into": target})).status_code == 200
    assert (await desk.ticket(source)).merged_into == target
    assert (await desk.ticket(target)).merged_sources == {source}
    answer = await client.post(f"/tickets/{source}/notes", json={"text": "x"})
    assert problem_of(answer) == (409, "ticket-is-merged")
    assert answer.json()["into"] == target
    back = await client.post(f"/tickets/{target}/merge", json={"into": source})
    assert back.status_code == 409
    itself = await client.post(f"/tickets/{target}/merge", json={"into": target})
    assert problem_of(itself) == (409, "cannot-merge-into-itself")
    assert problem_of(await client.post(f"/tickets/{target}/merge", json={"into": MISSING})) == (
        404,
        "ticket-does-not-exist",
    )


async def test_a_merge_of_an_old_version_is_refused(api: Api) -> None:
    desk, client = api
    source, target = await opened(client), await opened(client)
    await client.post(f"/tickets/{source}/notes", json={"text": "x"})
    answer = await client.post(f"/tickets/{source}/merge", json={"into": target}, headers={"If-Match": '"1"'})
    assert problem_of(answer) == (409, "version-conflict")
    assert (await desk.ticket(target)).merged_sources == set()


async def test_messages_are_split_off_into_a_ticket_of_their_own(api: Api) -> None:
    desk, client = api
    source = await opened(client)
    message_id = (await desk.ticket(source)).messages[0].id
    done = (
        await client.post(f"/tickets/{source}/split", json={"message_ids": [message_id], "subject": "Other"})
    ).json()
    new = await desk.ticket(done["split_off"])
    assert (new.subject, new.messages[0].text, new.links[0].ticket_id) == ("Other", "It burns.", source)
    assert (await desk.ticket(source)).messages[0].moved_to == new.id
    reply = (await client.post(f"/tickets/{source}/replies", json={"text": "Hi"})).json()["message_id"]
    refused = await client.post(f"/tickets/{source}/split", json={"message_ids": [reply]})
    assert problem_of(refused) == (404, "unknown-message")


async def test_a_link_is_known_on_both_sides(api: Api) -> None:
    desk, client = api
    child, parent = await opened(client), await opened(client)
    await client.post(f"/tickets/{child}/links", json={"ticket_id": parent, "kind": "child"})
    assert [(link.ticket_id, link.kind) for link in (await desk.ticket(child)).links] == [(parent, "child")]
    assert [(link.ticket_id, link.kind) for link in (await desk.ticket(parent)).links] == [(child, "parent")]


async def test_many_tickets_are_changed_and_each_is_answered_for(api: Api) -> None:
    desk, client = api
    tickets = [await opened(client) for _ in range(3)]
    change = {"status": "solved", "add_tags": ["done"], "agent_id": "ada"}
    answers = (await client.post("/bulk", json={"ticket_ids": [*tickets, MISSING], "change": change})).json()
    assert [answer["status"] for answer in answers] == [200, 200, 200, 404]
    assert answers[3]["problem"]["type"] == "urn:deskwire:problem:ticket-does-not-exist"
    assert [(await desk.ticket(one)).status for one in tickets] == ["solved"] * 3


async def test_a_ticket_is_found_by_its_number(api: Api) -> None:
    _, client = api
    ticket_id = await opened(client)
    assert (await client.get("/tickets/by-number/1")).json() == {"ticket_id": ticket_id, "number": 1}
    assert problem_of(await client.get("/tickets/by-number/2")) == (404, "ticket-does-not-exist")


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


@pytest.mark.parametrize("cookie", ["", "x", "*.x", ">.x", "ada", "ada.*", "ada." + "x" * 5000])
async def test_no_made_up_cookie_is_a_session(api: Api, cookie: str) -> None:
    desk, _ = api
    await desk.runtime.identity.open_session("ada")
    await desk.runtime.identity.sign_out(cookie)
    with pytest.raises(Unauthenticated):
        await desk.runtime.identity.by_cookie(cookie)


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


async def test_every_operation_is_described(api: Api) -> None:
    _, client = api
    description = (await client.get("http://desk/intake/openapi.json")).json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert len(operations) >= 28
    assert all(operation["description"] for operation in operations)


async def test_a_ticket_opened_twice_at_once_with_one_key_is_one(api: Api) -> None:
    desk, client = api
    answers = await asyncio.gather(
        *(client.post("/tickets", json=OPENING, headers={"Idempotency-Key": "k"}) for _ in range(4))
    )
    assert len({answer.json()["ticket_id"] for answer in answers}) == 1
    assert len(await desk.facts(answers[0].json()["ticket_id"], Opened)) == 1
