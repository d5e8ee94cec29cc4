"""Checks whether the history of one ticket holds together and leads to what was projected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pydantic_core import from_json
from sqlalchemy import JSON, Table

from deskwire_query.database import write_json
from deskwire_query.projections import inbox, search, timeline
from deskwire_query.projections.timeline import Amendment
from deskwire_query.tables import DeskTables, Words
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.eventstore.codec import Codec, chain_of, verify_link
from deskwire_shared.eventstore.port import GENESIS, BrokenHistory

LONGEST_VALUE: Final = 60
NUL: Final = "\ufffd"
"""What stands in the database for the character that PostgreSQL cannot hold."""

Row = Mapping[str, Any]


class LedgerEntry(NamedTuple):
    """A commit as the ledger holds it."""

    sequence: int
    stored: bytes


@dataclass(slots=True)
class Projected:
    """What the read models hold of one ticket."""

    ticket: Row | None = None
    document: Row | None = None
    entries: dict[int, Row] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)


async def check_ticket(
    ticket_id: str, history: Sequence[LedgerEntry], found: Projected, tables: DeskTables, codec: Codec
) -> list[str]:
    """List what is wrong with a ticket."""
    differences = list(_broken_links(history))
    commits: list[tuple[int, Commit]] = []
    for entry in history:
        try:
            commit = await codec.decode(entry.stored)
        except BrokenHistory as error:
            differences.append(f"commit {entry.sequence} cannot be read: {error}")
        else:
            if commit.ticket_id == ticket_id:
                commits.append((entry.sequence, commit))
            else:
                differences.append(f"commit {entry.sequence} is of ticket {commit.ticket_id}")
    return [*differences, *_gaps(commits), *_wrongly_projected(commits, found, tables)]


def _broken_links(history: Sequence[LedgerEntry]) -> Iterator[str]:
    previous: str | None = GENESIS
    for entry in history:
        try:
            if previous is not None and not verify_link(previous, entry.stored):
                yield f"the chain breaks at commit {entry.sequence}: it was changed, or the one before it was"
            previous = chain_of(entry.stored)
        except (ValueError, KeyError, TypeError, AttributeError):
            previous = None  # told when it is decoded; the next link cannot be checked


def _gaps(commits: Sequence[tuple[int, Commit]]) -> Iterator[str]:
    version = 0
    for sequence, commit in commits:
        if commit.first_version != version + 1:
            yield f"commit {sequence} starts at version {commit.first_version}, behind version {version}"
        version = commit.version


def _wrongly_projected(commits: Sequence[tuple[int, Commit]], found: Projected, tables: DeskTables) -> Iterator[str]:
    row: inbox.Row | None = None
    document: search.Document | None = None
    entries: dict[int, dict[str, Any]] = {}
    for sequence, commit in commits:
        row = inbox.project(row, commit, sequence=sequence)
        document = search.project(document, commit, sequence=sequence)
        _note(entries, commit, sequence)
    yield from _compare(tables.tickets, row, found.ticket, "")
    yield from _compare(tables.documents, document, found.document, "search document, ")
    for version in sorted(entries.keys() | found.entries.keys()):
        yield from _compare(
            tables.timeline, entries.get(version), found.entries.get(version), f"timeline at version {version}, "
        )
    tags = {tag.replace("\0", NUL) for tag in row["tags"]} if row else set()
    if tags != found.tags:
        yield f"tags are {sorted(found.tags)} in the read models, {sorted(tags)} by its history"


def _note(entries: dict[int, dict[str, Any]], commit: Commit, sequence: int) -> None:
    for noted in timeline.project(commit, sequence=sequence):
        if not isinstance(noted, Amendment):
            entries[noted["version"]] = noted
            continue
        for entry in entries.values():
            if entry["message_id"] == noted.message_id and entry["kind"] != "change":
                entry.update(noted.changes)


def _compare(table: Table, expected: Row | None, found: Row | None, where: str) -> Iterator[str]:
    if expected is None or found is None:
        if expected is not found:
            yield f"{where}{'stands' if found else 'is missing'} in the read models, against its history"
        return
    for column in table.c:
        wanted = _as_stored(column.type, expected[column.name])
        if wanted != found[column.name]:
            yield (
                f"{where}{column.name} is {_shown(found[column.name])} in the read models,"
                f" {_shown(wanted)} by its history"
            )


def _as_stored(kind: object, value: Any) -> Any:
    """Give a value as it comes back from the database."""
    if isinstance(kind, Words):
        return value.replace("\0", NUL) if value else value
    return from_json(write_json(value)) if isinstance(kind, JSON) else value


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[:LONGEST_VALUE]}…"
