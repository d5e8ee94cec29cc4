"""Who somebody is: names for the ids that read models carry."""

from dataclasses import dataclass

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import ApiToken
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory

SYSTEM = "Deskwire"
SERVICES = frozenset({"sla", "routing"})
"""Who leaves notes without being an agent."""


@dataclass(frozen=True)
class People:
    """Looks up names in the directory; who has left it keeps a word instead of a blank."""

    directory: Directory

    def agent(self, agent_id: str | None) -> str:
        """Name an agent, a program that wrote as one, or the desk itself where one of its services did."""
        if agent_id in SERVICES:
            return SYSTEM
        agent = self.directory.get(Agent, agent_id) if agent_id else None
        program = self.directory.get(ApiToken, agent_id) if agent_id else None
        return (agent.name or agent.email) if agent else program.name if program else "a former agent"

    def team(self, team_id: str | None) -> str:
        """Name a team."""
        team = self.directory.get(Team, team_id) if team_id else None
        return team.name if team else "a former team"

    def channel(self, channel_id: str | None) -> str:
        """Name a channel."""
        channel = self.directory.get(Channel, channel_id) if channel_id else None
        return channel.name if channel else ""

    def policy(self, policy_id: str | None) -> str:
        """Name an SLA policy."""
        policy = self.directory.get(SlaPolicy, policy_id) if policy_id else None
        return policy.name if policy else ""

    def actor(self, actor: Actor) -> str:
        """Name whoever caused a change."""
        match actor.kind:
            case "agent":
                return self.agent(actor.id)
            case "rule":
                rule = self.directory.get(Rule, actor.id)
                return f"Rule {rule.name}" if rule else "A rule"
            case "integration":
                token = self.directory.get(ApiToken, actor.id)
                return token.name if token else "An integration"
            case "customer":
                return "The customer"
            case _:
                return SYSTEM
