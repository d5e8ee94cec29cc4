"""Lets business rules act on an occasion: asks them, and records what they wish for in one commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from structlog import get_logger

from deskwire_routing.actors import BY_RULE, ROUTING
from deskwire_routing.rules.applying import Application, Setting, StandingRule, applied
from deskwire_routing.rules.lineage import FIRST, Lineage, lineage_of
from deskwire_routing.rules.occasions import Occasion, occasions_in
from deskwire_routing.rules.rule_book import RuleBook
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.staff import staff_of
from deskwire_shared.directory.surroundings import surroundings_of
from deskwire_shared.eventstore.numbers import Numbers
from deskwire_shared.eventstore.plain_facts import PlainCommit
from deskwire_shared.eventstore.port import EventStore
from deskwire_shared.eventstore.recorder import Cause, Recorder, Wish
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.ticket.actions import FollowUp, opening
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.state import Ticket

MACHINES: Final = frozenset({"rule", "system", "integration"})

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """Puts occasions to the rules."""

    store: EventStore
    recorder: Recorder
    directory: Directory
    book: RuleBook
    numbers: Numbers
    clock: Clock

    async def on_commit(self, sequence: int, commit: PlainCommit) -> None:
        """Let the rules act on what happened; the name of an occasion lets that happen once for life."""
        for occasion in occasions_in(commit):
            if rules := self.book.on(occasion.trigger):
                ticket = await self.recorder.ticket(commit.ticket_id, at_least=sequence)
                command_id = derived_id(ROUTING, ticket.id, occasion.name)
                cause = Cause(command_id, BY_RULE, self.clock.now(), commit.correlation_id, commit.commit_id)
                await self.put(occasion, rules, ticket, await self._lineage(sequence, commit), cause)

    async def put(
        self, occasion: Occasion, rules: Sequence[StandingRule], ticket: Ticket, lineage: Lineage, cause: Cause
    ) -> None:
        """Put an occasion to rules, all of which act in one commit."""
        asking = _Asking(rules, occasion, await self._setting(ticket, rules, lineage, cause.at))
        wish = asking.wish(ticket)
        _log(asking.applications)
        if wish is not None or asking.unnumbered:
            await self._record(asking, ticket.id, cause)

    async def _record(self, asking: "_Asking", ticket_id: str, cause: Cause) -> None:
        """Record what the rules wish for; on a ticket that has changed they may wish for other follow-ups."""
        while True:
            for follow_up_id in asking.unnumbered:
                asking.numbers[follow_up_id] = await self.numbers.take(follow_up_id)
            openings: dict[str, Wish] = {one.ticket_id: asking.opening_of(one.ticket_id) for one in asking.follow_ups}
            if openings:
                await self.recorder.record_together({ticket_id: asking.wish, **openings}, cause)
            else:
                await self.recorder.record(ticket_id, asking.wish, cause)
            if not asking.unnumbered:
                return

    async def _setting(self, ticket: Ticket, rules: Iterable[StandingRule], lineage: Lineage, at: datetime) -> Setting:
        asked = [standing.rule.conditions for standing in rules]
        surroundings = await surroundings_of(ticket, self.directory, asked, at=at)
        return Setting(surroundings=surroundings, staff=staff_of(self.directory), lineage=lineage, at=at)

    async def _lineage(self, sequence: int, commit: PlainCommit) -> Lineage:
        if commit.actor.kind not in MACHINES:
            return FIRST
        return lineage_of((await self.store.load(commit.ticket_id, at_least=sequence)).commits, commit.commit_id)


@dataclass(slots=True)
class _Asking:
    """Rules that are asked again whenever the ticket turns out to have changed, and what they wished for last."""

    rules: Sequence[StandingRule]
    occasion: Occasion
    setting: Setting
    numbers: dict[str, int] = field(default_factory=dict)
    """Of the follow-ups, by their ids, as far as they were taken."""
    ticket: Ticket | None = None
    applications: tuple[Application, ...] = ()

    @property
    def follow_ups(self) -> list[FollowUp]:
        """The tickets that are to be opened along."""
        return [one for application in self.applications for one in application.follow_ups]

    @property
    def unnumbered(self) -> list[str]:
        """The follow-ups for which a number has to be taken before anything can be recorded."""
        return [one.ticket_id for one in self.follow_ups if one.ticket_id not in self.numbers]

    def wish(self, ticket: Ticket) -> Several | None:
        """What the rules wish for the ticket as it is now; nothing while a follow-up has no number."""
        self.ticket = ticket
        self.applications = applied(self.rules, ticket, self.occasion, replace(self.setting, numbers=self.numbers))
        commands = tuple(command for application in self.applications for command in application.commands)
        return Several(commands=commands) if commands and not self.unnumbered else None

    def opening_of(self, ticket_id: str) -> Wish:
        """What is wished for a follow-up: to be opened, if the rules still wish for it."""

        def wish(_: Ticket) -> Several | None:
            wanted = next((one for one in self.follow_ups if one.ticket_id == ticket_id), None)
            if wanted is None or self.ticket is None or self.unnumbered:
                return None
            return opening(wanted, self.ticket, self.numbers[ticket_id])

        return wish


def _log(applications: Iterable[Application]) -> None:
    for application in applications:
        about = {"rule": application.rule_id, "revision": application.revision}
        if application.stopped:
            log.warning("rule was stopped", why=application.stopped, **about)
        if application.troubles:
            log.warning(
                "rule held but could not do everything",
                acted=application.acted,
                troubles=application.troubles,
                **about,
            )
