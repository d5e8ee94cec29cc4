"""Writes many rows at once, column by column: what a general toolkit does value by value takes most of a rebuild."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, Final, Literal

from pydantic_core import to_json
from sqlalchemy import JSON, BigInteger, Boolean, Integer, LargeBinary, Table, Text, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from deskwire_query.database import write_json
from deskwire_query.tables import EPOCH, MICROSECOND, Listing, Moment, Words

Row = Mapping[str, Any]
Values = list[Any]
Conflict = Literal["replace", "keep"]


async def write_rows(
    connection: AsyncConnection, table: Table, rows: Collection[Row], *, on_conflict: Conflict = "replace"
) -> None:
    """Insert rows; where there is one already, it is replaced or kept."""
    if not rows:
        return
    columns = [_stored(column.type, values) for column, values in zip(table.c, _columns(table, rows), strict=True)]
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(_for_sqlite(table, on_conflict), list(zip(*columns, strict=True)))
    else:
        await connection.execute(_for_postgres(table, on_conflict), dict(zip(table.c.keys(), columns, strict=True)))


def _columns(table: Table, rows: Collection[Row]) -> Iterator[Values]:
    """Turn rows into the columns of their table; every table has two at least."""
    values = itemgetter(*table.c.keys())
    return map(list, zip(*map(values, rows), strict=True))


@cache
def _for_sqlite(table: Table, on_conflict: Conflict) -> str:
    """Give an insert of one row, for values in the order of the table's columns."""
    return str(_resolved(sqlite.insert(table), table, on_conflict).compile(dialect=sqlite.dialect()))


@cache
def _for_postgres(table: Table, on_conflict: Conflict) -> Any:
    """Give an insert of whole columns: one array each, however many rows."""
    arrays = [cast(bindparam(column.name, type_=ARRAY(kind)), ARRAY(kind)) for column, kind in _plain_types(table)]
    given = func.unnest(*arrays).table_valued(*table.c.keys(), name="given").render_derived()
    picked = [cast(given.c[column.name], column.type) for column in table.c]
    return _resolved(postgresql.insert(table).from_select(table.c.keys(), select(*picked)), table, on_conflict)


def _resolved(statement: Any, table: Table, on_conflict: Conflict) -> Any:
    keys = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    if on_conflict == "keep" or not others:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def _plain_types(table: Table) -> list[tuple[Any, TypeEngine[Any]]]:
    return [(column, next(plain for kind, plain in PLAIN if isinstance(column.type, kind))) for column in table.c]


PLAIN: Final[tuple[tuple[type[Any], TypeEngine[Any]], ...]] = (
    (Moment, BigInteger()),
    (Integer, BigInteger()),
    (Boolean, Boolean()),
    (LargeBinary, LargeBinary()),
    (object, Text()),
)
"""As what a column's values travel once they are converted."""


def _stored(kind: TypeEngine[Any], values: Values) -> Values:
    """Convert the values of a column as its type would one by one."""
    return next((convert(values) for known, convert in CONVERSIONS if isinstance(kind, known)), values)


def _moments(values: Values) -> Values:
    return [None if value is None else (value - EPOCH) // MICROSECOND for value in values]


def _words(values: Values) -> Values:
    return [value.replace("\0", "\ufffd") if value and "\0" in value else value for value in values]


def _listings(values: Values) -> Values:
    return ["[]" if value == [] else to_json(value).decode() for value in values]


def _json(values: Values) -> Values:
    return ["{}" if value == {} else write_json(value) for value in values]


CONVERSIONS: Final[tuple[tuple[type[Any], Callable[[Values], Values]], ...]] = (
    (Moment, _moments),
    (Words, _words),
    (Listing, _listings),
    (JSON, _json),
)
