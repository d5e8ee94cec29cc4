"""Follows a stream in order and without gaps, across reconnects and server restarts.

An ephemeral push consumer without acknowledgements, as ordered consumers are (ADR-17), with its own
recovery: a gap in the consumer's sequence, a missed heartbeat or a deleted consumer makes a new one
behind the last message seen, and it is tried until it works.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ReplayPolicy
from nats.js.errors import APIError, NoStreamResponseError
from structlog import get_logger

from deskwire_shared.eventstore.ending import end, insist

HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 3.0
RETRY_SECONDS = 0.25
BUFFERED = 20_000
"""Messages held before the server is told to wait."""

log = get_logger(__name__)


class Delivery(NamedTuple):
    """A message of the stream; `pending` is how many more the stream holds behind it."""

    sequence: int
    subject: str
    data: bytes
    headers: dict[str, str]
    pending: int


class Follower:
    """Reads a stream from a sequence on, for as long as it is open."""

    def __init__(
        self,
        connection: Client,
        stream: str,
        *,
        subjects: Sequence[str] = (),
        start: int = 1,
        last_per_subject: bool = False,
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._subjects = list(subjects)
        self._last_per_subject = last_per_subject
        self._seen = start - 1
        self._consumer_sequence = 0
        self._subscription: Subscription | None = None
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._flow_reply: str | None = None
        self._heard = time.monotonic()
        self._broken = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self.pending = 0
        self.restarts = 0
        """How often the consumer was lost and made anew; the server may have been another one since."""

    async def open(self) -> int:
        """Start following; how many messages wait in the stream. Raises when the stream does not exist."""
        self.pending = await self._subscribe()
        self._watch = asyncio.create_task(self._recover(), name=f"follow {self._stream}")
        return self.pending

    async def close(self) -> None:
        """Stop following."""
        if self._watch is not None:
            await end(self._watch)
        await self._unsubscribe()

    async def batch(self, most: int = 1000, *, within: float | None = None) -> list[Delivery]:
        """Wait for a message and take what is there, `most` at the most; nothing when `within` seconds have passed."""
        found: list[Delivery] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                found.append(await self._queue.get())
        while len(found) < most and not self._queue.empty():
            found.append(self._queue.get_nowait())
        await self._answer_flow_control()
        return found

    async def _subscribe(self) -> int:
        inbox = self._connection.new_inbox()
        self._consumer_sequence = 0
        self._broken.clear()
        self._subscription = await self._connection.subscribe(
            inbox, cb=self._receive, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        info = await self._connection.jetstream().add_consumer(self._stream, config=self._config(inbox))
        insist()
        self._heard = time.monotonic()
        return info.num_pending or 0

    def _config(self, inbox: str) -> ConsumerConfig:
        first_time = self._last_per_subject and self._seen == 0
        return ConsumerConfig(
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.LAST_PER_SUBJECT if first_time else DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=None if first_time else self._seen + 1,
            filter_subjects=self._subjects or None,
            ack_policy=AckPolicy.NONE,
            replay_policy=ReplayPolicy.INSTANT,
            max_deliver=1,
            flow_control=True,
            idle_heartbeat=HEARTBEAT_SECONDS,
            inactive_threshold=30.0,
            mem_storage=True,
            num_replicas=1,
        )

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None and self._connection.is_connected:
            with contextlib.suppress(nats.errors.Error):  # a closed subscription is what is wanted
                await subscription.unsubscribe()

    async def _receive(self, message: Msg) -> None:
        self._heard = time.monotonic()
        headers = message.headers or {}
        if headers.get("Status") is not None:
            await self._control(message, headers)
            return
        _, _, stream_sequence, consumer_sequence, _, pending = message.reply.rsplit(".", 5)
        if int(consumer_sequence) != self._consumer_sequence + 1:
            self._broken.set()
            return
        self._consumer_sequence += 1
        self._seen = int(stream_sequence)
        self.pending = int(pending)
        self._queue.put_nowait(Delivery(self._seen, message.subject, message.data, headers, self.pending))

    async def _control(self, message: Msg, headers: dict[str, str]) -> None:
        if message.reply:
            self._flow_reply = message.reply
            await self._answer_flow_control()
        elif int(headers.get("Nats-Last-Consumer", self._consumer_sequence)) != self._consumer_sequence:
            self._broken.set()

    async def _answer_flow_control(self) -> None:
        if self._flow_reply is not None and self._queue.qsize() < BUFFERED:
            reply, self._flow_reply = self._flow_reply, None
            await self._connection.publish(reply)

    async def _recover(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._broken.wait(), HEARTBEAT_SECONDS)
            silent = time.monotonic() - self._heard > SILENCE_SECONDS and self._flow_reply is None
            if self._connection.is_connected and (self._broken.is_set() or silent):
                await self._start_again()

    async def _start_again(self) -> None:
        log.warning("stream consumer lost, making a new one", stream=self._stream, after_sequence=self._seen)
        self.restarts += 1
        await self._unsubscribe()
        try:
            self.pending = await self._subscribe()
        except (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError) as error:
            log.warning("stream consumer cannot be made yet", stream=self._stream, error=repr(error))
            self._heard = 0.0
            await asyncio.sleep(RETRY_SECONDS)
