"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st

from deskwire_routing.strategies.round_robin import pick
from deskwire_routing.strategies.strategy import Candidate
from deskwire_shared.testing.ticket import a_ticket

ADA = Candidate(agent_id="ada", open_tickets=2, last_turn=5)
BOB = Candidate(agent_id="bob", open_tickets=1, last_turn=9)
CID = Candidate(agent_id="cid", open_tickets=1, last_turn=7)


def test_whoever_has_the_fewest_open_tickets_is_next() -> None:
    assert pick([ADA, BOB], a_ticket()) == "bob"


def test_among_equals_the_one_who_has_waited_longest_is_next() -> None:
    assert pick([ADA, BOB, CID], a_ticket()) == "cid"


def test_an_agent_who_never_had_a_ticket_comes_before_one_who_did() -> None:
    assert pick([CID, Candidate(agent_id="zoe", open_tickets=1)], a_ticket()) == "zoe"


def test_whoever_gave_the_ticket_back_does_not_get_it_again() -> None:
    assert pick([ADA, BOB], a_ticket(previous_assignee_id="bob")) == "ada"


def test_whoever_gave_the_ticket_back_gets_it_when_nobody_else_is_there() -> None:
    assert pick([BOB], a_ticket(previous_assignee_id="bob")) == "bob"


def test_without_candidates_nobody_is_picked() -> None:
    assert pick([], a_ticket()) is None


@given(st.integers(1, 12), st.integers(1, 100))
def test_equal_agents_never_differ_by_more_than_one_ticket(agents: int, tickets: int) -> None:
    taken = {f"a{number}": (0, 0) for number in range(agents)}
    for turn in range(1, tickets + 1):
        candidates = [Candidate(agent_id=a, open_tickets=n, last_turn=t) for a, (n, t) in taken.items()]
        chosen = pick(candidates, a_ticket())
        assert chosen is not None
        taken[chosen] = (taken[chosen][0] + 1, turn)
    counts = [count for count, _ in taken.values()]
    assert max(counts) - min(counts) <= 1
