"""The directory's promises, kept by the one in memory and the one on JetStream."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from deskwire_shared.contracts.directory import Entry
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.staff import Team
from deskwire_shared.contracts.subjects import DIRECTORY, directory_subject
from deskwire_shared.directory.jetstream import JetStreamDirectory
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.directory.port import DirectoryUnavailable
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.testing.directory_contract import ADMIN, DirectoryContract, DirectoryUnderTest

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class TestInMemory(DirectoryContract):
    @pytest.fixture
    def known(self) -> DirectoryUnderTest:
        keys = MemoryKeyRing()
        directory = MemoryDirectory(keys, lambda: NOON)

        async def stored(kind: str, document_id: str) -> list[bytes]:
            return [raw for *owner, raw in directory._stored if owner == [kind, document_id]]

        return DirectoryUnderTest(directory, keys, stored)


class TestOnJetStream(DirectoryContract):
    @pytest_asyncio.fixture
    async def known(self, desk_nats: Client) -> AsyncIterator[DirectoryUnderTest]:
        keys = JetStreamKeyRing(desk_nats)
        directory = JetStreamDirectory(desk_nats, keys, lambda: NOON)
        await directory.start()

        async def stored(kind: str, document_id: str) -> list[bytes]:
            try:
                message = await desk_nats.jetstream().get_msg(DIRECTORY, subject=directory_subject(kind, document_id))
            except NotFoundError:
                return []
            return [message.data or b""]

        try:
            yield DirectoryUnderTest(directory, keys, stored)
        finally:
            await directory.stop()


async def test_a_change_elsewhere_is_heard_here(desk_nats: Client) -> None:
    here, elsewhere = _directory(desk_nats), _directory(desk_nats)
    await here.start()
    await elsewhere.start()
    team_id, changed = new_id(), asyncio.Event()

    def hear(entry: Entry) -> None:
        if entry.id == team_id:
            changed.set()

    here.on_change(hear)
    try:
        await elsewhere.put(team_id, Team(name="Billing"), actor=ADMIN)
        await asyncio.wait_for(changed.wait(), 5)
        assert here.get(Team, team_id) == Team(name="Billing")
    finally:
        await here.stop()
        await elsewhere.stop()


async def test_a_directory_that_starts_later_knows_everything(desk_nats: Client) -> None:
    first, later = _directory(desk_nats), _directory(desk_nats)
    await first.start()
    team_ids = [new_id() for _ in range(20)]
    for team_id in team_ids:
        await first.put(team_id, Team(name="Old"), actor=ADMIN)
        await first.put(team_id, Team(name="New"), actor=ADMIN)
    await first.delete(Team, team_ids[0], actor=ADMIN)
    await later.start()
    try:
        teams = later.all(Team)
        assert team_ids[0] not in teams
        assert {teams[team_id].name for team_id in team_ids[1:]} == {"New"}
        assert later.revision(Team, team_ids[0]) == 3
    finally:
        await first.stop()
        await later.stop()


async def test_without_its_stream_a_directory_says_what_to_run(fresh_nats: str) -> None:
    connection = await nats.connect(fresh_nats)
    directory = _directory(connection)
    try:
        with pytest.raises(DirectoryUnavailable, match="deskwire migrate"):
            await directory.start()
    finally:
        await directory.stop()
        await connection.close()


def _directory(connection: Client) -> JetStreamDirectory:
    return JetStreamDirectory(connection, JetStreamKeyRing(connection), SystemClock().now)
