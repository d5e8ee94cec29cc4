"""What policies and rules noted on a ticket: clocks, their outcomes, rules that acted."""

from typing import assert_never

from deskwire_shared.contracts.facts import (
    RuleApplied,
    SlaApplied,
    SlaBreached,
    SlaMet,
    SlaWarned,
    TicketFact,
)
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import ApplyRule, ApplySla, BreachSla, MeetSla, PolicyCommand, WarnSla
from deskwire_shared.ticket.state import Ticket


def decide_policies(command: PolicyCommand, ticket: Ticket) -> list[TicketFact]:
    """Turn what a policy or rule found into facts, once each."""
    match command:
        case ApplySla():
            return _apply_sla(command, ticket)
        case WarnSla():
            return _warn(command, ticket)
        case BreachSla():
            return _breach(command, ticket)
        case MeetSla():
            return _meet(command, ticket)
        case ApplyRule():
            return _apply_rule(command, ticket)
        case _:
            assert_never(command)


def _apply_sla(command: ApplySla, ticket: Ticket) -> list[TicketFact]:
    limits.require_count("clocks", command.clocks, limits.CLOCKS)
    applied = SlaApplied(
        policy_id=command.policy_id,
        policy_revision=command.policy_revision,
        calendar_id=command.calendar_id,
        calendar_revision=command.calendar_revision,
        clocks=command.clocks,
    )
    return [] if applied == (ticket.sla or SlaApplied(policy_id=None)) else [applied]


def _warn(command: WarnSla, ticket: Ticket) -> list[TicketFact]:
    """Give each warning once, none after a later one, and none of what has already been decided."""
    run = (command.metric, command.cycle)
    if ticket.sla_outcomes & {(*run, "breached"), (*run, "met")} or command.stage <= ticket.sla_stages.get(run, 0):
        return []
    return [
        SlaWarned(
            metric=command.metric,
            cycle=command.cycle,
            stage=command.stage,
            policy_id=command.policy_id,
            used=command.used,
            target=command.target,
            due_at=command.due_at,
        )
    ]


def _breach(command: BreachSla, ticket: Ticket) -> list[TicketFact]:
    run = (command.metric, command.cycle)
    if ticket.sla_outcomes & {(*run, "breached"), (*run, "met")}:
        return []
    return [
        SlaBreached(
            metric=command.metric,
            cycle=command.cycle,
            policy_id=command.policy_id,
            target=command.target,
            due_at=command.due_at,
        )
    ]


def _meet(command: MeetSla, ticket: Ticket) -> list[TicketFact]:
    """Note it once; after a breach it was late, whatever the wish says."""
    run = (command.metric, command.cycle)
    if (*run, "met") in ticket.sla_outcomes:
        return []
    return [
        SlaMet(
            metric=command.metric,
            cycle=command.cycle,
            policy_id=command.policy_id,
            used=command.used,
            target=command.target,
            late=command.late or (*run, "breached") in ticket.sla_outcomes,
        )
    ]


def _apply_rule(command: ApplyRule, ticket: Ticket) -> list[TicketFact]:
    if (command.rule_id, command.rule_revision, command.trigger) in ticket.rules_applied:
        return []
    limits.require_count("conditions", command.conditions, limits.CONDITIONS)
    return [
        RuleApplied(
            rule_id=command.rule_id,
            rule_name=command.rule_name,
            rule_revision=command.rule_revision,
            trigger=command.trigger,
            conditions=command.conditions,
            stopped=command.stopped,
        )
    ]
