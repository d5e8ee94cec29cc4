"""Who is at work: availability, absences and working hours."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from deskwire_shared.contracts.calendar import Calendar as BusinessHours
from deskwire_shared.contracts.directory import Calendar, Entry
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Documents


def absence(agent: Agent, at: datetime) -> str | None:
    """Say why an agent is not there at a moment, working hours aside."""
    if not agent.active:
        return "not active"
    if agent.out_until is not None and agent.out_until > at:
        return f"out of office until {agent.out_until.isoformat()}"
    return None if agent.availability == "online" else agent.availability


def absent_since(history: Iterable[tuple[Entry, Agent | None]]) -> datetime | None:
    """Find when an agent went away; None when they are there. The history comes oldest first."""
    since: datetime | None = None
    for entry, agent in history:
        if agent is not None and absence(agent, entry.at) is None:
            since = None
        elif since is None:
            since = entry.at
    return since


@dataclass(slots=True)
class Attendance:
    """Looks at agents and teams, and remembers how calendars open."""

    directory: Documents
    _hours: dict[str, tuple[BusinessHours, OpenHours]] = field(default_factory=dict)

    def obstacle(self, agent: Agent, team: Team, at: datetime) -> str | None:
        """Say why an agent takes no ticket of a team at a moment."""
        if reason := absence(agent, at):
            return reason
        if team.within_hours and not self._is_open(team.calendar_id, at):
            return "the team is closed"
        return None if self._is_open(agent.calendar_id, at) else "outside working hours"

    def back_at(self, agent: Agent, team: Team, at: datetime) -> datetime | None:
        """Find when the passing of time alone may bring an agent back; None when it does not."""
        moment = max(at, agent.out_until or at)
        if absence(agent, moment):
            return None
        calendar_ids = (agent.calendar_id, team.calendar_id if team.within_hours else None)
        known = (hours for hours in map(self._hours_of, calendar_ids) if hours is not None)
        openings = [hours.next_opening(moment) for hours in known]
        return None if None in openings else max(filter(None, openings), default=moment)

    def _is_open(self, calendar_id: str | None, at: datetime) -> bool:
        hours = self._hours_of(calendar_id)
        return hours is None or hours.is_open(at)

    def _hours_of(self, calendar_id: str | None) -> OpenHours | None:
        """The hours of a calendar; a calendar that does not exist closes nothing."""
        calendar = self.directory.get(Calendar, calendar_id) if calendar_id else None
        if calendar_id is None or calendar is None:
            return None
        known = self._hours.get(calendar_id)
        if known is None or known[0] is not calendar:
            known = self._hours[calendar_id] = (calendar, OpenHours(calendar))
        return known[1]
