"""Ticket numbers: the next one is the place that the stream `NUMBERS` gives, and its message names the ticket."""

import json
from typing import Protocol

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deskwire_shared.contracts.subjects import NUMBER_SUBJECT, NUMBERS
from deskwire_shared.eventstore.port import EventStoreError


class Numbers(Protocol):
    """Where ticket numbers come from."""

    async def take(self, ticket_id: str) -> int:
        """Give a ticket the next number; a ticket that asks again may get another one."""
        ...

    async def ticket_of(self, number: int) -> str | None:
        """The ticket that asked for a number; whether it kept it only the ticket tells."""
        ...


class JetStreamNumbers:
    """Numbers on the stream `NUMBERS`."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def take(self, ticket_id: str) -> int:
        """See `Numbers.take`."""
        body = json.dumps({"ticket_id": ticket_id}).encode()
        try:
            return (await self._js.publish(NUMBER_SUBJECT, body, stream=NUMBERS)).seq
        except nats.errors.Error as error:
            raise EventStoreError(f"no ticket number could be taken: {error!r}") from error

    async def ticket_of(self, number: int) -> str | None:
        """See `Numbers.ticket_of`."""
        try:
            message = await self._js.get_msg(NUMBERS, seq=number, direct=True)
        except NotFoundError:
            return None
        except nats.errors.Error as error:
            raise EventStoreError(f"ticket number {number} could not be looked up: {error!r}") from error
        return str(json.loads(message.data or b"{}")["ticket_id"])


class MemoryNumbers:
    """Numbers in a list: real behaviour without a server."""

    def __init__(self) -> None:
        self._takers: list[str] = []

    async def take(self, ticket_id: str) -> int:
        """See `Numbers.take`."""
        self._takers.append(ticket_id)
        return len(self._takers)

    async def ticket_of(self, number: int) -> str | None:
        """See `Numbers.ticket_of`."""
        return self._takers[number - 1] if 0 < number <= len(self._takers) else None
