"""Reads the ledger from its stream, as it is the source of every table made of it."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from nats.aio.client import Client
from nats.js import JetStreamContext

from deskwire_shared.contracts.intake_ledger import LedgerEntry, LedgerPage
from deskwire_shared.contracts.subjects import INTAKE
from deskwire_shared.eventstore.follower import Follower

BATCH: Final = 1_000


async def read_ledger(connection: Client, *, since: datetime | None = None) -> AsyncIterator[LedgerEntry]:
    """Give the entries that are there now, the oldest first; those from a moment on, and perhaps a few from before."""
    js = connection.jetstream()
    state = (await js.stream_info(INTAKE)).state
    if state.messages == 0:
        return
    start = state.first_seq if since is None else await _first_since(js, since, state.first_seq, state.last_seq)
    if start > state.last_seq:
        return
    follower = Follower(connection, INTAKE, start=start)
    await follower.open()
    try:
        reached = 0
        while reached < state.last_seq:
            for delivery in await follower.batch(BATCH):
                reached = delivery.sequence
                for entry in LedgerPage.model_validate_json(delivery.data).entries:
                    yield entry
    finally:
        await follower.close()


async def _first_since(js: JetStreamContext, since: datetime, first: int, last: int) -> int:
    """Halve the stream until the first page is found that was written then or later."""
    while first <= last:
        middle = (first + last) // 2
        message = await js.get_msg(INTAKE, seq=middle)
        page = LedgerPage.model_validate_json(message.data or b"")
        if page.entries[-1].at < since:
            first = middle + 1
        else:
            last = middle - 1
    return first
