"""Starts and stops a process: connections first, then services, then the HTTP server; the reverse at the end."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from importlib.metadata import entry_points, version

import nats
import uvicorn
from fastapi import FastAPI
from faststream.nats import NatsBroker
from nats.aio.client import Client
from obstore.store import ObjectStore, from_url
from structlog import get_logger

from deskwire_shared.directory.jetstream import JetStreamDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.jetstream import JetStreamEventStore
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.runtime.durability import check_durability, replicas
from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.health import Health, Unhealthy, health_router
from deskwire_shared.runtime.identity import Identity
from deskwire_shared.runtime.secrets import Secrets
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.runtime.streams import migrate
from deskwire_shared.runtime.telemetry import metrics_router, new_registry, tracing

ENTRY_POINTS = "deskwire.services"

log = get_logger(__name__)


def installed_services() -> dict[str, Service]:
    """Every service installed in this environment, by name."""
    return {found.name: found.load() for found in sorted(entry_points(group=ENTRY_POINTS))}


@contextlib.asynccontextmanager
async def embedded_server(settings: CommonSettings) -> AsyncIterator[CommonSettings]:
    """Run a nats-server child unless the settings name a server; the settings with its address.

    The streams of an embedded server are brought up to date, since there is nobody else to do it.
    """
    if settings.nats_url is not None:
        yield settings
        return
    server = EmbeddedNats(settings.data_dir, port=settings.nats_port)
    await server.start()
    watch = asyncio.create_task(server.supervise(), name="supervise nats-server")
    try:
        found = settings.with_nats(server.url, server.system_url)
        async with connected(found) as connection:
            for line in await migrate(connection.jetstream(), replicas=replicas(settings.durability)):
                log.info("migrated", done=line)
        yield found
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await server.stop()


@contextlib.asynccontextmanager
async def connected(settings: CommonSettings) -> AsyncIterator[Client]:
    """A connection to NATS that never gives up."""
    assert settings.nats_url is not None
    connection = await nats.connect(
        settings.nats_url.get_secret_value().split(","),
        name="deskwire",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        pending_size=32 * 1024 * 1024,
        error_cb=_log_error,
        disconnected_cb=_log_disconnect,
        reconnected_cb=_log_reconnect,
    )
    try:
        yield connection
    finally:
        await connection.close()


async def _log_error(error: Exception) -> None:
    log.warning("nats error", error=repr(error))


async def _log_disconnect() -> None:
    log.warning("nats disconnected")


async def _log_reconnect() -> None:
    log.info("nats reconnected")


@contextlib.asynccontextmanager
async def runtime(settings: CommonSettings, services: Sequence[Service]) -> AsyncIterator[Runtime]:
    """Everything the services of a process share, started; it ends in the reverse order."""
    assert settings.nats_url is not None
    clock = SystemClock()
    async with connected(settings) as connection:
        js = connection.jetstream()
        system_url = settings.nats_system_url
        await check_durability(settings.durability, js, system_url.get_secret_value() if system_url else None)
        keys = JetStreamKeyRing(connection)
        await keys.start()
        directory = JetStreamDirectory(connection, keys, clock.now)
        await directory.start()
        secrets = Secrets(js)
        built = Runtime(
            settings=settings,
            clock=clock,
            connection=connection,
            broker=NatsBroker(
                settings.nats_url.get_secret_value().split(","),
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                graceful_timeout=settings.shutdown_grace_seconds,
                logger=None,
            ),
            keys=keys,
            store=JetStreamEventStore(connection, Codec(keys)),
            directory=directory,
            secrets=secrets,
            identity=Identity(js, directory, secrets, clock),
            objects=open_objects(settings),
            health=Health(),
            registry=new_registry(),
            http=FastAPI(title="Deskwire", openapi_url=None, docs_url=None, redoc_url=None),
            services=frozenset(service.name for service in services),
        )
        built.health.add("nats", _nats_check(connection))
        try:
            yield built
        finally:
            await directory.stop()


def open_objects(settings: CommonSettings) -> ObjectStore:
    """The object store for raw mail and attachments."""
    if settings.object_store_url.startswith("file:"):
        return from_url(settings.object_store_url, mkdir=True)
    return from_url(settings.object_store_url)


def _nats_check(connection: Client) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        if not connection.is_connected:
            raise Unhealthy("not connected to NATS")

    return check


async def serve(
    settings: CommonSettings,
    services: Sequence[Service],
    *,
    role: str | None = None,
    ready: Callable[[Runtime], Awaitable[None]] | None = None,
) -> None:
    """Run services in this process until it is told to stop; `settings` must name a NATS server.

    `ready` is called once the HTTP server listens.
    """
    async with (
        tracing(service="-".join(s.name for s in services), version=version("deskwire-shared"),
                endpoint=settings.otel_endpoint),
        runtime(settings, services) as built,
    ):  # fmt: skip
        built.http.include_router(health_router(built.health))
        built.http.include_router(metrics_router(built.registry))
        async with asyncio.TaskGroup() as tasks:
            built.tasks = tasks
            for service in services:
                await service.start(built, role)
            await built.broker.start()
            await _serve_http(built, ready)
            await _stop(built)


async def _serve_http(built: Runtime, ready: Callable[[Runtime], Awaitable[None]] | None) -> None:
    settings = built.settings
    config = uvicorn.Config(
        built.http,
        host=settings.bind_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_grace_seconds),
    )
    server = _Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    serving = asyncio.create_task(server.serve(), name="http")
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)  # uvicorn has no event for it
    if server.started:
        built.health.mark_started()
        log.info("ready", services=sorted(built.services), port=settings.http_port)
        if ready is not None:
            await ready(built)
    await serving


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again after its own stop, which would cut ours short."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _stop(built: Runtime) -> None:
    log.info("stopping", services=sorted(built.services))
    await built.broker.stop()
    for stop in reversed(built.stops):
        await stop()
    for task in built.spawned:
        task.cancel()
