"""Who and what actions can name."""

from deskwire_shared.contracts.directory import Template
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import Directory
from deskwire_shared.ticket.acting import Staff


def staff_of(directory: Directory) -> Staff:
    """Tell which teams, active agents, templates and webhooks there are."""
    return Staff(
        teams=directory.all(Team),
        agents={agent_id: agent for agent_id, agent in directory.all(Agent).items() if agent.active},
        templates=directory.all(Template),
        webhooks=directory.all(Webhook),
    )
