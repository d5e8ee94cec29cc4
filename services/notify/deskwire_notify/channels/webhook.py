"""The way back by webhook: a reply leaves as the HTTP request that the channel's mapping describes."""

import asyncio
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from deskwire_notify.channels.port import Answer
from deskwire_notify.mappings import shipped_mapping
from deskwire_notify.requests.webhook_requests import (
    WebhookRequest,
    judge,
    missing_secrets,
    sign,
    split_text,
    write_request,
)
from deskwire_notify.requests.webhook_sender import WebhookSender
from deskwire_notify.rules import conversation_to_answer
from deskwire_notify.undeliverable import NotReady, Undeliverable
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.conversations import parts_of
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.webhook_channels import SIGNING, OutboundRequest, WebhookChannel
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.secrets import Secrets
from deskwire_shared.ticket.state import Message, Ticket

PARCEL_SECONDS: Final = 40.0
"""No further part of a reply is begun after so long: an attempt has 60 s in all."""
LONGEST_PART_NAME: Final = 900
"""In letters, all of them ASCII: with the number behind it still a line that a ticket takes."""

_secrets: Final = TypeAdapter(dict[str, str])


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookParcel:
    """A reply in one request or more, by the name of each part; see `Parcel`."""

    requests: Mapping[str, WebhookRequest]
    outbound: OutboundRequest
    sender: WebhookSender
    refused: Mapping[str, Answer] = field(default_factory=dict)
    template_id: str = ""

    @property
    def recipients(self) -> tuple[str, ...]:
        """See `Parcel.recipients`."""
        return tuple(self.requests)

    async def send(self, to: tuple[str, ...]) -> Mapping[str, Answer]:
        """See `Parcel.send`: one part after the other, none before an earlier one has arrived."""
        answers: dict[str, Answer] = {}
        end = asyncio.get_running_loop().time() + PARCEL_SECONDS
        for number, part in enumerate(to):
            if asyncio.get_running_loop().time() >= end:
                return answers | dict.fromkeys(to[number:], Answer("not_now", "the parts before took long", "slow"))
            answers[part] = await self.sender.send(self.requests[part], partial(judge, self.outbound))
            if answers[part].verdict != "accepted":
                return answers | dict.fromkeys(to[number:], answers[part])
        return answers


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookWriter:
    """Writes replies down as requests of the channel they go back by; see `ReplyWriter`."""

    directory: Directory
    secrets: Secrets
    sender: WebhookSender
    clock: Clock
    name: str = "webhook"

    async def reply(self, ticket: Ticket, message: Message) -> WebhookParcel:
        """Write an agent's reply down. Raises CannotWrite."""
        said = conversation_to_answer(ticket, message)
        channel = self.directory.get(Channel, said.channel_id or "") if said else None
        if said is None or said.conversation is None or channel is None or channel.webhook is None:
            raise Undeliverable("the channel that the customer wrote by is gone")
        outbound = _outbound(channel)
        if message.attachments:
            raise Undeliverable("this channel carries no files; send a link instead")
        secrets = await self._secrets_of(said.channel_id or "")
        if missing := missing_secrets(outbound, secrets):
            raise NotReady(f"the channel {channel.name} has no secret called {', '.join(missing)}")
        scope = self._scope(ticket, message, said, channel.webhook, secrets)
        texts = split_text(message.text, outbound.longest_text)
        return WebhookParcel(
            requests={
                part_name(said.conversation, number, len(texts)): self._request(outbound, scope, text, number)
                for number, text in enumerate(texts, 1)
            },
            outbound=outbound,
            sender=self.sender,
        )

    def _request(
        self, outbound: OutboundRequest, scope: Mapping[str, JsonValue], text: str, number: int
    ) -> WebhookRequest:
        reply, secrets = scope["reply"], scope["secret"]
        assert isinstance(reply, dict)
        assert isinstance(secrets, dict)
        part_id = str(reply["id"]) if number == 1 else derived_id("part", str(reply["id"]), str(number))
        written = html.escape(text, quote=False) if outbound.escapes == "html" else text
        request = write_request(outbound, {**scope, "reply": {"id": part_id, "text": written}})
        if not outbound.sign:
            return request
        return sign(request, str(secrets.get(SIGNING, "")), part_id, self.clock.now())

    def _scope(
        self, ticket: Ticket, reply: Message, said: Message, channel: WebhookChannel, secrets: Mapping[str, str]
    ) -> Mapping[str, JsonValue]:
        agent, author = self.directory.get(Agent, reply.author), said.address
        return {
            "reply": {"id": reply.id},
            "conversation": list(parts_of(said.conversation or "")),
            "ticket": {"id": ticket.id, "number": ticket.number},
            "customer": {"address": author.address, "name": author.name} if author else {},
            "agent": {"name": agent.name if agent else ""},
            "channel": dict(channel.values),
            "secret": dict(secrets),
        }

    async def _secrets_of(self, channel_id: str) -> dict[str, str]:
        kept = await self.secrets.channel(channel_id)
        if not kept.value:
            return {}
        try:
            return _secrets.validate_json(kept.value)
        except ValidationError as error:
            raise NotReady("the secrets of the channel cannot be read") from error


def _outbound(channel: Channel) -> OutboundRequest:
    assert channel.webhook is not None
    if channel.webhook.outbound is not None:
        return channel.webhook.outbound
    outbound = shipped_mapping(channel.webhook.mapping) if channel.webhook.mapping else None
    if outbound is None:
        raise Undeliverable(f"the channel {channel.name} carries no replies")
    return outbound


def part_name(conversation: str, number: int, count: int) -> str:
    """What an agent reads where a part did not arrive."""
    name = conversation[:LONGEST_PART_NAME]
    return name if count == 1 else f"{name} ({number} of {count})"
