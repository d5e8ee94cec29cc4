"""Webhooks as a channel: a signed request is kept as it came, read by a mapping, and its messages are accepted."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final, Literal, Protocol
from urllib.parse import parse_qsl

from pydantic import JsonValue, TypeAdapter, ValidationError
from structlog import get_logger

from deskwire_intake.channels.passing import passes
from deskwire_intake.channels.port import (
    Accept,
    Accepted,
    BelongsToNoTicket,
    CannotBeHandled,
    InboundMessage,
    Parked,
    Parking,
)
from deskwire_intake.channels.signatures import SignedRequest, require_signature
from deskwire_intake.conversations import Conversations
from deskwire_intake.figures import Figures
from deskwire_intake.mapping import MOST_FIELDS, MappedMessage, NotWhatIsMapped, read_messages, read_payload
from deskwire_intake.mappings import shipped_mapping
from deskwire_intake.rates import Places
from deskwire_shared.contracts.directory import Channel
from deskwire_shared.contracts.ids import derived_id
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
from deskwire_shared.runtime.objects import Objects

WEBHOOK: Final = "webhook"
LONGEST_CHALLENGE: Final = 500
CHANNEL_HEADER: Final = "channel"
"""Names the channel of a payload that is parked."""

_secrets: Final = TypeAdapter(dict[str, str])

log = get_logger(__name__)


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
class Ignored:
    """A message that needs no entry, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the messages of a payload, in their order."""

    results: tuple[Accepted | Parked | Ignored, ...]
    mapping: InboundMapping


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


@dataclass(frozen=True, kw_only=True)
class WebhookIntake:
    """Takes webhook requests in."""

    accept: Accept
    conversations: Conversations
    directory: Directory
    secrets: ChannelSecrets
    objects: Objects
    parking: Parking
    figures: Figures
    clock: Clock
    hooks_url: str
    """The public address of all hooks, which some sign along."""
    places: Places

    async def receive(self, request: HookRequest) -> Report | Challenged:
        """Keep a request and enter its messages; what no later try could handle is parked.

        Raises UnknownHook, HookNotReady, SignatureRefused, UnreadablePayload, NoPlace, or what a later try may not
        meet.
        """
        started = perf_counter()
        hook = self._hook(request.channel_id)
        await self._require_signature(hook, request)
        payload = read_payload(hook.mapping, request.body)
        challenged = _echo(hook.mapping, payload)
        if challenged is not None:
            return challenged
        with self.places.hold(request.channel_id):
            report = await self._take_in(hook, request.body, payload)
        self.figures.seconds.labels(hook.mapping.medium).observe(perf_counter() - started)
        return report

    async def _take_in(self, hook: Hook, body: bytes, payload: JsonValue) -> Report:
        raw_key = raw_hook_key(hook.channel_id, body)
        keeping = asyncio.ensure_future(self.objects.put(raw_key, body))
        _, results = await asyncio.gather(keeping, self._enter_all(_Arrival(hook, raw_key, keeping), payload))
        return Report(results, hook.mapping)

    async def challenge(self, request: HookRequest) -> Challenged:
        """Answer who asks by GET whether the address is the desk's. Raises UnknownHook."""
        hook, asked = self._hook(request.channel_id), dict(parse_qsl(request.query, max_num_fields=MOST_FIELDS))
        challenge = hook.mapping.challenge
        if not isinstance(challenge, HubChallenge) or asked.get("hub.mode") != "subscribe":
            raise UnknownHook
        expected = (await self._secrets_of(hook)).get(challenge.verified_by, "")
        if not expected or not hmac.compare_digest(asked.get("hub.verify_token", "").encode(), expected.encode()):
            raise UnknownHook
        return Challenged(asked.get("hub.challenge", "")[:LONGEST_CHALLENGE])

    async def take_in_again(self, channel_id: str, raw_key: str) -> tuple[Accepted | Parked | Ignored, ...]:
        """Take a payload in that was kept before; what is on its ticket already is not doubled.

        Raises UnknownHook, HookNotReady, UnreadablePayload, ObjectMissing, or what a later try may not meet.
        """
        hook, raw = self._hook(channel_id), await self.objects.get(raw_key)
        keeping = asyncio.get_running_loop().create_future()
        keeping.set_result(None)
        return await self._enter_all(_Arrival(hook, raw_key, keeping), read_payload(hook.mapping, raw))

    def _hook(self, channel_id: str) -> Hook:
        channel = self.directory.get(Channel, channel_id)
        if channel is None or not channel.active or channel.webhook is None:
            raise UnknownHook
        webhook = channel.webhook
        mapping = webhook.inbound or shipped_mapping(webhook.mapping or "")
        if mapping is None:
            raise HookNotReady(f"There is no mapping called {webhook.mapping}.")
        return Hook(channel_id=channel_id, channel=channel, webhook=webhook, mapping=mapping)

    async def _secrets_of(self, hook: Hook) -> dict[str, str]:
        kept = await self.secrets.channel(hook.channel_id)
        try:
            return _secrets.validate_json(kept.value) if kept.value else {}
        except ValidationError as error:
            raise HookNotReady("The secrets of the channel cannot be read; enter them again.") from error

    async def _require_signature(self, hook: Hook, request: HookRequest) -> None:
        secrets, signature = await self._secrets_of(hook), hook.webhook.signature or hook.mapping.signature
        signing = tuple(filter(None, (secrets.get(SIGNING), secrets.get(FORMER_SIGNING))))
        if not signing:
            raise HookNotReady(f"The channel has no secret called {SIGNING} yet.")
        form = read_payload(hook.mapping, request.body) if isinstance(signature, TwilioSignature) else {}
        query = f"?{request.query}" if request.query else ""
        signed = SignedRequest(
            url=f"{self.hooks_url}/{request.channel_id}{query}",
            headers=request.headers,
            body=request.body,
            form={name: text_of(value) for name, value in form.items()} if isinstance(form, dict) else {},
        )
        require_signature(signature, signed, signing, self.clock.now())

    async def _enter_all(self, arrival: "_Arrival", payload: JsonValue) -> tuple[Accepted | Parked | Ignored, ...]:
        """Enter messages one after the other: those of one conversation keep their order."""
        hook = arrival.hook
        try:
            messages = read_messages(hook.mapping, payload, hook.webhook.values)
        except NotWhatIsMapped as reason:
            return (await self._park(reason, arrival),)
        return tuple([await self._enter(message, arrival) for message in messages])

    async def _enter(
        self, message: MappedMessage | NotWhatIsMapped, arrival: "_Arrival"
    ) -> Accepted | Parked | Ignored:
        if isinstance(message, NotWhatIsMapped):
            return await self._park(message, arrival)
        try:
            accepted = await self._accept(message, arrival)
        except BelongsToNoTicket as reason:
            self.figures.count(arrival.hook.mapping.medium, "ignored")
            return Ignored(str(reason))
        except Exception as error:
            if passes(error):
                raise
            return await self._park(error, arrival)
        self.figures.count(arrival.hook.mapping.medium, "repeated" if accepted.repeated else "accepted")
        return accepted

    async def _accept(self, message: MappedMessage, arrival: "_Arrival") -> Accepted:
        turns = await self.conversations.turns(arrival.hook.channel_id, message.conversation)
        if message.only_continues and not turns.earlier:
            raise BelongsToNoTicket("there is nothing that it continues")
        inbound = replace(
            inbound_message(message, arrival.hook, arrival.raw_key),
            ticket_id=turns.next_id,
            candidates=turns.candidates,
        )
        return await self.accept(inbound, arrival.keeping)

    async def _park(self, error: Exception, arrival: "_Arrival") -> Parked:
        await arrival.keeping
        expected, medium = isinstance(error, CannotBeHandled), arrival.hook.mapping.medium
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        headers = {CHANNEL_HEADER: arrival.hook.channel_id}
        number = await self.parking.park(arrival.raw_key, b"", headers, reason=reason)
        exc_info = None if expected else error
        log.warning("payload parked", raw_key=arrival.raw_key, number=number, reason=reason, exc_info=exc_info)
        self.figures.count(medium, "parked")
        return Parked(number, reason)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A payload at a hook; `keeping` ends when its raw bytes are safe."""

    hook: Hook
    raw_key: str
    keeping: Awaitable[object]


def raw_hook_key(channel_id: str, body: bytes) -> str:
    """Where a payload is kept as it came; the same one, sent again, is kept once."""
    name = hashlib.sha256(channel_id.encode() + b"\n" + body).hexdigest()
    return f"hooks/{name[:2]}/{name}"


def inbound_message(message: MappedMessage, hook: Hook, raw_key: str) -> InboundMessage:
    """Turn a message of a payload into what its author said."""
    return InboundMessage(
        medium=hook.mapping.medium,
        mailbox=hook.channel_id,
        channel_id=hook.channel_id,
        follow_up_days=hook.channel.follow_up_days,
        fingerprint=derived_id("hook", hook.channel_id, message.id),
        content_digest=message.digest,
        thread_key=message.id,
        raw_key=raw_key,
        author=message.author,
        subject=message.subject,
        text=message.text,
        new_text=message.text,
        files=message.files,
        machine="auto_reply" if message.only_continues else None,
        conversation=message.conversation,
        priority=message.priority,
        tags=message.tags,
        status=message.status,
    )


def _echo(mapping: InboundMapping, payload: JsonValue) -> Challenged | None:
    challenge, scope = mapping.challenge, {"body": payload}
    if not isinstance(challenge, EchoChallenge) or not holds(challenge.when, scope):
        return None
    value = "".join(map(text_of, find(challenge.value, scope)[:1]))
    return Challenged(value[:LONGEST_CHALLENGE], challenge.answer)


Outcome = Literal["accepted", "repeated", "parked", "ignored"]


def outcome_of(result: Accepted | Parked | Ignored) -> Outcome:
    """What became of a message, in a word."""
    match result:
        case Accepted(repeated=repeated):
            return "repeated" if repeated else "accepted"
        case Parked():
            return "parked"
        case Ignored():
            return "ignored"
