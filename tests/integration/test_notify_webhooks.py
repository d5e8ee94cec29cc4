"""Agents' replies go back by webhook, to where their customers wrote from."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from certificates import certificate
from deskwire_notify.requests.webhook_requests import WebhookRequest, judge
from deskwire_notify.requests.webhook_sender import WebhookSender
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Address, Attachment, ReplyBounced, ReplyDelivered
from deskwire_shared.contracts.webhook_channels import OutboundRequest, WebhookChannel
from deskwire_shared.runtime.logs import configure_logs
from deskwire_shared.runtime.parking import list_parked
from hook_sink import HookSink
from notify_desk import ADMIN, CORA, NotifyDesk, notify_desk, until

SHOP = "shopchannel"
VISITOR = Address(address="shop:17", name="Cora")
REFUSED = b'{"error": "no such customer"}'


@pytest.fixture
def sink() -> Iterator[HookSink]:
    with HookSink().open() as listening:
        yield listening


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged when everything is; the process's logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs(log_format="json", level="debug", to=stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest_asyncio.fixture
async def desk(
    fresh_nats: str, tmp_path: Path, sink: HookSink, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[NotifyDesk]:
    monkeypatch.setenv("DESKWIRE_NOTIFY_RETRY_FIRST_SECONDS", "1")
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true")
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_TIMEOUT_SECONDS", "1")
    async with notify_desk(fresh_nats, tmp_path) as started:
        await open_channel(started, sink)
        await enter(started, token="t0ken")
        yield started


def outbound(sink: HookSink, **changes: Any) -> dict[str, Any]:
    return {
        "url": f"http://127.0.0.1:{sink.port}/customers/{{conversation.0}}",
        "headers": {"Authorization": "Bearer {secret.token}"},
        "body": {"id": "{reply.id}", "text": "{reply.text}", "by": "{agent.name}", "ticket": "{ticket.number}"},
        "longest_text": 100,
        "reason": "{answer.error}",
        **changes,
    }


async def open_channel(desk: NotifyDesk, sink: HookSink, **changes: Any) -> None:
    webhook = WebhookChannel.model_validate({"mapping": "standard", "outbound": outbound(sink, **changes)})
    channel = Channel(name="Shop", medium="webhook", webhook=webhook, acknowledge=False)
    await desk.runtime.directory.put(SHOP, channel, actor=ADMIN)


async def enter(desk: NotifyDesk, **secrets: str) -> None:
    await desk.runtime.secrets.set_channel(SHOP, json.dumps(secrets).encode())


async def opened(desk: NotifyDesk, **changes: Any) -> str:
    return await desk.open(
        **{"channel": "shop", "channel_id": SHOP, "author": VISITOR, "conversation": "chat%2017/5", **changes}
    )


async def test_a_reply_goes_back_to_the_conversation_with_the_channels_credentials(
    desk: NotifyDesk, sink: HookSink
) -> None:
    ticket_id = await opened(desk)
    message_id = await desk.reply(ticket_id)
    ticket = await desk.settled(ticket_id, message_id)
    assert ticket.messages[-1].delivery == "delivered"
    (request,) = sink.requests
    assert request.path == "/customers/chat%2017"
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.json == {"id": message_id, "text": "Use water.", "by": "Ada Agent", "ticket": "42"}
    (fact,) = await desk.facts(ticket_id, ReplyDelivered)
    assert (fact.channel, fact.attempts) == ("shop", 1)


async def test_a_long_reply_leaves_in_parts_each_once_though_one_fails_on_the_way(
    desk: NotifyDesk, sink: HookSink
) -> None:
    ticket_id = await opened(desk)
    parts = ["first " * 15, "second " * 14, "third"]
    fail_second(sink)
    message_id = await desk.reply(ticket_id, text="\n\n".join(part.strip() for part in parts))
    await desk.settled(ticket_id, message_id)
    assert sink.texts() == [part.strip() for part in parts]
    assert len({request.json["id"] for request in sink.requests}) == 3
    (fact,) = await desk.facts(ticket_id, ReplyDelivered)
    assert fact.attempts == 2


def fail_second(sink: HookSink) -> None:
    take = sink.take

    def once(request: Any) -> tuple[int, bytes]:
        if len(sink.requests) == 1:
            sink.take = take  # type: ignore[method-assign]
            return 503, b""
        return take(request)

    sink.take = once  # type: ignore[method-assign]


async def test_a_reply_that_is_not_taken_now_is_sent_later_once(desk: NotifyDesk, sink: HookSink) -> None:
    sink.next_answers.append((429, b""))
    ticket_id = await opened(desk)
    await desk.settled(ticket_id, await desk.reply(ticket_id))
    assert len(sink.requests) == 1


async def test_a_reply_that_is_refused_bounces_with_the_reason(desk: NotifyDesk, sink: HookSink) -> None:
    sink.next_answers.append((404, REFUSED))
    ticket_id = await opened(desk)
    ticket = await desk.settled(ticket_id, await desk.reply(ticket_id))
    assert ticket.messages[-1].delivery == "bounced"
    (fact,) = await desk.facts(ticket_id, ReplyBounced)
    assert (fact.reason, fact.recipients) == ("404 no such customer", ("chat%2017/5",))


async def test_a_server_that_says_nothing_is_asked_again(desk: NotifyDesk, sink: HookSink) -> None:
    sink.silent.set()
    ticket_id = await opened(desk)
    message_id = await desk.reply(ticket_id)
    await until(lambda: sink.woken.is_set() or _attempts(desk) >= 1)
    sink.silent.clear()
    sink.woken.set()
    ticket = await desk.settled(ticket_id, message_id)
    assert ticket.messages[-1].delivery == "delivered"


def _attempts(desk: NotifyDesk) -> float:
    labels = {"kind": "reply", "outcome": "retried"}
    return desk.runtime.registry.get_sample_value("deskwire_notify_attempts_total", labels) or 0


async def test_a_server_that_points_elsewhere_is_not_followed(desk: NotifyDesk, sink: HookSink) -> None:
    sink.next_answers.append((302, b""))
    ticket_id = await opened(desk)
    ticket = await desk.settled(ticket_id, await desk.reply(ticket_id))
    assert ticket.messages[-1].delivery == "bounced"
    assert sink.requests == []


async def test_a_secret_that_nobody_has_entered_is_waited_for(desk: NotifyDesk, sink: HookSink) -> None:
    await enter(desk, other="x")
    ticket_id = await opened(desk)
    message_id = await desk.reply(ticket_id)
    await until(lambda: _attempts(desk) >= 1)
    await enter(desk, token="late")
    await desk.settled(ticket_id, message_id)
    assert sink.requests[0].headers["authorization"] == "Bearer late"


async def test_files_bounce_where_a_channel_carries_none(desk: NotifyDesk, sink: HookSink) -> None:
    ticket_id = await opened(desk)
    file = Attachment(key="x", filename="a.txt", content_type="text/plain", size=1, sha256="0" * 64)
    await desk.settled(ticket_id, await desk.reply(ticket_id, attachments=(file,)))
    (fact,) = await desk.facts(ticket_id, ReplyBounced)
    assert "carries no files" in fact.reason
    assert sink.requests == []


async def test_a_channel_without_a_way_back_bounces(desk: NotifyDesk) -> None:
    alerts = Channel(name="Alerts", medium="webhook", webhook=WebhookChannel(mapping="alertmanager"))
    await desk.runtime.directory.put("alerts", alerts, actor=ADMIN)
    ticket_id = await opened(desk, channel_id="alerts")
    await desk.settled(ticket_id, await desk.reply(ticket_id))
    (fact,) = await desk.facts(ticket_id, ReplyBounced)
    assert fact.reason == "the channel Alerts carries no replies"
    assert [parked.service for parked in await list_parked(desk.runtime.js)] == ["notify"]


async def test_who_has_a_mail_address_is_written_by_mail(desk: NotifyDesk, sink: HookSink) -> None:
    ticket_id = await opened(desk, author=CORA)
    await desk.settled(ticket_id, await desk.reply(ticket_id))
    (fact,) = await desk.facts(ticket_id, ReplyDelivered)
    assert fact.channel == "outbox"
    assert sink.requests == []


async def test_a_private_server_is_not_reached_unless_it_is_allowed(
    fresh_nats: str, tmp_path: Path, sink: HookSink
) -> None:
    async with notify_desk(fresh_nats, tmp_path) as guarded:
        await open_channel(guarded, sink, url=f"https://127.0.0.1:{sink.port}/x")
        await enter(guarded, token="t0ken")
        ticket_id = await opened(guarded)
        await guarded.settled(ticket_id, await guarded.reply(ticket_id))
        (fact,) = await guarded.facts(ticket_id, ReplyBounced)
    assert fact.reason == "127.0.0.1 is not on the public internet"
    assert sink.requests == []


async def test_the_log_holds_no_secret_of_an_address_even_while_it_tells_everything(
    sink: HookSink, log: io.StringIO
) -> None:
    sender = WebhookSender(timeout_seconds=5, allow_private=True)
    url = f"http://127.0.0.1:{sink.port}/bot-t0ken/send"
    told = WebhookRequest(method="POST", url=url, headers={"Authorization": "t0ken"}, content=b"{}")
    await sender.send(told, partial(judge, OutboundRequest(url="https://x.example", body={})))
    await sender.close()
    assert len(sink.requests) == 1
    assert "t0ken" not in log.getvalue()


async def test_the_certificate_must_be_that_of_the_host_though_its_address_was_looked_up(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    judging = partial(judge, OutboundRequest(url="https://127.0.0.1", body={}))
    with HookSink().open(files) as sink:
        trusting = WebhookSender(timeout_seconds=5, allow_private=True, ca_file=files[0])
        doubting = WebhookSender(timeout_seconds=5, allow_private=True)
        verdicts = [
            (await sender.send(request(host, sink.port), judging)).verdict
            for sender, host in ((trusting, "127.0.0.1"), (doubting, "127.0.0.1"), (trusting, "localhost"))
        ]
        for sender in (trusting, doubting):
            await sender.close()
    assert verdicts == ["accepted", "not_now", "not_now"]
    assert [heard.headers["host"] for heard in sink.requests] == [f"127.0.0.1:{sink.port}"]


def request(host: str, port: int) -> WebhookRequest:
    return WebhookRequest(method="POST", url=f"https://{host}:{port}/x", headers={}, content=b"{}")


async def test_a_flood_of_an_answer_is_not_read_to_its_end(sink: HookSink) -> None:
    sink.next_answers.append((404, b'{"error": "' + b"x" * 10_000_000))
    sender = WebhookSender(timeout_seconds=5, allow_private=True)
    told = WebhookRequest(method="POST", url=f"http://127.0.0.1:{sink.port}/", headers={}, content=b"{}")
    answer = await sender.send(told, partial(judge, OutboundRequest(url="https://x.example", body={})))
    await sender.close()
    assert (answer.verdict, answer.reason) == ("refused", "404")
