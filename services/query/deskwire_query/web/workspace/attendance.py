"""Whether the agent before the page takes tickets, in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.staff import Agent, Availability
from deskwire_shared.directory.port import Directory

WORDS: Final[dict[Availability, str]] = {"online": "Online", "away": "Away", "offline": "Offline"}


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """An agent's availability; `out_until` is set while they are out of office."""

    availability: Availability
    out_until: datetime | None

    @property
    def words(self) -> str:
        """Say it in a word; the page adds until when in the agent's own time."""
        return "Out of office" if self.out_until else WORDS[self.availability]


def attendance_of(principal: Principal, directory: Directory, now: datetime) -> Attendance | None:
    """Tell whether somebody takes tickets; of those who never do, nothing."""
    agent = directory.get(Agent, principal.id)
    if agent is None or not principal.may("tickets:reply"):
        return None
    out = agent.out_until if agent.out_until is not None and agent.out_until > now else None
    return Attendance(availability=agent.availability, out_until=out)
