"""Business rules, in order: which of them hold for a ticket on an occasion, and what they wish for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Final

from deskwire_routing.actors import ROUTING
from deskwire_routing.rules.lineage import FIRST, Lineage
from deskwire_routing.rules.occasions import Occasion
from deskwire_shared.contracts.facts import RuleApplied, TicketFact
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.directory.surroundings import Surroundings
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.acting import Acting, Staff
from deskwire_shared.ticket.actions import Deeds, FollowUp, deeds, opening
from deskwire_shared.ticket.commands import ApplyRule, Several, SingleCommand
from deskwire_shared.ticket.conditions import holding
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket

STRATEGY: Final = "rule"
"""How the `assigned` fact names that a rule chose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingRule:
    """A rule of the directory, as it stands at one revision, with the business hours it waits in, if there are such."""

    id: str
    revision: int
    rule: Rule
    hours: OpenHours | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What rules are asked in: what stands around the ticket, who is there, and what rules have done before.

    `numbers` has the numbers of tickets that rules open, by their ids, once they are taken.
    """

    surroundings: Surroundings
    staff: Staff
    lineage: Lineage = FIRST
    at: datetime | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """A rule that held, the conditions that did, its commands, and in `troubles` what it could not do.

    A rule that could do nothing at all has no commands: it did not act, and it stops no later rule. One that was
    `stopped`, lest it set itself off for ever, has but the command that notes this. `facts` is what the commands
    come to on the ticket as the earlier rules leave it.
    """

    rule_id: str
    revision: int
    conditions: tuple[str, ...]
    commands: tuple[SingleCommand, ...] = ()
    facts: tuple[TicketFact, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    troubles: tuple[str, ...] = ()
    stopped: str = ""

    @property
    def acted(self) -> bool:
        """Whether the rule did something."""
        return bool(self.commands) and not self.stopped


def applied(
    rules: Iterable[StandingRule], ticket: Ticket, occasion: Occasion, setting: Setting
) -> tuple[Application, ...]:
    """Ask the rules in order, each about the ticket as the earlier ones leave it."""
    if not ticket.exists or ticket.is_closed:
        return ()
    applications: list[Application] = []
    for standing in in_order(rules, occasion):
        acted = _acted_before(standing, occasion, ticket)
        if not acted and (found := _ask(standing, ticket, occasion, setting, applications)) is not None:
            applications.append(found)
            acted, ticket = found.acted, after(ticket, found.facts)
        if acted and standing.rule.stop:
            break
    return tuple(applications)


def in_order(rules: Iterable[StandingRule], occasion: Occasion) -> list[StandingRule]:
    """Choose the rules for a trigger, by their order, then by id."""
    asked = (standing for standing in rules if standing.rule.active and standing.rule.trigger == occasion.trigger)
    return sorted(asked, key=lambda standing: (standing.rule.order, standing.id))


def after(ticket: Ticket, facts: Iterable[TicketFact]) -> Ticket:
    """Suppose that the facts stand on the ticket."""
    at, actor = ticket.updated_at, ticket.updated_by
    assert at is not None
    assert actor is not None
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=at, actor=actor), facts, ticket)


def _acted_before(standing: StandingRule, occasion: Occasion, ticket: Ticket) -> bool:
    """Whether the rule, at whatever revision, has acted on this occasion."""
    return any((rule_id, name) == (standing.id, occasion.name) for rule_id, _, name in ticket.rules_applied)


def _ask(
    standing: StandingRule, ticket: Ticket, occasion: Occasion, setting: Setting, earlier: Sequence[Application]
) -> Application | None:
    message = ticket.message(occasion.message_id) if occasion.message_id else None
    conditions = holding(standing.rule.conditions, setting.surroundings.context(ticket, message))
    if conditions is None:
        return None
    note = _note(standing, occasion, conditions)
    wished = _wished(standing, ticket, occasion, setting)
    application = Application(
        rule_id=standing.id, revision=standing.revision, conditions=conditions, troubles=wished.troubles
    )
    if not wished.commands:
        return application
    commands = (note, *wished.commands)
    try:
        facts = _facts(commands, wished.follow_ups, ticket, earlier)
    except Refusal as refusal:
        return replace(application, troubles=(*wished.troubles, str(refusal)))
    if objection := setting.lineage.objection(standing.id, occasion.topic):
        return _stopped(application, note, objection, ticket) if _changes_something(facts) else None
    return replace(application, commands=commands, facts=facts, follow_ups=wished.follow_ups)


def _wished(standing: StandingRule, ticket: Ticket, occasion: Occasion, setting: Setting) -> Deeds:
    acting = Acting(
        agent_id=ROUTING,
        strategy=STRATEGY,
        key=(ROUTING, ticket.id, occasion.name, standing.id),
        asked_by="rule",
        asker_id=standing.id,
        asker_name=standing.rule.name,
        at=setting.at,
    )
    return deeds(standing.rule.actions, ticket, setting.staff, acting, setting.numbers)


def _note(standing: StandingRule, occasion: Occasion, conditions: tuple[str, ...]) -> ApplyRule:
    return ApplyRule(
        rule_id=standing.id,
        rule_name=standing.rule.name,
        rule_revision=standing.revision,
        trigger=occasion.name,
        conditions=conditions,
    )


def _facts(
    commands: tuple[SingleCommand, ...], follow_ups: Iterable[FollowUp], ticket: Ticket, earlier: Sequence[Application]
) -> tuple[TicketFact, ...]:
    """What would become of the commands, in one commit with those of earlier rules. Raises Refusal."""
    before = [fact for one in earlier for fact in one.facts]
    limits.require_count(
        "changes by rules at once", [*(c for one in earlier for c in one.commands), *commands], limits.COMMANDS
    )
    for follow_up in follow_ups:
        decide(opening(follow_up, ticket, 0), Ticket.unborn(follow_up.ticket_id))
    facts = decide(Several(commands=commands), ticket)
    limits.require_commit_size([*before, *facts])
    return tuple(facts)


def _changes_something(facts: Iterable[TicketFact]) -> bool:
    return any(not isinstance(fact, RuleApplied) for fact in facts)


def _stopped(application: Application, note: ApplyRule, why: str, ticket: Ticket) -> Application:
    stopped = replace(note, stopped=why)
    return replace(application, commands=(stopped,), facts=tuple(decide(stopped, ticket)), stopped=why)
