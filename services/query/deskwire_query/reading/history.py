"""Reads the ledger: a ticket as of any moment, and commits by cursor.

What was redacted stays hidden at every moment, also before it was.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from functools import reduce
from typing import Any, Final

from pydantic_core import to_jsonable_python

from deskwire_query.reading.read_models import TicketNotFound
from deskwire_query.reading.reader import LedgerRow, Reader
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import AnyFact
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.port import BrokenHistory
from deskwire_shared.ticket.decider import evolve
from deskwire_shared.ticket.state import Ticket
from deskwire_shared.ticket.transcript import hidden, with_messages

MOST_COMMITS: Final = 5_000
HIDDEN: Final[dict[str, Any]] = {
    "text": "", "subject": "", "html": None, "quoted": None, "signature": None, "attachments": [],
}  # fmt: skip
"""What stands in the place of redacted words."""
SHOWN: Final = tuple(
    field.name
    for field in fields(Ticket)
    if field.name not in {"command_ids", "participants", "participant_addresses", "merged_sources", "rules_applied"}
)

Hidden = frozenset[tuple[str, str]]


class HistoryTooLong(ValueError):
    """A ticket has more commits than are folded for one answer."""


async def ticket_as_of(reader: Reader, codec: Codec, ticket_id: str, at: datetime | None) -> Ticket:
    """Fold a ticket as it was at a moment.

    Raises TicketNotFound when it did not exist yet, and HistoryTooLong.
    """
    ticket = reduce(_carry_on, await commits_of(reader, codec, ticket_id, at), Ticket.unborn(ticket_id))
    if not ticket.exists:
        raise TicketNotFound(ticket_id)
    secret = {message_id for _, message_id in await reader.redacted([ticket_id])}
    return with_messages(ticket, secret, hidden)


async def commits_of(reader: Reader, codec: Codec, ticket_id: str, until: datetime | None = None) -> list[Commit]:
    """Give a ticket's commits up to a moment. Raises HistoryTooLong."""
    rows = await reader.history(ticket_id, until=until, limit=MOST_COMMITS + 1)
    if len(rows) > MOST_COMMITS:
        raise HistoryTooLong(f"the ticket has more than {MOST_COMMITS} commits")
    return await _decoded(rows, codec)


async def events_after(reader: Reader, codec: Codec, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Give the commits behind a sequence, readable, in the order of the log."""
    rows = await reader.commits(after=after, limit=limit)
    secret = await reader.redacted([*{row.ticket_id for row in rows}])
    return [await _event(row, codec, secret) for row in rows]


async def _event(row: LedgerRow, codec: Codec, hidden_ones: Hidden) -> dict[str, Any]:
    try:
        commit = await codec.decode(row.stored)
    except BrokenHistory:
        return {"sequence": row.sequence, "ticket_id": row.ticket_id, "unreadable": True, "facts": []}
    envelope = commit.model_dump(mode="json", exclude={"facts", "command_id"})
    facts = [
        _fact(fact, secret=(row.ticket_id, getattr(fact, "message_id", "")) in hidden_ones) for fact in commit.facts
    ]
    return {"sequence": row.sequence, **envelope, "facts": facts}


def readable(ticket: Ticket) -> dict[str, Any]:
    """Give a ticket as JSON, without what only decisions need."""
    return {name: to_jsonable_python(getattr(ticket, name)) for name in SHOWN}


def _carry_on(ticket: Ticket, commit: Commit) -> Ticket:
    """Fold without regard to gaps: what is there is shown."""
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=commit.at, actor=commit.actor), commit.facts, ticket)


async def _decoded(rows: Sequence[LedgerRow], codec: Codec) -> list[Commit]:
    return [await codec.decode(row.stored) for row in rows]


def _fact(fact: AnyFact, *, secret: bool) -> dict[str, Any]:
    said = fact.model_dump(mode="json")
    return {**said, **{name: value for name, value in HIDDEN.items() if name in said}} if secret else said
