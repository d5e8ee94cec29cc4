"""What a policy says about a ticket: the clocks that hold, and what became of them until now.

All of it follows from the ticket's history, the policy and its calendar, as if that policy had always held: a
changed target or calendar moves the due time and keeps the time used. Time that merely passes changes no clock:
`used` is counted until the clock last started or paused.

A breach is due from the moment `due_at` on; an answer at that very moment is still in time.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from deskwire_shared.contracts.facts import Metric, Priority, SlaClock
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.ticket.commands import BreachSla, MeetSla, WarnSla
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.calendars import NeverDue, Pause, due, elapsed
from deskwire_sla.policies import Terms
from deskwire_sla.runs import Run, over_since, pauses_of, priority_at, runs_of

Outcome: TypeAlias = WarnSla | BreachSla | MeetSla


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A run measured by the hours of a policy; `warnings` are the moments at which they are due, in order."""

    run: Run
    hours: OpenHours
    pauses: tuple[Pause, ...]
    target: int
    warnings: tuple[datetime, ...]
    due_at: datetime | None

    def used(self, until: datetime) -> int:
        """Count the seconds used until a moment."""
        return elapsed(self.hours, self.run.start, until, self.pauses)


def clocks(ticket: Ticket, terms: Terms) -> tuple[SlaClock, ...]:
    """Tell the clocks of what is owed now; a ticket that is over has none."""
    return clocks_of(measure(ticket, terms), ticket, terms)


def outcomes(ticket: Ticket, terms: Terms, now: datetime) -> tuple[Outcome, ...]:
    """Tell what is due to be noted at a moment: what was warned of, missed or reached and is not noted yet."""
    return outcomes_of(measure(ticket, terms), ticket, terms, now)


def measure(ticket: Ticket, terms: Terms) -> tuple[Measured, ...]:
    """Measure the runs that something is promised for and that are not settled yet."""
    return tuple(_measured(ticket, terms))


def clocks_of(runs: Iterable[Measured], ticket: Ticket, terms: Terms) -> tuple[SlaClock, ...]:
    """Tell the clocks of runs that were measured."""
    if ticket.status in OVER:
        return ()
    is_paused = ticket.status in terms.policy.pause_on
    return tuple(_clock(one, is_paused=is_paused) for one in runs if one.run.stop is None)


def outcomes_of(runs: Iterable[Measured], ticket: Ticket, terms: Terms, now: datetime) -> tuple[Outcome, ...]:
    """Tell what is due to be noted of runs that were measured."""
    missed = {(metric, cycle) for metric, cycle, what in ticket.sla_outcomes if what == "breached"}
    wishes: list[Outcome] = []
    for measured in runs:
        for outcome in _outcomes_of_run(measured, ticket, terms, now):
            if isinstance(outcome, BreachSla):
                if _was_missed(measured.run, outcome.due_at, missed):
                    continue
                missed.add((outcome.metric, outcome.cycle))
            wishes.append(outcome)
    return tuple(wishes)


def _measured(ticket: Ticket, terms: Terms) -> Iterator[Measured]:
    if terms.hours is None:
        return
    pauses = pauses_of(ticket, terms.policy.pause_on)
    for run in runs_of(ticket, automations_answer=terms.policy.automations_answer):
        target = _target(run, terms, priority_at(ticket, run.stop) if run.stop else ticket.priority)
        if target is not None and not (run.stop and _has(ticket, run, "met")):
            yield _measure(run, target, terms.hours, pauses, terms.policy.warning_shares)


def _target(run: Run, terms: Terms, priority: Priority) -> int | None:
    """The seconds that are promised; until the first answer an update is no promise of its own beside that answer."""
    is_before_any_answer = run.metric == "periodic_update" and run.first_cycle == 1
    if is_before_any_answer and terms.target("first_response", priority) is not None:
        return None
    return terms.target(run.metric, priority)


def _measure(run: Run, target: int, hours: OpenHours, pauses: tuple[Pause, ...], shares: tuple[float, ...]) -> Measured:
    warnings = (_due(hours, run.start, int(target * share), pauses) for share in shares)
    return Measured(
        run=run,
        hours=hours,
        pauses=pauses,
        target=target,
        warnings=tuple(moment for moment in warnings if moment is not None),
        due_at=_due(hours, run.start, target, pauses),
    )


def _due(hours: OpenHours, start: datetime, seconds: int, pauses: tuple[Pause, ...]) -> datetime | None:
    """When the seconds are used up; None while a pause holds the rest, or where the calendar never opens that long."""
    try:
        return due(hours, start, seconds, pauses)
    except NeverDue:
        return None


def _clock(measured: Measured, *, is_paused: bool) -> SlaClock:
    run = measured.run
    return SlaClock(
        metric=run.metric,
        cycle=run.cycle,
        state="paused" if is_paused else "running",
        target=measured.target,
        used=measured.used(_last_turn(measured, is_paused=is_paused)),
        warn_at=next(iter(measured.warnings), None),
        later_warnings=measured.warnings[1:],
        due_at=measured.due_at,
    )


def _last_turn(measured: Measured, *, is_paused: bool) -> datetime:
    """When the clock last started or paused."""
    turns = [start if end is None else end for start, end in measured.pauses if is_paused or end is not None]
    return max([measured.run.start, *turns])


def _outcomes_of_run(measured: Measured, ticket: Ticket, terms: Terms, now: datetime) -> Iterator[Outcome]:
    """Tell what came of a run, unless it was over before the policy was written and had no clock."""
    run = measured.run
    if (run.stop or over_since(ticket) or now) < terms.since and not _stands(ticket, run):
        return
    if run.stop is None:
        yield from _owed(measured, ticket, terms, now)
    else:
        yield from _ended(measured, run.stop, terms)


def _owed(measured: Measured, ticket: Ticket, terms: Terms, now: datetime) -> Iterator[Outcome]:
    run, due_at = measured.run, measured.due_at
    if due_at is not None and due_at <= now:
        yield _breach(measured, due_at, terms)
        return
    stage = sum(moment <= now for moment in measured.warnings)
    given = ticket.sla_stages.get((run.metric, run.cycle), 0)
    if stage > given and ticket.status not in OVER and not _has(ticket, run, "breached"):
        yield WarnSla(
            metric=run.metric,
            cycle=run.cycle,
            stage=stage,
            policy_id=terms.policy_id,
            used=measured.used(now),
            target=measured.target,
            due_at=due_at,
        )


def _ended(measured: Measured, stop: datetime, terms: Terms) -> Iterator[Outcome]:
    run, due_at = measured.run, measured.due_at
    is_late = due_at is not None and due_at < stop
    if due_at is not None and is_late:
        yield _breach(measured, due_at, terms)
    yield MeetSla(
        metric=run.metric,
        cycle=run.cycle,
        policy_id=terms.policy_id,
        used=measured.used(stop),
        target=measured.target,
        late=is_late,
    )


def _breach(measured: Measured, due_at: datetime, terms: Terms) -> BreachSla:
    run = measured.run
    return BreachSla(
        metric=run.metric, cycle=run.cycle, policy_id=terms.policy_id, target=measured.target, due_at=due_at
    )


def _was_missed(run: Run, due_at: datetime, missed: Collection[tuple[Metric, int]]) -> bool:
    """Whether it is known: a promise is broken once, also when the run goes on with one that was missed."""
    cycles = range(run.first_cycle if due_at <= run.began else run.cycle, run.cycle + 1)
    return any((run.metric, cycle) in missed for cycle in cycles)


def _has(ticket: Ticket, run: Run, what: str) -> bool:
    return (run.metric, run.cycle, what) in ticket.sla_outcomes


def _stands(ticket: Ticket, run: Run) -> bool:
    """Whether a clock was noted for the run."""
    standing = ticket.sla.clocks if ticket.sla else ()
    return any(_key(clock) == (run.metric, run.cycle) for clock in standing)


def _key(clock: SlaClock) -> tuple[Metric, int]:
    return clock.metric, clock.cycle
