"""Makes and changes the agents of a desk."""

from collections.abc import Sequence

from pydantic import ValidationError

from deskwire_shared.contracts.access import Role
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.running import CommandFailed
from deskwire_shared.runtime.secrets import WeakPassword

COMMAND_LINE = Actor(kind="system", id="command-line")
"""Who is named in the directory's history for what a command changed."""


async def add_agent(desk: Desk, *, email: str, name: str, role: Role, teams: Sequence[str], password: str) -> str:
    """Add an agent who can sign in; their id. Raises CommandFailed."""
    if desk.identity.find_agent(email):
        raise CommandFailed(f"there is an agent with the address {email} already")
    team_ids = tuple(team_named(desk, team) for team in teams)
    try:
        agent = Agent(email=email.strip(), name=name.strip(), role=role, team_ids=team_ids)
    except ValidationError as error:
        raise CommandFailed(f"{email} is no mail address") from error
    agent_id = new_id()
    await _set_password(desk, agent_id, password)
    await desk.directory.put(agent_id, agent, actor=COMMAND_LINE)
    return agent_id


async def change_password(desk: Desk, email: str, password: str) -> None:
    """Give an agent another password. Raises CommandFailed."""
    agent_id, _ = _known(desk, email)
    await _set_password(desk, agent_id, password)


async def disable_agent(desk: Desk, email: str) -> None:
    """Let an agent sign in no more, and end their sessions; what they did stays theirs. Raises CommandFailed."""
    agent_id, agent = _known(desk, email)
    others = (other for other_id, other in desk.directory.all(Agent).items() if other_id != agent_id)
    if agent.role == "admin" and not any(other.active and other.role == "admin" for other in others):
        raise CommandFailed(f"{email} is the last active administrator; add another one first")
    await desk.directory.put(agent_id, agent.model_copy(update={"active": False}), actor=COMMAND_LINE)


async def enable_agent(desk: Desk, email: str) -> None:
    """Let an agent sign in again, with the password they had. Raises CommandFailed."""
    if desk.identity.find_agent(email):
        raise CommandFailed(f"{email} can sign in already")
    wanted = email.strip().lower()
    disabled = [found for found in desk.directory.all(Agent).items() if found[1].email == wanted]
    if len(disabled) != 1:
        raise CommandFailed(f"there {'is no agent' if not disabled else 'are several agents'} with the address {email}")
    agent_id, agent = disabled[0]
    await desk.directory.put(agent_id, agent.model_copy(update={"active": True}), actor=COMMAND_LINE)


def _known(desk: Desk, email: str) -> tuple[str, Agent]:
    found = desk.identity.find_agent(email)
    if found is None:
        raise CommandFailed(f"there is no active agent with the address {email}")
    return found


def team_named(desk: Desk, asked: str) -> str:
    """The id of the team with this name or id. Raises CommandFailed."""
    teams = desk.directory.all(Team)
    for team_id, team in teams.items():
        if asked in (team_id, team.name):
            return team_id
    known = ", ".join(sorted(team.name for team in teams.values())) or "none"
    raise CommandFailed(f"there is no team {asked}; teams: {known}")


async def _set_password(desk: Desk, agent_id: str, password: str) -> None:
    try:
        await desk.identity.set_password(agent_id, password)
    except WeakPassword as error:
        raise CommandFailed(str(error)) from error
