"""SLA clocks as agents read them: in words, with a tone and an icon, never by colour alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from deskwire_query.reading.read_models import SlaClockView
from deskwire_query.web.phrases import due, span
from deskwire_shared.contracts.facts import Metric

Tone = Literal["late", "soon", "fine", "quiet", "met"]

PROMISES: Final[dict[Metric, str]] = {
    "first_response": "First reply",
    "next_response": "Next reply",
    "periodic_update": "Update",
    "resolution": "Solution",
}
ICONS: Final[dict[Tone, str]] = {
    "late": "siren",
    "soon": "alarm-clock",
    "fine": "timer",
    "quiet": "pause",
    "met": "check",
}


@dataclass(frozen=True, kw_only=True)
class ClockWords:
    """One clock, ready to be shown."""

    promise: str
    words: str
    tone: Tone
    due_at: datetime | None = None
    warn_at: datetime | None = None
    target: str = ""

    @property
    def icon(self) -> str:
        """The icon of the tone."""
        return ICONS[self.tone]


def read_clock(clock: SlaClockView, now: datetime) -> ClockWords:
    """Put a clock into words."""
    promise, target = PROMISES[clock.metric], span(clock.target)
    if clock.state == "met":
        return ClockWords(promise=promise, words=_met(clock), tone="late" if clock.breached else "met", target=target)
    if clock.state == "paused" or clock.due_at is None:
        return ClockWords(promise=promise, words="paused", tone="quiet", target=target)
    return ClockWords(
        promise=promise, words=due(clock.due_at, now), tone=_tone(clock, now), due_at=clock.due_at,
        warn_at=clock.warn_at, target=target,
    )  # fmt: skip


def _met(clock: SlaClockView) -> str:
    return f"late, after {span(clock.used)}" if clock.breached else f"met after {span(clock.used)}"


def _tone(clock: SlaClockView, now: datetime) -> Tone:
    if clock.due_at is not None and clock.due_at <= now:
        return "late"
    return "soon" if clock.warned or (clock.warn_at is not None and clock.warn_at <= now) else "fine"


def most_pressing(clocks: Iterable[SlaClockView], now: datetime) -> ClockWords | None:
    """Choose the clock a list shows: the running one due first, else a paused one, else none."""
    running = [clock for clock in clocks if clock.state == "running" and clock.due_at is not None]
    if running:
        return read_clock(min(running, key=_due_at), now)
    paused = [clock for clock in clocks if clock.state == "paused"]
    return read_clock(paused[0], now) if paused else None


def _due_at(clock: SlaClockView) -> datetime:
    assert clock.due_at is not None
    return clock.due_at
