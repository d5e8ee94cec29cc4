"""Rehearses draft rules on the log of a desk: one pass finds the tickets, then each is lived through by itself."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic_core import from_json

from deskwire_routing.rehearsal.rules.answers import Drafts
from deskwire_routing.rehearsal.rules.reliving import Past, Span, rehearse
from deskwire_routing.rehearsal.rules.report import Rehearsal, Report
from deskwire_routing.rules.applying import StandingRule
from deskwire_routing.rules.occasions import TRIGGERS, WAITED
from deskwire_routing.rules.rule_book import hours_of
from deskwire_shared.contracts.facts import Opened, RequesterChanged, RuleApplied
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.staff import staff_of
from deskwire_shared.directory.surroundings import Surroundings, fields_of, open_calendars, surroundings_of
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import mentions
from deskwire_shared.eventstore.port import BrokenHistory, EventStore, History
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.ticket.acting import Staff
from deskwire_shared.ticket.state import Ticket

DRAFT: Final = 0
"""The revision of a rule that is not stored."""

RULED: Final = str(RuleApplied.model_fields["type"].default)

Tell = Callable[[str, int, int], None]
"""Hears what is being done, how far it is, and how far it goes."""


class TooManyTickets(ValueError):
    """More tickets than are rehearsed at once."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} tickets are concerned: choose a shorter span")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Draft rules by id, in place of those that have the same ids now, or `alone`; and the span to try them on.

    `staff` is whom they can name, when that is not who is there today.
    """

    rules: Mapping[str, Rule]
    span: Span
    alone: bool = False
    staff: Staff | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """The history of a ticket, and the drafts that were tried on it."""

    history: History
    drafts: Drafts


Hear = Callable[[Tried], None]
"""Hears of each ticket on which drafts were tried."""


async def rehearse_on(
    desk: Desk, asked: Asked, *, most_tickets: int, tell: Tell | None = None, hear: Hear | None = None
) -> Rehearsal:
    """Rehearse drafts on the log of a desk. Raises TooManyTickets."""
    rules = _rules(asked, desk.directory)
    tell = tell or (lambda _, __, ___: None)
    follower = Follower(desk.connection, TICKETS, subjects=["ticket.>"])
    tickets = await _concerned(follower, rules, asked.span, most_tickets, tell)
    return await rehearse_tickets(
        tickets, rules, asked.span, store=desk.store, directory=desk.directory, tell=tell, hear=hear, staff=asked.staff
    )


async def rehearse_tickets(
    tickets: Iterable[str],
    rules: list[StandingRule],
    span: Span,
    *,
    store: EventStore,
    directory: Directory,
    tell: Tell,
    hear: Hear | None = None,
    staff: Staff | None = None,
) -> Rehearsal:
    """Rehearse rules on tickets, one after the other."""
    listed = list(tickets)
    report = Report(names={standing.id: standing.rule.name for standing in rules})
    for number, ticket_id in enumerate(listed, 1):
        history = await store.load(ticket_id)
        past = Past.of(ticket_id, history.commits)
        drafts = Drafts(rules, staff or staff_of(directory), await _surroundings(past, rules, directory))
        report.take(past.states[-1], rehearse(past, drafts, span))
        if hear is not None:
            hear(Tried(history, drafts))
        tell("trying the rules", number, len(listed))
        await asyncio.sleep(0)
    return report.closed(span.since, span.until)


def _rules(asked: Asked, directory: Directory) -> list[StandingRule]:
    drafts = [
        StandingRule(id=rule_id, revision=DRAFT, rule=rule, hours=hours_of(rule, directory))
        for rule_id, rule in asked.rules.items()
    ]
    present = {} if asked.alone else directory.all(Rule)
    others = [
        StandingRule(id=rule_id, revision=directory.revision(Rule, rule_id), rule=rule, hours=hours_of(rule, directory))
        for rule_id, rule in present.items()
        if rule_id not in asked.rules
    ]
    return drafts + others


async def _concerned(follower: Follower, rules: Iterable[StandingRule], span: Span, most: int, tell: Tell) -> list[str]:
    """Find the tickets on which rules acted in a span, or might have. Raises TooManyTickets."""
    concerned = _Concerned(rules, span)
    found: dict[str, None] = {}
    read = 0
    try:
        waiting = await follower.open()
        while read < waiting:
            for delivery in await follower.batch():
                read += 1
                if concerned.by(delivery):
                    found[delivery.subject.rpartition(".")[2]] = None
            if len(found) > most:
                raise TooManyTickets(most)
            tell("reading the log", read, waiting)
    finally:
        await follower.close()
    return list(found)


class _Concerned:
    """Tells which commits can matter to rules in a span; where time sets rules off, so can those before it."""

    def __init__(self, rules: Iterable[StandingRule], span: Span) -> None:
        triggers = {standing.rule.trigger for standing in rules if standing.rule.active}
        self._wanted = {name for name, trigger in TRIGGERS.items() if trigger in triggers} | {RULED}
        self._waits = WAITED in triggers
        self._span = span

    def by(self, delivery: Delivery) -> bool:
        """Whether a commit can matter."""
        if not self._waits and not mentions(delivery.headers.get(FACTS_HEADER, ""), self._wanted):
            return False
        at = _moment(delivery)
        return at in self._span or (self._waits and at < self._span.until)


def _moment(delivery: Delivery) -> datetime:
    try:
        return datetime.fromisoformat(from_json(delivery.data)["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenHistory(f"the commit at {delivery.sequence} has no time") from error


async def _surroundings(
    past: Past, rules: Iterable[StandingRule], directory: Directory
) -> Callable[[Ticket, datetime], Surroundings]:
    """Look up who stood behind a ticket, as the directory has them today; calendars are asked for each moment."""
    asked = [standing.rule.conditions for standing in rules]
    fields = fields_of(asked)
    people = {
        requester_id: await surroundings_of(replace(past.states[-1], requester_id=requester_id), directory, asked)
        for requester_id in _requesters(past)
    }

    def at_moment(ticket: Ticket, at: datetime) -> Surroundings:
        known = people.get(ticket.requester_id, Surroundings())
        return replace(known, calendars=open_calendars(fields, directory, at))

    return at_moment


def _requesters(past: Past) -> set[str]:
    facts = [fact for commit in past.history for fact in commit.facts]
    return {fact.requester_id for fact in facts if isinstance(fact, Opened)} | {
        fact.after for fact in facts if isinstance(fact, RequesterChanged)
    }
