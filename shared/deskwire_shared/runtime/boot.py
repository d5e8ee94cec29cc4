"""Starts and stops a process: connections first, then services, then the HTTP server; the reverse at the end."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import fields
from importlib.metadata import entry_points, version

import uvicorn
from fastapi import FastAPI
from faststream.nats import NatsBroker
from faststream.nats.opentelemetry import NatsTelemetryMiddleware
from faststream.nats.security import NatsSecurity, NatsToken, NatsUserPassword
from nats.aio.client import Client
from nats.errors import ConnectionReconnectingError
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from structlog import get_logger

from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.desk import ConnectionLost, connected, open_desk
from deskwire_shared.runtime.durability import check_durability, replicas
from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.health import Health, Unhealthy, health_router
from deskwire_shared.runtime.listening import bind
from deskwire_shared.runtime.memory import collect_less
from deskwire_shared.runtime.message_figures import message_figures
from deskwire_shared.runtime.nats_address import NatsAddress, nats_address
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.settings import CommonSettings, WrongSettings
from deskwire_shared.runtime.streams import migrate as migrate_streams
from deskwire_shared.runtime.telemetry import HTTP_TELEMETRY, metrics_router, new_registry, tracing

ENTRY_POINTS = "deskwire.services"
PING_SECONDS = 1.0
WEBSOCKET_FRAME_BYTES = 64 * 1024
"""The largest message taken from a WebSocket; a larger one closes it with code 1009."""

log = get_logger(__name__)


def service_names() -> list[str]:
    """The services installed in this environment."""
    return sorted(entry_points(group=ENTRY_POINTS).names)


def load_service(name: str) -> Service:
    """A service that is installed in this environment."""
    (found,) = entry_points(group=ENTRY_POINTS, name=name)
    service: Service = found.load()
    return service


@contextlib.asynccontextmanager
async def embedded_server(settings: CommonSettings) -> AsyncIterator[CommonSettings]:
    """Run a nats-server child unless the settings name a server; the settings with its address.

    The streams of an embedded server are brought up to date, since there is nobody else to do it. When the
    server keeps dying, what runs inside is cancelled and an ExceptionGroup of EmbeddedNatsFailed is raised.
    """
    if settings.nats_url is not None:
        yield settings
        return
    server = EmbeddedNats(settings.data_dir, port=settings.nats_port)
    await server.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(server.supervise(), name="supervise nats-server")
            found = settings.with_nats(server.url, server.system_url)
            if done := await migrate(found):
                log.info("migrated", done=done)
            yield found
            await end(watch)
    finally:
        await server.stop()


async def migrate(settings: CommonSettings, *, patience_seconds: float | None = None) -> list[str]:
    """Make and update the streams, buckets and consumers; a line for each thing done."""
    async with connected(settings, patience_seconds=patience_seconds) as connection:
        return await migrate_streams(
            connection.jetstream(), replicas=replicas(settings.durability), ledger_days=settings.ledger_days
        )


@contextlib.asynccontextmanager
async def runtime(settings: CommonSettings, services: Sequence[Service]) -> AsyncIterator[Runtime]:
    """Everything the services of a process share, started; it ends in the reverse order."""
    lost = asyncio.Event()

    async def closed() -> None:
        lost.set()

    async with open_desk(settings, closed=closed) as desk:
        system_url = settings.nats_system_url
        await check_durability(settings.durability, desk.js, system_url.get_secret_value() if system_url else None)
        registry = new_registry()
        built = Runtime(
            **{field.name: getattr(desk, field.name) for field in fields(desk)},
            broker=_broker(settings, registry, closed),
            lost=lost,
            health=Health(),
            registry=registry,
            http=FastAPI(title="Deskwire", openapi_url=None, docs_url=None, redoc_url=None, telemetry=HTTP_TELEMETRY),
            services=frozenset(service.name for service in services),
        )
        built.health.add("nats", _nats_check(desk.connection))
        built.health.add("broker", _broker_check(built.broker))
        yield built


def _broker(settings: CommonSettings, registry: CollectorRegistry, closed: Callable[[], Awaitable[None]]) -> NatsBroker:
    assert settings.nats_url is not None
    address = nats_address(settings.nats_url)
    traced = [NatsTelemetryMiddleware()] if settings.otel_endpoint else []
    return NatsBroker(
        address.servers,
        security=_security(address),
        closed_cb=closed,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]  # a whole second would be long
        graceful_timeout=settings.shutdown_grace_seconds,
        apply_types=False,  # calling a handler as it is written costs less than injecting into it
        middlewares=[*traced, message_figures(registry)],
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,  # a line for each message is for those who look for a fault
    )


def _security(address: NatsAddress) -> NatsSecurity | None:
    if address.token is not None:
        return NatsToken(address.token)
    if address.user is not None and address.password is not None:
        return NatsUserPassword(address.user, address.password)
    return None


def _nats_check(connection: Client) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        if not connection.is_connected:
            raise Unhealthy("not connected to NATS")

    return check


def _broker_check(broker: NatsBroker) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        if not await broker.ping(timeout=PING_SECONDS):
            raise Unhealthy("the broker is not connected to NATS")

    return check


async def serve(
    settings: CommonSettings,
    services: Sequence[Service],
    *,
    role: str | None = None,
    ready: Callable[[Runtime], Awaitable[None]] | None = None,
) -> None:
    """Run services in this process until it is told to stop; `settings` must name a NATS server.

    `ready` is called once the HTTP server listens. Raises CannotListen when its port is taken.
    """
    with bind(settings.bind_host, settings.http_port, setting="DESKWIRE_HTTP_PORT") as listener:
        async with (
            tracing(service="-".join(s.name for s in services), version=version("deskwire-shared"),
                    endpoint=settings.otel_endpoint),
            runtime(settings, services) as built,
        ):  # fmt: skip
            built.http.include_router(health_router(built.health))
            built.http.include_router(metrics_router(built.registry))
            async with asyncio.TaskGroup() as tasks:
                built.tasks = tasks
                watch = tasks.create_task(_watch(built.lost), name="watch the connections")
                try:
                    await _start(built, services, role)
                    await built.broker.start()
                    await _serve_http(built, listener, ready)
                finally:
                    await end(watch)
                    await _stop(built)


async def _watch(lost: asyncio.Event) -> None:
    """Raise ConnectionLost when a connection to NATS is closed for good."""
    await lost.wait()
    raise ConnectionLost


async def _start(built: Runtime, services: Sequence[Service], role: str | None) -> None:
    for service in services:
        try:
            await service.start(built, role)
        except ValidationError as error:
            raise WrongSettings(error) from error


async def _serve_http(
    built: Runtime, listener: socket.socket, ready: Callable[[Runtime], Awaitable[None]] | None
) -> None:
    config = uvicorn.Config(
        built.http,
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=WEBSOCKET_FRAME_BYTES,
        ws_per_message_deflate=False,  # a few bytes on the wire must not become many here
        timeout_graceful_shutdown=int(built.settings.shutdown_grace_seconds),
    )
    server = _Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)  # uvicorn has no event for it
    if server.started:
        collect_less()
        built.health.mark_started()
        log.info("ready", services=sorted(built.services), port=built.settings.http_port)
        if ready is not None:
            await ready(built)
    await serving


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again after its own stop, which would cut ours short."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _stop(built: Runtime) -> None:
    """End everything in the reverse order; what fails to stop keeps nothing else from stopping."""
    log.info("stopping", services=sorted(built.services))
    async with contextlib.AsyncExitStack() as last_first:
        last_first.push_async_callback(_end_spawned, built)
        for stop in built.stops:
            last_first.push_async_callback(stop)
        with contextlib.suppress(ConnectionReconnectingError):  # without a server there is nothing to drain
            await built.broker.stop()


async def _end_spawned(built: Runtime) -> None:
    await asyncio.gather(*map(end, built.spawned), return_exceptions=True)  # the task group raises their errors
