"""Carries a wish out on a ticket: load, decide, append; idempotent for life, patient with rivals."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import TicketFact
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.port import (
    UNWRITTEN,
    Conflict,
    EventStore,
    History,
    OutcomeUnknown,
    Recorded,
    Tip,
)
from deskwire_shared.ticket.commands import TicketCommand
from deskwire_shared.ticket.decider import decide, evolve, fold
from deskwire_shared.ticket.state import Ticket

ATTEMPTS = 4
"""The first try and three more after a conflict."""

Wish = Callable[[Ticket], TicketCommand | None]
"""What is wanted of a ticket as it is now; None when nothing is."""


class VersionConflict(Exception):
    """The ticket is not what the caller decided on; `since` is what happened in between."""

    def __init__(self, ticket_id: str, expected: int | None, history: History, since: tuple[Recorded, ...]) -> None:
        super().__init__(f"ticket {ticket_id} is at version {history.tip.version}, not {expected}")
        self.ticket_id = ticket_id
        self.expected = expected
        self.actual = history.tip.version
        self.since = since


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is recorded: who, when, and as a consequence of what.

    `command_id` makes the command idempotent: a ticket accepts it once, for life.
    """

    command_id: str
    actor: Actor
    at: datetime
    correlation_id: str = field(default_factory=new_id)
    causation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ticket afterwards; `recorded` is None when nothing had to change."""

    ticket: Ticket
    recorded: Recorded | None
    sequence: int
    repeated: bool = False


class Recorder:
    """Records commands on tickets of one event store."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def record(
        self,
        ticket_id: str,
        command: TicketCommand | Wish,
        cause: Cause,
        *,
        expected_version: int | None = None,
        at_least: int = 0,
        unwritten: bool = False,
    ) -> Outcome:
        """Decide a command on the ticket as it is now and append the facts.

        `unwritten` skips the first read for a ticket that should not exist yet. Raises the ticket's
        refusals, VersionConflict when `expected_version` does not hold or rivals keep being faster,
        and EventStoreError when the log cannot be reached.
        """
        wish = command if callable(command) else lambda _: command
        history = History(ticket_id) if unwritten else await self._store.load(ticket_id, at_least=at_least)
        first = history
        for attempt in range(ATTEMPTS):
            ticket = fold(ticket_id, history.commits)
            if cause.command_id in ticket.command_ids:
                return _repeat(ticket, history, cause.command_id)
            if expected_version is not None and ticket.version != expected_version:
                raise VersionConflict(ticket_id, expected_version, history, _after(history, expected_version))
            facts = _decide(wish, ticket)
            if not facts:
                return Outcome(ticket, None, history.tip.sequence)
            commit = _commit(ticket, facts, cause)
            try:
                recorded = await self._store.append(commit, after=history.tip)
            except (Conflict, OutcomeUnknown):
                await asyncio.sleep(0.005 * attempt)
                history = await self._store.load(ticket_id, fresh=True)
            else:
                return Outcome(_evolve(ticket, recorded.commit), recorded, recorded.sequence)
        ticket = fold(ticket_id, history.commits)
        if cause.command_id in ticket.command_ids:
            return _repeat(ticket, history, cause.command_id)
        raise VersionConflict(ticket_id, first.tip.version, history, _after(history, first.tip.version))

    async def record_together(self, wishes: dict[str, Wish], cause: Cause) -> dict[str, Outcome]:
        """Decide on several tickets and append all or nothing; the same promises as `record`."""
        for attempt in range(ATTEMPTS):
            histories = {ticket_id: await self._store.load(ticket_id, fresh=attempt > 0) for ticket_id in wishes}
            tickets = {ticket_id: fold(ticket_id, history.commits) for ticket_id, history in histories.items()}
            if all(cause.command_id in ticket.command_ids for ticket in tickets.values()):
                return {i: _repeat(tickets[i], histories[i], cause.command_id) for i in wishes}
            decided = {i: _decide(wish, tickets[i]) for i, wish in wishes.items()}
            commits = {i: _commit(tickets[i], facts, cause) for i, facts in decided.items() if facts}
            if not commits:
                return {i: Outcome(tickets[i], None, histories[i].tip.sequence) for i in wishes}
            try:
                stored = await self._store.append_together([(c, histories[i].tip) for i, c in commits.items()])
            except (Conflict, OutcomeUnknown):
                await asyncio.sleep(0.005 * attempt)
            else:
                return _outcomes(tickets, histories, stored)
        ticket_id = next(iter(wishes))
        raise VersionConflict(ticket_id, None, histories[ticket_id], ())


def _decide(wish: Wish, ticket: Ticket) -> list[TicketFact]:
    command = wish(ticket)
    return [] if command is None else decide(command, ticket)


def _commit(ticket: Ticket, facts: list[TicketFact], cause: Cause) -> Commit:
    return Commit(
        commit_id=new_id(),
        command_id=cause.command_id,
        ticket_id=ticket.id,
        version=ticket.version + len(facts),
        at=cause.at,
        actor=cause.actor,
        correlation_id=cause.correlation_id,
        causation_id=cause.causation_id,
        facts=tuple(facts),
    )


def _evolve(ticket: Ticket, commit: Commit) -> Ticket:
    for fact in commit.facts:
        ticket = evolve(ticket, fact, at=commit.at, actor=commit.actor)
    return ticket


def _after(history: History, version: int) -> tuple[Recorded, ...]:
    return tuple(entry for entry in history.recorded if entry.commit.version > version)


def _repeat(ticket: Ticket, history: History, command_id: str) -> Outcome:
    recorded = next(entry for entry in history.recorded if entry.commit.command_id == command_id)
    return Outcome(ticket, recorded, recorded.sequence, repeated=True)


def _outcomes(
    tickets: dict[str, Ticket], histories: dict[str, History], stored: tuple[Recorded, ...]
) -> dict[str, Outcome]:
    by_ticket = {entry.commit.ticket_id: entry for entry in stored}
    return {
        ticket_id: Outcome(
            _evolve(ticket, by_ticket[ticket_id].commit), by_ticket[ticket_id], by_ticket[ticket_id].sequence
        )
        if ticket_id in by_ticket
        else Outcome(ticket, None, histories[ticket_id].tip.sequence)
        for ticket_id, ticket in tickets.items()
    }


__all__ = ["UNWRITTEN", "Cause", "Outcome", "Recorder", "Tip", "VersionConflict", "Wish"]
