"""Who acts on a ticket by actions, on behalf of what and why; and whom and what they can name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from deskwire_shared.contracts.directory import Template
from deskwire_shared.contracts.facts import Asker
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook


@dataclass(frozen=True, kw_only=True, slots=True)
class Staff:
    """What an action can name: teams, active agents, templates, webhooks."""

    teams: Mapping[str, Team] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)

    def active(self, agent_ids: Collection[str]) -> tuple[str, ...]:
        """Those of the agents who are there."""
        return tuple(agent_id for agent_id in agent_ids if agent_id in self.agents)


NOBODY: Final = Staff()


@dataclass(frozen=True, kw_only=True, slots=True)
class Acting:
    """Who acts on behalf of which rule, policy or macro; `key` is what the ids of all that is made derive from.

    `reason` is a sentence without its capital and full stop, told along in moves and notices; `automated` means that
    no agent is behind it; `at` is when, if it is known better than by the ticket.
    """

    agent_id: str
    strategy: str
    key: tuple[str, ...]
    asked_by: Asker
    asker_id: str
    asker_name: str = ""
    agent_name: str = ""
    reason: str = ""
    automated: bool = True
    at: datetime | None = None

    @property
    def rule_id(self) -> str | None:
        """The rule that a move to another team is noted with; a policy's escalation is one."""
        return None if self.asked_by == "macro" else self.asker_id

    def made_id(self, what: str, number: int) -> str:
        """The id of what the action of a number makes; a repeat makes no other."""
        return derived_id(what, *self.key, str(number))
