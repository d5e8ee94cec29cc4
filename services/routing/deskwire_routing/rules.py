"""Business rules, in order: which of them hold for a ticket on an occasion, and what they wish for it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

from deskwire_routing.occasions import Occasion
from deskwire_shared.contracts.directory import (
    Action,
    AddTags,
    RemoveTags,
    Rule,
    SetAssignee,
    SetPriority,
    SetStatus,
    SetTeam,
    SetType,
)
from deskwire_shared.directory.surroundings import Surroundings
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    ApplyRule,
    AssignTicket,
    ChangePriority,
    ChangeStatus,
    ChangeTags,
    ChangeType,
    RouteTicket,
    Several,
    SingleCommand,
)
from deskwire_shared.ticket.conditions import holding
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingRule:
    """A rule of the directory, as it stands at one revision."""

    id: str
    revision: int
    rule: Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Staff:
    """The teams and agents that an action can name."""

    team_ids: Collection[str]
    agent_ids: Collection[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """A rule that held, the conditions that did, its commands, and in `troubles` what it could not do.

    A rule that could do nothing at all has no commands: it did not act, and it stops no later rule.
    """

    rule_id: str
    revision: int
    conditions: tuple[str, ...]
    commands: tuple[SingleCommand, ...] = ()
    troubles: tuple[str, ...] = ()


def applied(
    rules: Iterable[StandingRule], ticket: Ticket, surroundings: Surroundings, occasion: Occasion, staff: Staff
) -> tuple[Application, ...]:
    """Ask the rules in order, each about the ticket as the earlier ones leave it."""
    if not ticket.exists or ticket.is_closed:
        return ()
    applications: list[Application] = []
    room = limits.COMMANDS
    for standing in in_order(rules, occasion):
        acted = _acted_before(standing, occasion, ticket)
        if not acted:
            found = _ask(standing, ticket, surroundings=surroundings, occasion=occasion, staff=staff, room=room)
            applications += [found] if found else []
            commands = found.commands if found else ()
            acted, room, ticket = bool(commands), room - len(commands), _after(ticket, commands)
        if acted and standing.rule.stop:
            break
    return tuple(applications)


def in_order(rules: Iterable[StandingRule], occasion: Occasion) -> list[StandingRule]:
    """Choose the rules for a trigger, by their order, then by id."""
    asked = (standing for standing in rules if standing.rule.active and standing.rule.trigger == occasion.trigger)
    return sorted(asked, key=lambda standing: (standing.rule.order, standing.id))


def _acted_before(standing: StandingRule, occasion: Occasion, ticket: Ticket) -> bool:
    """Whether the rule, at whatever revision, has acted on this occasion."""
    return any((rule_id, name) == (standing.id, occasion.name) for rule_id, _, name in ticket.rules_applied)


def _ask(
    standing: StandingRule,
    ticket: Ticket,
    *,
    surroundings: Surroundings,
    occasion: Occasion,
    staff: Staff,
    room: int,
) -> Application | None:
    message = ticket.message(occasion.message_id) if occasion.message_id else None
    conditions = holding(standing.rule.conditions, surroundings.context(ticket, message))
    if conditions is None:
        return None
    troubles = tuple(filter(None, (_trouble(action, staff) for action in standing.rule.actions)))
    wishes = _wishes(standing, [action for action in standing.rule.actions if _trouble(action, staff) is None])
    if wishes:
        wishes = (_note(standing, occasion, conditions), *wishes)
    if refusal := _refusal(wishes, ticket, room):
        wishes, troubles = (), (*troubles, refusal)
    return Application(
        rule_id=standing.id, revision=standing.revision, conditions=conditions, commands=wishes, troubles=troubles
    )


def _trouble(action: Action, staff: Staff) -> str | None:
    """Say why an action is impossible, whatever the ticket."""
    match action:
        case SetTeam(team_id=team_id) if team_id not in staff.team_ids:
            return f"there is no team {team_id}"
        case SetAssignee(agent_id=agent_id) if agent_id not in staff.agent_ids:
            return f"agent {agent_id} does not exist or is not active"
        case _:
            return None


def _wishes(standing: StandingRule, actions: list[Action]) -> tuple[SingleCommand, ...]:
    """Turn actions into commands; the assignee comes last, since a move to another team would take it away."""
    ordered = sorted(actions, key=lambda action: isinstance(action, SetAssignee))
    return tuple(_wish(action, standing.id) for action in ordered)


def _wish(action: Action, rule_id: str) -> SingleCommand:  # noqa: PLR0911 - one case per action
    match action:
        case SetTeam(team_id=team_id):
            return RouteTicket(team_id=team_id, rule_id=rule_id)
        case SetPriority(priority=priority):
            return ChangePriority(priority=priority)
        case SetType(ticket_type=ticket_type):
            return ChangeType(ticket_type=ticket_type)
        case SetStatus(status=status):
            return ChangeStatus(status=status)
        case AddTags(tags=tags):
            return ChangeTags(add=tags)
        case RemoveTags(tags=tags):
            return ChangeTags(remove=tags)
        case SetAssignee(agent_id=agent_id):
            return AssignTicket(agent_id=agent_id, strategy="rule")
        case _:
            assert_never(action)


def _note(standing: StandingRule, occasion: Occasion, conditions: tuple[str, ...]) -> ApplyRule:
    return ApplyRule(
        rule_id=standing.id,
        rule_name=standing.rule.name,
        rule_revision=standing.revision,
        trigger=occasion.name,
        conditions=conditions,
    )


def _refusal(commands: tuple[SingleCommand, ...], ticket: Ticket, room: int) -> str | None:
    """Say why a ticket would not take the commands."""
    if len(commands) > room:
        return f"the rules wish for more than {limits.COMMANDS} changes at once"
    try:
        decide(Several(commands=commands), ticket)
    except Refusal as refusal:
        return str(refusal)
    return None


def _after(ticket: Ticket, commands: tuple[SingleCommand, ...]) -> Ticket:
    """Suppose that the ticket has taken the commands."""
    at, actor = ticket.updated_at, ticket.updated_by
    assert at is not None
    assert actor is not None
    facts = decide(Several(commands=commands), ticket)
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=at, actor=actor), facts, ticket)
