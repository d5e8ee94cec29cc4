"""The log on a real server, for the suites that every adapter passes."""

from collections.abc import AsyncIterator

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client

from deskwire_shared.runtime.streams import migrate

pytest.register_assert_rewrite("deskwire_shared.testing")


@pytest_asyncio.fixture
async def desk_nats(nats_url: str) -> AsyncIterator[Client]:
    """A connection to a server with every stream; other tests use it too, so ids are to be new ones."""
    connection = await nats.connect(nats_url)
    try:
        await migrate(connection.jetstream())
        yield connection
    finally:
        await connection.close()
