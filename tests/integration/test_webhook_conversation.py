"""A conversation by webhook, both ways: what a customer writes becomes a ticket, what an agent answers goes back."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deskwire_intake.app import service as intake
from deskwire_intake.channels.webhook.signatures import SignedRequest, require_signature
from deskwire_notify.app import service as notify
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import ReplyDelivered
from deskwire_shared.contracts.webhook_channels import StandardSignature, WebhookChannel
from deskwire_shared.ticket.commands import SendReply
from hook_sink import HookSink
from ticket_desk import TicketDesk, ticket_desk
from unit.intake.hook_desk import headers_of

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


def said(number: int, text: str) -> dict[str, Any]:
    author = {"address": "shop:17", "name": "Cora"}
    return {"id": f"m{number}", "conversation": "chat 17", "author": author, "text": text}


async def hear(desk: TicketDesk, payload: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(payload).encode()
    headers = headers_of("standard", body, str(int(desk.runtime.clock.now().timestamp())))
    transport = httpx2.ASGITransport(app=desk.runtime.http)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
        answer = await client.post("/intake/v1/hooks/shop", content=body, headers=headers)
    (message,) = answer.json()["messages"]
    return dict(message)


async def test_customer_and_agent_talk_by_webhook(
    fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKWIRE_SMTP_PORT", "0")
    monkeypatch.setenv("DESKWIRE_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true")
    with HookSink().open() as shop:
        async with ticket_desk(fresh_nats, tmp_path, intake, notify) as desk:
            webhook = WebhookChannel(mapping="standard", values={"reply_url": f"http://127.0.0.1:{shop.port}/replies"})
            await desk.put("shop", Channel(name="Shop", medium="webhook", webhook=webhook, acknowledge=False))
            await desk.runtime.secrets.set_channel("shop", json.dumps({"signing": SECRET}).encode())

            first = await hear(desk, said(1, "Where is it?"))
            reply = SendReply(message_id="reply1", agent_id="ada", text="On its way. 🚚")
            await desk.do(first["ticket_id"], reply, Actor(kind="agent", id="ada"))
            await desk.commit_with(first["ticket_id"], ReplyDelivered)
            second = await hear(desk, said(2, "Thank you!"))
            now = desk.runtime.clock.now()

    assert first["ticket_id"] == second["ticket_id"]
    (request,) = shop.requests
    assert (request.json["conversation"], request.json["text"]) == ("chat 17", "On its way. 🚚")
    signed = SignedRequest(url="", headers=request.headers, body=request.body)
    require_signature(StandardSignature(scheme="standard"), signed, (SECRET,), now)
