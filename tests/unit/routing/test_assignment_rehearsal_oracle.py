"""A rehearsal and a brute-force calculation agree on who would have got which ticket when."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignment_oracle import Arrival, Desk, Person
from deskwire_shared.ticket.commands import ChangeStatus
from rehearsing_desk import START, a_draft, recorded_gifts, rehearsed_gifts
from routing_desk import MAIL, RoutingDesk, a_team, an_agent, opening, routing_desk

SPAN = 3_600.0
SKILLS = ("french", "german")


def moment(seconds: float) -> datetime:
    return START + timedelta(microseconds=round(seconds * 1e6))


def some_time(chance: Random, most: float) -> float:
    return chance.randint(1, round(most * 1e6)) / 1e6


def some_tickets(chance: Random, count: int) -> list[Arrival]:
    moments = sorted(some_time(chance, SPAN) for _ in range(count))
    return [
        Arrival(
            at=at,
            priority=chance.choice(("low", "normal", "high", "urgent")),
            skill=chance.choice((None, None, *SKILLS)),
            customer=f"customer{chance.randint(1, 4)}",
            work=some_time(chance, 1_200),
        )
        for at in moments
    ]


def somebody(chance: Random, name: str) -> Person:
    away, at = [], 0.0
    for _ in range(chance.randint(0, 2)):
        start = at + some_time(chance, 1_500)
        at = start + some_time(chance, 900)
        away.append((start, at))
    skills = {skill: chance.randint(1, 5) for skill in SKILLS if chance.random() < 0.6}
    return Person(name, chance.choice((None, 1, 2, 4)), skills, away)


async def the_past(tickets: list[Arrival], people: list[Person]) -> RoutingDesk:
    """A desk on which one agent did everything at once, while others came and went without ever having room."""
    idle = {person.name: an_agent("support", capacity={"default": 0}) for person in people}
    able = an_agent("support", skills=dict.fromkeys(SKILLS, 5))
    desk = await routing_desk(mail=MAIL, support=a_team(), zoe=able, **idle)
    events: list[tuple[float, str, Any]] = []
    for number, ticket in enumerate(tickets):
        events += [(ticket.at, "open", number), (ticket.at + ticket.work, "solve", number)]
    for person in people:
        for start, end in person.away:
            events += [(start, "away", person.name), (end, "online", person.name)]
    for at, what, who in sorted(events):
        desk.clock.set(moment(at))
        if what == "open":
            ticket = tickets[who]
            tags = (f"skill:{ticket.skill}",) if ticket.skill else ()
            asked = opening(number=who + 1, requester_id=ticket.customer, tags=tags, priority=ticket.priority)
            await desk.after(asked, f"t{who}")
        elif what == "solve":
            await desk.after(ChangeStatus(status="solved"), f"t{who}")
        else:
            await desk.change(who, availability=what)
    return desk


@pytest.mark.parametrize("strategy", ["round_robin", "least_loaded", "skills", "sticky", "longest_idle"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), count=st.integers(1, 25))
async def test_a_rehearsal_agrees_with_brute_force(strategy: str, seed: int, count: int) -> None:
    chance = Random(seed)
    tickets, people = some_tickets(chance, count), [somebody(chance, name) for name in ("ada", "bob", "cid")]
    desk = await the_past(tickets, people)
    agents = {
        one.name: {"skills": one.skills, "capacity": {} if one.capacity is None else {"default": one.capacity}}
        for one in people
    }
    draft = a_draft(
        teams={"support": {"name": "Support", "assignment": strategy}}, agents={**agents, "zoe": {"active": False}}
    )
    found = await rehearsed_gifts(desk, draft, until=moment(SPAN))
    expected = Desk(tickets, people, strategy).run(SPAN)
    assert found == {f"t{number}": (name, moment(at)) for number, (name, at) in expected.items()}
    assert recorded_gifts(desk, until=moment(SPAN)) == {
        f"t{number}": ("zoe", moment(ticket.at)) for number, ticket in enumerate(tickets) if ticket.at < SPAN
    }
