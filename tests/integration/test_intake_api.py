"""The command API, on a real log: what may be done, by whom, and how often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from command_api import MISSING, OPENING, Api, opened, problem_of
from deskwire_shared.contracts.access import ADMIN
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import AgentReplied, Opened
from deskwire_shared.contracts.staff import Team
from intake_desk import api_desk


@pytest_asyncio.fixture
async def api(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with api_desk(fresh_nats, tmp_path, ADMIN) as started:
        yield started


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


async def test_a_ticket_opened_twice_at_once_with_one_key_is_one(api: Api) -> None:
    desk, client = api
    answers = await asyncio.gather(
        *(client.post("/tickets", json=OPENING, headers={"Idempotency-Key": "k"}) for _ in range(4))
    )
    assert len({answer.json()["ticket_id"] for answer in answers}) == 1
    assert len(await desk.facts(answers[0].json()["ticket_id"], Opened)) == 1
