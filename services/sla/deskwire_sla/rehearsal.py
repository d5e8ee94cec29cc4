"""What past tickets would have met and missed under draft policies: one pass over the log that touches nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.facts import FACTS, Metric, Opened, Priority, RequesterChanged, SlaBreached, SlaMet
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.surroundings import fields_of, surroundings_of
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import mentions
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.finding import sequence_at
from deskwire_sla.drafts import Draft, draft_terms
from deskwire_sla.handlers import HEARD
from deskwire_sla.policies import Terms
from deskwire_sla.reliving import Fate, Relived

BATCH: Final = 25
"""Commits between two breaths, so that a process that does other work is not held up."""

CLOCKS_DIFFER: Final = timedelta(hours=1)
"""A commit says when it happened by the clock of a service, the server by its own when it was stored."""

MOST_CHANGED: Final = 100
OPENED: Final = Opened.model_fields["type"].default
WANTED: Final = HEARD | {name for name, model in FACTS.items() if model in {SlaBreached, SlaMet}}
PERSONAL: Final = ("message.", "ticket.subject", "ticket.requester")
"""Fields that stand sealed in the log."""

Tell = Callable[[int, int], None]
"""Hears how many commits were read, and of how many."""


class TooManyTickets(ValueError):
    """More tickets than are rehearsed at once."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} tickets were opened in this span: choose a shorter one")


class Figures(BaseModel):
    """How often a promise was kept and missed, as it was noted and as the draft would have it."""

    model_config = ConfigDict(frozen=True)

    team_id: str | None
    priority: Priority
    metric: Metric
    kept: int = 0
    missed: int = 0
    draft_kept: int = 0
    draft_missed: int = 0


class ChangedFate(BaseModel):
    """A promise that the draft would have ended in another way; None was no promise, or has not ended."""

    model_config = ConfigDict(frozen=True)

    ticket_id: str
    number: int
    metric: Metric
    cycle: int
    recorded: Fate | None
    draft: Fate | None


class Rehearsal(BaseModel):
    """What a draft would have changed; of the changed promises only the first are named."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    until: datetime
    tickets: int
    commits: int
    facts: int
    figures: tuple[Figures, ...]
    changed: int
    first_changed: tuple[ChangedFate, ...]


async def rehearse_on(
    desk: Desk, draft: Draft, *, since: datetime, until: datetime, most_tickets: int, tell: Tell | None = None
) -> Rehearsal:
    """Rehearse a draft on the log of a desk. Raises DraftIncomplete or TooManyTickets."""
    rehearsing = Rehearsing(
        directory=desk.directory,
        codec=Codec(desk.keys),
        draft=draft,
        since=since,
        until=until,
        now=desk.clock.now(),
        most_tickets=most_tickets,
    )
    first = await sequence_at(desk, since - CLOCKS_DIFFER)
    follower = Follower(desk.connection, TICKETS, subjects=["ticket.>"], start=first)
    try:
        waiting = await follower.open()
        while rehearsing.commits < waiting:
            await rehearsing.take(await follower.batch(BATCH))
            if tell is not None:
                tell(rehearsing.commits, waiting)
            await asyncio.sleep(0)
    finally:
        await follower.close()
    return rehearsing.report()


@dataclass(kw_only=True)
class Rehearsing:
    """One rehearsal under way. Tickets opened from `since` until before `until` are lived through until `now`."""

    directory: Directory
    codec: Codec
    draft: Draft
    since: datetime
    until: datetime
    now: datetime
    most_tickets: int
    commits: int = field(init=False, default=0)
    facts: int = field(init=False, default=0)
    _terms: Mapping[str, Terms] = field(init=False)
    _asked: list[Conditions] = field(init=False)
    _with_keys: bool = field(init=False)
    _relived: dict[str, Relived] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Make the terms ready. Raises DraftIncomplete."""
        self._terms = draft_terms(self.draft, self.directory)
        self._asked = [one.policy.conditions for one in self._terms.values() if one.policy.active]
        self._with_keys = any(name.startswith(PERSONAL) for name in fields_of(self._asked))

    async def take(self, deliveries: Collection[Delivery]) -> None:
        """Go on in the log, which has to be read from the first ticket on. Raises TooManyTickets."""
        for delivery in deliveries:
            self.commits += 1
            ticket_id, names = delivery.subject.rpartition(".")[2], delivery.headers.get(FACTS_HEADER, "")
            self.facts += names.count(",") + 1
            if mentions(names, WANTED) and (ticket_id in self._relived or mentions(names, {OPENED})):
                await self._live(ticket_id, delivery.data)

    async def _live(self, ticket_id: str, raw: bytes) -> None:
        commit = await self.codec.decode(raw, unsealed=self._with_keys)
        if ticket_id not in self._relived:
            if not self.since <= commit.at < self.until:
                return
            if len(self._relived) >= self.most_tickets:
                raise TooManyTickets(self.most_tickets)
            self._relived[ticket_id] = Relived(ticket_id, self._terms)
        relived = self._relived[ticket_id]
        if requester_id := _requester(commit):
            ticket = replace(relived.ticket, requester_id=requester_id)
            relived.surroundings = await surroundings_of(ticket, self.directory, self._asked)
        relived.take(commit)

    def report(self) -> Rehearsal:
        """Tell what came of it, once the log has been read."""
        for relived in self._relived.values():
            relived.wait_until(self.now)
        changed = [change for relived in self._relived.values() for change in _changes(relived)]
        return Rehearsal(
            since=self.since,
            until=self.until,
            tickets=len(self._relived),
            commits=self.commits,
            facts=self.facts,
            figures=tuple(_figures(self._relived.values())),
            changed=len(changed),
            first_changed=tuple(changed[:MOST_CHANGED]),
        )


def _requester(commit: Commit) -> str | None:
    """Whose ticket it is from this commit on; None when it tells nothing of that."""
    for fact in reversed(commit.facts):
        if isinstance(fact, Opened):
            return fact.requester_id
        if isinstance(fact, RequesterChanged):
            return fact.after
    return None


def _changes(relived: Relived) -> Iterator[ChangedFate]:
    for run in sorted({*relived.recorded, *relived.rehearsed}):
        recorded, draft = relived.recorded.get(run), relived.rehearsed.get(run)
        if recorded != draft:
            metric, cycle = run
            ticket = relived.ticket
            yield ChangedFate(
                ticket_id=ticket.id, number=ticket.number, metric=metric, cycle=cycle, recorded=recorded, draft=draft
            )


def _figures(tickets: Iterable[Relived]) -> Iterator[Figures]:
    """Count by the team and the priority that tickets have in the end."""
    counts: Counter[tuple[str, Priority, Metric, str]] = Counter()
    for relived in tickets:
        place = relived.ticket.team_id or "", relived.ticket.priority
        counts.update((*place, metric, fate) for (metric, _), fate in relived.recorded.items())
        counts.update((*place, metric, f"draft_{fate}") for (metric, _), fate in relived.rehearsed.items())
    for team_id, priority, metric in sorted({key[:3] for key in counts}):
        fates = {fate: count for (*place, fate), count in counts.items() if place == [team_id, priority, metric]}
        yield Figures(team_id=team_id or None, priority=priority, metric=metric, **fates)
