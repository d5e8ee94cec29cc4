"""Tickets told as stories, with times, for the tests of service levels."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

from deskwire_shared.contracts.calendar import ALWAYS_OPEN, Calendar
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import AnyFact
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.testing.ticket import AGENT, CUSTOMER, CUSTOMER_ID, TICKET_ID
from deskwire_shared.ticket.commands import (
    ChangeStatus,
    OpenTicket,
    ReceiveReply,
    SendReply,
    TicketCommand,
    WithdrawReply,
)
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.policies import Terms

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = 3600
BY_SLA = Actor(kind="system", id="sla")
Step = tuple[datetime, TicketCommand]


def at(clock: str, day: int = 0) -> datetime:
    """A time on Monday, 2 March 2026, or so many days later."""
    hour, minute, *second = map(int, clock.split(":"))
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute, seconds=second[0] if second else 0)


def story(*steps: Step) -> Ticket:
    """The ticket at the end of its story."""
    return go_on(Ticket.unborn(TICKET_ID), *steps)


def go_on(ticket: Ticket, *steps: Step) -> Ticket:
    """The ticket after more has happened."""
    return reduce(lambda so_far, step: after(so_far, decide(step[1], so_far), step[0]), steps, ticket)


def after(ticket: Ticket, facts: Iterable[AnyFact], moment: datetime) -> Ticket:
    """The ticket after facts of a moment."""
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=moment, actor=AGENT), facts, ticket)


def opens(clock: str = "09:00", day: int = 0, **changes: Any) -> Step:
    usual: dict[str, Any] = {
        "number": 1, "requester_id": CUSTOMER_ID, "message_id": "m1", "channel": "email", "author": CUSTOMER,
        "subject": "Fire", "text": "Help!",
    }  # fmt: skip
    return at(clock, day), OpenTicket(**usual | changes)


def customer_writes(clock: str, message_id: str, day: int = 0, **changes: Any) -> Step:
    said: dict[str, Any] = {"channel": "email", "author": CUSTOMER, "text": "Hello?"}
    return at(clock, day), ReceiveReply(author_id=CUSTOMER_ID, message_id=message_id, **said | changes)


def agent_answers(clock: str, message_id: str, day: int = 0, **changes: Any) -> Step:
    return at(clock, day), SendReply(message_id=message_id, agent_id="ada", text="Done.", **changes)


def agent_takes_back(clock: str, message_id: str) -> Step:
    return at(clock), WithdrawReply(message_id=message_id, at=at(clock))


def becomes(clock: str, status: Any, day: int = 0) -> Step:
    return at(clock, day), ChangeStatus(status=status)


def a_policy(**changes: Any) -> SlaPolicy:
    """First response in 1 hour, next response in 2, resolution in 8; warned of after three quarters."""
    seconds = {"first_response": HOUR, "next_response": 2 * HOUR, "resolution": 8 * HOUR}
    targets = [
        {"metric": metric, "seconds": dict.fromkeys(("low", "normal", "high", "urgent"), target)}
        for metric, target in seconds.items()
    ]
    return SlaPolicy.model_validate({"name": "Standard", "targets": targets, **changes})


def promising(metric: str, **seconds: int) -> dict[str, Any]:
    return {"targets": [{"metric": metric, "seconds": seconds or {"normal": HOUR}}]}


def some_terms(*, calendar: Calendar | None = ALWAYS_OPEN, since: datetime = MONDAY, **changes: Any) -> Terms:
    """The terms of a policy; without a calendar that is missing."""
    hours = OpenHours(calendar) if calendar else None
    return Terms(policy_id="standard", revision=1, policy=a_policy(**changes), hours=hours, since=since)
