"""Who can take a ticket now."""

import asyncio
from typing import Any

import pytest

from deskwire_routing.roster import Roster
from deskwire_routing.strategies.strategy import Candidate
from deskwire_routing.workload import Workload
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Agent
from deskwire_shared.contracts.facts import AnyFact, Assigned, NoteAdded
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Delivery
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.eventstore.port import UNWRITTEN
from deskwire_shared.testing.ticket import NOON, TICKET_ID, a_commit

ADMIN = Actor(kind="agent", id="root")


async def a_roster(**agents: dict[str, Any]) -> Roster:
    directory = MemoryDirectory(MemoryKeyRing(), lambda: NOON)
    for agent_id, changes in agents.items():
        usual = {"email": f"{agent_id}@desk.example", "name": agent_id, "team_ids": ("billing",)}
        await directory.put(agent_id, Agent.model_validate(usual | changes), actor=ADMIN)
    return Roster(directory, Workload())


async def a_delivery(*facts: AnyFact, pending: int = 0, named: bool = True) -> Delivery:
    _, raw = await Codec(MemoryKeyRing()).encode(a_commit(*facts), after=UNWRITTEN)
    headers = {FACTS_HEADER: ",".join(fact.type for fact in facts)} if named else {}
    return Delivery(1, f"ticket.00.{TICKET_ID}", raw, headers, pending)


def ids(candidates: tuple[Candidate, ...]) -> set[str]:
    return {candidate.agent_id for candidate in candidates}


async def test_members_who_are_online_are_candidates() -> None:
    roster = await a_roster(
        ada={}, bob={"availability": "away"}, cid={"availability": "offline"}, dan={"active": False}
    )
    assert ids(roster.candidates("billing")) == {"ada"}


async def test_only_members_of_the_team_are_candidates() -> None:
    roster = await a_roster(ada={"team_ids": ("vip", "billing")}, bob={"team_ids": ("vip",)}, cid={"team_ids": ()})
    assert ids(roster.candidates("billing")) == {"ada"}


async def test_who_may_not_answer_customers_is_no_candidate() -> None:
    roles = {role: {"role": role} for role in ("admin", "lead", "agent", "light_agent")}
    assert ids((await a_roster(**roles)).candidates("billing")) == {"admin", "lead", "agent"}


@pytest.mark.parametrize("named", [True, False])
async def test_a_candidate_comes_with_the_work_that_the_log_tells(named: bool) -> None:
    roster = await a_roster(ada={})
    roster.hear(await a_delivery(Assigned(agent_id="ada"), named=named))
    assert roster.candidates("billing") == (Candidate(agent_id="ada", open_tickets=1, last_turn=1),)


async def test_the_roster_has_caught_up_when_nothing_is_pending() -> None:
    roster = await a_roster()
    roster.hear(await a_delivery(Assigned(agent_id="ada"), pending=1))
    assert not roster.is_caught_up
    with pytest.raises(TimeoutError):
        await roster.caught_up(patience_seconds=0.01)
    note = NoteAdded(person_id="p1", message_id="m1", agent_id="ada", text="hm")
    roster.hear(await a_delivery(note, pending=0))
    await asyncio.wait_for(roster.caught_up(patience_seconds=1), 1)
    assert roster.is_caught_up


async def test_a_commit_that_cannot_be_read_does_not_end_the_roster() -> None:
    roster = await a_roster(ada={})
    roster.hear(Delivery(1, f"ticket.00.{TICKET_ID}", b"not a commit", {}, 0))
    assert roster.is_caught_up
    assert roster.candidates("billing") == (Candidate(agent_id="ada"),)
