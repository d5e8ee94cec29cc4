"""When a ticket's promises begin and end, read from its history alone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from deskwire_shared.contracts.facts import Metric, Priority, Status
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Message, Ticket
from deskwire_sla.calendars import Pause


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of a clock. Time counts from `start`; `began` is later than that when an earlier run is continued.

    Without a `stop` the promise is still owed. `unanswered` runs begin before anybody has answered at all.
    """

    metric: Metric
    cycle: int
    start: datetime
    began: datetime
    stop: datetime | None = None
    unanswered: bool = False


def runs_of(ticket: Ticket, *, automations_answer: bool = False) -> tuple[Run, ...]:
    """Find every run of every clock, in the order in which they began within each metric.

    What an automation wrote is no answer, unless `automations_answer`.
    """
    if ticket.opened_at is None:
        return ()
    said = [message for message in ticket.messages if automations_answer or not message.automated]
    return (
        *_response_runs(said, ticket.opened_at),
        *_update_runs(said, ticket.opened_at),
        *_resolution_runs(ticket, ticket.opened_at),
    )


def pauses_of(ticket: Ticket, pause_on: Collection[Status]) -> tuple[Pause, ...]:
    """Find the stretches in which nothing is owed: while the ticket waits, and while it is solved."""
    idle = {*pause_on, *OVER}
    history = [(at, status in idle) for at, status in ticket.status_history]
    ended: list[Pause] = [(at, until) for (at, is_idle), (until, _) in pairwise(history) if is_idle]
    return (*ended, *((at, None) for at, is_idle in history[-1:] if is_idle))


def priority_at(ticket: Ticket, moment: datetime) -> Priority:
    """Tell the priority that a ticket had at a moment."""
    held = [priority for at, priority in ticket.priority_history if at <= moment]
    return held[-1] if held else ticket.priority


def over_since(ticket: Ticket) -> datetime | None:
    """Tell since when nothing is owed any more; None for a ticket that is being worked on."""
    since = None
    for at, is_over in _turns(ticket):
        since = (since or at) if is_over else None
    return since


def _response_runs(messages: Collection[Message], opened_at: datetime) -> Iterator[Run]:
    """A customer who waits starts a run, the next answer ends it.

    An answer that was taken back may have ended the run for a while, so the run goes on under the next number.
    """
    metric: Metric = "first_response"
    cycle, waiting_since, began = 1, opened_at, opened_at
    waits = True
    for message in messages:
        if _is_answer(message):
            if waits:
                yield Run(metric=metric, cycle=cycle, start=waiting_since, began=began, stop=message.at)
            if metric == "first_response":
                metric, cycle = "next_response", 0
            waits = False
        elif waits and _was_taken_back(message):
            cycle, began = cycle + 1, message.at
        elif not waits and _awaits_an_answer(message):
            waits, cycle, waiting_since, began = True, cycle + 1, message.at, message.at
    if waits:
        yield Run(metric=metric, cycle=cycle, start=waiting_since, began=began)


def _update_runs(messages: Collection[Message], opened_at: datetime) -> Iterator[Run]:
    """Every answer ends a run and starts the next one; one that was taken back lets the run go on."""
    metric: Metric = "periodic_update"
    cycle, since, began, unanswered = 1, opened_at, opened_at, True
    for message in messages:
        if _is_answer(message):
            yield Run(metric=metric, cycle=cycle, start=since, began=began, stop=message.at, unanswered=unanswered)
            cycle, since, began, unanswered = cycle + 1, message.at, message.at, False
        elif _was_taken_back(message):
            cycle, began = cycle + 1, message.at
    yield Run(metric=metric, cycle=cycle, start=since, began=began, unanswered=unanswered)


def _is_answer(message: Message) -> bool:
    return message.kind == "agent" and message.delivery != "withdrawn"


def _was_taken_back(message: Message) -> bool:
    return message.kind == "agent" and message.delivery == "withdrawn"


def _awaits_an_answer(message: Message) -> bool:
    return message.is_by_the_customer and message.moved_to is None


def _resolution_runs(ticket: Ticket, opened_at: datetime) -> Iterator[Run]:
    """Solving ends a run; after a reopening the next one goes on with the time already used."""
    cycle, began, is_owed = 1, opened_at, True
    for at, is_over in _turns(ticket):
        if is_over and is_owed:
            yield Run(metric="resolution", cycle=cycle, start=opened_at, began=began, stop=at)
        elif not is_over and not is_owed:
            cycle, began = cycle + 1, at
        is_owed = not is_over
    if is_owed:
        yield Run(metric="resolution", cycle=cycle, start=opened_at, began=began)


def _turns(ticket: Ticket) -> Iterator[tuple[datetime, bool]]:
    for at, status in ticket.status_history:
        yield at, status in OVER
