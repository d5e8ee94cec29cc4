"""Keeps the table of the ledger true to its stream: each page exactly once, and nothing that the stream has forgotten.

Rows and position are written in one transaction that demands the old position, as in every projection. When the stream
is not the one that was read before, the table is made anew from it.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.client import Client
from nats.js.errors import NotFoundError
from pydantic import ValidationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog import get_logger

from deskwire_query.arrivals.tables import arrivals, positions
from deskwire_query.catalogue import Overtaken, take_turns
from deskwire_query.database import Database
from deskwire_query.projections.upkeep import Upkeep
from deskwire_query.projections.writing import write_rows
from deskwire_shared.contracts.intake_ledger import MOST_ENTRIES, LedgerPage
from deskwire_shared.contracts.subjects import INTAKE
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.runtime.parking import ParkingLot

BATCH: Final = 500
TICK_SECONDS: Final = 1.0
FORGET_SECONDS: Final = 600.0
"""How often it is looked what the stream has forgotten."""
PLACES: Final = 2 * MOST_ENTRIES
"""By how much the numbers of the entries of two pages differ."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the stream: the page there by its digest, and the life of the stream."""

    epoch: str
    sequence: int = 0
    digest: str = ""


class ArrivalsFollower:
    """Follows the ledger of intake."""

    def __init__(self, database: Database, connection: Client, parking: ParkingLot) -> None:
        self._database = database
        self._connection = connection
        self._js = connection.jetstream()
        self._parking = parking
        self.upkeep = Upkeep("the ledger of intake", trouble="the ledger of intake has not been opened yet")
        self._forgotten_at = 0.0

    async def run(self) -> None:
        """Carry on for as long as the process lives."""
        await self.upkeep.carry_on(self._follow)

    async def _follow(self) -> None:
        """Follow until the consumer is lost: the stream may be another one then."""
        position = await self._required(await self._position())
        follower = Follower(self._connection, INTAKE, start=position.sequence + 1)
        await follower.open()
        self.upkeep.trouble = None
        try:
            while not follower.restarts:
                deliveries = await follower.batch(BATCH, within=TICK_SECONDS)
                if deliveries and not follower.restarts:
                    position = await self._write(position, deliveries)
                await self._forget_sometimes()
        finally:
            await follower.close()

    async def _position(self) -> Position | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(positions))).first()
        return None if row is None else Position(row.epoch, row.sequence, row.digest)

    async def _required(self, known: Position | None) -> Position:
        """Check that the stream still goes on from a position; if not, begin anew."""
        info = await self._js.stream_info(INTAKE)
        epoch = str(info.created)
        if known is not None and known.epoch == epoch and await self._goes_on_from(known, info.state.last_seq):
            return known
        if known is not None:
            log.warning(
                "ledger of intake is read anew: its stream is not the one that was read", sequence=known.sequence
            )
        return await self._begin(Position(epoch))

    async def _goes_on_from(self, known: Position, last: int) -> bool:
        if known.sequence == 0:
            return True
        try:
            message = await self._js.get_msg(INTAKE, seq=known.sequence)
        except NotFoundError:  # too old to be kept, or never written
            return known.sequence <= last
        return _digest(message.data or b"") == known.digest

    async def _begin(self, position: Position) -> Position:
        async with self._database.writing() as connection:
            await take_turns(connection)
            await connection.execute(delete(arrivals))
            await connection.execute(delete(positions))
            await connection.execute(
                insert(positions).values(id=1, epoch=position.epoch, sequence=position.sequence, digest=position.digest)
            )
        return position

    async def _write(self, old: Position, deliveries: Sequence[Delivery]) -> Position:
        last = deliveries[-1]
        new = Position(old.epoch, last.sequence, _digest(last.data))
        rows = [row for delivery in deliveries for row in await self._rows(delivery)]
        async with self._database.writing() as connection:
            await _advance(connection, old, new)
            await write_rows(connection, arrivals, rows)
        return new

    async def _rows(self, delivery: Delivery) -> list[dict[str, Any]]:
        try:
            page = LedgerPage.model_validate_json(delivery.data)
        except ValidationError as error:
            reason = f"a page of the ledger that cannot be read: {error.error_count()} problems"
            log.warning("page of the ledger cannot be read", sequence=delivery.sequence, error=str(error)[:500])
            await self._parking.park(f"{INTAKE} sequence {delivery.sequence}", delivery.data, {}, reason=reason)
            return []
        return list(rows_of(page, delivery.sequence))

    async def _forget_sometimes(self) -> None:
        """Drop what the stream has forgotten."""
        if time.monotonic() - self._forgotten_at < FORGET_SECONDS:
            return
        self._forgotten_at = time.monotonic()
        first = (await self._js.stream_info(INTAKE)).state.first_seq
        async with self._database.writing() as connection:
            await connection.execute(delete(arrivals).where(arrivals.c.entry < first * PLACES))


def rows_of(page: LedgerPage, sequence: int) -> Iterator[dict[str, Any]]:
    """Give the rows of a page; they are numbered in the order of the stream."""
    for place, entry in enumerate(page.entries):
        yield {"entry": sequence * PLACES + place, **dict(entry)}


async def _advance(connection: AsyncConnection, old: Position, new: Position) -> None:
    """Move the position from where the caller knows it to be. Raises Overtaken when it is elsewhere."""
    c = positions.c
    here = (c.epoch == old.epoch, c.sequence == old.sequence, c.digest == old.digest)
    moved = await connection.execute(update(positions).where(*here).values(sequence=new.sequence, digest=new.digest))
    if moved.rowcount != 1:
        raise Overtaken(f"the ledger of intake is no longer at sequence {old.sequence}")


def _digest(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()
