"""Opens the database of the read models: SQLite or PostgreSQL behind one pair of engines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic_core import from_json, to_json
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

BUSY_SECONDS: Final = 30
READERS: Final = 4
STATEMENT_SECONDS: Final = 30

Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Database:
    """One database: `writer` begins transactions that may write, `reader` those that only read."""

    writer: AsyncEngine
    reader: AsyncEngine

    @property
    def dialect(self) -> Dialect:
        """Which of the two kinds it is."""
        return "sqlite" if self.writer.dialect.name == "sqlite" else "postgresql"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Read from one snapshot."""
        async with self.reader.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Write in one transaction, all or nothing."""
        async with self.writer.begin() as connection:
            yield connection

    def trace(self) -> None:
        """Let every statement be a span of the trace it belongs to."""
        # Only an installation that traces pays for the import.
        from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor  # noqa: PLC0415

        engines = [self.writer.sync_engine, self.reader.sync_engine]
        # It names SQLAlchemy before 2.1 as its limit, and works with 2.1.
        SQLAlchemyInstrumentor().instrument(engines=engines, skip_dep_check=True)

    async def close(self) -> None:
        """Close every connection."""
        await self.reader.dispose()
        await self.writer.dispose()


AWAY: Final = (OperationalError, InterfaceError, SQLAlchemyTimeoutError, ConnectionError)
"""What is raised while the database does not answer."""


def is_transient(error: BaseException) -> bool:
    """Whether an error goes away when the database is back: a lost connection, a lock that took too long."""
    return isinstance(error, AWAY) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def open_database(url: str) -> Database:
    """Open the database at an SQLAlchemy address; nothing is connected before the first use."""
    address = make_url(url)
    return _open_sqlite(address) if address.get_backend_name() == "sqlite" else _open_postgres(address)


def _open_sqlite(address: URL) -> Database:
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    writer = _engine(address, pool_size=1, max_overflow=0)
    reader = _engine(address, pool_size=READERS, max_overflow=0)
    _configure_sqlite(writer, begin="BEGIN IMMEDIATE")
    _configure_sqlite(reader, begin="BEGIN")
    return Database(writer, reader)


def _open_postgres(address: URL) -> Database:
    settings = {"timezone": "UTC", "application_name": "deskwire"}
    # What a crash takes back is projected again: position and rows go together.
    patient = {"server_settings": {**settings, "synchronous_commit": "off"}}
    bounded = {"server_settings": {**settings, "statement_timeout": f"{STATEMENT_SECONDS}s"}}
    return Database(
        _engine(address, pool_size=2, max_overflow=2, connect_args=patient, pool_pre_ping=True),
        _engine(
            address, pool_size=READERS, max_overflow=8, connect_args=bounded, pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
        ),
    )  # fmt: skip


def _engine(address: URL, **options: Any) -> AsyncEngine:
    return create_async_engine(address, json_serializer=write_json, json_deserializer=from_json, **options)


def write_json(value: object) -> str:
    """Write JSON without NUL, which PostgreSQL cannot hold."""
    return to_json(value).decode().replace("\\u0000", "\\ufffd")


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _configure_sqlite(engine: AsyncEngine, *, begin: str) -> None:
    """Let us say how transactions begin: a reader that turns writer half way fails when another wrote meanwhile."""

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_SECONDS * 1000}", "journal_mode = WAL", "synchronous = NORMAL",
            "cache_size = -65536", "wal_autocheckpoint = 4000", "temp_store = MEMORY", "mmap_size = 268435456",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        # SQLite's own knows ASCII only; no index is built on it.
        connection.create_function("lower", 1, _lower)

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
