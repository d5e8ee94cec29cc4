"""Who is next in a queue."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deskwire_routing.workload.queues import RANKS, Queue, Urgency, urgency
from deskwire_shared.testing.ticket import NOON

SOON, LATER = NOON + timedelta(hours=1), NOON + timedelta(hours=2)


def a_queue(**tickets: Any) -> Queue:
    queue = Queue()
    for ticket_id, urgent in tickets.items():
        queue.put(ticket_id, urgency(*urgent))
    return queue


def test_the_promise_that_falls_due_first_comes_first_whatever_the_priority() -> None:
    assert list(a_queue(a=(LATER, "urgent", 1), b=(SOON, "low", 2))) == ["b", "a"]


def test_a_ticket_without_a_promise_comes_after_those_with_one() -> None:
    assert list(a_queue(a=(None, "urgent", 1), b=(LATER, "low", 2))) == ["b", "a"]


def test_without_promises_the_priority_decides_and_then_who_came_first() -> None:
    queue = a_queue(a=(None, "normal", 1), b=(None, "high", 3), c=(None, "high", 2), d=(None, "low", 0))
    assert list(queue) == ["c", "b", "a", "d"]


def test_a_queue_tells_how_many_are_ahead_of_a_ticket_that_is_in_it_or_not() -> None:
    queue = a_queue(a=(SOON, "normal", 1), b=(LATER, "normal", 2))
    assert queue.ahead_of("b", urgency(LATER, "normal", 2)) == 1
    assert queue.ahead_of("c", urgency(None, "urgent", 3)) == 2
    assert queue.ahead_of("d", urgency(NOON, "low", 4)) == 0


URGENCIES = st.builds(
    urgency,
    st.none() | st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)),
    st.sampled_from(sorted(RANKS)),
    st.integers(0, 5),
)


@given(st.dictionaries(st.text(min_size=1, max_size=3), URGENCIES), st.data())
def test_a_queue_is_sorted_whoever_comes_and_goes(tickets: dict[str, Urgency], data: st.DataObject) -> None:
    queue = Queue()
    for ticket_id, urgent in tickets.items():
        queue.put(ticket_id, urgent)
    gone = data.draw(st.sets(st.sampled_from(sorted(tickets)))) if tickets else set()
    for ticket_id in gone:
        queue.remove(ticket_id)
    assert list(queue) == sorted(set(tickets) - gone, key=lambda one: (tickets[one], one))
    assert len(queue) == len(tickets) - len(gone)
