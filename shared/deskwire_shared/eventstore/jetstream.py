"""The event store on NATS JetStream: one message a commit, optimistic concurrency by subject.

Guards: `Nats-Expected-Last-Subject-Sequence` on every append (error 10071 is a conflict) and
atomic batches (ADR-50) where two tickets must change together.
"""

import contextlib
from collections.abc import Iterator, Sequence

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.subjects import TICKETS, ticket_subject
from deskwire_shared.eventstore.batch_get import BatchReader, StoredMessage
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.plain_facts import tip_of
from deskwire_shared.eventstore.port import (
    UNWRITTEN,
    BrokenHistory,
    Conflict,
    EventStoreError,
    History,
    OutcomeUnknown,
    Recorded,
    Tip,
)
from deskwire_shared.eventstore.tracing import trace_headers

WRONG_LAST_SEQUENCE = 10071
FACTS_HEADER = "Deskwire-Facts"
"""The stored names of a commit's facts, comma separated: consumers skip what they need not decode."""


class JetStreamEventStore:
    """Tickets on the stream `TICKETS`."""

    def __init__(self, connection: Client, codec: Codec, *, timeout: float = 5.0) -> None:
        self._js: JetStreamContext = connection.jetstream(timeout=timeout)
        self._codec = codec
        self._timeout = timeout
        self._reader = BatchReader(connection, TICKETS, timeout=timeout)

    async def load(self, ticket_id: str, *, at_least: int = 0, fresh: bool = False) -> History:
        """See `EventStore.load`."""
        subject = ticket_subject(ticket_id)
        stored = [] if fresh else await self._reader.read(subject)
        if fresh or (at_least and (not stored or stored[-1].sequence < at_least)):
            stored = await self._read_from_leader(subject)
        return History(ticket_id, tuple([Recorded(m.sequence, await self._decode(m)) for m in stored]))

    async def tip(self, ticket_id: str) -> Tip:
        """See `EventStore.tip`."""
        subject = ticket_subject(ticket_id)
        try:
            message = await self._js.get_msg(TICKETS, subject=subject)
        except NotFoundError:
            return UNWRITTEN
        except (nats.errors.Error, TimeoutError) as error:
            raise EventStoreError(f"no answer to a read of {subject}: {error!r}") from error
        assert message.seq is not None
        return tip_of(message.data or b"", message.seq)

    async def append(self, commit: Commit, *, after: Tip) -> Recorded:
        """See `EventStore.append`."""
        commit, raw = await self._codec.encode(commit, after=after)
        with _translated(commit.ticket_id):
            ack = await self._publish(commit, raw, _guard(after))
        return Recorded(ack.seq, commit)

    async def append_together(self, commits: Sequence[tuple[Commit, Tip]]) -> tuple[Recorded, ...]:
        """See `EventStore.append_together`."""
        return await self._append_batch(
            [(*await self._codec.encode(commit, after=after), _guard(after)) for commit, after in commits]
        )

    async def append_history(self, commits: Sequence[Commit]) -> tuple[Recorded, ...]:
        """See `EventStore.append_history`; JetStream takes at most 1,000 commits at once."""
        encoded: list[tuple[Commit, bytes, dict[str, str]]] = []
        tip = UNWRITTEN
        for commit in commits:
            chained, raw = await self._codec.encode(commit, after=tip)
            encoded.append((chained, raw, {} if encoded else _guard(UNWRITTEN)))  # one guard per subject and batch
            tip = Tip(0, chained.version, chained.chain)
        return await self._append_batch(encoded)

    async def _append_batch(self, encoded: Sequence[tuple[Commit, bytes, dict[str, str]]]) -> tuple[Recorded, ...]:
        """Append in an atomic batch (ADR-50)."""
        batch_id = encoded[0][0].commit_id
        for number, (commit, raw, guard) in enumerate(encoded, 1):
            batch = {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
            if number == len(encoded):
                batch["Nats-Batch-Commit"] = "1"
            with _translated(commit.ticket_id):
                ack = await self._publish_in_batch(commit, raw, guard | batch)
        assert ack is not None
        first = ack.seq - len(encoded) + 1
        return tuple(Recorded(first + index, commit) for index, (commit, _, _) in enumerate(encoded))

    async def _publish(self, commit: Commit, raw: bytes, extra: dict[str, str]) -> PubAck:
        headers = {**_headers(commit), **extra}
        return await self._js.publish(
            ticket_subject(commit.ticket_id), raw, stream=TICKETS, timeout=self._timeout, headers=headers
        )

    async def _publish_in_batch(self, commit: Commit, raw: bytes, batch: dict[str, str]) -> PubAck | None:
        if "Nats-Batch-Commit" in batch:
            return await self._publish(commit, raw, batch)
        answer = await self._js._nc.request(  # noqa: SLF001  # only the last message of a batch is acknowledged as a publish
            ticket_subject(commit.ticket_id), raw, timeout=self._timeout, headers={**_headers(commit), **batch}
        )
        if answer.data:
            raise EventStoreError(f"batch refused: {answer.data.decode()}")
        return None

    async def _read_from_leader(self, subject: str) -> list[StoredMessage]:
        found: list[StoredMessage] = []
        while True:
            after = found[-1].sequence + 1 if found else 1
            try:
                message = await self._js.get_msg(TICKETS, seq=after, subject=subject, next=True)
            except NotFoundError:
                return found
            except nats.errors.Error as error:
                raise EventStoreError(f"no answer to a read of {subject}: {error!r}") from error
            assert message.seq is not None
            found.append(StoredMessage(message.seq, subject, message.data or b""))

    async def _decode(self, message: StoredMessage) -> Commit:
        try:
            return await self._codec.decode(message.data)
        except BrokenHistory as error:
            raise BrokenHistory(f"{TICKETS} sequence {message.sequence} ({message.subject}): {error}") from error


def _headers(commit: Commit) -> dict[str, str]:
    return {FACTS_HEADER: ",".join(fact.type for fact in commit.facts), **trace_headers()}


def _guard(after: Tip) -> dict[str, str]:
    return {"Nats-Expected-Last-Subject-Sequence": str(after.sequence)}


@contextlib.contextmanager
def _translated(ticket_id: str) -> Iterator[None]:
    try:
        yield
    except APIError as error:
        if error.err_code == WRONG_LAST_SEQUENCE:
            raise Conflict(f"ticket {ticket_id}: {error.description}") from error
        raise EventStoreError(f"ticket {ticket_id}: {error}") from error
    except NoStreamResponseError as error:
        raise EventStoreError(f"stream {TICKETS} does not answer; was `deskwire migrate` run?") from error
    except (nats.errors.Error, TimeoutError) as error:
        raise OutcomeUnknown(f"ticket {ticket_id}: {error!r}") from error
