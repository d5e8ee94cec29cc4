"""What routing does when it hears a commit: it lets the rules act, then sees that team and agent are found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from structlog import get_logger

from deskwire_routing.occasions import ROUTING, TRIGGERS, Occasion, occasions_in
from deskwire_routing.roster import Roster
from deskwire_routing.rules import Application, Staff, StandingRule, applied, in_order
from deskwire_routing.strategies.strategy import Strategy
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Agent, Channel, Rule, Team
from deskwire_shared.contracts.facts import Routed, Unassigned
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.surroundings import surroundings_of
from deskwire_shared.eventstore.plain_facts import PlainCommit, plain_commit
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.ticket.commands import AssignTicket, RouteTicket, Several, SingleCommand
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Ticket

HEARD: Final = frozenset(TRIGGERS) | {model.model_fields["type"].default for model in (Routed, Unassigned)}
"""The facts that routing reacts to, by stored name."""

BY_RULE: Final = Actor(kind="rule", id=ROUTING)
BY_ROUTING: Final = Actor(kind="system", id=ROUTING)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Routing:
    """Finds the right team and the right agent for tickets."""

    recorder: Recorder
    directory: Directory
    roster: Roster
    strategies: Mapping[str, Strategy]
    clock: Clock
    patience_seconds: float

    async def on_commits(self, heard: Heard) -> None:
        """React to what happened to one ticket."""
        commits = [(message.sequence, plain_commit(message.data)) for message in heard.messages]
        occasions = [(at, commit, occasion) for at, commit in commits for occasion in occasions_in(commit)]
        for sequence, commit, occasion in occasions:
            await self._apply_rules(sequence, commit, occasion)
        is_new = any(occasion.trigger == "opened" for _, _, occasion in occasions)
        await self._place(*commits[-1], is_new=is_new)

    async def _apply_rules(self, sequence: int, commit: PlainCommit, occasion: Occasion) -> None:
        """Let the rules act on an occasion, all in one commit; the occasion's name lets that happen once for life."""
        rules = in_order(self._rules(), occasion)
        if not rules:
            return
        ticket = await self.recorder.ticket(commit.ticket_id, at_least=sequence)
        surroundings = await surroundings_of(ticket, self.directory, [one.rule.conditions for one in rules])
        staff = self._staff()

        def ask(ticket: Ticket) -> tuple[Application, ...]:
            return applied(rules, ticket, surroundings, occasion, staff)

        applications = ask(ticket)
        _log_troubles(applications)
        if any(application.commands for application in applications):
            command_id = derived_id(ROUTING, ticket.id, occasion.name)
            cause = self._cause(command_id, BY_RULE, commit)
            await self.recorder.record(ticket.id, lambda now: _together(ask(now)), cause, at_least=sequence)

    async def _place(self, sequence: int, commit: PlainCommit, *, is_new: bool) -> None:
        """See that the ticket has a team and, where its team wants that, an agent."""
        ticket = await self.recorder.ticket(commit.ticket_id, at_least=sequence)
        team_id = self._team_for(ticket, is_new=is_new)
        if team_id is None or _is_placed(ticket, team_id):
            return
        await self.roster.caught_up(patience_seconds=self.patience_seconds)
        cause = self._cause(derived_id(ROUTING, ticket.id, str(sequence)), BY_ROUTING, commit)
        try:
            outcome = await self.recorder.record(
                ticket.id, lambda now: self._placing(now, is_new=is_new), cause, at_least=sequence
            )
        except BaseException:
            self.roster.workload.assign(ticket.id, None)  # the turn that `_placing` reserved
            raise
        self.roster.workload.assign(ticket.id, outcome.ticket.assignee_id)
        self.roster.workload.put(ticket.id, outcome.ticket.status)

    def _placing(self, ticket: Ticket, *, is_new: bool) -> Several | None:
        team_id = self._team_for(ticket, is_new=is_new)
        if team_id is None:
            return None
        commands: list[SingleCommand] = []
        if team_id != ticket.team_id:
            commands.append(RouteTicket(team_id=team_id))
        if assigning := self._assigning(ticket, team_id):
            commands.append(assigning)
        return Several(commands=tuple(commands)) if commands else None

    def _team_for(self, ticket: Ticket, *, is_new: bool) -> str | None:
        """The team that the ticket is in or, if it is new and no rule put it anywhere, that of its channel."""
        if not ticket.exists or ticket.is_merged or ticket.status in OVER:
            return None
        if ticket.team_id is not None or not is_new or ticket.channel_id is None:
            return ticket.team_id
        channel = self.directory.get(Channel, ticket.channel_id)
        if channel is None or channel.team_id is None:
            return None
        if self.directory.get(Team, channel.team_id) is None:
            log.warning("channel names a team that does not exist", channel=ticket.channel_id, team=channel.team_id)
            return None
        return channel.team_id

    def _assigning(self, ticket: Ticket, team_id: str) -> AssignTicket | None:
        team = self.directory.get(Team, team_id)
        strategy = self.strategies.get(team.assignment) if team else None
        if team is None or strategy is None or ticket.assignee_id is not None:
            return None
        self.roster.workload.assign(ticket.id, None)  # forget the turn reserved when a rival was faster
        agent_id = strategy(self.roster.candidates(team_id), ticket)
        if agent_id is None:
            log.info("nobody is there to take the ticket", ticket_id=ticket.id, team=team_id)
            return None
        # Counted before it is recorded, so that tickets worked on at the same time go to others.
        self.roster.workload.assign(ticket.id, agent_id)
        return AssignTicket(agent_id=agent_id, strategy=team.assignment)

    def _rules(self) -> list[StandingRule]:
        return [
            StandingRule(id=rule_id, revision=self.directory.revision(Rule, rule_id), rule=rule)
            for rule_id, rule in self.directory.all(Rule).items()
        ]

    def _staff(self) -> Staff:
        agents = self.directory.all(Agent).items()
        return Staff(
            team_ids=self.directory.all(Team).keys(),
            agent_ids={agent_id for agent_id, agent in agents if agent.active},
        )

    def _cause(self, command_id: str, actor: Actor, commit: PlainCommit) -> Cause:
        return Cause(command_id, actor, self.clock.now(), commit.correlation_id, commit.commit_id)


def _is_placed(ticket: Ticket, team_id: str) -> bool:
    return ticket.team_id == team_id and ticket.assignee_id is not None


def _together(applications: tuple[Application, ...]) -> Several | None:
    commands = tuple(command for application in applications for command in application.commands)
    return Several(commands=commands) if commands else None


def _log_troubles(applications: tuple[Application, ...]) -> None:
    for application in applications:
        if application.troubles:
            log.warning(
                "rule held but could not do everything",
                rule=application.rule_id,
                revision=application.revision,
                acted=bool(application.commands),
                troubles=application.troubles,
            )
