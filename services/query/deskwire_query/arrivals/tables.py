"""The table of the ledger, and how far it has come.

`SCHEMA` counts its shapes. Raise it with every change to it or to what fills it: the next start reads the stream anew.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table

from deskwire_query.catalogue import take_turns
from deskwire_query.database import Database
from deskwire_query.tables import Moment, Words

SCHEMA: Final = 1

metadata: Final = MetaData()

arrivals: Final = Table(
    f"arrivals_{SCHEMA}",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("via", String(16), nullable=False),
    Column("channel_id", Words),
    Column("mailbox", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("raw_key", Words),
    Column("size", BigInteger, nullable=False),
    Column("content_digest", Words, nullable=False),
    Column("message_digest", Words),
    Column("decision", String(16), nullable=False),
    Column("ticket_id", Words),
    Column("number", BigInteger),
    Column("parked", BigInteger),
    Column("reason", Words, nullable=False),
    Index(f"arrivals_{SCHEMA}_by_time", "at", "channel_id", "via", "decision"),
    Index(f"arrivals_{SCHEMA}_by_channel", "channel_id", "entry"),
    Index(f"arrivals_{SCHEMA}_by_decision", "decision", "entry"),
    Index(f"arrivals_{SCHEMA}_by_ticket", "ticket_id", "entry"),
    Index(f"arrivals_{SCHEMA}_by_message", "message_digest", "entry"),
    Index(f"arrivals_{SCHEMA}_by_raw", "raw_key"),
)

positions: Final = Table(
    f"arrivals_{SCHEMA}_positions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Words, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", Words, nullable=False),
)


async def create_arrivals(database: Database) -> None:
    """Make the tables where they are missing."""
    async with database.writing() as connection:
        await take_turns(connection)
        await connection.run_sync(metadata.create_all)
