"""What is done when a promise is close or missed: once for each warning and breach, in the commit that notes it.

It cannot go in circles: an action changes who works on a ticket and how urgent it is, but no action begins another
run of a clock, and each run is missed once and warned of once for each share.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Final, assert_never

from deskwire_shared.contracts.actions import EscalationAction, SetAssignee
from deskwire_shared.contracts.policies import Escalation, SlaPolicy
from deskwire_shared.ticket.acting import Acting, Staff
from deskwire_shared.ticket.actions import Translation
from deskwire_shared.ticket.commands import ApplyRule, BreachSla, MeetSla, SingleCommand, WarnSla
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.hindrances import hindrance
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.clocks import Outcome
from deskwire_sla.policies import Terms

AUTHOR: Final = "sla"
STRATEGY: Final = "escalation"
"""How the `assigned` fact names that an escalation chose."""


def escalating(
    outcomes: Collection[Outcome], ticket: Ticket, terms: Terms, staff: Staff
) -> Iterator[tuple[SingleCommand, ...]]:
    """Put to every outcome what its policy does about it; a promise that was kept in the meantime needs nobody."""
    kept = {(one.metric, one.cycle) for one in outcomes if isinstance(one, MeetSla)}
    for outcome in outcomes:
        actions = () if ticket.status in OVER else tuple(_actions(outcome, terms.policy))
        if isinstance(outcome, MeetSla) or (outcome.metric, outcome.cycle) in kept or not actions:
            yield (outcome,)
            continue
        commands = _Escalating(outcome, terms, staff).commands(actions, _after(ticket, outcome))
        ticket = reduce(_after, commands, ticket)
        yield (outcome, *commands)


def _actions(outcome: Outcome, policy: SlaPolicy) -> Iterator[EscalationAction]:
    """Name what to do; an assignee comes last, since a move to another team would take it away."""
    actions = [
        one for escalation in policy.escalations if _concerns(escalation, outcome, policy) for one in escalation.actions
    ]
    yield from sorted(actions, key=lambda action: isinstance(action, SetAssignee))


def _concerns(escalation: Escalation, outcome: Outcome, policy: SlaPolicy) -> bool:
    if escalation.metrics and outcome.metric not in escalation.metrics:
        return False
    match outcome:
        case BreachSla():
            return escalation.when == "breached"
        case WarnSla(stage=stage):
            return escalation.when == "warned" and escalation.at in {None, policy.warning_shares[stage - 1]}
        case MeetSla():
            return False
        case _:
            assert_never(outcome)


@dataclass(frozen=True, slots=True)
class _Escalating:
    """A warning or breach that is acted on."""

    outcome: WarnSla | BreachSla
    terms: Terms
    staff: Staff

    def commands(self, actions: Collection[EscalationAction], ticket: Ticket) -> tuple[SingleCommand, ...]:
        """Turn actions into commands, behind a note of why, and of what could not be done."""
        acting = self._acting(ticket)
        wishes: list[SingleCommand] = []
        troubles: list[str] = []
        for number, action in enumerate(actions):
            if trouble := hindrance(action, ticket, self.staff, acting):
                troubles.append(trouble)
                continue
            wish = Translation(ticket=ticket, staff=self.staff, acting=acting).of(action, number)
            try:
                ticket = _after(ticket, wish)
            except Refusal as refusal:
                troubles.append(str(refusal))
            else:
                wishes.append(wish)
        return self._explanation(troubles), *wishes

    def _acting(self, ticket: Ticket) -> Acting:
        return Acting(
            agent_id=AUTHOR,
            strategy=STRATEGY,
            key=(AUTHOR, ticket.id, self._occasion),
            asked_by="policy",
            asker_id=self.terms.policy_id,
            asker_name=self.terms.policy.name,
            reason=self._sentence,
        )

    def _explanation(self, troubles: list[str]) -> ApplyRule:
        return ApplyRule(
            rule_id=self.terms.policy_id,
            rule_name=self.terms.policy.name,
            rule_revision=self.terms.revision,
            trigger=self._occasion,
            conditions=(self._sentence, *(f"not done: {trouble}" for trouble in troubles)),
        )

    @property
    def _occasion(self) -> str:
        run = f"{self.outcome.metric}:{self.outcome.cycle}"
        return f"sla_warned:{run}:{self.outcome.stage}" if isinstance(self.outcome, WarnSla) else f"sla_breached:{run}"

    @property
    def _sentence(self) -> str:
        """Say what came of the promise, in the time zone of its hours."""
        promise, due_at = self.outcome.metric.replace("_", " "), self.outcome.due_at
        if due_at is None or self.terms.hours is None:
            return f"the {promise} is close to being missed"
        verb = "is" if isinstance(self.outcome, WarnSla) else "was"
        return f"the {promise} {verb} due at {due_at.astimezone(self.terms.hours.zone):%Y-%m-%d %H:%M %Z}"


def _after(ticket: Ticket, command: SingleCommand) -> Ticket:
    """Suppose that the ticket has taken a command."""
    at, actor = ticket.updated_at, ticket.updated_by
    assert at is not None
    assert actor is not None
    facts = decide(command, ticket)
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=at, actor=actor), facts, ticket)
