"""How fast the story of a ticket goes on: work only while somebody has the ticket, everything else with the time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskwire_routing.rehearsal.assignment.stories import Step


@dataclass(slots=True)
class Pace:
    """How far the story of a ticket has come: the next step, and the time since the last one, in hand and in all."""

    steps: Iterator[Step]
    step: Step | None
    began: datetime
    in_hand: timedelta = timedelta()
    held_since: datetime | None = None
    turn: int = 0

    def advance(self, now: datetime) -> None:
        """Go on to the next step."""
        self.step = next(self.steps, None)
        self.began, self.in_hand, self.held_since = now, timedelta(), None
        self.turn += 1

    def note(self, now: datetime, *, is_held: bool) -> None:
        """Count the time in which somebody had the ticket."""
        if self.held_since is not None:
            self.in_hand += now - self.held_since
        self.held_since = now if is_held else None
        self.turn += 1

    @property
    def due(self) -> datetime | None:
        """When the next step is due, as things stand; None when there is none, or nobody has the ticket."""
        if self.step is None:
            return None
        if self.held_since is None:
            return None if self.step.in_hand else self.began + self.step.after
        if self.is_overtaken:
            return self.held_since + self.step.worked - self.in_hand
        return self.held_since + self.step.after - self.in_hand if self.step.in_hand else self.began + self.step.after

    @property
    def is_overtaken(self) -> bool:
        """Whether assignment was quicker than whoever would take the ticket next: the work goes on without that."""
        return self.step is not None and self.step.is_taking and self.held_since is not None
