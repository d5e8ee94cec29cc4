"""Webhooks as a channel: a signed request is kept as it came, read by a mapping, and its messages are accepted."""

import asyncio
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Final, Literal

from pydantic import JsonValue
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
    nothing_to_keep,
)
from deskwire_intake.channels.webhook.conversations import Conversations
from deskwire_intake.channels.webhook.hooks import Challenged, Hook, HookRequest, Hooks, echo_of
from deskwire_intake.channels.webhook.mapping import MappedMessage, NotWhatIsMapped, read_messages, read_payload
from deskwire_intake.figures import Figures
from deskwire_intake.ledger.entering import Ledger, became
from deskwire_intake.rates import Places
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.intake_ledger import LONGEST_REASON, LedgerEntry, Via
from deskwire_shared.contracts.webhook_channels import InboundMapping
from deskwire_shared.runtime.objects import Objects

CHANNEL_HEADER: Final = "channel"
"""Names the channel of a payload that is parked."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that needs no entry, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the messages of a payload, in their order."""

    results: tuple[Accepted | Parked | Ignored, ...]
    mapping: InboundMapping


@dataclass(frozen=True, kw_only=True)
class WebhookIntake:
    """Takes webhook requests in."""

    accept: Accept
    conversations: Conversations
    hooks: Hooks
    objects: Objects
    parking: Parking
    ledger: Ledger
    figures: Figures
    places: Places

    async def receive(self, request: HookRequest) -> Report | Challenged:
        """Keep a request and enter its messages; what no later try could handle is parked.

        Raises UnknownHook, HookNotReady, SignatureRefused, UnreadablePayload, NoPlace, or what a later try may not
        meet.
        """
        started = perf_counter()
        hook = self.hooks.find(request.channel_id)
        await self.hooks.require_signature(hook, request)
        payload = read_payload(hook.mapping, request.body)
        challenged = echo_of(hook.mapping, payload)
        if challenged is not None:
            return challenged
        with self.places.hold(request.channel_id):
            report = await self._take_in(hook, request.body, payload)
        self.figures.seconds.labels(hook.mapping.medium).observe(perf_counter() - started)
        return report

    async def _take_in(self, hook: Hook, body: bytes, payload: JsonValue) -> Report:
        raw_key = raw_hook_key(hook.channel_id, body)
        keeping = asyncio.ensure_future(self.objects.put(raw_key, body))
        _, results = await asyncio.gather(
            keeping, self._enter_all(_Arrival(hook, raw_key, keeping, len(body)), payload)
        )
        return Report(results, hook.mapping)

    async def take_in_again(self, channel_id: str, raw_key: str) -> tuple[Accepted | Parked | Ignored, ...]:
        """Take a payload in that was kept before; what is on its ticket already is not doubled.

        Raises UnknownHook, HookNotReady, UnreadablePayload, ObjectMissing, or what a later try may not meet.
        """
        hook, raw = self.hooks.find(channel_id), await self.objects.get(raw_key)
        arrival = _Arrival(hook, raw_key, nothing_to_keep(), len(raw), via="replay")
        return await self._enter_all(arrival, read_payload(hook.mapping, raw))

    async def _enter_all(self, arrival: "_Arrival", payload: JsonValue) -> tuple[Accepted | Parked | Ignored, ...]:
        """Enter messages one after the other: those of one conversation keep their order."""
        hook = arrival.hook
        try:
            messages = read_messages(hook.mapping, payload, hook.webhook.values)
        except NotWhatIsMapped as reason:
            return (await self._settle(reason, arrival),)
        return tuple([await self._settle(message, arrival) for message in messages])

    async def _settle(
        self, message: MappedMessage | NotWhatIsMapped, arrival: "_Arrival"
    ) -> Accepted | Parked | Ignored:
        result = await self._enter(message, arrival)
        await self.ledger.enter(_ledger_entry(message, arrival, result, self.hooks.clock.now()))
        return result

    async def _enter(
        self, message: MappedMessage | NotWhatIsMapped, arrival: "_Arrival"
    ) -> Accepted | Parked | Ignored:
        if isinstance(message, NotWhatIsMapped):
            return await self._park(message, arrival, arrival.raw_key)
        try:
            accepted = await self._accept(message, arrival)
        except BelongsToNoTicket as reason:
            self.figures.count(arrival.hook.mapping.medium, "ignored")
            return Ignored(str(reason))
        except Exception as error:
            if passes(error):
                raise
            return await self._park(error, arrival, _fingerprint(arrival.hook, message))
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

    async def _park(self, error: Exception, arrival: "_Arrival", source: str) -> Parked:
        """Park a payload for one of its messages; one that comes again, since nobody was told, is there already."""
        await arrival.keeping
        expected, medium = isinstance(error, CannotBeHandled), arrival.hook.mapping.medium
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        headers = {CHANNEL_HEADER: arrival.hook.channel_id}
        number = await self.parking.park(arrival.raw_key, b"", headers, reason=reason, once=(arrival.raw_key, source))
        exc_info = None if expected else error
        log.warning("payload parked", raw_key=arrival.raw_key, number=number, reason=reason, exc_info=exc_info)
        self.figures.count(medium, "parked")
        return Parked(number, reason, is_expected=expected)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A payload at a hook; `keeping` ends when its raw bytes are safe."""

    hook: Hook
    raw_key: str
    keeping: Awaitable[object]
    size: int
    via: Via = "webhook"


def _ledger_entry(
    message: MappedMessage | NotWhatIsMapped, arrival: _Arrival, result: Accepted | Parked | Ignored, at: datetime
) -> LedgerEntry:
    read = message if isinstance(message, MappedMessage) else None
    outcome = (
        {"decision": "ignored", "reason": result.reason[:LONGEST_REASON]}
        if isinstance(result, Ignored)
        else became(result)
    )
    return LedgerEntry(
        at=at,
        via=arrival.via,
        channel_id=arrival.hook.channel_id,
        source=_fingerprint(arrival.hook, read) if read else arrival.raw_key,
        raw_key=arrival.raw_key,
        size=arrival.size,
        content_digest=read.digest if read else "",
        **outcome,
    )


def _fingerprint(hook: Hook, message: MappedMessage) -> str:
    return derived_id("hook", hook.channel_id, message.id)


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
        fingerprint=_fingerprint(hook, message),
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
