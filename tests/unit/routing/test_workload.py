"""How much work each agent has, and what waits."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from deskwire_routing.workload.work import NewRequester, Opening
from deskwire_routing.workload.workload import CUSTOMERS_REMEMBERED, Workload
from deskwire_shared.contracts.facts import (
    Assigned,
    Part,
    PriorityChanged,
    Routed,
    SlaApplied,
    SlaClock,
    Status,
    StatusChanged,
    TagsChanged,
    TicketFact,
    Unassigned,
)
from deskwire_shared.testing.ticket import AGENT, NOON, opened
from deskwire_shared.ticket.decider import evolve
from deskwire_shared.ticket.state import Ticket

TICKETS = ("t1", "t2", "t3")
OPENING = Opening(requester_id="cora", channel="email")


def a_workload(*facts: tuple[str, Part]) -> Workload:
    """The work after three tickets were opened and this happened."""
    workload = Workload()
    history = [*((ticket_id, OPENING) for ticket_id in TICKETS), *facts]
    for sequence, (ticket_id, fact) in enumerate(history, 1):
        workload.apply(ticket_id, [fact], sequence=sequence)
    return workload


def to(agent_id: str) -> Assigned:
    return Assigned(agent_id=agent_id)


def became(status: Status) -> StatusChanged:
    return StatusChanged(before="open", after=status)


def test_an_assigned_ticket_is_work_until_it_is_solved() -> None:
    workload = a_workload(("t1", to("ada")), ("t2", to("ada")))
    assert workload.open_tickets("ada") == 2
    workload.apply("t1", [became("solved")], sequence=9)
    assert workload.open_tickets("ada") == 1


def test_a_ticket_that_waits_for_its_customer_is_still_work() -> None:
    assert a_workload(("t1", to("ada")), ("t1", became("pending"))).open_tickets("ada") == 1


def test_a_reopened_ticket_is_work_again() -> None:
    reopened = a_workload(("t1", to("ada")), ("t1", became("solved")), ("t1", became("open")))
    assert reopened.open_tickets("ada") == 1


def test_a_solved_ticket_given_to_another_agent_is_work_for_nobody_until_it_is_reopened() -> None:
    workload = a_workload(("t1", to("ada")), ("t1", became("solved")), ("t1", to("bob")))
    assert (workload.open_tickets("ada"), workload.open_tickets("bob")) == (0, 0)
    workload.apply("t1", [became("open")], sequence=9)
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


def test_agents_are_idle_since_they_last_got_or_got_rid_of_a_ticket() -> None:
    workload = a_workload(("t1", to("ada")), ("t2", to("bob")), ("t1", became("solved")))
    assert workload.idle_since("ada") > workload.idle_since("bob") > workload.idle_since("cid") == 0


def test_urgent_work_weighs_more() -> None:
    workload = a_workload(("t1", to("ada")), ("t2", to("bob")))
    assert workload.weight("ada") == workload.weight("bob")
    workload.apply("t1", [PriorityChanged(before="normal", after="urgent")], sequence=9)
    assert workload.weight("ada") > workload.weight("bob")


def test_work_is_counted_by_medium_too() -> None:
    workload = a_workload(("t1", to("ada")))
    workload.apply("t4", [Opening(requester_id="cora", channel="chat"), to("ada")], sequence=9)
    assert (workload.open_tickets("ada"), workload.open_tickets("ada", "chat")) == (2, 1)


def test_a_ticket_waits_in_its_queue_until_somebody_has_it() -> None:
    workload = a_workload(("t1", Routed(team_id="support")), ("t2", Routed(team_id="support")), ("t1", to("ada")))
    assert list(workload.queue("support")) == ["t2"]
    assert workload.waiting_teams() == ["support"]
    assert list(workload.queue("unheard-of")) == []


def test_a_solved_ticket_waits_for_nobody() -> None:
    workload = a_workload(("t1", Routed(team_id="support")), ("t1", became("solved")))
    assert workload.waiting_teams() == []


def test_the_queue_follows_the_promises_that_are_made() -> None:
    workload = a_workload(*((ticket_id, Routed(team_id="support")) for ticket_id in TICKETS))
    clock = {"metric": "resolution", "cycle": 1, "target": 60, "used": 0}
    due = SlaClock(**clock, state="running", due_at=NOON), SlaClock(**clock, state="running", due_at=NOON + HOUR)
    workload.apply("t3", [SlaApplied(policy_id="gold", clocks=due)], sequence=9)
    assert next(iter(workload.queue("support"))) == "t3"
    paused = SlaClock(**clock, state="paused")
    workload.apply("t3", [SlaApplied(policy_id="gold", clocks=(paused,))], sequence=10)
    assert next(iter(workload.queue("support"))) == "t1"


HOUR = timedelta(hours=1)


def test_a_closed_ticket_is_forgotten_but_not_who_served_the_customer() -> None:
    workload = a_workload(("t1", to("ada")), ("t1", became("closed")))
    assert workload.work("t1") is None
    assert workload.last_agent_of("cora") == "ada"


def test_a_customer_is_served_by_whoever_got_their_last_ticket() -> None:
    workload = a_workload(("t1", to("ada")), ("t2", to("bob")), ("t3", NewRequester(after="carl")), ("t3", to("cid")))
    assert (workload.last_agent_of("cora"), workload.last_agent_of("carl")) == ("bob", "cid")
    assert workload.last_agent_of("nobody") is None


def test_customers_of_long_ago_are_forgotten() -> None:
    workload = Workload()
    for number in range(CUSTOMERS_REMEMBERED + 1):
        facts = [Opening(requester_id=f"c{number}", channel="email"), to("ada"), became("closed")]
        workload.apply(f"t{number}", facts, sequence=number + 1)
    assert workload.last_agent_of("c0") is None
    assert workload.last_agent_of("c1") == "ada"


def test_facts_about_a_ticket_that_was_never_opened_count_nothing() -> None:
    workload = Workload()
    workload.apply("t9", [to("ada"), Routed(team_id="support")], sequence=1)
    assert (workload.open_tickets("ada"), workload.waiting_teams()) == (0, [])


STATUSES: tuple[Status, ...] = ("open", "pending", "solved", "closed")
MOVES = st.one_of(
    st.sampled_from(["ada", "bob"]).map(to),
    st.just(Unassigned(before="ada")),
    st.sampled_from(["support", "billing", None]).map(lambda team_id: Routed(team_id=team_id)),
    st.sampled_from(STATUSES).map(became),
    st.just(TagsChanged(tags=("vip",))),
)
HISTORIES = st.lists(st.tuples(st.sampled_from(TICKETS), MOVES))


@given(HISTORIES)
def test_every_open_ticket_is_held_by_one_agent_or_waits_in_one_queue_or_in_none(
    history: list[tuple[str, Part]],
) -> None:
    workload = a_workload(*history)
    for ticket_id in TICKETS:
        work = workload.work(ticket_id)
        holders = [agent_id for agent_id in ("ada", "bob") if ticket_id in workload.held_by(agent_id)]
        queues = [team_id for team_id in ("support", "billing") if ticket_id in workload.queue(team_id)]
        held_by = work.agent_id if work and work.is_open else None
        waits_in = work.team_id if work and work.is_waiting else None
        assert holders == ([held_by] if held_by else [])
        assert queues == ([waits_in] if waits_in else [])


@given(HISTORIES)
def test_a_workload_goes_on_from_what_another_one_remembers(history: list[tuple[str, Part]]) -> None:
    workload = a_workload(*history)
    again = Workload(type(workload.memory()).model_validate_json(workload.memory().model_dump_json()))
    assert again.memory() == workload.memory()
    for agent_id in ("ada", "bob"):
        assert set(again.held_by(agent_id)) == set(workload.held_by(agent_id))
        assert again.weight(agent_id) == workload.weight(agent_id)
    assert list(again.queue("support")) == list(workload.queue("support"))


@given(st.lists(MOVES.filter(lambda fact: fact != became("closed"))))
def test_a_workload_counts_the_moves_of_a_ticket_as_the_ticket_does(moves: list[TicketFact]) -> None:
    ticket, workload = Ticket.unborn("t1"), Workload()
    for sequence, fact in enumerate([opened(), *moves], 1):
        ticket = evolve(ticket, fact, at=NOON, actor=AGENT)
        workload.apply("t1", [OPENING if sequence == 1 else fact], sequence=sequence)
    work = workload.work("t1")
    assert work is not None
    assert (work.placements, work.agent_id, work.previous_agent_id, work.team_id, work.status, work.tags) == (
        ticket.placements, ticket.assignee_id, ticket.previous_assignee_id, ticket.team_id, ticket.status, ticket.tags
    )  # fmt: skip
