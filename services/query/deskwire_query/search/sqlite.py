"""Search on SQLite: two contentless FTS5 tables, one of words and one of trigrams for parts of ids and addresses.

https://www.sqlite.org/fts5.html; a contentless table forgets a row when it is told the row's old values.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, TableClause, column, func, insert, literal, literal_column, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query.search.analysis import SHORTEST_CODE, codes, searchable
from deskwire_query.search.port import CANDIDATES, Document
from deskwire_query.search.question import Chunk
from deskwire_query.tables import DeskTables

WEIGHTS: Final = (8.0, 5.0, 6.0, 1.0)
"""Of subject, people, labels and body."""
SAME_RELEVANCE: Final = 2.0
"""Scores that differ by less are as good as each other; then the newer ticket comes first."""

Row = dict[str, str | int]


class SqliteSearch:
    """A search index in FTS5."""

    async def create(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """See `SearchIndex.create`."""
        words, parts = _words(tables).name, _codes(tables).name
        await connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {words} USING fts5(subject, people, labels, body,"
            " content='', prefix='2 3', tokenize='unicode61 remove_diacritics 2')"
        )
        await connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {parts} USING fts5(codes, content='', tokenize='trigram')"
        )

    async def settle(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """See `SearchIndex.settle`."""
        for index in (_words(tables), _codes(tables)):
            await connection.execute(insert(index), [{index.name: "optimize"}])

    async def drop(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """See `SearchIndex.drop`."""
        for index in (_words(tables), _codes(tables)):
            await connection.exec_driver_sql(f"DROP TABLE IF EXISTS {index.name}")

    async def add(self, connection: AsyncConnection, tables: DeskTables, documents: Sequence[Document]) -> None:
        """See `SearchIndex.add`."""
        if documents:
            await connection.execute(insert(_words(tables)), [_words_row(document) for document in documents])
            await connection.execute(insert(_codes(tables)), [_codes_row(document) for document in documents])

    async def remove(self, connection: AsyncConnection, tables: DeskTables, documents: Sequence[Document]) -> None:
        """See `SearchIndex.remove`."""
        if documents:
            for index, row in ((_words(tables), _words_row), (_codes(tables), _codes_row)):
                gone = [{index.name: "delete", **row(document)} for document in documents]
                await connection.execute(insert(index), gone)

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
        words = _words(tables)
        relevance = func.round(func.bm25(literal_column(words.name), *WEIGHTS) / SAME_RELEVANCE)
        matches = _match(words, " ".join(_phrase(chunk) for chunk in chunks))
        found = await _newest(connection, tables, words, matches, relevance, among=among, limit=limit)
        if not found and all(chunk.prefix and len(chunk.text) >= SHORTEST_CODE for chunk in chunks):
            parts = _codes(tables)
            within = _match(parts, " ".join(_quoted(chunk.text) for chunk in chunks))
            found = await _newest(connection, tables, parts, within, literal(0), among=among, limit=limit)
        return found


@cache
def _table(name: str, *columns: str) -> TableClause:
    """Describe a virtual table; commands to FTS5 are written into the column of its own name."""
    return table(name, column(name), column("rowid"), *(column(each) for each in columns))


def _words(tables: DeskTables) -> TableClause:
    return _table(tables.search_name("words"), "subject", "people", "labels", "body")


def _codes(tables: DeskTables) -> TableClause:
    return _table(tables.search_name("codes"), "codes")


def _match(index: TableClause, words: str) -> ColumnElement[bool]:
    return literal_column(index.name).bool_op("MATCH")(literal(words))


async def _newest(
    connection: AsyncConnection,
    tables: DeskTables,
    index: TableClause,
    matches: ColumnElement[bool],
    relevance: ColumnElement[Any],
    *,
    among: ColumnElement[bool],
    limit: int,
) -> list[str]:
    """Rank the newest matches."""
    tickets = tables.tickets.c
    newest = (
        select(tickets.id, relevance.label("relevance"), tickets.updated_at)
        .select_from(index.join(tables.tickets, tickets.opening == index.c.rowid))
        .where(matches, among)
        .order_by(index.c.rowid.desc())
        .limit(CANDIDATES)
    )
    ranked = newest.subquery()
    best = select(ranked.c.id).order_by(ranked.c.relevance, ranked.c.updated_at.desc()).limit(limit)
    return list((await connection.execute(best)).scalars())


def _phrase(chunk: Chunk) -> str:
    quoted = _quoted(" ".join(chunk.words))
    return f"{quoted} *" if chunk.prefix else quoted


def _quoted(words: str) -> str:
    """Quote as FTS5 strings are: inside, nothing is an operator."""
    return '"' + words.replace('"', '""') + '"'


def _words_row(document: Document) -> Row:
    return {
        "rowid": document["opening"],
        "subject": searchable([document["subject"]]),
        "people": searchable(document["people"]),
        "labels": searchable([str(document["number"]), *document["tags"]]),
        "body": searchable(said for _, said in document["messages"]),
    }


def _codes_row(document: Document) -> Row:
    said = (said for _, said in document["messages"])
    return {
        "rowid": document["opening"],
        "codes": codes([document["subject"], *document["people"], *document["tags"], *said]),
    }
