"""Who waits before whom: every process tells the others which of its customers wait for somebody to answer.

What is told is not stored. A process that stops is forgotten after a while, and its customers come back elsewhere.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.subjects import CHAT_QUEUE_SUBJECT

TELL_SECONDS: Final = 2.0
TOGETHER_SECONDS: Final = 0.2
FORGET_SECONDS: Final = 3 * TELL_SECONDS
MOST_TOLD: Final = 5_000


@dataclass(frozen=True, order=True, slots=True)
class Waiting:
    """A customer in the queue of a channel; who came first stands first."""

    since: float
    ticket_id: str
    channel_id: str


class ChatQueue:
    """The queue of all processes, as far as it is known here."""

    def __init__(
        self, connection: Client, changed: Callable[[], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._changed = changed
        self._clock = clock
        self._name = new_id()
        self._own: dict[str, Waiting] = {}
        self._others: dict[str, tuple[float, frozenset[Waiting]]] = {}
        self._positions: dict[str, int] | None = None
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Hear of the other processes."""
        await self._connection.subscribe(CHAT_QUEUE_SUBJECT, cb=self._hear)

    async def run(self) -> None:
        """Tell the others, at every change and from time to time."""
        while True:
            self._news.clear()
            with suppress(nats.errors.Error):  # what is not told now is told again in a moment
                await self._connection.publish(CHAT_QUEUE_SUBJECT, self._told())
            self._forget_the_silent()
            try:
                await asyncio.wait_for(self._news.wait(), TELL_SECONDS)
            except TimeoutError:
                continue
            await asyncio.sleep(TOGETHER_SECONDS)  # changes that come together are told together

    def join(self, ticket_id: str, channel_id: str, since: datetime) -> None:
        """Let a customer wait."""
        waiting = Waiting(since.timestamp(), ticket_id, channel_id)
        if self._own.get(ticket_id) != waiting:
            self._own[ticket_id] = waiting
            self._news.set()
            self._moved()

    def leave(self, ticket_id: str) -> None:
        """Let a customer wait no longer."""
        if self._own.pop(ticket_id, None) is not None:
            self._news.set()
            self._moved()

    def position(self, ticket_id: str) -> int | None:
        """The place of a customer in the queue of their channel, from 1; None when they do not wait."""
        if self._positions is None:
            self._positions = positions(set(self._own.values()).union(*(told for _, told in self._others.values())))
        return self._positions.get(ticket_id)

    def _moved(self) -> None:
        self._positions = None
        self._changed()

    def _told(self) -> bytes:
        waiting = [[one.since, one.ticket_id, one.channel_id] for one in sorted(self._own.values())[:MOST_TOLD]]
        return json.dumps({"process": self._name, "waiting": waiting}).encode()

    async def _hear(self, message: Msg) -> None:
        told = json.loads(message.data)
        if told["process"] == self._name:
            return
        waiting = frozenset(Waiting(*one) for one in told["waiting"])
        _, before = self._others.get(told["process"], (0.0, frozenset()))
        self._others[told["process"]] = (self._clock(), waiting)
        if waiting != before:
            self._moved()

    def _forget_the_silent(self) -> None:
        oldest = self._clock() - FORGET_SECONDS
        silent = [name for name, (heard, _) in self._others.items() if heard < oldest]
        for name in silent:
            del self._others[name]
        if silent:
            self._moved()


def positions(waiting: Iterable[Waiting]) -> dict[str, int]:
    """Number the customers of each channel by how long they wait; one who is known twice stands once."""
    found: dict[str, int] = {}
    lengths: Counter[str] = Counter()
    for one in sorted(waiting):
        if one.ticket_id not in found:
            lengths[one.channel_id] += 1
            found[one.ticket_id] = lengths[one.channel_id]
    return found
