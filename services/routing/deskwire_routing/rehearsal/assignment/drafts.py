"""Draft teams, agents and calendars, in place of those that a desk had."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from deskwire_shared.contracts.channels import Medium
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.document import Document, Name
from deskwire_shared.contracts.staff import Agent, Proficiency, SkillName, Slots, Team
from deskwire_shared.directory.port import Directory, Documents
from deskwire_shared.directory.staff import staff_of
from deskwire_shared.ticket.acting import Staff

MOST_DOCUMENTS: Final = 5_000
NOWHERE: Final = "draft.invalid"

DocumentId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
TeamIds = Annotated[tuple[DocumentId, ...], Field(max_length=1_000)]


class DraftIncomplete(ValueError):
    """A draft names something that is not there."""


class AgentDraft(BaseModel):
    """What is to be different about an agent; what is left out stays as it was at each moment.

    Whether they were online, away or out of office is always as it was. An agent whom nobody knows is a new one, who
    is there all the time, within their calendar's hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    team_ids: TeamIds = ()
    active: bool = True
    skills: Annotated[dict[SkillName, Proficiency], Field(max_length=100)] = Field(default_factory=dict)
    capacity: dict[Literal["default"] | Medium, Slots] = Field(default_factory=dict)
    calendar_id: DocumentId | None = None

    def over(self, agent: Agent) -> Agent:
        """Lay the draft over an agent."""
        return agent.model_copy(update=self.model_dump(exclude_unset=True, exclude={"name"}))

    def new(self, agent_id: str) -> Agent:
        """An agent who is nothing but drafted."""
        nobody = Agent(email=f"{agent_id}@{NOWHERE}", name=self.name or agent_id)
        return self.over(nobody)


class AssignmentDraft(BaseModel):
    """Teams, agents and calendars by id; without any, everything is as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teams: Annotated[dict[DocumentId, Team], Field(max_length=MOST_DOCUMENTS)] = Field(default_factory=dict)
    agents: Annotated[dict[DocumentId, AgentDraft], Field(max_length=MOST_DOCUMENTS)] = Field(default_factory=dict)
    calendars: Annotated[dict[DocumentId, Calendar], Field(max_length=MOST_DOCUMENTS)] = Field(default_factory=dict)


def drafted_staff(draft: AssignmentDraft, directory: Directory) -> Staff:
    """Tell whom rules can name: who is there today, with the draft laid over them."""
    staff, known = staff_of(directory), directory.all(Agent)
    agents = {
        agent_id: one.over(known[agent_id]) if agent_id in known else one.new(agent_id)
        for agent_id, one in draft.agents.items()
    }
    return replace(
        staff,
        teams={**staff.teams, **draft.teams},
        agents={agent_id: agent for agent_id, agent in {**staff.agents, **agents}.items() if agent.active},
    )


def require_complete(draft: AssignmentDraft, directory: Documents) -> None:
    """See that all teams and calendars that a draft names are drafted or there. Raises DraftIncomplete."""
    known: dict[type[Document], set[str]] = {
        Team: {*draft.teams, *directory.all(Team)},
        Calendar: {*draft.calendars, *directory.all(Calendar)},
    }
    for who, model, named in _named(draft):
        if named not in known[model]:
            there = ", ".join(sorted(known[model])[:20]) or "none"
            raise DraftIncomplete(
                f"{who} names the {model.__name__.lower()} {named}, which is not there; known: {there}"
            )


def _named(draft: AssignmentDraft) -> Iterator[tuple[str, type[Document], str]]:
    for team_id, team in draft.teams.items():
        if team.overflow is not None:
            yield f"team {team_id}", Team, team.overflow.team_id
        if team.calendar_id is not None:
            yield f"team {team_id}", Calendar, team.calendar_id
    for agent_id, agent in draft.agents.items():
        yield from ((f"agent {agent_id}", Team, team_id) for team_id in agent.team_ids)
        if agent.calendar_id is not None:
            yield f"agent {agent_id}", Calendar, agent.calendar_id
