"""A desk over one connection to NATS: what services and commands work on alike."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property

from nats.aio.client import Client
from nats.js import JetStreamContext
from obstore.store import ObjectStore, from_url
from structlog import get_logger

from deskwire_shared.directory.jetstream import JetStreamDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.jetstream import JetStreamEventStore
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.clock import Clock, SystemClock
from deskwire_shared.runtime.identity import Identity
from deskwire_shared.runtime.nats_address import NatsAddress, nats_address
from deskwire_shared.runtime.secrets import Secrets
from deskwire_shared.runtime.settings import CommonSettings

PENDING_BYTES = 32 * 1024 * 1024

Closed = Callable[[], Awaitable[None]]

log = get_logger(__name__)


class Unreachable(Exception):
    """No NATS server answers at the address."""


class ConnectionLost(Exception):
    """A connection that no longer tries to come back, because a server refused it; only a new process makes another."""

    def __init__(self) -> None:
        super().__init__("the NATS server closed a connection for good; start this process again")


@dataclass(kw_only=True)
class Desk:
    """The stores of a desk."""

    settings: CommonSettings
    clock: Clock
    connection: Client
    keys: JetStreamKeyRing
    store: JetStreamEventStore
    directory: JetStreamDirectory
    secrets: Secrets
    identity: Identity
    objects: ObjectStore

    @cached_property
    def recorder(self) -> Recorder:
        """Records commands on tickets."""
        return Recorder(self.store)

    @cached_property
    def js(self) -> JetStreamContext:
        """The JetStream context of the connection."""
        return self.connection.jetstream()


@contextlib.asynccontextmanager
async def open_desk(
    settings: CommonSettings, *, patience_seconds: float | None = None, closed: Closed | None = None
) -> AsyncIterator[Desk]:
    """Open the stores; `settings` must name a NATS server, which is waited for as long as there is patience."""
    async with connected(settings, patience_seconds=patience_seconds, closed=closed) as connection:
        clock = SystemClock()
        js = connection.jetstream()
        keys = JetStreamKeyRing(connection)
        await keys.start()
        directory = JetStreamDirectory(connection, keys, clock.now)
        secrets = Secrets(js)
        try:
            await directory.start()
            yield Desk(
                settings=settings,
                clock=clock,
                connection=connection,
                keys=keys,
                store=JetStreamEventStore(connection, Codec(keys)),
                directory=directory,
                secrets=secrets,
                identity=Identity(js, directory, secrets, clock),
                objects=open_objects(settings),
            )
        finally:
            await directory.stop()


@contextlib.asynccontextmanager
async def connected(
    settings: CommonSettings, *, patience_seconds: float | None = None, closed: Closed | None = None
) -> AsyncIterator[Client]:
    """A connection to NATS that, once made, gives up only when a server says so: `closed` is called then.

    Raises Unreachable when patience ends before.
    """
    assert settings.nats_url is not None
    address = nats_address(settings.nats_url)
    connection = Client()
    try:
        async with asyncio.timeout(patience_seconds):
            await _connect(connection, address, closed, quiet=patience_seconds is not None)
    except TimeoutError:
        reason = connection.last_error
        await connection.close()
        asked = ", ".join(address.servers)
        raise Unreachable(f"no NATS server takes us in at {asked}: {reason or 'no answer'}") from None
    try:
        yield connection
    finally:
        with contextlib.suppress(ConnectionError):  # it breaks at this very moment, and is closed so, too
            await connection.close()


async def _connect(connection: Client, address: NatsAddress, closed: Closed | None, *, quiet: bool) -> None:
    async def log_error(error: Exception) -> None:
        if not quiet or connection.is_connected:
            log.warning("nats error", error=repr(error))

    async def log_disconnect() -> None:
        if not connection.is_closed:
            log.warning("nats disconnected")

    async def log_reconnect() -> None:
        log.info("nats reconnected")

    await connection.connect(
        address.servers,
        **address.login,  # type: ignore[arg-type]  # its values are of one type, the parameters of many
        name="deskwire",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]  # a whole second would be long
        pending_size=PENDING_BYTES,
        error_cb=log_error,
        disconnected_cb=log_disconnect,
        reconnected_cb=log_reconnect,
        closed_cb=closed,
    )


def open_objects(settings: CommonSettings) -> ObjectStore:
    """The object store for raw mail and attachments."""
    if settings.object_store_url.startswith("file:"):
        return from_url(settings.object_store_url, mkdir=True)
    return from_url(settings.object_store_url)
