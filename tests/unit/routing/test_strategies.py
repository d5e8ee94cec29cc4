"""Whom each strategy picks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_routing.app import STRATEGIES
from deskwire_routing.assignment.skills import Demand
from deskwire_routing.assignment.strategies import least_loaded, longest_idle, round_robin, skills, sticky
from deskwire_routing.assignment.strategies.strategy import Candidate, Strategy

NOTHING = Demand()
GERMAN = Demand(required=(("german", 2),), preferred=("billing",))


def picked(strategy: Strategy, *candidates: Candidate, demand: Demand = NOTHING) -> str | None:
    choice = strategy(candidates, demand)
    return choice.agent_id if choice else None


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_where_there_is_nobody_nobody_is_picked(name: str) -> None:
    assert STRATEGIES[name]((), NOTHING) is None


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_pick_has_a_reason(name: str) -> None:
    choice = STRATEGIES[name]((Candidate(agent_id="ada", served_before=True),), GERMAN)
    assert choice is not None
    assert choice.reason


def test_round_robin_picks_whose_last_turn_is_the_longest_ago_however_much_they_have() -> None:
    ada, bob = Candidate(agent_id="ada", open_tickets=9, last_turn=5), Candidate(agent_id="bob", last_turn=7)
    assert picked(round_robin.pick, ada, bob) == "ada"


def test_round_robin_picks_an_agent_who_never_had_a_turn_first() -> None:
    assert picked(round_robin.pick, Candidate(agent_id="ada", last_turn=5), Candidate(agent_id="zoe")) == "zoe"


@given(st.integers(1, 12), st.integers(1, 100))
def test_in_round_robin_agents_never_differ_by_more_than_one_ticket(agents: int, tickets: int) -> None:
    turns = {f"a{number}": [0] for number in range(agents)}
    for turn in range(1, tickets + 1):
        chosen = picked(round_robin.pick, *(Candidate(agent_id=a, last_turn=t[-1]) for a, t in turns.items()))
        assert chosen is not None
        turns[chosen].append(turn)
    counts = [len(had) for had in turns.values()]
    assert max(counts) - min(counts) <= 1


def test_the_least_loaded_agent_is_the_one_with_the_lightest_work_not_the_fewest_tickets() -> None:
    ada, bob = Candidate(agent_id="ada", open_tickets=1, weight=8), Candidate(agent_id="bob", open_tickets=3, weight=6)
    assert picked(least_loaded.pick, ada, bob) == "bob"


def test_among_equally_loaded_agents_the_one_who_waited_longest_is_next() -> None:
    ada, bob = Candidate(agent_id="ada", weight=2, last_turn=5), Candidate(agent_id="bob", weight=2, last_turn=4)
    assert picked(least_loaded.pick, ada, bob) == "bob"


def test_the_agent_who_is_best_at_what_is_asked_for_is_picked_by_skills() -> None:
    ada = Candidate(agent_id="ada", skills={"german": 2}, weight=1)
    bob = Candidate(agent_id="bob", skills={"german": 3, "billing": 1}, weight=20)
    assert picked(skills.pick, ada, bob, demand=GERMAN) == "bob"


def test_among_equally_skilled_agents_the_one_with_the_least_work_is_picked() -> None:
    ada, bob = (Candidate(agent_id=a, skills={"german": 3}, weight=w) for a, w in (("ada", 4), ("bob", 2)))
    assert picked(skills.pick, ada, bob, demand=GERMAN) == "bob"


def test_an_agent_without_tickets_is_idler_than_one_with_some() -> None:
    ada = Candidate(agent_id="ada", open_tickets=1, idle_since=1)
    bob, cid = Candidate(agent_id="bob", idle_since=9), Candidate(agent_id="cid", idle_since=8)
    assert picked(longest_idle.pick, ada, bob, cid) == "cid"
    assert picked(longest_idle.pick, ada) == "ada"


def test_who_had_the_customers_last_ticket_gets_the_next() -> None:
    known = Candidate(agent_id="bob", served_before=True, weight=50)
    assert picked(sticky.pick, Candidate(agent_id="ada"), known) == "bob"
    assert picked(sticky.pick, Candidate(agent_id="ada")) is None
