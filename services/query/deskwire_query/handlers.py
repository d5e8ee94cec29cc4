"""What the query service does on every commit of the log: it keeps the read models true to it."""

import asyncio
import json
from typing import Final

from nats.aio.client import Client
from prometheus_client import Gauge
from structlog import get_logger

from deskwire_query import catalogue, generations
from deskwire_query.catalogue import Generation
from deskwire_query.projections.log import LogChanged, Logged
from deskwire_query.projections.runner import Runner, Sources
from deskwire_query.projections.upkeep import RETRY_SECONDS, Upkeep
from deskwire_shared.contracts.subjects import PROJECTED_SUBJECT
from deskwire_shared.runtime.parking import ParkingLot

MOST_NAMED: Final = 1_000
"""Tickets named in one notice."""

log = get_logger(__name__)


class Projector:
    """Keeps the living generation true to the log, and builds one when there is none."""

    def __init__(
        self, sources: Sources, connection: Client, parking: ParkingLot, *, lag: Gauge, position: Gauge
    ) -> None:
        self._sources = sources
        self._connection = connection
        self._parking = parking
        self._lag = lag
        self._position = position
        self.upkeep = Upkeep("the projection", trouble="the read models are being built")

    async def run(self) -> None:
        """Carry on for as long as the process lives."""
        await self.upkeep.carry_on(self._project_or_halt)

    async def _project_or_halt(self) -> None:
        try:
            await self._project()
        except LogChanged as changed:
            await self._halt(changed)

    async def _project(self) -> None:
        generation = await self._living()
        runner = Runner(self._sources, generation, applied=self._announce, unreadable=self._park)
        self.upkeep.trouble = None
        self._position.set(generation.position.sequence)
        await runner.follow()

    async def _living(self) -> Generation:
        """Find the generation that lives, or build it; then what older programs left can go."""
        generation = await generations.find_or_start(self._sources)
        if generation.state != "living":
            log.info("building read models", generation=generation.number)
            generation = await generations.build(self._sources, generation)
            generation, _ = await generations.promote(self._sources, generation)
        await generations.drop_outdated(self._sources.database)
        return generation

    async def _announce(self, generation: Generation, tickets: frozenset[str], pending: int) -> None:
        sequence = generation.position.sequence
        self._position.set(sequence)
        self._lag.set(pending)
        notice = {"sequence": sequence, "tickets": sorted(tickets)[:MOST_NAMED]}
        await self._connection.publish(PROJECTED_SUBJECT, json.dumps(notice).encode())

    async def _park(self, logged: Logged) -> None:
        reference = f"{self._sources.log.stream} sequence {logged.sequence}"
        await self._parking.park(reference, logged.stored, {}, reason=logged.reason)

    async def _halt(self, changed: LogChanged) -> None:
        """Do nothing until a rebuild has put another generation in place: what is stored must not be mixed."""
        self.upkeep.trouble = f"the projection has halted: {changed}. Run `deskwire rebuild`."
        log.error("projection halted: the log changed; run `deskwire rebuild`", reason=str(changed))
        halted = await generations.find_or_start(self._sources)
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            async with self._sources.database.reading() as connection:
                living = await catalogue.living(connection)
            if living.number != halted.number:
                log.info("projection goes on with other read models", generation=living.number)
                return
