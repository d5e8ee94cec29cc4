"""The search index as its callers see it: fed by the projection, asked by the reader."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query.search.question import Chunk
from deskwire_query.tables import DeskTables

Document = Mapping[str, Any]

CANDIDATES: Final = 500
"""How many of the newest matches are ranked: a word that stands in every ticket must not cost a minute."""


class SearchIndex(Protocol):
    """The words of documents, and which tickets they lead to; every call is part of the caller's transaction.

    An index keeps nothing that cannot be computed from the documents again: `replace` and `remove` want
    the document exactly as it was indexed.
    """

    async def create(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """Make an empty index for a generation."""
        ...

    async def settle(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """Make an index that has been filled quick to ask."""
        ...

    async def drop(self, connection: AsyncConnection, tables: DeskTables) -> None:
        """Drop the index of a generation."""
        ...

    async def add(self, connection: AsyncConnection, tables: DeskTables, documents: Sequence[Document]) -> None:
        """Index documents that are not indexed yet."""
        ...

    async def remove(self, connection: AsyncConnection, tables: DeskTables, documents: Sequence[Document]) -> None:
        """Take indexed documents out."""
        ...

    async def find(
        self,
        connection: AsyncConnection,
        tables: DeskTables,
        chunks: Sequence[Chunk],
        *,
        among: ColumnElement[bool],
        limit: int,
    ) -> list[str]:
        """Find the ids of tickets with all the chunks, the most relevant and newest first.

        When no words fit, parts of numbers and addresses are looked for.
        """
        ...
