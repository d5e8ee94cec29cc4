"""What routing does when it hears of something: it lets the rules act, then sees that team and agent are found."""

from dataclasses import dataclass
from typing import Final

from structlog import get_logger

from deskwire_routing.assignment import MOVES, Assignment
from deskwire_routing.occasions import ROUTING, TRIGGERS, Occasion, occasions_in
from deskwire_routing.rules import Application, Staff, StandingRule, applied, in_order
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Agent, Rule, Team
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.surroundings import surroundings_of
from deskwire_shared.eventstore.plain_facts import PlainCommit, plain_commit
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.state import Ticket

HEARD: Final = frozenset(TRIGGERS) | MOVES
"""The facts that routing reacts to, by stored name."""

BY_RULE: Final = Actor(kind="rule", id=ROUTING)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Routing:
    """Finds the right team and the right agent for tickets."""

    recorder: Recorder
    directory: Directory
    assignment: Assignment
    clock: Clock

    async def on_commits(self, heard: Heard) -> None:
        """React to what happened to one ticket: first the rules, then whatever follows for queues and agents."""
        commits = [(message.sequence, plain_commit(message.data)) for message in heard.messages]
        occasions = [(at, commit, occasion) for at, commit in commits for occasion in occasions_in(commit)]
        for sequence, commit, occasion in occasions:
            await self._apply_rules(sequence, commit, occasion)
        await self.assignment.on_commits(commits)

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

    async def on_timers(self, heard: Heard) -> None:
        """Look at a ticket, a team or an agent whose time has come."""
        await self.assignment.on_alarm(heard.ticket_id, heard.subject.rpartition(".")[2])

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
