"""Who could take a ticket, and what stands in their way."""

from datetime import timedelta
from typing import Any

import pytest

from deskwire_routing.assignment.roster import FULL, PROMISED, Assessment, Roster
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.work import Opening
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Assigned
from deskwire_shared.contracts.staff import Team
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.testing.ticket import NOON
from routing_desk import ADMIN, a_team, a_work, an_agent

NIGHTS = Calendar.model_validate({"name": "Nights", "time_zone": "UTC", "hours": {"mon": [["20:00", "24:00"]]}})
"""NOON is on a Monday."""


async def a_roster(**agents: dict[str, Any]) -> Roster:
    directory = MemoryDirectory(MemoryKeyRing(), lambda: NOON)
    await directory.put("nights", NIGHTS, actor=ADMIN)
    for agent_id, changes in agents.items():
        await directory.put(agent_id, an_agent(**{"team_ids": ("billing",), **changes}), actor=ADMIN)
    return Roster(directory, LiveWorkload(patience_seconds=1), ManualClock(NOON))


async def change(roster: Roster, document_id: str, document: Document) -> None:
    directory = roster.attendance.directory
    assert isinstance(directory, MemoryDirectory)
    await directory.put(document_id, document, actor=ADMIN)


def give(roster: Roster, agent_id: str, *channels: str) -> None:
    for number, channel in enumerate(channels):
        facts = [Opening(requester_id="cora", channel=channel), Assigned(agent_id=agent_id)]
        roster.workload.now.apply(f"{agent_id}{number}", facts, sequence=number + 1)


def assessed(roster: Roster, team: Team | None = None, **work: Any) -> dict[str, Assessment]:
    found = roster.assess("billing", team or a_team(), a_work(**work))
    return {one.candidate.agent_id: one for one in found}


def obstacles(roster: Roster, team: Team | None = None, **work: Any) -> dict[str, str | None]:
    return {agent_id: one.obstacle for agent_id, one in assessed(roster, team, **work).items()}


async def test_active_members_who_may_answer_customers_are_looked_at() -> None:
    roster = await a_roster(
        ada={"team_ids": ("vip", "billing")}, bob={"team_ids": ("vip",)}, cid={"team_ids": ()},
        dan={"active": False}, eve={"role": "light_agent"}, fay={"role": "admin"},
    )  # fmt: skip
    assert set(obstacles(roster)) == {"ada", "fay"}


async def test_who_is_away_offline_or_out_of_office_takes_nothing() -> None:
    roster = await a_roster(
        ada={}, bob={"availability": "away"}, cid={"availability": "offline"},
        dan={"out_until": NOON + timedelta(days=1)}, eve={"out_until": NOON},
    )  # fmt: skip
    assert obstacles(roster) == {
        "ada": None, "bob": "away", "cid": "offline", "dan": "out of office until 2026-03-03T12:00:00+00:00",
        "eve": None,
    }  # fmt: skip
    assert assessed(roster)["bob"].is_unavailable


async def test_nobody_works_outside_their_hours_or_those_of_a_team_that_keeps_to_them() -> None:
    roster = await a_roster(ada={"calendar_id": "nights"}, bob={}, cid={"calendar_id": "unheard-of"})
    assert obstacles(roster) == {"ada": "outside working hours", "bob": None, "cid": None}
    closed = a_team(calendar_id="nights", within_hours=True)
    assert obstacles(roster, closed)["bob"] == "the team is closed"
    assert obstacles(roster, a_team(calendar_id="nights"))["bob"] is None


async def test_a_member_without_a_required_skill_cannot_take_the_ticket() -> None:
    roster = await a_roster(ada={"skills": {"german": 2}}, bob={"skills": {"german": 4}}, cid={})
    asked: dict[str, Any] = {"tags": ("skill:german:3", "prefer:refunds")}
    assert obstacles(roster, **asked) == {
        "ada": "lacks the skill german at 3", "bob": None, "cid": "lacks the skill german at 3"
    }  # fmt: skip
    assert not assessed(roster, **asked)["ada"].is_unavailable


async def test_a_member_with_as_many_tickets_as_they_take_is_full() -> None:
    roster = await a_roster(ada={"capacity": {"default": 2}}, bob={"capacity": {"default": 3}}, cid={})
    for agent_id in ("ada", "bob", "cid"):
        give(roster, agent_id, "email", "email")
    found = assessed(roster)
    assert {agent_id: one.obstacle for agent_id, one in found.items()} == {"ada": FULL, "bob": None, "cid": None}
    assert [found[agent_id].room for agent_id in ("ada", "bob", "cid")] == [0, 1, None]
    assert found["ada"].is_unavailable


async def test_a_medium_can_have_a_limit_of_its_own() -> None:
    roster = await a_roster(ada={"capacity": {"default": 5, "chat": 1}}, bob={"capacity": {"chat": 0}})
    give(roster, "ada", "chat", "email")
    assert obstacles(roster, medium="chat") == {"ada": FULL, "bob": FULL}
    assert obstacles(roster, medium="email") == {"ada": None, "bob": None}
    assert not assessed(roster, medium="chat")["ada"].is_unavailable


async def test_a_promised_ticket_counts_until_it_is_recorded_or_given_up() -> None:
    roster = await a_roster(ada={"capacity": {"default": 1}})
    with roster.promising("ada", "t1", a_work(priority="urgent")):
        assert obstacles(roster) == {"ada": PROMISED}
        assert assessed(roster)["ada"].candidate.weight == 8
        assert assessed(roster)["ada"].is_unavailable
        roster.workload.now.apply(
            "t1", [Opening(requester_id="cora", channel="email"), Assigned(agent_id="ada")], sequence=1
        )
        assert obstacles(roster) == {"ada": FULL}
        assert assessed(roster)["ada"].candidate.open_tickets == 1
    assert obstacles(await a_roster(ada={"capacity": {"default": 1}})) == {"ada": None}


async def test_a_ticket_that_is_promised_twice_to_one_agent_is_one_ticket() -> None:
    roster = await a_roster(ada={"capacity": {"default": 2}})
    with roster.promising("ada", "t1", a_work()):
        with roster.promising("ada", "t1", a_work()):
            assert assessed(roster)["ada"].room == 1
        assert roster.is_promised("t1")
        assert assessed(roster)["ada"].room == 1
    assert not roster.is_promised("t1")
    assert assessed(roster)["ada"].room == 2


async def test_a_promise_is_a_turn() -> None:
    roster = await a_roster(ada={}, bob={})
    give(roster, "ada", "email")
    with roster.promising("bob", "t1", a_work()):
        found = assessed(roster)
        assert found["bob"].candidate.last_turn > found["ada"].candidate.last_turn > 0


async def test_a_changed_agent_is_seen_at_once() -> None:
    roster = await a_roster(ada={}, bob={"availability": "away"})
    assert obstacles(roster)["bob"] == "away"
    await change(roster, "bob", an_agent("billing"))
    assert obstacles(roster)["bob"] is None


@pytest.mark.parametrize(
    ("changes", "arrival"),
    [
        ({"calendar_id": "nights"}, NOON + timedelta(hours=8)),
        ({"out_until": NOON + timedelta(days=3)}, NOON + timedelta(days=3)),
        ({"calendar_id": "nights", "out_until": NOON + timedelta(days=3)}, NOON + timedelta(days=7, hours=8)),
        ({"availability": "away"}, None),
        ({"availability": "away", "out_until": NOON + timedelta(days=3)}, None),
        ({}, None),
    ],
)
async def test_the_next_arrival_is_when_time_alone_may_bring_somebody(changes: dict[str, Any], arrival: Any) -> None:
    roster = await a_roster(ada=changes)
    assert roster.next_arrival("billing", a_team()) == arrival


async def test_a_calendar_that_is_over_for_good_brings_nobody() -> None:
    past = {"name": "Past", "time_zone": "UTC", "exceptions": {"2020-01-01": [["09:00", "17:00"]]}}
    roster = await a_roster(ada={"calendar_id": "nights"})
    await change(roster, "nights", Calendar.model_validate(past))
    assert roster.next_arrival("billing", a_team()) is None
