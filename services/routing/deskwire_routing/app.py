"""Wires the routing service: the one place that reads its settings and builds its parts."""

from collections.abc import Mapping
from typing import Final

from deskwire_routing.handlers import HEARD, Routing
from deskwire_routing.roster import Roster
from deskwire_routing.settings import RoutingSettings
from deskwire_routing.strategies import round_robin
from deskwire_routing.strategies.strategy import Strategy
from deskwire_routing.workload import Workload
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.health import Unhealthy
from deskwire_shared.runtime.service import Runtime, Service

STRATEGIES: Final[Mapping[str, Strategy]] = {
    "round_robin": round_robin.pick,
}
"""By the name that a team's document gives; `manual` needs none."""


async def start(runtime: Runtime, role: str | None) -> None:  # noqa: ARG001 - routing has one role
    """React to tickets in a runtime."""
    settings = RoutingSettings()
    roster = Roster(runtime.directory, Workload())
    routing = Routing(
        recorder=runtime.recorder,
        directory=runtime.directory,
        roster=roster,
        strategies=STRATEGIES,
        clock=runtime.clock,
        patience_seconds=settings.patience_seconds,
    )

    async def check_roster() -> None:
        if not roster.is_caught_up:
            raise Unhealthy("the log is still being read for who has which tickets")

    runtime.health.add("roster", check_roster)
    runtime.spawn("follow assignments", roster.follow(Follower(runtime.connection, TICKETS, subjects=["ticket.>"])))
    runtime.react("routing", TICKETS, "ticket.>", routing.on_commits, facts=HEARD)


service = Service(name="routing", start=start)
