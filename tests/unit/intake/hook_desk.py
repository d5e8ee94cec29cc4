"""A desk in memory that webhooks come to, signed as their services sign them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from deskwire_intake.channels.port import Accepted, Parked
from deskwire_intake.channels.webhook.channel import Ignored, Report, WebhookIntake
from deskwire_intake.channels.webhook.conversations import Conversations
from deskwire_intake.channels.webhook.hooks import Challenged, HookRequest, Hooks
from deskwire_intake.figures import Figures
from deskwire_intake.handlers import Intake
from deskwire_intake.rates import Places
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.webhook_channels import WebhookChannel
from deskwire_shared.runtime.buckets import Kept
from deskwire_shared.ticket.state import Ticket
from unit.intake.mail_desk import ADA, MailDesk

HOOKS = Path(__file__).parent / "hooks"
HOOKS_URL = "https://desk.example/intake/v1/hooks"
SECRET = "s3cret"
PLACES_EACH = 5
STANDARD_SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


def a_payload(name: str) -> Any:
    return json.loads((HOOKS / f"{name}.json").read_text())


@dataclass
class MemorySecrets:
    """Secrets of channels in a dict."""

    kept: dict[str, bytes] = field(default_factory=dict)

    async def channel(self, channel_id: str) -> Kept:
        return Kept(self.kept.get(channel_id, b""), 1)


class HookDesk(MailDesk):
    """A desk in memory."""

    def __init__(self) -> None:
        super().__init__()
        intake = Intake(
            recorder=self.recorder,
            threads=self.threads,
            numbers=self.numbers,
            customers=self.customers,
            objects=self.objects,
            clock=self.clock,
            ledger=self.ledger,
        )
        self.secrets = MemorySecrets()
        self.webhooks = WebhookIntake(
            accept=intake.accept,
            conversations=Conversations(self.recorder),
            hooks=Hooks(directory=self.directory, secrets=self.secrets, clock=self.clock, url=HOOKS_URL),
            objects=self.objects,
            parking=self.parking,
            ledger=self.ledger,
            figures=self.channel.figures,
            places=Places(2 * PLACES_EACH, PLACES_EACH),
        )

    @property
    def figures(self) -> Figures:
        return self.channel.figures

    async def listen(self, channel_id: str, webhook: Mapping[str, Any] | None = None, **settings: Any) -> None:
        """Open a channel under the name of its mapping, with the secret that its scheme wants."""
        described = WebhookChannel.model_validate(webhook or {"mapping": channel_id})
        channel = Channel(name=channel_id, medium="webhook", webhook=described, **settings)
        await self.directory.put(channel_id, channel, actor=ADA)
        secrets = {"signing": STANDARD_SECRET if channel_id == "standard" else SECRET, "verify": "verify me"}
        self.enter(channel_id, **secrets)

    def enter(self, channel_id: str, **secrets: str) -> None:
        self.secrets.kept[channel_id] = json.dumps(secrets).encode()

    async def hear(self, channel_id: str, payload: Any) -> tuple[Accepted | Parked | Ignored, ...]:
        """Hear a payload signed as its service signs it; what became of its messages."""
        heard = await self.webhooks.receive(self.request(channel_id, payload))
        assert isinstance(heard, Report), heard
        return heard.results

    async def hear_one(self, channel_id: str, payload: Any) -> Accepted:
        (accepted,) = await self.hear(channel_id, payload)
        assert isinstance(accepted, Accepted), accepted
        return accepted

    async def heard(self, channel_id: str, payload: Any) -> Ticket:
        """The ticket on which a payload of one message stands."""
        return await self.ticket((await self.hear_one(channel_id, payload)).ticket_id)

    async def unblock(self, address: str) -> None:
        await self.directory.put(self.customers.id_of(address), Customer(address=address), actor=ADA)

    async def challenged(self, channel_id: str, query: str) -> Challenged:
        return await self.webhooks.hooks.challenge(HookRequest(channel_id=channel_id, query=query))

    def request(self, channel_id: str, payload: Any) -> HookRequest:
        """A request as the service of that name sends it."""
        if channel_id == "twilio_sms":
            body = urlencode(payload).encode()
            return HookRequest(channel_id=channel_id, headers=twilio_headers(channel_id, payload), body=body)
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        at = str(int(self.clock.now().timestamp()))
        return HookRequest(channel_id=channel_id, headers=headers_of(channel_id, body, at), body=body)


def headers_of(scheme: str, body: bytes, at: str) -> dict[str, str]:
    """The headers by which a service proves that it speaks."""
    match scheme:
        case "telegram":
            return {"x-telegram-bot-api-secret-token": SECRET}
        case "slack":
            signed = b"v0:" + at.encode() + b":" + body
            return {"x-slack-request-timestamp": at, "x-slack-signature": "v0=" + sha256(SECRET.encode(), signed).hex()}
        case "standard":
            signature = base64.b64encode(sha256(b"k" * 24, b"id." + at.encode() + b"." + body)).decode()
            return {"webhook-id": "id", "webhook-timestamp": at, "webhook-signature": f"v2,x v1,{signature}"}
        case "alertmanager":
            return {"authorization": f"Bearer {SECRET}"}
        case _:
            return {"x-hub-signature-256": "sha256=" + sha256(SECRET.encode(), body).hex()}


def twilio_headers(channel_id: str, form: Mapping[str, str], query: str = "") -> dict[str, str]:
    signed = f"{HOOKS_URL}/{channel_id}{query}" + "".join(name + form[name] for name in sorted(form))
    return {"x-twilio-signature": base64.b64encode(hmac.digest(SECRET.encode(), signed.encode(), "sha1")).decode()}


def sha256(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)
