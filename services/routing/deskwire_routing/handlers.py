"""What routing does when it hears of something: it lets the rules act, then sees that team and agent are found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deskwire_routing.assignment.reactions import MOVES, Assignment
from deskwire_routing.rules.occasions import TRIGGERS
from deskwire_routing.rules.ruling import Ruling
from deskwire_routing.rules.waiting import TIMER, Waiting
from deskwire_shared.contracts.facts import CustomerReplied, Opened, Reopened
from deskwire_shared.eventstore.plain_facts import PlainCommit, plain_commit
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.process_manager import Heard

PLACED: Final = MOVES | {str(model.model_fields["type"].default) for model in (Opened, CustomerReplied, Reopened)}
"""The facts that may leave a ticket without its team or agent, by stored name."""

HEARD: Final = frozenset(TRIGGERS) | PLACED
"""The facts that routing reacts to, by stored name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Routing:
    """Finds the right team and the right agent for tickets."""

    ruling: Ruling
    waiting: Waiting
    assignment: Assignment
    clock: Clock

    async def on_commits(self, heard: Heard) -> None:
        """React to what happened to one ticket: first the rules, then whatever follows for queues and agents."""
        commits = [(message.sequence, plain_commit(message.data)) for message in heard.messages]
        for sequence, commit in commits:
            await self.ruling.on_commit(sequence, commit)
            await self.waiting.on_commit(sequence, commit)
        if _are_to_be_placed(commits):
            await self.assignment.on_commits(commits)

    async def on_calendar(self, heard: Heard) -> None:
        """React to changed business hours: rules wait in them, and agents work in them."""
        await self.waiting.on_calendar(heard)
        await self.assignment.on_calendar(heard)

    async def on_timers(self, heard: Heard) -> None:
        """Look at a ticket, a team or an agent whose time has come."""
        name = heard.subject.rpartition(".")[2]
        # By this machine's clock, but not before the server let the timer fire: it would be set again and again.
        now = max(self.clock.now(), heard.stored_at)
        if name.startswith(TIMER):
            await self.waiting.on_timer(heard.ticket_id, name, now)
        else:
            await self.assignment.on_alarm(heard.ticket_id, name, now)


def _are_to_be_placed(commits: Sequence[tuple[int, PlainCommit]]) -> bool:
    return any(fact["type"] in PLACED for _, commit in commits for fact in commit.facts)
