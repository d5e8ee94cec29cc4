"""The tables of the read models.

All of them are derived from the log, so none is ever migrated: a generation of tables is filled beside
the living one and takes its place. `SCHEMA` counts the shapes of these tables and of what fills them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pydantic_core import from_json, to_json
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    literal_column,
)
from sqlalchemy.types import TypeDecorator

SCHEMA: Final = 3
"""Raise it with every change to these tables or to a projection: the next start rebuilds them."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LATEST: Final = 2**62
"""Where what has no due time stands when tickets are sorted by it."""


class Moment(TypeDecorator[datetime]):
    """A moment as microseconds since 1970: exact, ordered and the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Write a moment."""
        del dialect
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Read a moment."""
        del dialect
        return None if value is None else EPOCH + value * MICROSECOND


def storable(text: str) -> str:
    """Write a text without NUL, which PostgreSQL cannot hold."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


class Words(TypeDecorator[str]):
    """What people wrote."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write a text."""
        del dialect
        return storable(value) if value else value


class Listing(TypeDecorator[Any]):
    """A JSON value that is read and written whole."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Write a value."""
        del dialect
        return "[]" if value == [] else to_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read a value."""
        del dialect
        return [] if value == "[]" else from_json(value or "null")


catalogue: Final = MetaData()

generations: Final = Table(
    "generations",
    catalogue,
    Column("generation", Integer, primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("stream", String(64), nullable=False),
    Column("epoch", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("commit_id", String(80), nullable=False),
    Column("keys_sequence", BigInteger, nullable=False),
)
"""Each generation of tables, how far it has come in the log, and up to which change of people's keys it is true."""


@dataclass(frozen=True, slots=True)
class DeskTables:
    """One generation of tables."""

    generation: int
    metadata: MetaData
    ledger: Table
    gaps: Table
    tickets: Table
    tags: Table
    timeline: Table
    people: Table
    participations: Table
    documents: Table

    @property
    def indexes(self) -> tuple[Index, ...]:
        """Secondary indexes, made once the tables are filled: that is several times faster."""
        return tuple(index for table in self.metadata.sorted_tables for index in sorted(table.indexes, key=_name))

    def search_name(self, part: str) -> str:
        """Name a table of the search index."""
        return f"g{self.generation}_search_{part}"


def _name(index: Index) -> str:
    return str(index.name)


@lru_cache(maxsize=64)
def desk_tables(generation: int) -> DeskTables:
    """Describe the tables of a generation."""
    metadata = MetaData()
    prefix = f"g{generation}_"
    return DeskTables(
        generation=generation,
        metadata=metadata,
        ledger=_ledger(metadata, prefix),
        gaps=_gaps(metadata, prefix),
        tickets=_tickets(metadata, prefix),
        tags=_tags(metadata, prefix),
        timeline=_timeline(metadata, prefix),
        people=_people(metadata, prefix),
        participations=_participations(metadata, prefix),
        documents=_documents(metadata, prefix),
    )


def _ledger(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}ledger",
        metadata,
        Column("sequence", BigInteger, primary_key=True, autoincrement=False),
        Column("commit_id", String(80), nullable=False),
        Column("ticket_id", Words, nullable=False),
        Column("version", Integer, nullable=False),
        Column("at", Moment),
        Column("facts", Words, nullable=False),
        Column("chain", String(64), nullable=False),
        Column("stored", LargeBinary, nullable=False),
        Index(f"{prefix}ledger_of_ticket", "ticket_id", "sequence"),
    )


def _gaps(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}gaps",
        metadata,
        Column("sequence", BigInteger, primary_key=True, autoincrement=False),
        Column("ticket_id", Words, nullable=False),
        Column("reason", Words, nullable=False),
    )


def _tickets(metadata: MetaData, prefix: str) -> Table:
    table = Table(
        f"{prefix}tickets",
        metadata,
        Column("id", Words, primary_key=True),
        Column("opening", BigInteger, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("subject", Words, nullable=False),
        Column("status", String(16), nullable=False),
        Column("priority", String(16), nullable=False),
        Column("priority_rank", Integer, nullable=False),
        Column("ticket_type", String(16)),
        Column("tags", Listing, nullable=False),
        Column("channel", Words, nullable=False),
        Column("channel_id", Words),
        Column("requester_id", Words, nullable=False),
        Column("requester_name", Words, nullable=False),
        Column("requester_address", Words, nullable=False),
        Column("team_id", Words),
        Column("assignee_id", Words),
        Column("excerpt", Words, nullable=False),
        Column("excerpt_of", Words, nullable=False),
        Column("message_count", Integer, nullable=False),
        Column("last_message_by", String(8), nullable=False),
        Column("last_message_at", Moment, nullable=False),
        Column("opened_at", Moment, nullable=False),
        Column("updated_at", Moment, nullable=False),
        Column("first_response_at", Moment),
        Column("solved_at", Moment),
        Column("closed_at", Moment),
        Column("snoozed_until", Moment),
        Column("merged_into", Words),
        Column("clocks", Listing, nullable=False),
        Column("due_at", Moment),
        Column("breached", Boolean, nullable=False),
        Column("fields", JSON, nullable=False),
        Column("followers", Listing, nullable=False),
        Column("links", Listing, nullable=False),
        Column("tasks", Listing, nullable=False),
        Column("answers", Listing, nullable=False),
        Column("seconds_logged", BigInteger, nullable=False),
        Column("rating", Integer),
        Column("cc", Listing, nullable=False),
        Column("follow_up_of", Words),
        postgresql_with={"fillfactor": 70},  # room for the next version of a row beside it
    )
    _index_tickets(table, prefix)
    return table


def _index_tickets(table: Table, prefix: str) -> None:
    columns = table.c
    indexes: dict[str, list[Any]] = {
        "opening": [columns.opening],
        "number": [columns.number],
        "updated": [columns.updated_at, columns.number],
        "opened": [columns.opened_at, columns.number],
        "due": [due_order(table), columns.number],
        "priority": [columns.priority_rank, columns.number],
        "status": [columns.status, columns.updated_at, columns.number],
        "assignee": [columns.assignee_id, columns.status, columns.updated_at, columns.number],
        "team": [columns.team_id, columns.status, columns.updated_at, columns.number],
        "requester": [columns.requester_id, columns.updated_at, columns.number],
    }
    for name, expressions in indexes.items():
        Index(f"{prefix}tickets_by_{name}", *expressions)


def due_order(table: Table) -> ColumnElement[int]:
    """When a ticket is due, for sorting: what has no due time comes last."""
    return func.coalesce(table.c.due_at, literal_column(str(LATEST)), type_=BigInteger)


def _tags(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}tags",
        metadata,
        Column("tag", Words, primary_key=True),
        Column("ticket_id", Words, primary_key=True),
        Index(f"{prefix}tags_of_ticket", "ticket_id"),
    )


def _timeline(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}timeline",
        metadata,
        Column("ticket_id", Words, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("sequence", BigInteger, nullable=False),
        Column("at", Moment, nullable=False),
        Column("actor_kind", String(16), nullable=False),
        Column("actor_id", Words, nullable=False),
        Column("kind", String(8), nullable=False),
        Column("fact", String(64), nullable=False),
        Column("correlation_id", Words, nullable=False),
        Column("causation_id", Words),
        Column("message_id", Words),
        Column("author_id", Words),
        Column("author_name", Words, nullable=False),
        Column("author_address", Words, nullable=False),
        Column("subject", Words, nullable=False),
        Column("text", Words, nullable=False),
        Column("html", Words),
        Column("quoted", Words),
        Column("signature", Words),
        Column("attachments", Listing, nullable=False),
        Column("delivery", String(16), nullable=False),
        Column("delivery_reason", Words, nullable=False),
        Column("redacted", Boolean, nullable=False),
        Column("moved_to", Words),
        Column("details", Listing, nullable=False),
    )


def _people(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}people",
        metadata,
        Column("id", Words, primary_key=True),
        Column("name", Words, nullable=False),
        Column("address", Words, nullable=False),
        Column("last_seen_at", Moment, nullable=False),
        Index(f"{prefix}people_by_last_seen", "last_seen_at", "id"),
    )


def _participations(metadata: MetaData, prefix: str) -> Table:
    """Under whose keys a ticket's facts are sealed: what an erasure has to look at."""
    return Table(
        f"{prefix}participations",
        metadata,
        Column("person_id", Words, primary_key=True),
        Column("ticket_id", Words, primary_key=True),
    )


def _documents(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}documents",
        metadata,
        Column("opening", BigInteger, primary_key=True, autoincrement=False),
        Column("ticket_id", Words, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("subject", Words, nullable=False),
        Column("people", Listing, nullable=False),
        Column("tags", Listing, nullable=False),
        Column("messages", Listing, nullable=False),
        postgresql_with={"fillfactor": 70},
    )
