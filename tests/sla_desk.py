"""Promises on a real NATS server, their clocks and their timers."""

from datetime import UTC, datetime

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import SlaClock
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.subjects import TICKETS, TIMERS
from deskwire_shared.runtime.timers import tick_after
from deskwire_sla.hints import NEXT_LOOK, SERVICE
from ticket_desk import TicketDesk

ADA = Actor(kind="agent", id="ada")

HOUR = 3600

SLA = ((TICKETS, "sla"), (TIMERS, "sla-timers"))


def promising(metric: str = "first_response", *, warn_at: float = 0.5, **seconds: int) -> SlaPolicy:
    targets = [{"metric": metric, "seconds": seconds}]
    return SlaPolicy.model_validate({"name": "Standard", "targets": targets, "warn_at": warn_at})


async def timers_of(desk: TicketDesk, ticket_id: str) -> list[datetime]:
    """The moments that a ticket's timers wait for."""
    waiting = f"timer.wait.{SERVICE}.*.{ticket_id}.{NEXT_LOOK}"
    subjects = (await desk.runtime.js.stream_info(TIMERS, subjects_filter=waiting)).state.subjects or {}
    ticks = sorted(int(subject.split(".")[3]) for subject in subjects)
    return [datetime.fromtimestamp(tick / 1000, UTC) for tick in ticks]


def tick_of(moment: datetime | None) -> datetime:
    """When a timer for a moment fires."""
    assert moment is not None
    return tick_after(moment)


async def clock_of(desk: TicketDesk, ticket_id: str) -> SlaClock:
    """The only clock that holds on a ticket."""
    ticket = await desk.ticket(ticket_id)
    assert ticket.sla is not None
    (clock,) = ticket.sla.clocks
    return clock
