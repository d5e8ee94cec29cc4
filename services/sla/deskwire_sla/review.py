"""What is to be noted on a ticket at a moment, and when to look at it again. Asked twice, it wishes for nothing new."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from deskwire_shared.contracts.facts import SlaClock
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.acting import NOBODY, Staff
from deskwire_shared.ticket.commands import ApplySla, Several, SingleCommand, WakeTicket
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.clocks import Measured, clocks_of, measure, outcomes_of
from deskwire_sla.escalations import escalating
from deskwire_sla.policies import Terms


def review(ticket: Ticket, terms: Terms | None, now: datetime, staff: Staff = NOBODY) -> Several:
    """Wish for the clocks that hold, for what became of them and is done about it, and for the end of a sleep."""
    if ticket.is_merged:
        return Several(commands=_without_clocks(ticket, None))
    runs = measure(ticket, terms) if terms else ()
    applying = _without_clocks(ticket, terms) if ticket.status in OVER else (_with_clocks(runs, ticket, terms),)
    judging = escalating(outcomes_of(runs, ticket, terms, now), ticket, terms, staff) if terms else ()
    return Several(commands=_as_many_as_fit([*_waking(ticket, now), *applying], judging))


def next_look(ticket: Ticket, after: datetime) -> datetime | None:
    """Tell when something will be due next; None when only a new fact can change anything."""
    return None if ticket.is_merged or ticket.status in OVER else noted_look(ticket, after)


def noted_look(ticket: Ticket, after: datetime) -> datetime | None:
    """Tell what was due next when the clocks of a ticket were noted, whatever has happened to it since."""
    moments = [moment for clock in (ticket.sla.clocks if ticket.sla else ()) for moment in _moments(clock, ticket)]
    if ticket.snoozed_until is not None:
        moments.append(ticket.snoozed_until)
    return min((moment for moment in moments if moment > after), default=None)


def _as_many_as_fit(
    commands: list[SingleCommand], groups: Iterable[Sequence[SingleCommand]]
) -> tuple[SingleCommand, ...]:
    """Add what belongs together as a whole; what a ticket does not take at once follows with another look."""
    for group in groups:
        if len(commands) + len(group) > limits.COMMANDS:
            break
        commands += group
    return tuple(commands)


def _with_clocks(runs: Iterable[Measured], ticket: Ticket, terms: Terms | None) -> ApplySla:
    if terms is None:
        return ApplySla(policy_id=None)
    return _applying(terms, clocks_of(runs, ticket, terms))


def _without_clocks(ticket: Ticket, terms: Terms | None) -> tuple[SingleCommand, ...]:
    """Leave a ticket that is over under the policy it had."""
    if ticket.sla is not None:
        return (ApplySla(**ticket.sla.model_dump(exclude={"type", "clocks"})),)
    return (_applying(terms, ()),) if terms else ()


def _applying(terms: Terms, clocks: tuple[SlaClock, ...]) -> ApplySla:
    return ApplySla(
        policy_id=terms.policy_id,
        policy_revision=terms.revision,
        calendar_id=terms.policy.calendar_id,
        calendar_revision=terms.calendar_revision,
        clocks=clocks,
    )


def _waking(ticket: Ticket, now: datetime) -> tuple[SingleCommand, ...]:
    is_due = ticket.snoozed_until is not None and ticket.snoozed_until <= now and not ticket.is_closed
    return (WakeTicket(reason="due", at=now),) if is_due else ()


def _moments(clock: SlaClock, ticket: Ticket) -> Iterator[datetime]:
    noted = {what for metric, cycle, what in ticket.sla_outcomes if (metric, cycle) == (clock.metric, clock.cycle)}
    if clock.state == "paused" or noted & {"breached", "met"}:
        return
    if clock.due_at is not None:
        yield clock.due_at
    if clock.warn_at is not None:
        yield from (clock.warn_at, *clock.later_warnings)[ticket.sla_stages.get((clock.metric, clock.cycle), 0) :]
