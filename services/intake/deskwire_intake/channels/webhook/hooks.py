"""The hooks of a desk: which channel listens where, and whether a request comes from whom it should."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import parse_qsl

from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError

from deskwire_intake.channels.webhook.mapping import MOST_FIELDS, read_payload
from deskwire_intake.channels.webhook.signatures import SignedRequest, require_signature
from deskwire_intake.mappings import shipped_mapping
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.mapping_language import find, holds, text_of
from deskwire_shared.contracts.webhook_channels import (
    FORMER_SIGNING,
    SIGNING,
    EchoChallenge,
    HubChallenge,
    InboundMapping,
    TwilioSignature,
    WebhookChannel,
)
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.buckets import Kept
from deskwire_shared.runtime.clock import Clock

LONGEST_CHALLENGE: Final = 500

_secrets: Final = TypeAdapter(dict[str, str], config=ConfigDict(hide_input_in_errors=True))


class UnknownHook(Exception):
    """No webhook channel listens under that id."""

    def __init__(self) -> None:
        super().__init__("There is no such webhook.")


class HookNotReady(Exception):
    """The channel lacks something that an administrator has to enter."""


class ChannelSecrets(Protocol):
    """Where the secrets of channels are kept."""

    async def channel(self, channel_id: str) -> Kept:
        """The secrets of a channel, with their revision."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class HookRequest:
    """A request as it came; the names of headers are in small letters."""

    channel_id: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Challenged:
    """What the other side wants to hear before it trusts the address."""

    answer: str
    name: str | None = None
    """The name of the answer in a JSON object; None for plain text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """A webhook channel that listens."""

    channel_id: str
    channel: Channel
    webhook: WebhookChannel
    mapping: InboundMapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """The webhook channels of a desk."""

    directory: Directory
    secrets: ChannelSecrets
    clock: Clock
    url: str
    """The public address of all hooks, which some sign along."""

    def find(self, channel_id: str) -> Hook:
        """The channel that listens under an id. Raises UnknownHook or HookNotReady."""
        channel = self.directory.get(Channel, channel_id)
        if channel is None or not channel.active or channel.webhook is None:
            raise UnknownHook
        webhook = channel.webhook
        mapping = webhook.inbound or shipped_mapping(webhook.mapping or "")
        if mapping is None:
            raise HookNotReady(f"There is no mapping called {webhook.mapping}.")
        return Hook(channel_id=channel_id, channel=channel, webhook=webhook, mapping=mapping)

    async def require_signature(self, hook: Hook, request: HookRequest) -> None:
        """Raise SignatureRefused, HookNotReady or UnreadablePayload unless the request proves where it comes from."""
        secrets, signature = await self._secrets_of(hook), hook.webhook.signature or hook.mapping.signature
        signing = tuple(filter(None, (secrets.get(SIGNING), secrets.get(FORMER_SIGNING))))
        if not signing:
            raise HookNotReady(f"The channel has no secret called {SIGNING} yet.")
        form = read_payload(hook.mapping, request.body) if isinstance(signature, TwilioSignature) else {}
        query = f"?{request.query}" if request.query else ""
        signed = SignedRequest(
            url=f"{self.url}/{request.channel_id}{query}",
            headers=request.headers,
            body=request.body,
            form={name: text_of(value) for name, value in form.items()} if isinstance(form, dict) else {},
        )
        require_signature(signature, signed, signing, self.clock.now())

    async def challenge(self, request: HookRequest) -> Challenged:
        """Answer who asks by GET whether the address is the desk's. Raises UnknownHook."""
        hook, asked = self.find(request.channel_id), _asked(request.query)
        challenge = hook.mapping.challenge
        if not isinstance(challenge, HubChallenge) or asked.get("hub.mode") != "subscribe":
            raise UnknownHook
        expected = (await self._secrets_of(hook)).get(challenge.verified_by, "")
        if not expected or not hmac.compare_digest(asked.get("hub.verify_token", "").encode(), expected.encode()):
            raise UnknownHook
        return Challenged(asked.get("hub.challenge", "")[:LONGEST_CHALLENGE])

    async def _secrets_of(self, hook: Hook) -> dict[str, str]:
        kept = await self.secrets.channel(hook.channel_id)
        try:
            return _secrets.validate_json(kept.value) if kept.value else {}
        except ValidationError as error:
            raise HookNotReady("The secrets of the channel cannot be read; enter them again.") from error


def _asked(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise UnknownHook from error


def echo_of(mapping: InboundMapping, payload: JsonValue) -> Challenged | None:
    """What a signed payload wants to hear back before anything else; None for any other payload."""
    challenge, scope = mapping.challenge, {"body": payload}
    if not isinstance(challenge, EchoChallenge) or not holds(challenge.when, scope):
        return None
    value = "".join(map(text_of, find(challenge.value, scope)[:1]))
    return Challenged(value[:LONGEST_CHALLENGE], challenge.answer)
