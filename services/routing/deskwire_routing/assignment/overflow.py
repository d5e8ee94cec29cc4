"""Tickets that found nobody for too long go to another team."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from structlog import get_logger

from deskwire_routing.assignment.alarms import Alarms
from deskwire_routing.assignment.causes import Because
from deskwire_shared.contracts.facts import Assigned, Part, Routed, StatusChanged, Unassigned
from deskwire_shared.contracts.staff import Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.ticket.commands import RouteTicket
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Ticket

OVERFLOW: Final = "overflow"
"""The reason that the `routed` fact gives."""

log = get_logger(__name__)


class Happened(Protocol):
    """What happened to a ticket at a moment."""

    @property
    def at(self) -> datetime:
        """The moment."""
        ...

    @property
    def facts(self) -> Sequence[Part]:
        """What happened, in order."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Overflowing:
    """Moves tickets on that wait too long."""

    recorder: Recorder
    directory: Directory
    alarms: Alarms
    clock: Clock

    async def plan(self, ticket_id: str, team: Team) -> None:
        """See that a waiting ticket is looked at when it will have waited long enough."""
        if team.overflow is None:
            return
        _, history = await self.recorder.history(ticket_id)
        since = queued_since(history.commits)
        if since is not None:
            await self.alarms.set(ticket_id, "overflow", since + timedelta(minutes=team.overflow.after_minutes))

    async def on_time(self, ticket_id: str, now: datetime) -> None:
        """Move a ticket on, if it is still waiting and has waited long enough."""
        ticket, history = await self.recorder.history(ticket_id)
        team = self.directory.get(Team, ticket.team_id) if ticket.team_id else None
        since = queued_since(history.commits)
        if team is None or team.overflow is None or since is None or not _is_waiting(ticket):
            return
        if now < since + timedelta(minutes=team.overflow.after_minutes):
            await self.plan(ticket_id, team)
        elif self._can_move(ticket, team.overflow.team_id, history.commits):
            await self._move(ticket, team.overflow.team_id)

    def _can_move(self, ticket: Ticket, team_id: str, commits: Iterable[Happened]) -> bool:
        if self.directory.get(Team, team_id) is None:
            log.warning("ticket cannot overflow, the team does not exist", ticket_id=ticket.id, team=team_id)
            return False
        return ticket.team_id not in overflowed_from(commits)

    async def _move(self, ticket: Ticket, team_id: str) -> None:
        def wish(now: Ticket) -> RouteTicket | None:
            moved = now.placements != ticket.placements
            return None if moved else RouteTicket(team_id=team_id, reason=OVERFLOW)

        cause = Because().cause(self.clock.now(), ticket.id, OVERFLOW, str(ticket.placements))
        await self.recorder.record(ticket.id, wish, cause)


def queued_since(commits: Iterable[Happened]) -> datetime | None:
    """Find when a ticket began to wait in its queue, or to wait anew once it was reopened; None while it does not."""
    since: datetime | None = None
    for commit in commits:
        for fact in commit.facts:
            match fact:
                case Routed(team_id=team_id):
                    since = commit.at if team_id else None
                case Unassigned():
                    since = commit.at
                case Assigned():
                    since = None
                case StatusChanged(before=before, after=after) if before in OVER and after not in OVER:
                    since = commit.at if since else None
    return since


def overflowed_from(commits: Iterable[Happened]) -> set[str | None]:
    """Name the teams that a ticket overflowed from; it does so once each, so that it goes round no circle."""
    facts = (fact for commit in commits for fact in commit.facts)
    return {fact.before for fact in facts if isinstance(fact, Routed) and fact.reason == OVERFLOW}


def _is_waiting(ticket: Ticket) -> bool:
    return ticket.assignee_id is None and ticket.status not in OVER and not ticket.is_merged
