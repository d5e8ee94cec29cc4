"""A ticket as far as its assignment depends on it, and how facts carry it on."""

from datetime import datetime
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel

from deskwire_routing.workload.queues import Urgency, urgency
from deskwire_shared.contracts.facts import (
    Assigned,
    Opened,
    Part,
    Priority,
    PriorityChanged,
    RequesterChanged,
    Routed,
    SlaApplied,
    Status,
    StatusChanged,
    TagsChanged,
    Unassigned,
)
from deskwire_shared.ticket.lifecycle import OVER


class Opening(Part):
    """What stands unsealed in `opened`."""

    requester_id: str
    channel: str
    number: int = 0
    priority: Priority = "normal"
    tags: tuple[str, ...] = ()


class NewRequester(Part):
    """What stands unsealed in `requester_changed`."""

    after: str


READ: Final[dict[str, type[Part]]] = {
    Opened.model_fields["type"].default: Opening,
    RequesterChanged.model_fields["type"].default: NewRequester,
    **{
        model.model_fields["type"].default: model
        for model in (Routed, Assigned, Unassigned, StatusChanged, PriorityChanged, TagsChanged, SlaApplied)
    },
}
"""How each fact that matters here is read, by its stored name."""


class Work(BaseModel):
    """A ticket that is not closed.

    `opened` and `sequence` are places in the log, of its first fact and of the last one that matters here;
    `placements` counts its moves as the ticket itself does.
    """

    requester_id: str
    medium: str
    opened: int
    priority: Priority = "normal"
    status: Status = "new"
    tags: tuple[str, ...] = ()
    team_id: str | None = None
    agent_id: str | None = None
    previous_agent_id: str | None = None
    due: AwareDatetime | None = None
    placements: int = 0
    sequence: int = 0

    @property
    def is_open(self) -> bool:
        """Whether there is something to do."""
        return self.status not in OVER

    @property
    def is_waiting(self) -> bool:
        """Whether it stands in a queue and nobody is responsible."""
        return self.is_open and self.agent_id is None and self.team_id is not None

    @property
    def urgency(self) -> Urgency:
        """Its place among those that wait."""
        return urgency(self.due, self.priority, self.opened)


def carried(work: Work | None, fact: Part, sequence: int) -> Work | None:
    """Carry a ticket on by a fact; None before it is opened and once it is closed."""
    if isinstance(fact, Opening):
        return Work(
            requester_id=fact.requester_id,
            medium=fact.channel,
            opened=sequence,
            sequence=sequence,
            priority=fact.priority,
            tags=fact.tags,
        )
    if work is None or (isinstance(fact, StatusChanged) and fact.after == "closed"):
        return None
    return work.model_copy(update={**_changes(work, fact), "sequence": sequence})


def _changes(work: Work, fact: Part) -> dict[str, Any]:  # noqa: PLR0911 - one case per fact
    match fact:
        case Routed(team_id=team_id):
            return {"team_id": team_id, "placements": work.placements + 1}
        case Assigned(agent_id=agent_id, before=before):
            previous = before or work.previous_agent_id
            return {"agent_id": agent_id, "previous_agent_id": previous, "placements": work.placements + 1}
        case Unassigned(before=before):
            return {"agent_id": None, "previous_agent_id": before, "placements": work.placements + 1}
        case StatusChanged(after=status):
            return {"status": status, "placements": work.placements + 1}
        case PriorityChanged(after=priority):
            return {"priority": priority}
        case TagsChanged(tags=tags):
            return {"tags": tags}
        case SlaApplied():
            return {"due": _due(fact)}
        case NewRequester(after=requester_id):
            return {"requester_id": requester_id}
        case _:
            return {}


def _due(applied: SlaApplied) -> datetime | None:
    """The moment at which the next promise falls due."""
    return min((clock.due_at for clock in applied.clocks if clock.due_at is not None), default=None)
