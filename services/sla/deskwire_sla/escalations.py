"""What is done when a promise is close or missed: once for each warning and breach, in the commit that notes it.

It cannot go in circles: an action changes who works on a ticket and how urgent it is, but no action begins another
run of a clock, and each run is missed once and warned of once for each share.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final, assert_never, get_args

from deskwire_shared.contracts.actions import (
    AddFollowers,
    AddTags,
    EscalationAction,
    NotifyAgents,
    RaisePriority,
    SetAssignee,
    SetPriority,
    SetTeam,
)
from deskwire_shared.contracts.facts import Priority
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.policies import Escalation, SlaPolicy
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    AddNote,
    ApplyRule,
    AssignTicket,
    BreachSla,
    ChangeFollowers,
    ChangePriority,
    ChangeTags,
    MeetSla,
    RouteTicket,
    SingleCommand,
    WarnSla,
)
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.clocks import Outcome
from deskwire_sla.policies import Terms

AUTHOR: Final = "sla"
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)


@dataclass(frozen=True, slots=True)
class Staff:
    """The teams and the active agents that an action can reach."""

    team_ids: Collection[str]
    agents: Mapping[str, Agent]


NOBODY: Final = Staff((), {})


def staff_of(directory: Directory) -> Staff:
    """Tell who there is."""
    agents = {agent_id: agent for agent_id, agent in directory.all(Agent).items() if agent.active}
    return Staff(directory.all(Team).keys(), agents)


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
        wishes: list[SingleCommand] = []
        troubles: list[str] = []
        for number, action in enumerate(actions):
            if trouble := self._trouble(action):
                troubles.append(trouble)
                continue
            wish = self._wish(action, ticket, number)
            try:
                ticket = _after(ticket, wish)
            except Refusal as refusal:
                troubles.append(str(refusal))
            else:
                wishes.append(wish)
        return self._explanation(troubles), *wishes

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

    def _trouble(self, action: EscalationAction) -> str | None:
        """Say why an action is impossible, whatever the ticket."""
        match action:
            case SetTeam(team_id=team_id) if team_id not in self.staff.team_ids:
                return f"there is no team {team_id}"
            case SetAssignee(agent_id=agent_id) if agent_id not in self.staff.agents:
                return f"agent {agent_id} does not exist or is not active"
            case AddFollowers(agent_ids=agent_ids) if not self._active(agent_ids):
                return f"no agent of {', '.join(agent_ids)} exists and is active"
            case _:
                return None

    def _wish(self, action: EscalationAction, ticket: Ticket, number: int) -> SingleCommand:  # noqa: PLR0911 - one case per action
        match action:
            case NotifyAgents():
                return self._note(action, ticket, number)
            case AddFollowers(agent_ids=agent_ids):
                return ChangeFollowers(add=self._active(agent_ids))
            case RaisePriority():
                return ChangePriority(priority=_higher(ticket.priority))
            case SetPriority(priority=priority):
                return ChangePriority(priority=priority)
            case AddTags(tags=tags):
                return ChangeTags(add=tags)
            case SetTeam(team_id=team_id):
                return RouteTicket(team_id=team_id, rule_id=self.terms.policy_id, reason=self._sentence)
            case SetAssignee(agent_id=agent_id):
                return AssignTicket(agent_id=agent_id, strategy="escalation")
            case _:
                assert_never(action)

    def _note(self, action: NotifyAgents, ticket: Ticket, number: int) -> AddNote:
        sentence = f"{self._sentence[0].upper()}{self._sentence[1:]}."
        return AddNote(
            message_id=derived_id(AUTHOR, ticket.id, self._occasion, str(number)),
            agent_id=AUTHOR,
            text="\n\n".join(filter(None, (sentence, action.text))),
            mentions=self._mentioned(action, ticket),
        )

    def _mentioned(self, action: NotifyAgents, ticket: Ticket) -> tuple[str, ...]:
        named = [*action.agent_ids, *([ticket.assignee_id] if action.assignee and ticket.assignee_id else ())]
        team = [one for one, agent in self.staff.agents.items() if action.team and ticket.team_id in agent.team_ids]
        return tuple(dict.fromkeys((*self._active(named), *team)))[: limits.MENTIONS]

    def _active(self, agent_ids: Collection[str]) -> tuple[str, ...]:
        return tuple(agent_id for agent_id in agent_ids if agent_id in self.staff.agents)


def _higher(priority: Priority) -> Priority:
    return PRIORITIES[min(PRIORITIES.index(priority) + 1, len(PRIORITIES) - 1)]


def _after(ticket: Ticket, command: SingleCommand) -> Ticket:
    """Suppose that the ticket has taken a command."""
    at, actor = ticket.updated_at, ticket.updated_by
    assert at is not None
    assert actor is not None
    facts = decide(command, ticket)
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=at, actor=actor), facts, ticket)
