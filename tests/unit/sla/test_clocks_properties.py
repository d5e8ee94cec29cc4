"""What is true of the clocks of every ticket, whatever happened to it."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar
from deskwire_shared.contracts.facts import MachineKind, Priority, SlaClock, Status
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID
from deskwire_shared.ticket.commands import ChangePriority, ChangeStatus, ReceiveReply, SendReply, WithdrawReply
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.clocks import clocks
from deskwire_sla.policies import Terms
from deskwire_sla.review import next_look, review
from sla_stories import HOUR, Step, after, at, go_on, opens, some_terms, story

OFFICE = Calendar.model_validate(
    {
        "name": "Office", "time_zone": "Europe/Berlin",
        "hours": dict.fromkeys(WEEKDAYS[:5], (("09:00", "12:00"), ("13:00", "17:00"))),
    }
)  # fmt: skip
HOURS = {"low": 8, "normal": 4, "urgent": 1}
TARGETS: dict[str, Any] = {
    "targets": [
        {"metric": metric, "seconds": {priority: share * hours * HOUR for priority, hours in HOURS.items()}}
        for metric, share in (("first_response", 1), ("next_response", 2), ("periodic_update", 2), ("resolution", 3))
    ],
    "warn_at": (0.5, 0.8),
}
TERMS = [some_terms(**TARGETS), some_terms(calendar=OFFICE, **TARGETS)]
STATUSES: tuple[Status, ...] = ("open", "pending", "on_hold", "solved")
PRIORITIES: tuple[Priority, ...] = ("low", "urgent")

minutes = st.integers(0, 600)
moves = st.sampled_from(["customer", "machine", "agent", "undone", "automatic", *STATUSES, *PRIORITIES])
histories = st.lists(st.tuples(minutes, moves), max_size=12)
terms_of_all_kinds = st.sampled_from(TERMS)


def steps_of(number: int, move: str, moment: datetime) -> list[Step]:
    """What a move means at a moment."""
    steps: dict[str, list[Step]] = {
        "customer": [(moment, customer_says(number, machine=None))],
        "machine": [(moment, customer_says(number, machine="auto_reply"))],
        "agent": [(moment, agent_says(number))],
        "automatic": [(moment, agent_says(number, automated=True))],
        "undone": [
            (moment, agent_says(number, deliver_after=moment + timedelta(seconds=1))),
            (moment, WithdrawReply(message_id=f"a{number}", at=moment)),
        ],
        **{priority: [(moment, ChangePriority(priority=priority))] for priority in PRIORITIES},
        **{status: [(moment, ChangeStatus(status=status))] for status in STATUSES},
    }
    return steps[move]


def customer_says(number: int, *, machine: MachineKind | None) -> ReceiveReply:
    return ReceiveReply(
        author_id=CUSTOMER_ID, message_id=f"c{number}", channel="email", author=CUSTOMER, text="?", machine=machine
    )


def agent_says(number: int, **changes: Any) -> SendReply:
    return SendReply(message_id=f"a{number}", agent_id="ada", text="!", **changes)


def lives(history: list[tuple[int, str]], terms: Terms, *, watched: bool = True) -> list[tuple[datetime, Ticket]]:
    """The ticket after each step, looked at after each when it is watched."""
    moment, ticket = at("09:00"), story(opens("09:00"))
    found = [(moment, look(ticket, terms, moment) if watched else ticket)]
    for number, (wait, move) in enumerate(history):
        moment += timedelta(minutes=wait)
        ticket = go_on(found[-1][1], *steps_of(number, move, moment))
        found.append((moment, look(ticket, terms, moment) if watched else ticket))
    return found


def look(ticket: Ticket, terms: Terms, now: datetime) -> Ticket:
    return after(ticket, decide(review(ticket, terms, now), ticket), now)


def by_run(ticket: Ticket, terms: Terms) -> dict[tuple[str, int], SlaClock]:
    return {(clock.metric, clock.cycle): clock for clock in clocks(ticket, terms)}


@given(histories, terms_of_all_kinds, minutes)
def test_looking_twice_notes_nothing_the_second_time(history: list[tuple[int, str]], terms: Terms, wait: int) -> None:
    moment, ticket = lives(history, terms)[-1]
    later = look(ticket, terms, moment + timedelta(minutes=wait))
    assert decide(review(later, terms, moment + timedelta(minutes=wait)), later) == []


@given(histories, terms_of_all_kinds)
def test_time_used_never_decreases(history: list[tuple[int, str]], terms: Terms) -> None:
    seen: dict[tuple[str, int], int] = {}
    for _, ticket in lives(history, terms):
        for run, clock in by_run(ticket, terms).items():
            assert clock.used >= seen.get(run, 0)
            seen[run] = clock.used


@given(histories, terms_of_all_kinds, st.integers(1, 600), st.sampled_from(["pending", "on_hold", "solved"]))
def test_a_pause_never_makes_anything_due_earlier(
    history: list[tuple[int, str]], terms: Terms, length: int, status: Status
) -> None:
    moment, ticket = lives(history, terms, watched=False)[-1]
    ticket = go_on(ticket, (moment, ChangeStatus(status="open"))) if ticket.status != "open" else ticket
    pause_ends = moment + timedelta(minutes=length)
    paused = go_on(ticket, (moment, ChangeStatus(status=status)), (pause_ends, ChangeStatus(status="open")))
    after_pause = {clock.metric: clock for clock in clocks(paused, terms)}
    for clock in clocks(ticket, terms):
        assert clock.due_at is not None
        later = after_pause[clock.metric].due_at
        assert later is not None
        assert later >= clock.due_at


@given(histories, terms_of_all_kinds)
def test_every_promise_comes_to_one_end_at_most(history: list[tuple[int, str]], terms: Terms) -> None:
    _, ticket = lives(history, terms)[-1]
    for clock in clocks(ticket, terms):
        assert (clock.metric, clock.cycle, "met") not in ticket.sla_outcomes


@given(histories, terms_of_all_kinds)
def test_a_watched_ticket_and_one_seen_late_have_the_same_clocks(history: list[tuple[int, str]], terms: Terms) -> None:
    moment, watched = lives(history, terms)[-1]
    seen_late = look(lives(history, terms, watched=False)[-1][1], terms, moment)
    assert (watched.sla.clocks if watched.sla else ()) == (seen_late.sla.clocks if seen_late.sla else ())


@given(histories, terms_of_all_kinds)
def test_following_the_timers_misses_no_breach(history: list[tuple[int, str]], terms: Terms) -> None:
    moment, ticket = lives(history, terms)[-1]
    while (woken_at := next_look(ticket, moment)) is not None:
        before, moment, ticket = ticket, woken_at, look(ticket, terms, woken_at)
        assert (ticket.sla_outcomes, ticket.sla_stages) != (before.sla_outcomes, before.sla_stages)
    far = moment + timedelta(days=400)
    assert decide(review(ticket, terms, far), ticket) == []
