"""How much work each agent has."""

from hypothesis import given
from hypothesis import strategies as st

from deskwire_routing.workload import Workload
from deskwire_shared.contracts.facts import Assigned, NoteAdded, Status, StatusChanged, Unassigned


def a_workload(*facts: tuple[str, Assigned | Unassigned | StatusChanged]) -> Workload:
    workload = Workload()
    for ticket_id, fact in facts:
        workload.apply(ticket_id, fact)
    return workload


def to(agent_id: str) -> Assigned:
    return Assigned(agent_id=agent_id)


def became(status: Status) -> StatusChanged:
    return StatusChanged(before="open", after=status)


def test_an_assigned_ticket_is_work_until_it_is_solved() -> None:
    workload = a_workload(("t1", to("ada")), ("t2", to("ada")))
    assert workload.open_tickets("ada") == 2
    workload.apply("t1", became("solved"))
    assert workload.open_tickets("ada") == 1


def test_a_ticket_that_waits_for_its_customer_is_still_work() -> None:
    assert a_workload(("t1", to("ada")), ("t1", became("pending"))).open_tickets("ada") == 1


def test_a_reopened_ticket_is_work_again() -> None:
    reopened = a_workload(("t1", to("ada")), ("t1", became("solved")), ("t1", became("open")))
    assert reopened.open_tickets("ada") == 1


def test_a_solved_ticket_given_to_another_agent_is_work_for_nobody_until_it_is_reopened() -> None:
    workload = a_workload(("t1", to("ada")), ("t1", became("solved")), ("t1", to("bob")))
    assert (workload.open_tickets("ada"), workload.open_tickets("bob")) == (0, 0)
    workload.apply("t1", became("open"))
    assert (workload.open_tickets("ada"), workload.open_tickets("bob")) == (0, 1)


def test_a_ticket_moves_from_one_agent_to_the_next() -> None:
    workload = a_workload(("t1", to("ada")), ("t1", to("bob")))
    assert (workload.open_tickets("ada"), workload.open_tickets("bob")) == (0, 1)


def test_a_ticket_that_was_given_back_is_nobodys_work() -> None:
    assert a_workload(("t1", to("ada")), ("t1", Unassigned(before="ada"))).open_tickets("ada") == 0


def test_a_fact_heard_twice_counts_once() -> None:
    twice = a_workload(("t1", to("ada")), ("t1", to("ada")), ("t2", became("closed")), ("t2", became("closed")))
    assert twice.open_tickets("ada") == 1


def test_the_later_turn_is_the_higher_one() -> None:
    workload = a_workload(("t1", to("ada")), ("t2", to("bob")), ("t3", to("ada")))
    assert workload.last_turn("ada") > workload.last_turn("bob") > workload.last_turn("cid") == 0


def test_other_facts_are_no_work() -> None:
    workload = Workload()
    workload.apply("t1", NoteAdded(person_id="p1", message_id="m1", agent_id="ada", text="hm"))
    assert workload.open_tickets("ada") == 0


STATUSES: tuple[Status, ...] = ("open", "pending", "solved", "closed")
FACTS = st.one_of(
    st.sampled_from(["ada", "bob"]).map(to),
    st.just(Unassigned(before="ada")),
    st.sampled_from(STATUSES).map(became),
)


@given(st.lists(st.tuples(st.sampled_from(["t1", "t2", "t3"]), FACTS)))
def test_no_history_makes_work_out_of_nothing(history: list[tuple[str, Assigned | Unassigned | StatusChanged]]) -> None:
    workload = a_workload(*history)
    open_tickets = {agent_id: workload.open_tickets(agent_id) for agent_id in ("ada", "bob")}
    assert all(count >= 0 for count in open_tickets.values())
    assert sum(open_tickets.values()) <= len({ticket_id for ticket_id, _ in history})
