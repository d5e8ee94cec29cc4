"""Writes the ledger to its stream: entries that wait at the same moment share one message and one flush of the disk."""

import asyncio
from typing import Final

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError
from prometheus_client import CollectorRegistry, Counter

from deskwire_intake.ledger import LedgerUnavailable
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.intake_ledger import MOST_ENTRIES, LedgerEntry, LedgerPage
from deskwire_shared.contracts.subjects import INTAKE, LEDGER_SUBJECT

MESSAGE_ID: Final = "Nats-Msg-Id"

Waiting = tuple[LedgerEntry, asyncio.Future[None]]


class JetStreamLedger:
    """The ledger as a stream."""

    def __init__(self, js: JetStreamContext, registry: CollectorRegistry) -> None:
        self._js = js
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._entries = Counter(
            "deskwire_intake_ledger_entries",
            "Entries in the ledger, by the way messages came and by what became of them",
            ["via", "decision"],
            registry=registry,
        )

    async def enter(self, entry: LedgerEntry) -> None:
        """See `Ledger.enter`."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting(), name="write the ledger")
        await written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                page, self._waiting = self._waiting[:MOST_ENTRIES], self._waiting[MOST_ENTRIES:]
                await self._write(page)
        finally:
            self._writing = None

    async def _write(self, page: list[Waiting]) -> None:
        body = LedgerPage(entries=tuple(entry for entry, _ in page)).model_dump_json(exclude_defaults=True).encode()
        try:
            await self._js.publish(LEDGER_SUBJECT, body, stream=INTAKE, headers={MESSAGE_ID: new_id()})
        except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
            self._fail(page, error)
            return
        except BaseException:
            for _, written in page:
                written.cancel()
            raise
        for entry, written in page:
            self._entries.labels(entry.via, entry.decision).inc()
            if not written.done():
                written.set_result(None)

    def _fail(self, page: list[Waiting], error: Exception) -> None:
        for _, written in page:
            if not written.done():
                failure = LedgerUnavailable(f"the ledger of intake takes no entry: {error!r}")
                failure.__cause__ = error
                written.set_exception(failure)
