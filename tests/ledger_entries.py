"""Entries of the ledger of intake, for tests of what is made of them."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert

from deskwire_query.arrivals.following import rows_of
from deskwire_query.arrivals.tables import arrivals
from deskwire_query.database import Database
from deskwire_shared.contracts.intake_ledger import LedgerEntry, LedgerPage

MONDAY: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def an_entry(**changes: Any) -> LedgerEntry:
    """A mail that opened a ticket, unless told otherwise."""
    usual: dict[str, Any] = {
        "at": MONDAY,
        "via": "imap",
        "channel_id": "support",
        "mailbox": "support@example.com",
        "source": "7:1",
        "raw_key": "raw/ab/abcd",
        "size": 1200,
        "decision": "opened",
        "ticket_id": "t1",
        "number": 1,
    }
    return LedgerEntry(**{**usual, **changes})


def a_parked_entry(**changes: Any) -> LedgerEntry:
    """A mail that nobody could handle."""
    usual = {"decision": "parked", "ticket_id": None, "number": None, "parked": 4, "reason": "the sender is blocked"}
    return an_entry(**{**usual, **changes})


async def enter(database: Database, *entries: LedgerEntry, sequence: int = 1) -> None:
    """Put entries into the table as one page of the stream."""
    async with database.writing() as connection:
        await connection.execute(insert(arrivals), list(rows_of(LedgerPage(entries=entries), sequence)))
