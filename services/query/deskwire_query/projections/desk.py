"""Writes commits into one generation of tables, in the caller's transaction.

Rows of tickets seen lately are remembered between batches. That is safe for as long as the position moves
with every write: whoever was overtaken has to forget them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from deskwire_query.projections import inbox, ledger, people, search, timeline
from deskwire_query.projections.log import Logged, Stored
from deskwire_query.projections.timeline import Amendment, Entry
from deskwire_query.projections.writing import write_rows
from deskwire_query.search.port import SearchIndex
from deskwire_query.tables import DeskTables
from deskwire_shared.contracts.commit import Commit

Row = Mapping[str, Any]
Key = tuple[str, str]

REMEMBERED: Final = 1_000
"""Tickets whose rows are kept between batches."""
AT_ONCE: Final = 500
"""Ids in one question to the database."""


@dataclass(slots=True)
class Changes:
    """What a batch of commits makes of the tables."""

    ledger: list[Row] = field(default_factory=list)
    gaps: list[Row] = field(default_factory=list)
    entries: dict[tuple[str, int], Entry] = field(default_factory=dict)
    spoken: dict[Key, Entry] = field(default_factory=dict)
    """The entries of messages in this batch, by ticket and message."""
    amendments: dict[Key, dict[str, Any]] = field(default_factory=dict)
    """What becomes of messages of earlier batches."""
    people: dict[str, Row] = field(default_factory=dict)
    participations: set[Key] = field(default_factory=set)
    tickets: dict[str, Row] = field(default_factory=dict)
    tags_before: dict[str, Sequence[str]] = field(default_factory=dict)
    documents: dict[str, Row] = field(default_factory=dict)
    documents_before: dict[str, Row] = field(default_factory=dict)


class Desk:
    """One generation of tables and the rows remembered of it."""

    def __init__(
        self, tables: DeskTables, index: SearchIndex, *, indexed: bool = True, remembered: int = REMEMBERED
    ) -> None:
        self._tables = tables
        self._index = index
        self._indexed = indexed
        self._remembered = remembered
        self._tickets: dict[str, Row | None] = {}
        self._documents: dict[str, Row | None] = {}

    def forget(self) -> None:
        """Forget remembered rows: a transaction failed, or somebody else wrote."""
        self._tickets.clear()
        self._documents.clear()

    async def tickets_of(self, connection: AsyncConnection, person_id: str) -> list[str]:
        """Name the tickets with facts that are sealed under a person's key."""
        c = self._tables.participations.c
        return list((await connection.execute(select(c.ticket_id).where(c.person_id == person_id))).scalars())

    async def history(self, connection: AsyncConnection, ticket_ids: Sequence[str]) -> list[Stored]:
        """Read the commits of some tickets from the ledger, in the order of the log."""
        c = self._tables.ledger.c
        asked = select(c.sequence, c.ticket_id, c.stored).where(c.ticket_id.in_(ticket_ids)).order_by(c.sequence)
        return [Stored(row.sequence, row.ticket_id, row.stored) for row in await connection.execute(asked)]

    async def forget_person(self, connection: AsyncConnection, person_id: str) -> None:
        """Drop what is kept of a person beside their tickets."""
        people = self._tables.people
        await connection.execute(delete(people).where(people.c.id == person_id))

    async def clear(self, connection: AsyncConnection, ticket_ids: Sequence[str]) -> None:
        """Drop everything projected of some tickets; the ledger stays, to project them anew."""
        documents = self._tables.documents
        known = select(documents).where(documents.c.ticket_id.in_(ticket_ids))
        indexed = [dict(row) for row in (await connection.execute(known)).mappings()]
        await self._index.remove(connection, self._tables, indexed)
        for table, key in ((self._tables.tickets, "id"), *((t, "ticket_id") for t in self._by_ticket)):
            await connection.execute(delete(table).where(table.c[key].in_(ticket_ids)))
        for ticket_id in ticket_ids:
            self._tickets.pop(ticket_id, None)
            self._documents.pop(ticket_id, None)

    @property
    def _by_ticket(self) -> tuple[Table, ...]:
        return self._tables.timeline, self._tables.tags, self._tables.documents

    async def apply(self, connection: AsyncConnection, batch: Sequence[Logged]) -> frozenset[str]:
        """Write a batch and name the tickets in it."""
        await self._recall(connection, batch)
        changes = Changes()
        for logged in batch:
            changes.ledger.append(ledger.project(logged))
            if logged.commit is None:
                changes.gaps.append(_gap(logged, logged.reason))
            else:
                self._project(changes, logged, logged.commit)
        await self._write(connection, changes)
        self._trim()
        return frozenset(logged.ticket_id for logged in batch)

    def _project(self, changes: Changes, logged: Logged, commit: Commit) -> None:
        ticket_id = commit.ticket_id
        before = self._tickets.get(ticket_id)
        known_version = before["version"] if before else 0
        if commit.first_version != known_version + 1:
            changes.gaps.append(_gap(logged, f"version {commit.first_version} follows version {known_version}"))
        after = inbox.project(before, commit, sequence=logged.sequence)
        if after is not None:
            self._tickets[ticket_id] = changes.tickets[ticket_id] = after
            changes.tags_before.setdefault(ticket_id, before["tags"] if before else ())
        self._project_document(changes, logged.sequence, commit)
        for entry in timeline.project(commit, sequence=logged.sequence):
            _note(changes, entry)
        changes.participations.update((owner, ticket_id) for owner in people.key_owners(commit))
        for person in people.project(commit):
            _meet(changes, person)

    def _project_document(self, changes: Changes, sequence: int, commit: Commit) -> None:
        ticket_id = commit.ticket_id
        before = self._documents.get(ticket_id)
        after = search.project(before, commit, sequence=sequence)
        if after is None or after is before:
            return
        if before is not None and ticket_id not in changes.documents:  # else the index never held it
            changes.documents_before[ticket_id] = before
        self._documents[ticket_id] = changes.documents[ticket_id] = after

    async def _recall(self, connection: AsyncConnection, batch: Sequence[Logged]) -> None:
        """Read what is not remembered of the tickets in a batch."""
        tickets, documents = self._tables.tickets, self._tables.documents
        met = dict.fromkeys(logged.ticket_id for logged in batch)
        born = {logged.ticket_id for logged in batch if logged.commit and logged.commit.first_version == 1}
        await _recall(connection, tickets, tickets.c.id, self._tickets, met=met, born=born)
        await _recall(connection, documents, documents.c.ticket_id, self._documents, met=met, born=born)

    async def _write(self, connection: AsyncConnection, changes: Changes) -> None:
        tables = self._tables
        await write_rows(connection, tables.ledger, changes.ledger)
        await write_rows(connection, tables.gaps, changes.gaps)
        await write_rows(connection, tables.timeline, changes.entries.values())
        await _amend(connection, tables.timeline, changes.amendments)
        await write_rows(connection, tables.tickets, changes.tickets.values())
        await self._write_tags(connection, changes)
        await _upsert_people(connection, tables.people, changes.people.values())
        owners = [{"person_id": person_id, "ticket_id": ticket_id} for person_id, ticket_id in changes.participations]
        await write_rows(connection, tables.participations, owners, on_conflict="keep")
        await self._write_documents(connection, changes)

    async def _write_tags(self, connection: AsyncConnection, changes: Changes) -> None:
        tags = self._tables.tags
        changed = [i for i, before in changes.tags_before.items() if [*before] != changes.tickets[i]["tags"]]
        gone = [{"gone": i} for i in changed if changes.tags_before[i]]
        await _run(connection, delete(tags).where(tags.c.ticket_id == bindparam("gone")), gone)
        rows = [{"tag": tag, "ticket_id": i} for i in changed for tag in dict.fromkeys(changes.tickets[i]["tags"])]
        await write_rows(connection, tags, rows)

    async def _write_documents(self, connection: AsyncConnection, changes: Changes) -> None:
        await write_rows(connection, self._tables.documents, changes.documents.values())
        if self._indexed:
            await self._index.remove(connection, self._tables, [*changes.documents_before.values()])
            await self._index.add(connection, self._tables, [*changes.documents.values()])

    def _trim(self) -> None:
        for kept in (self._tickets, self._documents):
            for ticket_id in list(kept)[: max(0, len(kept) - self._remembered)]:
                del kept[ticket_id]


def _gap(logged: Logged, reason: str) -> Row:
    return {"sequence": logged.sequence, "ticket_id": logged.ticket_id, "reason": reason}


def _note(changes: Changes, noted: Entry | Amendment) -> None:
    if isinstance(noted, Amendment):
        _note_amendment(changes, noted)
        return
    changes.entries[noted["ticket_id"], noted["version"]] = noted
    if noted["kind"] != "change":
        changes.spoken[noted["ticket_id"], noted["message_id"]] = noted


def _note_amendment(changes: Changes, amendment: Amendment) -> None:
    """Amend an entry of this batch at once, one of an earlier batch in its table."""
    key = (amendment.ticket_id, amendment.message_id)
    spoken = changes.spoken.get(key)
    if spoken is None:
        spoken = changes.amendments.setdefault(key, {})
    spoken.update(amendment.changes)


def _meet(changes: Changes, person: Row) -> None:
    known = changes.people.get(person["id"], {})
    changes.people[person["id"]] = {**person, "name": person["name"] or known.get("name", "")}


async def _recall(
    connection: AsyncConnection,
    table: Table,
    key: Any,
    kept: dict[str, Row | None],
    *,
    met: Iterable[str],
    born: set[str],
) -> None:
    """Move the rows of the tickets that were met to the end of what is kept, where they stay longest."""
    unknown = []
    for ticket_id in met:
        if ticket_id in kept:
            kept[ticket_id] = kept.pop(ticket_id)
        elif ticket_id in born:
            kept[ticket_id] = None
        else:
            unknown.append(ticket_id)
    for start in range(0, len(unknown), AT_ONCE):
        asked = unknown[start : start + AT_ONCE]
        rows = (await connection.execute(select(table).where(key.in_(asked)))).mappings()
        found = {row[key.name]: dict(row) for row in rows}
        kept.update({ticket_id: found.get(ticket_id) for ticket_id in asked})


async def _run(connection: AsyncConnection, statement: Any, rows: Iterable[Row]) -> None:
    if rows := [*rows]:
        await connection.execute(statement, rows)


async def _upsert_people(connection: AsyncConnection, table: Table, rows: Iterable[Row]) -> None:
    """Keep a name that was told once when a later mail tells none."""
    statement = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    told = statement.excluded
    named = case((told.name == "", table.c.name), else_=told.name)
    changed = {"name": named, "address": told.address, "last_seen_at": told.last_seen_at}
    newer = told.last_seen_at >= table.c.last_seen_at
    await _run(connection, statement.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer), rows)


async def _amend(connection: AsyncConnection, table: Table, amendments: Mapping[Key, Row]) -> None:
    of_message = (table.c.ticket_id == bindparam("of_ticket"), table.c.message_id == bindparam("of_message"))
    statement = update(table).where(*of_message, table.c.kind != "change")
    alike: dict[frozenset[str], list[Row]] = {}
    for (ticket_id, message_id), changes in amendments.items():
        row = {"of_ticket": ticket_id, "of_message": message_id, **changes}
        alike.setdefault(frozenset(changes), []).append(row)
    for rows in alike.values():
        await connection.execute(statement, rows)
