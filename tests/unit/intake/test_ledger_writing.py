"""Entries that wait share a message of the stream, and none of them waits for ever."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.js.errors import NoStreamResponseError
from prometheus_client import CollectorRegistry
from pydantic_core import PydanticSerializationError

from deskwire_intake.ledger.entering import LedgerUnavailable
from deskwire_intake.ledger.jetstream import JetStreamLedger
from deskwire_shared.contracts.intake_ledger import LedgerEntry, LedgerPage


@dataclass
class MemoryStream:
    """What was published; the next messages meet the troubles first."""

    troubles: list[BaseException] = field(default_factory=list)
    pages: list[LedgerPage] = field(default_factory=list)

    async def publish(self, _subject: str, body: bytes, **_: Any) -> None:
        await asyncio.sleep(0)  # others come meanwhile, as they do while a server writes
        if self.troubles:
            raise self.troubles.pop(0)
        self.pages.append(LedgerPage.model_validate_json(body))


def an_entry(source: str, **changes: Any) -> LedgerEntry:
    return LedgerEntry(at=datetime(2026, 11, 24, tzinfo=UTC), via="smtp", decision="opened", source=source, **changes)


def a_ledger(*troubles: BaseException) -> tuple[JetStreamLedger, MemoryStream]:
    stream = MemoryStream(troubles=list(troubles))
    return JetStreamLedger(stream, CollectorRegistry()), stream  # type: ignore[arg-type]  # all of it that is used


async def test_what_waits_while_a_message_is_written_shares_the_next_one() -> None:
    ledger, stream = a_ledger()
    entries = [an_entry(str(number), reason="ä") for number in range(300)]
    await asyncio.gather(*map(ledger.enter, entries))
    assert [entry for page in stream.pages for entry in page.entries] == entries
    assert len(stream.pages) == 2


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(NoStreamResponseError(), LedgerUnavailable), (TimeoutError(), LedgerUnavailable), (KeyError(), KeyError)],
)
async def test_trouble_is_told_to_everybody_who_waits_and_the_next_entry_is_written(
    trouble: Exception, told: type[Exception]
) -> None:
    ledger, stream = a_ledger(trouble)
    outcomes = await asyncio.gather(*(ledger.enter(an_entry(name)) for name in "ab"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [told, told]
    await ledger.enter(an_entry("c"))
    assert [entry.source for page in stream.pages for entry in page.entries] == ["c"]


async def test_an_entry_that_cannot_be_written_is_no_trouble_of_others() -> None:
    ledger, stream = a_ledger()
    bad = ledger.enter(an_entry("a", mailbox="\udcff@example.com"))
    outcomes = await asyncio.gather(bad, ledger.enter(an_entry("b")), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [PydanticSerializationError, type(None)]
    assert [entry.source for page in stream.pages for entry in page.entries] == ["b"]


async def test_nobody_waits_for_a_writer_that_was_ended() -> None:
    ledger, _ = a_ledger(asyncio.CancelledError())
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*(ledger.enter(an_entry(name)) for name in "ab"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
