"""Chooses the search index that a database can carry."""

from deskwire_query.database import Database
from deskwire_query.search.port import SearchIndex
from deskwire_query.search.postgres import PostgresSearch
from deskwire_query.search.sqlite import SqliteSearch


def search_index(database: Database) -> SearchIndex:
    """Give the search index for a database."""
    return SqliteSearch() if database.dialect == "sqlite" else PostgresSearch()
