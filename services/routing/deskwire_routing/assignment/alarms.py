"""Timers of routing: when to look at a ticket, a team or an agent again."""

from datetime import datetime, timedelta
from typing import Final, Literal

from deskwire_routing.timers import TimerStore
from deskwire_shared.runtime.clock import Clock

Alarm = Literal["soon", "hours", "overflow", "away"]
"""Room that was only promised to others, somebody who comes to work, a ticket that waited too long, an absence."""

MOST_REMEMBERED: Final = 10_000
CLOCKS_APART: Final = timedelta(seconds=0.5)
"""How much the clocks of hosts may differ: an alarm so close may have rung already."""


class Alarms:
    """Sets timers, and remembers which stand, so that a thousand tickets of a queue set one."""

    def __init__(self, timers: TimerStore, clock: Clock) -> None:
        self._timers = timers
        self._clock = clock
        self._standing: dict[tuple[str, Alarm], datetime] = {}

    async def set(self, about: str, alarm: Alarm, at: datetime) -> None:
        """See that there is a look at something no later than a moment."""
        standing = self._standing.get((about, alarm))
        if standing is not None and self._clock.now() + CLOCKS_APART < standing <= at:
            return
        await self._timers.set(about, alarm, at)
        if len(self._standing) >= MOST_REMEMBERED:
            self._standing.clear()
        self._standing[about, alarm] = at
