"""The event store's promises, kept by the one in memory and the one on JetStream."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deskwire_shared.contracts.facts import Opened
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.personal import ERASED
from deskwire_shared.contracts.subjects import TICKETS, ticket_subject
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.jetstream import JetStreamEventStore
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.port import UNWRITTEN, EventStoreError, OutcomeUnknown
from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.streams import migrate
from deskwire_shared.testing.event_store_contract import EventStoreContract, LogUnderTest, commit_on
from deskwire_shared.testing.ticket import opened


class TestInMemory(EventStoreContract):
    @pytest.fixture
    def log(self) -> LogUnderTest:
        keys = MemoryKeyRing()
        store = MemoryEventStore(Codec(keys))

        async def stored(ticket_id: str) -> list[bytes]:
            return [raw for owner, raw in store._stored if owner == ticket_id]

        async def write(ticket_id: str, raw: bytes) -> None:
            store._stored.append((ticket_id, raw))

        return LogUnderTest(store, keys, stored, write)


class TestOnJetStream(EventStoreContract):
    @pytest_asyncio.fixture
    async def log(self, desk_nats: Client) -> LogUnderTest:
        keys = JetStreamKeyRing(desk_nats)
        await keys.start()
        js = desk_nats.jetstream()

        async def write(ticket_id: str, raw: bytes) -> None:
            await js.publish(ticket_subject(ticket_id), raw, stream=TICKETS)

        async def stored(ticket_id: str) -> list[bytes]:
            return await _messages(js, ticket_subject(ticket_id))

        return LogUnderTest(JetStreamEventStore(desk_nats, Codec(keys)), keys, stored, write)

    async def test_an_erasure_elsewhere_is_noticed_here(self, log: LogUnderTest, desk_nats: Client) -> None:
        await log.append(ticket_id := new_id(), opened(text="secret", person_id=(person := new_id())))
        elsewhere = JetStreamKeyRing(desk_nats)
        await elsewhere.destroy(person)
        await desk_nats.flush()
        (commit,) = (await log.store.load(ticket_id)).commits
        (fact,) = commit.facts
        assert isinstance(fact, Opened)
        assert fact.text == ERASED


async def test_without_an_answer_the_outcome_is_unknown(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path, port=0, sync_interval="2m") as server, _connected(server.url) as connection:
        await migrate(connection.jetstream())
        store = JetStreamEventStore(connection, Codec(MemoryKeyRing()), timeout=0.2)
        with _mute(server):
            with pytest.raises(OutcomeUnknown):
                await store.append(commit_on(new_id(), opened()), after=UNWRITTEN)
            with pytest.raises(EventStoreError):
                await store.load(new_id())
            with pytest.raises(EventStoreError):
                await store.tip(new_id())


async def test_without_its_streams_the_log_says_what_to_run(fresh_nats: str) -> None:
    async with _connected(fresh_nats) as connection:
        store = JetStreamEventStore(connection, Codec(MemoryKeyRing()))
        with pytest.raises(EventStoreError, match="deskwire migrate"):
            await store.append(commit_on(new_id(), opened()), after=UNWRITTEN)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def _mute(server: EmbeddedNats) -> Iterator[None]:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, server.pid, os.WSTOPPED | os.WNOWAIT)  # the signal takes a moment to reach every thread
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


async def _messages(js: JetStreamContext, subject: str) -> list[bytes]:
    found: list[bytes] = []
    sequence = 0
    while True:
        try:
            message = await js.get_msg(TICKETS, seq=sequence + 1, subject=subject, next=True)
        except NotFoundError:
            return found
        assert message.seq is not None
        sequence = message.seq
        found.append(message.data or b"")
