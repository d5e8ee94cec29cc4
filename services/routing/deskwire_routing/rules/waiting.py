"""Rules that time sets off: a timer for each ticket and rule, set while the ticket is in the status to be waited in.

A timer is a hint. When it fires, the ticket and the rule are looked at as they are then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deskwire_routing.actors import BY_RULE, ROUTING
from deskwire_routing.news import DirectoryNews
from deskwire_routing.rules.applying import StandingRule
from deskwire_routing.rules.lineage import lineage_of
from deskwire_routing.rules.occasions import stay_of
from deskwire_routing.rules.ruling import Ruling
from deskwire_routing.timers import TimerStore
from deskwire_routing.workload.live import LiveWorkload
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import Opened, StatusChanged
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.eventstore.plain_facts import PlainCommit
from deskwire_shared.eventstore.port import History
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.state import Ticket

TIMER: Final = "rule-"
"""What the names of these timers begin with; the rule's id follows."""

AT_ONCE: Final = 64
SOON: Final = timedelta(seconds=1)
"""When tickets are looked at after a rule or calendar has changed: by then every replica knows of it."""

_BEGINNINGS: Final = frozenset(str(model.model_fields["type"].default) for model in (Opened, StatusChanged))


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Sets the timers of rules, and lets the rules act when they fire."""

    ruling: Ruling
    timers: TimerStore
    workload: LiveWorkload
    news: DirectoryNews
    log_end: Callable[[], Awaitable[int]]
    """Tells the last place in the log of tickets."""

    async def on_commit(self, sequence: int, commit: PlainCommit) -> None:
        """Set the timers for a stay in a status that has begun."""
        rules = self.ruling.book.waiting()
        if not rules or not any(fact["type"] in _BEGINNINGS for fact in commit.facts):
            return
        ticket = await self.ruling.recorder.ticket(commit.ticket_id, at_least=sequence)
        for standing in rules:
            if (due := due_of(standing, ticket)) is not None:
                await self.timers.set(ticket.id, f"{TIMER}{standing.id}", due)

    async def on_timer(self, ticket_id: str, name: str, now: datetime) -> None:
        """Let a rule act on a ticket that has stayed in its status long enough."""
        standing = self._rule(name.removeprefix(TIMER))
        if standing is None or standing.rule.wait is None:
            return
        history = await self.ruling.store.load(ticket_id, fresh=True)
        ticket = fold(ticket_id, history.commits)
        due, stay = due_of(standing, ticket), stay_of(ticket, standing.rule.wait)
        if due is None or stay is None:
            return
        if now < due:
            await self.timers.set(ticket_id, name, due)
            return
        began = _beginning(history)
        command_id = derived_id(ROUTING, ticket_id, stay.name, standing.id)
        cause = Cause(command_id, BY_RULE, now, began.correlation_id, began.commit_id)
        await self.ruling.put(stay, [standing], ticket, lineage_of(history.commits, began.commit_id), cause)

    async def on_rule(self, heard: Heard) -> None:
        """Have the tickets looked at that a changed rule may concern."""
        standing = self._rule(await self.news.about(heard))
        if standing is not None:
            await self._look_again(standing)

    async def on_calendar(self, heard: Heard) -> None:
        """Have the tickets looked at whose time is counted in the hours of a changed calendar."""
        calendar_id = await self.news.about(heard)
        for standing in self.ruling.book.waiting():
            if standing.rule.wait and standing.rule.wait.business_hours == calendar_id:
                await self._look_again(standing)

    async def _look_again(self, standing: StandingRule) -> None:
        if standing.rule.wait is None:
            return
        await self.workload.reached(await self.log_end())
        concerned = iter(self.workload.now.in_status(standing.rule.wait.status))
        name, at = f"{TIMER}{standing.id}", self.ruling.clock.now() + SOON

        async def set_some() -> None:
            for ticket_id in concerned:
                await self.timers.set(ticket_id, name, at)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(set_some())

    def _rule(self, rule_id: str) -> StandingRule | None:
        return next((standing for standing in self.ruling.book.waiting() if standing.id == rule_id), None)


def due_of(standing: StandingRule, ticket: Ticket) -> datetime | None:
    """When the present stay of a ticket has lasted long enough for a rule; None when no time will tell."""
    wait = standing.rule.wait
    stay = stay_of(ticket, wait) if wait else None
    if wait is None or stay is None or stay.status_since is None:
        return None
    long_enough = timedelta(minutes=wait.after_minutes)
    if wait.business_hours is None:
        return stay.status_since + long_enough
    return standing.hours.passed(stay.status_since, long_enough) if standing.hours else None


def _beginning(history: History) -> Commit:
    """The commit with which the present stay in a status began."""
    return next(
        commit
        for commit in reversed(history.commits)
        if any(isinstance(fact, Opened | StatusChanged) for fact in commit.facts)
    )
