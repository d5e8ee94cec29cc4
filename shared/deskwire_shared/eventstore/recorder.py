"""Carries a wish out on a ticket: load, decide, append; idempotent for life, patient with rivals."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakValueDictionary

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
from deskwire_shared.ticket.decider import decide, evolve_commit, fold
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket

ATTEMPTS = 4
"""The first try and three more after a conflict."""

PAUSE_SECONDS = 0.005
REMEMBERED = 1_000
"""Tickets kept in memory; some ten kilobytes each."""

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


@dataclass(frozen=True, slots=True)
class _Known:
    """A ticket and where its history ended when it was last seen."""

    ticket: Ticket
    tip: Tip


class Recorder:
    """Records commands on tickets of one event store.

    Tickets seen lately are remembered, so that most commands need no read: the append itself tells when
    memory was out of date. Commands on one ticket take turns within a process.
    """

    def __init__(self, store: EventStore, *, remembered: int = REMEMBERED) -> None:
        self._store = store
        self._limit = remembered
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ticket(self, ticket_id: str, *, at_least: int = 0) -> Ticket:
        """The ticket as of some moment not before the stream sequence `at_least`; 0 reads it as it is now."""
        known = self._remembered(ticket_id, at_least) if at_least else None
        return (known or await self._load(ticket_id, at_least=at_least)).ticket

    async def history(self, ticket_id: str) -> tuple[Ticket, History]:
        """The ticket as it is now, and all that made it so."""
        history = await self._store.load(ticket_id)
        return self._remember(_Known(fold(ticket_id, history.commits), history.tip)).ticket, history

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
        async with self._turns.setdefault(ticket_id, asyncio.Lock()):
            known = _Known(Ticket.unborn(ticket_id), UNWRITTEN) if unwritten else self._remembered(ticket_id, at_least)
            if known is not None:
                outcome = await self._try_from_memory(known, wish, cause, expected_version)
                if outcome is not None:
                    return outcome
            return await self._record(
                ticket_id, wish, cause, expected_version, fresh=known is not None, at_least=at_least
            )

    async def record_together(
        self, wishes: Mapping[str, Wish], cause: Cause, *, expected_versions: Mapping[str, int] | None = None
    ) -> dict[str, Outcome]:
        """Decide on several tickets and append all or nothing; the same promises as `record`."""
        for attempt in range(ATTEMPTS):
            known = {ticket_id: await self._load(ticket_id, fresh=attempt > 0) for ticket_id in wishes}
            if all(cause.command_id in seen.ticket.command_ids for seen in known.values()):
                return {ticket_id: await self._repeat(ticket_id, cause.command_id) for ticket_id in wishes}
            for ticket_id, expected in (expected_versions or {}).items():
                if known[ticket_id].ticket.version != expected:
                    await self._lost(ticket_id, cause, expected)
            decided = {ticket_id: _decide(wish, known[ticket_id].ticket) for ticket_id, wish in wishes.items()}
            commits = {i: _commit(known[i].ticket, facts, cause) for i, facts in decided.items() if facts}
            if not commits:
                return {i: Outcome(known[i].ticket, None, known[i].tip.sequence) for i in wishes}
            try:
                stored = await self._store.append_together([(c, known[i].tip) for i, c in commits.items()])
            except (Conflict, OutcomeUnknown):
                await asyncio.sleep(PAUSE_SECONDS * attempt)
            else:
                by_ticket = {entry.commit.ticket_id: entry for entry in stored}
                return {i: self._outcome(known[i], by_ticket.get(i)) for i in wishes}
        ticket_id = next(iter(wishes))
        raise VersionConflict(ticket_id, None, await self._store.load(ticket_id, fresh=True), ())

    async def _try_from_memory(
        self, known: _Known, wish: Wish, cause: Cause, expected_version: int | None
    ) -> Outcome | None:
        """One try on a ticket as remembered; None when only the log can tell."""
        ticket = known.ticket
        if cause.command_id in ticket.command_ids or expected_version not in (None, ticket.version):
            return None
        try:
            facts = _decide(wish, ticket)
            if facts:
                return self._outcome(known, await self._store.append(_commit(ticket, facts, cause), after=known.tip))
        except (Conflict, OutcomeUnknown, Refusal):
            self._known.pop(ticket.id, None)
        return None

    async def _record(
        self, ticket_id: str, wish: Wish, cause: Cause, expected_version: int | None, *, fresh: bool, at_least: int
    ) -> Outcome:
        first_version: int | None = None
        for attempt in range(ATTEMPTS):
            known = await self._load(ticket_id, fresh=fresh or attempt > 0, at_least=at_least)
            ticket = known.ticket
            first_version = ticket.version if first_version is None else first_version
            if cause.command_id in ticket.command_ids:
                return await self._repeat(ticket_id, cause.command_id)
            if expected_version not in (None, ticket.version):
                break
            facts = _decide(wish, ticket)
            if not facts:
                return Outcome(ticket, None, known.tip.sequence)
            try:
                return self._outcome(known, await self._store.append(_commit(ticket, facts, cause), after=known.tip))
            except (Conflict, OutcomeUnknown):
                await asyncio.sleep(PAUSE_SECONDS * attempt)
        return await self._lost(ticket_id, cause, first_version if expected_version is None else expected_version)

    async def _lost(self, ticket_id: str, cause: Cause, expected: int | None) -> Outcome:
        """Our last append may have arrived after all; otherwise tell what others did in between."""
        history = await self._store.load(ticket_id, fresh=True)
        if any(entry.commit.command_id == cause.command_id for entry in history.recorded):
            return await self._repeat(ticket_id, cause.command_id)
        since = tuple(entry for entry in history.recorded if entry.commit.version > (expected or 0))
        raise VersionConflict(ticket_id, expected, history, since)

    async def _repeat(self, ticket_id: str, command_id: str) -> Outcome:
        history = await self._store.load(ticket_id, fresh=True)
        recorded = next(entry for entry in history.recorded if entry.commit.command_id == command_id)
        return Outcome(fold(ticket_id, history.commits), recorded, recorded.sequence, repeated=True)

    async def _load(self, ticket_id: str, *, fresh: bool = False, at_least: int = 0) -> _Known:
        history = await self._store.load(ticket_id, fresh=fresh, at_least=at_least)
        return self._remember(_Known(fold(ticket_id, history.commits), history.tip))

    def _outcome(self, known: _Known, recorded: Recorded | None) -> Outcome:
        if recorded is None:
            return Outcome(known.ticket, None, known.tip.sequence)
        commit = recorded.commit
        ticket = evolve_commit(known.ticket, commit)
        self._remember(_Known(ticket, Tip(recorded.sequence, commit.version, commit.chain)))
        return Outcome(ticket, recorded, recorded.sequence)

    def _remembered(self, ticket_id: str, at_least: int) -> _Known | None:
        known = self._known.get(ticket_id)
        return known if known is not None and known.tip.sequence >= at_least else None

    def _remember(self, known: _Known) -> _Known:
        self._known[known.ticket.id] = known
        self._known.move_to_end(known.ticket.id)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return known


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
