"""Agents and the teams they work in."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from deskwire_shared.contracts.access import Role
from deskwire_shared.contracts.channels import Medium
from deskwire_shared.contracts.document import Document, MailAddress, Name, PersonDocument
from deskwire_shared.contracts.personal import Personal

Availability = Literal["online", "away", "offline"]
RankingStrategy = Literal["round_robin", "least_loaded", "skills", "longest_idle"]
"""Ways to choose among the agents who could take a ticket."""
SkillName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", to_lower=True)]
Proficiency = Annotated[int, Field(ge=1, le=5)]
Slots = Annotated[int, Field(ge=0, le=1000)]


class Agent(PersonDocument):
    """Somebody who answers."""

    kind: Literal["agent"] = "agent"
    email: Personal[MailAddress]
    name: Personal[str]
    role: Role = "agent"
    team_ids: tuple[str, ...] = ()
    active: bool = True
    availability: Availability = "online"
    out_until: AwareDatetime | None = None
    """Out of office until this moment, whatever `availability` says."""
    skills: Annotated[dict[SkillName, Proficiency], Field(max_length=100)] = Field(default_factory=dict)
    capacity: dict[Literal["default"] | Medium, Slots] = Field(default_factory=dict)
    """The most open tickets at once: `default` of all together, a medium of those that came by it; none is no limit."""
    calendar_id: str | None = None
    """Their working hours; None works whenever `availability` says so."""
    signature: Personal[str] = ""
    """Stands below their answers."""


class Overflow(Document):
    """Where tickets go that found nobody for too long."""

    team_id: str
    after_minutes: Annotated[int, Field(ge=1, le=10_080)]


class Team(Document):
    """A queue and the agents who work it."""

    kind: Literal["team"] = "team"
    name: Name
    assignment: Literal["manual", "sticky"] | RankingStrategy = "round_robin"
    """How a ticket of the team finds an agent."""
    fallback: RankingStrategy = "least_loaded"
    """How `sticky` chooses when the customer's last agent cannot take the ticket."""
    calendar_id: str | None = None
    """When the team works, for `within_hours`."""
    within_hours: bool = False
    """Tickets wait for the team's calendar to open before they are assigned."""
    reassign_after_minutes: Annotated[int, Field(ge=0, le=10_080)] | None = None
    """How long an agent may be away before their tickets of this team go to others; None lets them keep them."""
    overflow: Overflow | None = None
