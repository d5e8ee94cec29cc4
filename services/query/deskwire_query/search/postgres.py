"""Search on PostgreSQL: a tsvector made by our own analysis, and trigrams where pg_trgm can be had.

The vector is written out word by word, so that both databases cut texts in the same way and no parser
or dictionary of the server has a say.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable, DropTable
from structlog import get_logger

from deskwire_query.search.analysis import SHORTEST_CODE, codes, words
from deskwire_query.search.port import CANDIDATES, Document
from deskwire_query.search.question import Chunk
from deskwire_query.tables import DeskTables, Words

LAST_POSITION: Final = 16_383
"""PostgreSQL counts words no further."""
MOST_LEXEMES: Final = 20_000
"""A vector holds a megabyte at most."""
APART: Final = 10
"""Positions between two sections, so that no phrase leads from one into the other."""
FINENESS: Final = 16
"""Ranks that agree when multiplied by this and rounded are as good as each other; then the newer comes first."""

log = get_logger(__name__)


class PostgresSearch:
    """A search index in a table with a tsvector."""

    async def create(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """See `SearchIndex.create`."""
        await connection.execute(CreateTable(_index(tables)))

    async def settle(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """See `SearchIndex.settle`."""
        name = _index(tables).name
        await connection.execute(text(f"CREATE INDEX {name}_words ON {name} USING gin (vector)"))
        if await _has_trigrams(connection):
            await connection.execute(text(f"CREATE INDEX {name}_codes ON {name} USING gin (codes gin_trgm_ops)"))
            people, parts = tables.people.name, "lower(name) gin_trgm_ops, lower(address) gin_trgm_ops"
            await connection.execute(text(f"CREATE INDEX {people}_by_parts ON {people} USING gin ({parts})"))
        await connection.execute(text(f"ANALYZE {name}"))

    async def drop(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """See `SearchIndex.drop`."""
        await connection.execute(DropTable(_index(tables), if_exists=True))

    async def add(self, connection: AsyncConnection, tables: DeskTables, documents: Sequence[Document]) -> None:
        """See `SearchIndex.add`."""
        if documents:
            vector = cast(bindparam("vector", type_=Text), TSVECTOR)
            statement = insert(_index(tables)).values(vector=vector)
            await connection.execute(statement, [_row(document) for document in documents])

    async def remove(self, connection: AsyncConnection, tables: DeskTables, documents: Sequence[Document]) -> None:
        """See `SearchIndex.remove`."""
        if documents:
            index = _index(tables)
            gone = delete(index).where(index.c.opening == bindparam("gone"))
            await connection.execute(gone, [{"gone": document["opening"]} for document in documents])

    async def find(
        self,
        connection: AsyncConnection,
        tables: DeskTables,
        chunks: Sequence[Chunk],
        *,
        among: ColumnElement[bool],
        limit: int,
    ) -> list[str]:
        """See `SearchIndex.find`."""
        index = _index(tables)
        query = cast(literal(_query(chunks), Text), TSQUERY)
        relevance = func.round(func.ts_rank(index.c.vector, query) * FINENESS)
        matches = index.c.vector.bool_op("@@")(query)
        found = await _newest(connection, tables, matches, relevance, among=among, limit=limit)
        if not found and all(chunk.prefix and len(chunk.text) >= SHORTEST_CODE for chunk in chunks):
            within = and_(*(index.c.codes.contains(chunk.text, autoescape=True) for chunk in chunks))
            found = await _newest(connection, tables, within, literal(0), among=among, limit=limit)
        return found


def _index(tables: DeskTables) -> Table:
    return _index_table(tables.search_name("index"))


@cache
def _index_table(name: str) -> Table:
    return Table(
        name,
        MetaData(),
        Column("opening", BigInteger, primary_key=True, autoincrement=False),
        Column("vector", TSVECTOR, nullable=False),
        Column("codes", Words, nullable=False),
    )


async def _has_trigrams(connection: AsyncConnection) -> bool:
    """Have pg_trgm made where we may; without it parts of ids are still found, only not fast."""
    try:
        async with connection.begin_nested():
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except DBAPIError as error:
        log.warning("no trigram index: the extension pg_trgm cannot be made here", error=str(error.orig))
        return False
    return True


async def _newest(
    connection: AsyncConnection,
    tables: DeskTables,
    matches: ColumnElement[bool],
    relevance: ColumnElement[Any],
    *,
    among: ColumnElement[bool],
    limit: int,
) -> list[str]:
    """Rank the newest matches."""
    tickets, index = tables.tickets.c, _index(tables)
    newest = (
        select(tickets.id, relevance.label("relevance"), tickets.updated_at)
        .select_from(index.join(tables.tickets, tickets.opening == index.c.opening))
        .where(matches, among)
        .order_by(index.c.opening.desc())
        .limit(CANDIDATES)
    )
    ranked = newest.subquery()
    best = select(ranked.c.id).order_by(ranked.c.relevance.desc(), ranked.c.updated_at.desc()).limit(limit)
    return list((await connection.execute(best)).scalars())


def _query(chunks: Sequence[Chunk]) -> str:
    return " & ".join(_phrase(chunk) for chunk in chunks)


def _phrase(chunk: Chunk) -> str:
    lexemes = [f"'{word}'" for word in chunk.words]
    if chunk.prefix:
        lexemes[-1] += ":*"
    return f"({' <-> '.join(lexemes)})"


def _row(document: Document) -> dict[str, str | int]:
    said = [said for _, said in document["messages"]]
    return {
        "opening": document["opening"],
        "vector": _vector(document, said),
        "codes": codes([document["subject"], *document["people"], *document["tags"], *said]),
    }


def _vector(document: Document, said: Iterable[str]) -> str:
    """Write a tsvector: `'cafe':1A 'paris':2A`."""
    sections = (
        ("A", [document["subject"], str(document["number"])]),
        ("B", document["tags"]),
        ("C", document["people"]),
        ("D", said),
    )
    places: dict[str, list[str]] = {}
    for word, place in _placed(sections):
        if word in places or len(places) < MOST_LEXEMES:
            places.setdefault(word, []).append(place)
    return " ".join(f"'{word}':{','.join(found)}" for word, found in places.items())


def _placed(sections: Iterable[tuple[str, Iterable[str]]]) -> Iterator[tuple[str, str]]:
    position = 0
    for weight, texts in sections:
        for piece in texts:
            for word in words(piece):
                position = min(position + 1, LAST_POSITION)
                yield word, f"{position}{weight}"
        position += APART
