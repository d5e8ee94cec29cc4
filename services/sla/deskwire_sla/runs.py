"""When a ticket's promises begin and end, read from its history alone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from deskwire_shared.contracts.facts import Metric, Priority, Status
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Message, Ticket
from deskwire_sla.calendars import Pause


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of a clock. Time counts from `start`; `began` is later than that when an earlier run is continued.

    The runs that it continues are those from `first_cycle` on. Without a `stop` the promise is still owed.
    """

    metric: Metric
    first_cycle: int
    cycle: int
    start: datetime
    began: datetime
    stop: datetime | None = None


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
    """A customer who waits starts a run, the next answer ends it; one that was taken back lets the run go on."""
    owed: Run | None = _begun("first_response", 1, opened_at)
    waits = 0
    for message in messages:
        if _is_answer(message):
            if owed is not None:
                yield replace(owed, stop=message.at)
                waits = owed.cycle if owed.metric == "next_response" else 0
            owed = None
        elif owed is not None and _was_taken_back(message):
            owed = _continued(owed, message.at)
        elif owed is None and _awaits_an_answer(message):
            owed = _begun("next_response", waits + 1, message.at)
    if owed is not None:
        yield owed


def _update_runs(messages: Collection[Message], opened_at: datetime) -> Iterator[Run]:
    """Every answer ends a run and starts the next one; one that was taken back lets the run go on."""
    owed = _begun("periodic_update", 1, opened_at)
    for message in messages:
        if _is_answer(message):
            yield replace(owed, stop=message.at)
            owed = _begun("periodic_update", owed.cycle + 1, message.at)
        elif _was_taken_back(message):
            owed = _continued(owed, message.at)
    yield owed


def _is_answer(message: Message) -> bool:
    return message.kind == "agent" and message.delivery != "withdrawn"


def _was_taken_back(message: Message) -> bool:
    return message.kind == "agent" and message.delivery == "withdrawn"


def _awaits_an_answer(message: Message) -> bool:
    return message.is_by_the_customer and message.moved_to is None


def _resolution_runs(ticket: Ticket, opened_at: datetime) -> Iterator[Run]:
    """Solving ends a run; after a reopening the next one goes on with the time already used."""
    run, is_owed = _begun("resolution", 1, opened_at), True
    for at, is_over in _turns(ticket):
        if is_over and is_owed:
            yield replace(run, stop=at)
        elif not is_over and not is_owed:
            run = _continued(run, at)
        is_owed = not is_over
    if is_owed:
        yield run


def _begun(metric: Metric, cycle: int, at: datetime) -> Run:
    return Run(metric=metric, first_cycle=cycle, cycle=cycle, start=at, began=at)


def _continued(run: Run, at: datetime) -> Run:
    """Go on under the next number: something had ended the run, for good or for a while."""
    return replace(run, cycle=run.cycle + 1, began=at)


def _turns(ticket: Ticket) -> Iterator[tuple[datetime, bool]]:
    for at, status in ticket.status_history:
        yield at, status in OVER
