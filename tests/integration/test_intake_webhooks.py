"""Webhooks, their secrets and phone calls over HTTP, on a real log."""

import base64
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from deskwire_intake.app import service
from deskwire_intake.ledger.reading import read_ledger
from deskwire_shared.contracts.access import ADMIN as EVERYTHING
from deskwire_shared.contracts.access import AGENT, Permission
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import CustomerReplied, NoteAdded, Opened, TimeLogged
from deskwire_shared.contracts.subjects import INTAKE
from deskwire_shared.contracts.webhook_channels import WebhookChannel
from deskwire_shared.runtime.parking import get_parked, list_parked
from deskwire_shared.runtime.replaying import ReplayFailed, ask_for_replay
from ticket_desk import ADMIN, TicketDesk, ticket_desk
from unit.intake.hook_desk import SECRET, a_payload, headers_of

HOOKS = "/intake/v1/hooks"
CALL: dict[str, Any] = {
    "caller": {"number": "+49 (30) 901820", "name": "Ann"},
    "notes": "The printer burns.",
    "seconds": 245,
}


class HookDesk:
    """A desk with all of intake, and its clients."""

    def __init__(self, desk: TicketDesk, stranger: httpx2.AsyncClient) -> None:
        self.desk = desk
        self.stranger = stranger

    async def client(self, *scopes: Permission) -> dict[str, str]:
        """The headers of somebody with these permissions."""
        token = await self.desk.runtime.identity.create_token("test", scopes, actor=ADMIN)
        return {"Authorization": f"Bearer {token}"}

    async def listen(self, channel_id: str) -> None:
        """Open a channel and enter its secrets over HTTP."""
        channel = Channel(name=channel_id, medium="webhook", webhook=WebhookChannel(mapping=channel_id))
        await self.desk.put(channel_id, channel)
        entered = await self.stranger.put(
            f"/intake/v1/channels/{channel_id}/secrets",
            json={"signing": SECRET, "verify": "verify me"},
            headers=await self.client(*EVERYTHING),
        )
        assert entered.status_code == 204, entered.text

    async def hear(self, channel_id: str, payload: Any, **headers: str) -> httpx2.Response:
        """Send a payload signed as its service signs it."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        at = str(int(self.desk.runtime.clock.now().timestamp()))
        signed = {**headers_of(channel_id, body, at), "content-type": "application/json", **headers}
        return await self.stranger.post(f"{HOOKS}/{channel_id}", content=body, headers=signed)


@pytest_asyncio.fixture
async def hooks(fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HookDesk]:
    monkeypatch.setenv("DESKWIRE_SMTP_PORT", "0")
    monkeypatch.setenv("DESKWIRE_INTAKE_WEBHOOK_BYTES", "20000")
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        transport = httpx2.ASGITransport(app=desk.runtime.http, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as stranger:
            yield HookDesk(desk, stranger)


def problem_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:deskwire:problem:")


async def test_a_message_becomes_a_ticket_and_is_told_so_once(hooks: HookDesk) -> None:
    await hooks.listen("telegram")
    first, again = [await hooks.hear("telegram", a_payload("telegram_text")) for _ in range(2)]
    (message,), (repeated,) = first.json()["messages"], again.json()["messages"]
    assert (first.status_code, message["outcome"], repeated["outcome"]) == (200, "accepted", "repeated")
    assert message["ticket_id"] == repeated["ticket_id"]
    (opened,) = await hooks.desk.facts(message["ticket_id"], Opened)
    assert (opened.channel, opened.conversation, opened.author.address) == (
        "telegram",
        "52841733",
        "telegram:52841733",
    )
    await hooks.hear("telegram", a_payload("telegram_photo"))
    assert len(await hooks.desk.facts(message["ticket_id"], CustomerReplied)) == 1


async def test_whoever_does_not_prove_where_they_come_from_is_refused(hooks: HookDesk) -> None:
    await hooks.listen("slack")
    refused = await hooks.hear("slack", a_payload("slack_message"), **{"x-slack-signature": "v0=00"})
    assert problem_of(refused) == (401, "signature-refused")
    late = await hooks.hear("slack", a_payload("slack_message"), **{"x-slack-request-timestamp": "1"})
    assert problem_of(late) == (401, "signature-refused")
    assert problem_of(await hooks.hear("nowhere", {})) == (404, "unknown-webhook")
    assert problem_of(await hooks.stranger.get(f"{HOOKS}/slack")) == (404, "unknown-webhook")
    assert problem_of(await hooks.hear("x" * 100, {})) == (422, "invalid-request")


async def test_a_channel_without_a_secret_says_so(hooks: HookDesk) -> None:
    await hooks.desk.put("slack", Channel(name="s", medium="webhook", webhook=WebhookChannel(mapping="slack")))
    assert problem_of(await hooks.hear("slack", {})) == (503, "webhook-not-ready")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", (400, "unreadable-payload")),
        (b"[" * 10_000, (400, "unreadable-payload")),
        (b'{"a": "' + b"x" * 20_000 + b'"}', (413, "body-too-large")),
    ],
)
async def test_a_body_that_is_none_is_refused(hooks: HookDesk, body: bytes, problem: tuple[int, str]) -> None:
    await hooks.listen("telegram")
    assert problem_of(await hooks.hear("telegram", body)) == problem
    assert await list_parked(hooks.desk.runtime.js) == []


async def test_services_verify_the_address(hooks: HookDesk) -> None:
    await hooks.listen("slack")
    await hooks.listen("whatsapp")
    slack = await hooks.hear("slack", a_payload("slack_verification"))
    assert slack.json() == {"challenge": a_payload("slack_verification")["challenge"]}
    asked = {"hub.mode": "subscribe", "hub.challenge": "<b>7</b>", "hub.verify_token": "verify me"}
    meta = await hooks.stranger.get(f"{HOOKS}/whatsapp", params=asked)
    assert (meta.text, meta.headers["content-type"]) == ("<b>7</b>", "text/plain; charset=utf-8")
    assert meta.headers["x-content-type-options"] == "nosniff"
    forged = await hooks.stranger.get(f"{HOOKS}/whatsapp", params={**asked, "hub.verify_token": "guess"})
    assert problem_of(forged) == (404, "unknown-webhook")


async def test_a_text_message_is_answered_as_twilio_wants_it(hooks: HookDesk) -> None:
    await hooks.listen("twilio_sms")
    form = a_payload("twilio_sms")
    address = f"{hooks.desk.runtime.settings.public_url}{HOOKS}/twilio_sms"
    headers = twilio_signature(address, form)
    answer = await hooks.stranger.post(f"{HOOKS}/twilio_sms", data=form, headers=headers)
    assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    forged = await hooks.stranger.post(f"{HOOKS}/twilio_sms", data={**form, "Body": "x"}, headers=headers)
    assert problem_of(forged) == (401, "signature-refused")


def twilio_signature(address: str, form: dict[str, str]) -> dict[str, str]:
    signed = address + "".join(name + form[name] for name in sorted(form))
    return {"x-twilio-signature": base64.b64encode(hmac.digest(SECRET.encode(), signed.encode(), "sha1")).decode()}


async def test_a_payload_that_is_not_what_it_should_be_is_parked_and_replayed_after_a_fix(hooks: HookDesk) -> None:
    await hooks.listen("telegram")
    runtime = hooks.desk.runtime
    answer = await hooks.hear("telegram", {"message": {"message_id": 1, "chat": {"id": 7}, "text": "Hi"}})
    (told,) = answer.json()["messages"]
    assert (told["outcome"], told["reason"]) == ("parked", "the message does not name an author")
    parked = await get_parked(runtime.js, told["parked"])
    assert (parked.service, parked.headers) == ("intake-webhook", {"channel": "telegram"})
    with pytest.raises(ReplayFailed, match="does not name an author"):
        await ask_for_replay(runtime.connection, parked)
    assert [one.number for one in await list_parked(runtime.js)] == [parked.number]
    inbound = {
        "signature": {"scheme": "bearer"},
        "steps": [{"name": "message", "path": "body.message"}],
        "id": "{message.message_id}",
        "conversation": ["{message.chat.id}"],
        "author": {"address": "chat:{message.chat.id}"},
        "text": "{message.text}",
    }
    mended = WebhookChannel.model_validate({"inbound": inbound})
    await hooks.desk.put("telegram", Channel(name="t", medium="webhook", webhook=mended))
    await ask_for_replay(runtime.connection, parked)


async def test_secrets_go_in_and_never_come_out(hooks: HookDesk) -> None:
    await hooks.listen("telegram")
    path, admin = "/intake/v1/channels/telegram/secrets", await hooks.client(*EVERYTHING)
    shown = await hooks.stranger.get("/intake/v1/directory/channel/telegram", headers=admin)
    assert SECRET not in shown.text
    assert (await hooks.stranger.get(path, headers=admin)).status_code == 405
    agent = await hooks.stranger.put(path, json={"signing": "x"}, headers=await hooks.client(*AGENT))
    assert problem_of(agent) == (403, "not-permitted")
    assert (await hooks.stranger.put(path, json={"signing": "x"})).status_code == 401
    nowhere = await hooks.stranger.put("/intake/v1/channels/nowhere/secrets", json={"signing": "x"}, headers=admin)
    assert problem_of(nowhere) == (404, "unknown-document")
    wrongs: list[Any] = [{}, {"Signing": "x"}, {"signing": ""}, {"signing": 7}, {"signing": "x" * 5_000}, []]
    for wrong in wrongs:
        answer = await hooks.stranger.put(path, json=wrong, headers=admin)
        assert problem_of(answer) == (422, "invalid-request")
        assert "xxx" not in answer.text


async def test_a_call_opens_a_ticket_of_its_caller_with_the_time_it_took(hooks: HookDesk) -> None:
    headers = {**await hooks.client(*AGENT), "Idempotency-Key": "call-1"}
    first, again = [await hooks.stranger.post("/intake/v1/calls", json=CALL, headers=headers) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json())
    ticket = await hooks.desk.ticket(first.json()["ticket_id"])
    assert (ticket.channel, ticket.subject) == ("phone", "Call from Ann (+4930901820)")
    assert [message.text for message in ticket.messages] == ["The printer burns."]
    (time,) = await hooks.desk.facts(ticket.id, TimeLogged)
    assert (time.seconds, time.activity) == (245, "inbound call")
    customer = await hooks.desk.runtime.directory.fetch(Customer, ticket.requester_id)
    assert customer == Customer(address="tel:+4930901820", name="Ann")


async def test_a_call_is_noted_on_the_ticket_it_is_about(hooks: HookDesk) -> None:
    ticket_id = await hooks.desk.open()
    call = {**CALL, "direction": "outbound", "ticket_id": ticket_id}
    answer = await hooks.stranger.post("/intake/v1/calls", json=call, headers=await hooks.client(*AGENT))
    assert answer.status_code == 201, answer.text
    (note,) = await hooks.desk.facts(ticket_id, NoteAdded)
    assert note.text == "Outgoing call with Ann (+4930901820), 4 min 5 s\n\nThe printer burns."
    assert (await hooks.desk.ticket(ticket_id)).seconds_logged == 245


async def ledger_of(desk: TicketDesk) -> list[tuple[str, str, int | None]]:
    return [(one.via, one.decision, one.number) async for one in read_ledger(desk.runtime.connection)]


async def test_a_call_is_in_the_ledger_before_it_is_answered_and_tells_nothing_of_its_caller(hooks: HookDesk) -> None:
    headers = {**await hooks.client(*AGENT), "Idempotency-Key": "call-1"}
    opened = await hooks.stranger.post("/intake/v1/calls", json=CALL, headers=headers)
    await hooks.stranger.post("/intake/v1/calls", json=CALL, headers=headers)
    noted = {**CALL, "ticket_id": opened.json()["ticket_id"]}
    await hooks.stranger.post("/intake/v1/calls", json=noted, headers=await hooks.client(*AGENT))
    number = opened.json()["number"]
    assert await ledger_of(hooks.desk) == [
        ("phone", "opened", number), ("phone", "repeated", number), ("phone", "noted", number),
    ]  # fmt: skip
    entries = [one async for one in read_ledger(hooks.desk.runtime.connection)]
    assert entries[0].source == entries[1].source != entries[2].source
    written = "".join(one.model_dump_json() for one in entries)
    assert not [words for words in ("901820", "Ann", "printer") if words in written]


async def test_a_call_that_the_ledger_does_not_take_is_told_again_and_stands_once(hooks: HookDesk) -> None:
    js = hooks.desk.runtime.js
    config = (await js.stream_info(INTAKE)).config
    await js.delete_stream(INTAKE)
    headers = {**await hooks.client(*AGENT), "Idempotency-Key": "call-1"}
    answer = await hooks.stranger.post("/intake/v1/calls", json=CALL, headers=headers)
    assert problem_of(answer) == (503, "unavailable")
    assert "same Idempotency-Key" in answer.json()["detail"]
    await js.add_stream(config)
    again = await hooks.stranger.post("/intake/v1/calls", json=CALL, headers=headers)
    assert again.status_code == 201
    assert await ledger_of(hooks.desk) == [("phone", "repeated", again.json()["number"])]
    assert len((await hooks.desk.ticket(again.json()["ticket_id"])).messages) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"caller": {"number": "call me"}},
        {"caller": {"number": ""}},
        {"notes": ""},
        {"seconds": -1},
        {"seconds": 100_000},
        {"direction": "sideways"},
        {"ticket_id": "a" * 16, "subject": "x"},
        {"extra": 1},
    ],
)
async def test_a_call_that_is_none_is_refused(hooks: HookDesk, changes: dict[str, Any]) -> None:
    answer = await hooks.stranger.post("/intake/v1/calls", json={**CALL, **changes}, headers=await hooks.client(*AGENT))
    assert problem_of(answer) == (422, "invalid-request")


async def test_a_call_needs_the_permissions_of_what_it_does(hooks: HookDesk) -> None:
    for scopes in (("tickets:read",), ("tickets:note",), ("tickets:write",)):
        answer = await hooks.stranger.post("/intake/v1/calls", json=CALL, headers=await hooks.client(*scopes))
        assert problem_of(answer) == (403, "not-permitted")
    missing = {**CALL, "ticket_id": "a" * 16}
    answer = await hooks.stranger.post("/intake/v1/calls", json=missing, headers=await hooks.client(*AGENT))
    assert problem_of(answer) == (404, "ticket-does-not-exist")
    team = await hooks.stranger.post(
        "/intake/v1/calls", json={**CALL, "team_id": "nobody"}, headers=await hooks.client(*AGENT)
    )
    assert problem_of(team) == (422, "unknown-reference")
