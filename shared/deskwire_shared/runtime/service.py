"""What a service is made of, and the runtime it is given. Only a service's `app.py` touches these."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

from fastapi import FastAPI
from faststream.nats import NatsBroker
from nats.js.errors import NotFoundError
from prometheus_client import CollectorRegistry, Gauge
from starlette.routing import Mount

from deskwire_shared.contracts.subjects import TIMERS
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.health import Health, Unhealthy
from deskwire_shared.runtime.parking import ParkingLot
from deskwire_shared.runtime.process_manager import ProcessManager, React
from deskwire_shared.runtime.replaying import Replay, hear_replays
from deskwire_shared.runtime.streams import service_of
from deskwire_shared.runtime.ticks import Ticks
from deskwire_shared.runtime.timers import Timers

Stop = Callable[[], Awaitable[None]]


@dataclass(kw_only=True)
class Runtime(Desk):
    """What one process shares between its services: the desk, the HTTP server, tasks."""

    broker: NatsBroker
    health: Health
    registry: CollectorRegistry
    http: FastAPI
    services: frozenset[str]
    """The names of the services in this process."""
    announcements: dict[str, str] = field(default_factory=dict)
    """What a service wants people to read when the desk starts, each under a word."""
    stops: list[Stop] = field(default_factory=list)
    tasks: asyncio.TaskGroup | None = None
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection to NATS is closed for good."""
    spawned: list[asyncio.Task[None]] = field(default_factory=list)

    def parking(self, service: str) -> ParkingLot:
        """The parking space of a service."""
        return ParkingLot(self.js, self.clock, service)

    def react(
        self, consumer: str, stream: str, subject: str, react: React, *, facts: frozenset[str] = frozenset()
    ) -> None:
        """Run a process manager on a durable consumer; with `facts`, other commits are skipped unread."""
        parking = self.parking(service_of(consumer))
        manager = ProcessManager(consumer, stream, subject, react, parking=parking, facts=facts)
        manager.subscribe(self.broker)
        self.on_replay(consumer, manager.replay)
        self.health.add(f"consumer {consumer}", self._consumer_check(stream, consumer))

    def react_to_timers(self, timers: Timers, react: React) -> None:
        """Run a process manager on the timers of a service that are due."""
        service = timers.service
        self.react(f"{service}-timers", TIMERS, f"timer.due.{service}.>", Ticks(self.connection, timers, react).hear)

    def on_replay(self, name: str, replay: Replay) -> None:
        """Handle what a service or one of its consumers has parked once more, when somebody asks for it."""
        hear_replays(self.broker, self.js, name, replay)

    @cached_property
    def lag(self) -> Gauge:
        """The messages a consumer has not handled yet."""
        return Gauge("deskwire_consumer_lag", "Messages not handled yet", ["consumer"], registry=self.registry)

    def _consumer_check(self, stream: str, consumer: str) -> Callable[[], Awaitable[None]]:
        async def check() -> None:
            try:
                info = await self.js.consumer_info(stream, consumer)
            except NotFoundError as error:
                raise Unhealthy(f"consumer {consumer} on {stream} is missing; run `deskwire migrate`") from error
            self.lag.labels(consumer).set((info.num_pending or 0) + (info.num_ack_pending or 0))

        return check

    def mount(self, path: str, app: FastAPI) -> None:
        """Serve an application under a path of the process's HTTP server; it finds `identity` in its state.

        The order of services does not matter: what is mounted at the root is asked last.
        """
        app.state.identity = self.identity
        self.http.mount(path, app)
        self.http.router.routes.sort(key=lambda route: isinstance(route, Mount) and not route.path)

    def on_stop(self, stop: Stop) -> None:
        """Call this when the process stops, last registered first."""
        self.stops.append(stop)

    def spawn(self, name: str, work: Awaitable[None]) -> asyncio.Task[None]:
        """Run a task for as long as the process lives; if it fails, the process stops with its error."""
        assert self.tasks is not None
        self.spawned.append(self.tasks.create_task(_run(work), name=name))
        return self.spawned[-1]


async def _run(work: Awaitable[None]) -> None:
    await work


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service as the command line finds it: its name, its roles, how it starts."""

    name: str
    start: Callable[[Runtime, str | None], Awaitable[None]]
    """Wire the service into a runtime; the role is None when the process plays them all."""
    roles: tuple[str, ...] = ()
    plays_channels: bool = False
    """Whether the name or id of a channel is a role, too; `start` raises UnknownRole when there is none."""
