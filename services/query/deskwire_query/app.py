"""Wires the query service: the one place that reads its settings and builds its parts."""

import asyncio
from functools import partial

from nats.aio.msg import Msg
from prometheus_client import Gauge

from deskwire_query import catalogue
from deskwire_query.api.app import create_api
from deskwire_query.api.state import Parts
from deskwire_query.arrivals.following import ArrivalsFollower
from deskwire_query.arrivals.tables import create_arrivals
from deskwire_query.database import Database, open_database
from deskwire_query.handlers import Projector
from deskwire_query.live import Hub
from deskwire_query.parked import ParkedMessages
from deskwire_query.projections.log import TicketLog
from deskwire_query.projections.runner import Sources
from deskwire_query.reading.explanations import explanations
from deskwire_query.reading.reader import Reader
from deskwire_query.settings import QuerySettings
from deskwire_query.web.desk import Desk as WorkspaceDesk
from deskwire_query.web.live.presence import Presence
from deskwire_query.web.live.redrawing import Redrawing
from deskwire_query.web.live.screens import Screens
from deskwire_query.web.pages import create_pages
from deskwire_query.web.proxy.requests import ServiceProxy
from deskwire_query.web.ticket.file_addresses import FileAddresses
from deskwire_shared.contracts.subjects import PRESENCE_SUBJECT
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.service import Runtime, Service

Task = asyncio.Task[None]


async def start(runtime: Runtime, role: str | None) -> None:
    """Start what the role asks for in a runtime."""
    database = open_database(runtime.settings.database_url.get_secret_value())
    if runtime.settings.otel_endpoint is not None:
        database.trace()
    await catalogue.create_catalogue(database)
    await create_arrivals(database)
    tasks: list[Task] = []
    if role in {None, "projector"}:
        tasks += (_start_projector(runtime, database), _start_ledger(runtime, database))
    if role in {None, "api"}:
        tasks += await _start_api(runtime, database)

    async def stop() -> None:
        await asyncio.gather(*map(end, tasks), return_exceptions=True)  # the task group raises their errors
        await database.close()

    runtime.on_stop(stop)


def _start_projector(runtime: Runtime, database: Database) -> Task:
    projector = Projector(
        Sources(database, TicketLog(runtime.connection), Codec(runtime.keys)),
        runtime.connection,
        runtime.parking("query"),
        lag=Gauge("deskwire_projection_lag", "Commits not projected yet", registry=runtime.registry),
        position=Gauge("deskwire_projection_sequence", "Last sequence projected", registry=runtime.registry),
    )
    runtime.health.add("projection", projector.upkeep.check)
    return runtime.spawn("project the log", projector.run())


def _start_ledger(runtime: Runtime, database: Database) -> Task:
    follower = ArrivalsFollower(database, runtime.connection, runtime.parking("query"))
    runtime.health.add("ledger of intake", follower.upkeep.check)
    return runtime.spawn("follow the ledger of intake", follower.run())


async def _start_api(runtime: Runtime, database: Database) -> tuple[Task, ...]:
    settings = QuerySettings()
    reader = Reader(database, runtime.directory)
    hub = Hub(runtime.connection, reader, most_listeners=settings.most_listeners)
    await hub.start()
    runtime.health.add("read models", reader.position)
    runtime.mount(
        "/v1", create_api(Parts(reader, hub, runtime.directory, Codec(runtime.keys), settings, runtime.objects))
    )
    return (
        runtime.spawn("announce what is projected", hub.run()),
        *await _mount_workspace(runtime, reader, hub, settings),
    )


async def _mount_workspace(runtime: Runtime, reader: Reader, hub: Hub, settings: QuerySettings) -> tuple[Task, ...]:
    """Serve the pages at the root, last of all, and the APIs of services that run elsewhere."""
    screens = Screens(most=settings.most_listeners)
    presence = Presence(screens, runtime.connection.publish)

    async def hear(message: Msg) -> None:
        presence.hear(message.data)

    await runtime.connection.subscribe(PRESENCE_SUBJECT, cb=hear)
    elsewhere = {"intake": settings.intake_url, "routing": settings.routing_url, "sla": settings.sla_url}
    for service, url in elsewhere.items():
        if url is not None and service not in runtime.services:
            runtime.http.mount(f"/{service}", ServiceProxy(url, service=service))
    desk = WorkspaceDesk(
        reads=reader,
        directory=runtime.directory,
        sessions=runtime.identity,
        credentials=runtime.secrets,
        objects=runtime.objects,
        files=FileAddresses(runtime.secrets.site_key, settings.files_url or ""),
        clock=runtime.clock,
        arrivals=reader.arrivals,
        parked=ParkedMessages(runtime.connection),
        screens=screens,
        presence=presence,
        heartbeat_seconds=settings.heartbeat_seconds,
        reached=partial(hub.wait_for, within=settings.wait_seconds),
        explained=partial(explanations, reader, Codec(runtime.keys)),
        public_url=runtime.settings.public_url,
        smtp_address=f"{runtime.settings.bind_host}:{runtime.settings.smtp_port}",
    )
    runtime.mount("/", create_pages(desk))
    redrawing = Redrawing(screens, reader, runtime.directory, runtime.clock, hub.listen)
    return (
        runtime.spawn("keep screens true", redrawing.run()),
        runtime.spawn("forget who has left", presence.run()),
    )


service = Service(name="query", start=start, roles=("projector", "api"))
