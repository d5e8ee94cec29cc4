"""Rules, macros and escalations tell programs of others, by signed webhooks, until these take it or are given up."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deskwire_intake.channels.webhook.signatures import SignedRequest, require_signature
from deskwire_notify.app import CALLS_AT_ONCE
from deskwire_notify.channels.port import Answer
from deskwire_notify.webhooks.health import WebhookHealth
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import WebhookDelivered, WebhookFailed
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.subjects import DELIVERIES
from deskwire_shared.contracts.webhook_channels import StandardSignature
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.runtime import webhook_secrets
from deskwire_shared.runtime.buckets import Bucket
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.parking import list_parked
from deskwire_shared.ticket.commands import AddNote, ApplyRule, ChangeTags, RequestWebhook, Several
from hook_sink import HookSink, SinkRequest
from notify_desk import ADMIN, NotifyDesk, notify_desk, until

SHOP = "shop"
RULE = Actor(kind="rule", id="routing")
SECRET = webhook_secrets.new_secret()


@pytest.fixture
def sink() -> Iterator[HookSink]:
    with HookSink().open() as listening:
        yield listening


@pytest_asyncio.fixture
async def desk(
    fresh_nats: str, tmp_path: Path, sink: HookSink, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[NotifyDesk]:
    monkeypatch.setenv("DESKWIRE_NOTIFY_RETRY_FIRST_SECONDS", "1")
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true")
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_TIMEOUT_SECONDS", "1")
    async with notify_desk(fresh_nats, tmp_path) as started:
        await a_webhook(started, sink)
        await webhook_secrets.enter(started.runtime.secrets, SHOP, {"signing": SECRET})
        yield started


async def a_webhook(desk: NotifyDesk, sink: HookSink, webhook_id: str = SHOP, **changes: Any) -> None:
    webhook = {"name": "Shop", "url": f"http://127.0.0.1:{sink.port}/hook", **changes}
    await desk.runtime.directory.put(webhook_id, Webhook.model_validate(webhook), actor=ADMIN)


async def call(desk: NotifyDesk, ticket_id: str, webhook_id: str = SHOP) -> str:
    """Let a rule call a webhook."""
    request_id = new_id()
    held = ApplyRule(
        rule_id="vip",
        rule_name="VIP first",
        rule_revision=3,
        trigger="opened",
        conditions=("ticket.tags contains vip",),
    )
    wish = RequestWebhook(
        request_id=request_id, webhook_id=webhook_id, webhook_name="Shop", asked_by="rule", asker_id="vip",
        asker_name="VIP first",
    )  # fmt: skip
    await desk.do(ticket_id, Several(commands=(held, wish)), RULE)
    return request_id


def require_signed(request: SinkRequest, secret: str, desk: NotifyDesk) -> None:
    signed = SignedRequest(url="", headers=request.headers, body=request.body, form={})
    require_signature(StandardSignature(scheme="standard"), signed, (secret,), desk.runtime.clock.now())


def switched_off(desk: NotifyDesk) -> bool:
    webhook = desk.runtime.directory.get(Webhook, SHOP)
    return webhook is not None and not webhook.active


async def test_a_webhook_is_told_of_the_ticket_as_it_is_signed_and_once(desk: NotifyDesk, sink: HookSink) -> None:
    ticket_id = await desk.open(tags=("vip",))
    await desk.do(ticket_id, ChangeTags(add=("gold",)))
    request_id = await call(desk, ticket_id)
    (fact,) = await desk.recorded(ticket_id, WebhookDelivered)
    assert (fact.request_id, fact.status, fact.attempts) == (request_id, 200, 1)
    (request,) = sink.requests
    require_signed(request, SECRET, desk)
    assert request.headers["webhook-id"] == request.json["id"] == request_id
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert (request.json["specversion"], request.json["subject"]) == ("1.0", ticket_id)
    told = request.json["data"]
    assert told["ticket"]["tags"] == ["gold", "vip"]
    assert (told["ticket"]["number"], told["ticket"]["requester"]["address"]) == (42, "cora@example.org")
    assert told["asked_by"] == {"kind": "rule", "id": "vip", "name": "VIP first"}
    assert told["rule"]["conditions"] == ["ticket.tags contains vip"]


async def test_a_time_out_loses_no_webhook_it_is_called_again_under_the_same_id(
    desk: NotifyDesk, sink: HookSink
) -> None:
    sink.next_answers.extend([(503, b""), (500, b"")])
    ticket_id = await desk.open()
    request_id = await call(desk, ticket_id)
    (fact,) = await desk.recorded(ticket_id, WebhookDelivered)
    assert fact.attempts == 3
    assert [request.headers["webhook-id"] for request in sink.requests] == [request_id]


async def test_a_server_that_says_nothing_is_called_again(desk: NotifyDesk, sink: HookSink) -> None:
    sink.silent.set()
    ticket_id = await desk.open()
    await call(desk, ticket_id)
    await until(lambda: retried(desk) >= 1)
    sink.silent.clear()
    sink.woken.set()
    (fact,) = await desk.recorded(ticket_id, WebhookDelivered)
    assert fact.attempts > 1


def retried(desk: NotifyDesk) -> float:
    labels = {"kind": "webhook", "outcome": "retried"}
    return desk.runtime.registry.get_sample_value("deskwire_notify_attempts_total", labels) or 0


async def test_a_webhook_that_is_gone_is_switched_off_and_says_why(desk: NotifyDesk, sink: HookSink) -> None:
    sink.next_answers.append((410, b""))
    ticket_id = await desk.open()
    await call(desk, ticket_id)
    (fact,) = await desk.recorded(ticket_id, WebhookFailed)
    assert (fact.status, fact.reason) == (410, "410 Gone")
    await until(lambda: switched_off(desk))
    webhook = desk.runtime.directory.get(Webhook, SHOP)
    assert webhook is not None
    assert webhook.disabled_because.startswith("it answered 410 Gone on ")
    assert await list_parked(desk.runtime.js) == []


async def test_what_waits_for_a_webhook_that_is_switched_off_fails_with_the_reason(
    desk: NotifyDesk, sink: HookSink
) -> None:
    await a_webhook(desk, sink, active=False, disabled_because="it is gone")
    await until(lambda: switched_off(desk))
    ticket_id = await desk.open()
    await call(desk, ticket_id)
    (fact,) = await desk.recorded(ticket_id, WebhookFailed)
    assert fact.reason == "the webhook is switched off; it is gone"
    assert sink.requests == []


async def test_a_webhook_that_was_deleted_fails(desk: NotifyDesk) -> None:
    ticket_id = await desk.open()
    await call(desk, ticket_id, "gone")
    (fact,) = await desk.recorded(ticket_id, WebhookFailed)
    assert fact.reason == "the webhook was deleted"


async def test_a_webhook_that_points_elsewhere_is_not_followed(desk: NotifyDesk, sink: HookSink) -> None:
    sink.next_answers.append((302, b""))
    ticket_id = await desk.open()
    await call(desk, ticket_id)
    (fact,) = await desk.recorded(ticket_id, WebhookDelivered)
    assert fact.attempts == 2
    assert [request.path for request in sink.requests] == ["/hook"]


async def test_nothing_is_sent_unsigned_a_secret_is_waited_for(desk: NotifyDesk, sink: HookSink) -> None:
    await webhook_secrets.enter(desk.runtime.secrets, SHOP, {})
    ticket_id = await desk.open()
    await call(desk, ticket_id)
    await until(lambda: retried(desk) >= 1)
    assert sink.requests == []
    await webhook_secrets.change_signing(desk.runtime.secrets, SHOP, SECRET)
    await desk.recorded(ticket_id, WebhookDelivered)
    require_signed(sink.requests[0], SECRET, desk)


async def test_a_former_secret_signs_along_while_the_other_side_changes_over(desk: NotifyDesk, sink: HookSink) -> None:
    newer = webhook_secrets.new_secret()
    await webhook_secrets.change_signing(desk.runtime.secrets, SHOP, newer)
    ticket_id = await desk.open()
    await call(desk, ticket_id)
    await desk.recorded(ticket_id, WebhookDelivered)
    for secret in (SECRET, newer):
        require_signed(sink.requests[0], secret, desk)


async def test_headers_of_a_webhook_may_hold_its_secrets(desk: NotifyDesk, sink: HookSink) -> None:
    await a_webhook(desk, sink, headers={"Authorization": "Bearer {secret.token}"})
    await webhook_secrets.enter(desk.runtime.secrets, SHOP, {"signing": SECRET, "token": "t0ken"})
    ticket_id = await desk.open()
    await call(desk, ticket_id)
    await desk.recorded(ticket_id, WebhookDelivered)
    assert sink.requests[0].headers["authorization"] == "Bearer t0ken"


async def test_no_private_note_leaves_the_desk(desk: NotifyDesk, sink: HookSink) -> None:
    ticket_id = await desk.open()
    note = AddNote(message_id=new_id(), agent_id="ada", text="He is a crook.", mentions=("ada",))
    await desk.do(ticket_id, note, Actor(kind="agent", id="ada"))
    await call(desk, ticket_id)
    await desk.recorded(ticket_id, WebhookDelivered)
    assert b"crook" not in sink.requests[0].body


async def test_a_private_server_is_told_of_nothing_unless_it_is_allowed(
    fresh_nats: str, tmp_path: Path, sink: HookSink
) -> None:
    async with notify_desk(fresh_nats, tmp_path) as guarded:
        await a_webhook(guarded, sink, url=f"https://127.0.0.1:{sink.port}/hook")
        await webhook_secrets.enter(guarded.runtime.secrets, SHOP, {"signing": SECRET})
        ticket_id = await guarded.open()
        await call(guarded, ticket_id)
        (fact,) = await guarded.recorded(ticket_id, WebhookFailed)
    assert fact.reason == "127.0.0.1 is not on the public internet"
    assert sink.requests == []


async def test_a_flood_of_calls_to_a_server_that_says_nothing_delays_neither_mails_nor_other_webhooks(
    fresh_nats: str, tmp_path: Path, sink: HookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true")
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_TIMEOUT_SECONDS", "15")
    with HookSink().open() as silent:
        silent.silent.set()
        async with notify_desk(fresh_nats, tmp_path) as desk:
            for webhook_id, server in ((SHOP, sink), ("slow", silent)):
                await a_webhook(desk, server, webhook_id)
                await webhook_secrets.enter(desk.runtime.secrets, webhook_id, {"signing": SECRET})
            flooded = [await desk.open() for _ in range(CALLS_AT_ONCE + 8)]
            await asyncio.gather(*(call(desk, ticket_id, "slow") for ticket_id in flooded))
            ticket_id = await desk.open()
            await call(desk, ticket_id)
            await desk.settled(ticket_id, await desk.reply(ticket_id))
            await desk.recorded(ticket_id, WebhookDelivered)
            assert retried(desk) == 0, "nothing had to wait for a call to time out"
            silent.woken.set()


async def test_a_webhook_that_fails_for_days_is_switched_off_by_the_next_failure(desk: NotifyDesk) -> None:
    clock = ManualClock(desk.runtime.clock.now())
    health = WebhookHealth(
        bucket=Bucket(desk.runtime.js, DELIVERIES), directory=desk.runtime.directory, clock=clock,
        patience=timedelta(days=5),
    )  # fmt: skip
    failure = Answer("not_now", "503 Service Unavailable", "http 503", 503)
    for days in (0, 4.9):
        clock.set(desk.runtime.clock.now() + timedelta(days=days))
        await health.note(SHOP, failure)
    assert not switched_off(desk)
    clock.set(desk.runtime.clock.now() + timedelta(days=5.1))
    await health.note(SHOP, failure)
    await until(lambda: switched_off(desk))
    webhook = desk.runtime.directory.get(Webhook, SHOP)
    assert webhook is not None
    assert webhook.disabled_because == "nothing was delivered for 5 days, last: 503 Service Unavailable"


async def test_a_webhook_that_works_now_and_then_is_left_on(desk: NotifyDesk) -> None:
    clock = ManualClock(desk.runtime.clock.now())
    health = WebhookHealth(
        bucket=Bucket(desk.runtime.js, DELIVERIES), directory=desk.runtime.directory, clock=clock,
        patience=timedelta(days=5),
    )  # fmt: skip
    failure, success = Answer("not_now", "503", "http 503", 503), Answer("accepted", status=200)
    for days, answer in ((0, failure), (4, success), (5, failure), (9, failure)):
        clock.set(desk.runtime.clock.now() + timedelta(days=days))
        await health.note(SHOP, answer)
    assert not switched_off(desk)
