"""Writes the ledger to its stream: entries that wait at the same moment share one message and one flush of the disk."""

import asyncio
from dataclasses import dataclass
from typing import Final

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError
from prometheus_client import CollectorRegistry, Counter

from deskwire_intake.ledger.entering import LedgerUnavailable
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.intake_ledger import MOST_ENTRIES, LedgerEntry
from deskwire_shared.contracts.subjects import INTAKE, LEDGER_SUBJECT

MESSAGE_ID: Final = "Nats-Msg-Id"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An entry as it will stand in the stream, and who waits for it."""

    entry: LedgerEntry
    written: asyncio.Future[None]
    body: bytes


class JetStreamLedger:
    """The ledger as a stream."""

    def __init__(self, js: JetStreamContext, registry: CollectorRegistry) -> None:
        self._js = js
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._entries = Counter(
            "deskwire_intake_ledger_entries",
            "Entries in the ledger, by the way messages came and by what became of them",
            ["via", "decision"],
            registry=registry,
        )

    async def enter(self, entry: LedgerEntry) -> None:
        """See `Ledger.enter`."""
        body = entry.model_dump_json(exclude_defaults=True).encode()  # what cannot be written is no trouble of others
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entry, written, body))
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

    async def _write(self, page: list[_Waiting]) -> None:
        try:
            await self._publish(page)
        except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
            failure = LedgerUnavailable(f"the ledger of intake takes no entry: {error!r}")
            failure.__cause__ = error
            _fail(page, failure)
        except Exception as error:  # noqa: BLE001  # told to those who wait; else they would wait for ever
            _fail(page, error)
        except BaseException:
            for waiting in (*page, *self._waiting):
                waiting.written.cancel()
            raise
        else:
            for waiting in page:
                self._entries.labels(waiting.entry.via, waiting.entry.decision).inc()
                if not waiting.written.done():
                    waiting.written.set_result(None)

    async def _publish(self, page: list[_Waiting]) -> None:
        """Write a `LedgerPage`."""
        body = b'{"entries":[' + b",".join(waiting.body for waiting in page) + b"]}"
        await self._js.publish(LEDGER_SUBJECT, body, stream=INTAKE, headers={MESSAGE_ID: new_id()})


def _fail(page: list[_Waiting], error: Exception) -> None:
    for waiting in page:
        if not waiting.written.done():
            waiting.written.set_exception(error)
