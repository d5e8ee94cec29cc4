from datetime import UTC, datetime

import pytest

from deskwire_query.reading.read_models import NOBODY
from deskwire_query.web.workspace.views import UnknownView, rail_for
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import View
from deskwire_shared.contracts.staff import Team
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.memory import MemoryKeyRing

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA = Actor(kind="agent", id="ada")


def a_directory() -> MemoryDirectory:
    return MemoryDirectory(MemoryKeyRing(), lambda: NOW)


def test_every_desk_has_the_same_six_views() -> None:
    names = [view.name for view in rail_for("ada", a_directory(), NOW).desk]
    assert names == ["My open", "Unassigned", "All open", "Breaching soon", "Pending", "Solved"]


def test_my_open_tickets_are_mine_and_unassigned_ones_nobodys() -> None:
    rail = rail_for("ada", a_directory(), NOW)
    assert rail.find("mine").wanted.assignee_id == "ada"
    assert rail.find("unassigned").wanted.assignee_id == NOBODY


def test_chords_lead_to_different_views() -> None:
    chords = [view.chord for view in rail_for("ada", a_directory(), NOW).desk]
    assert len(set(chords)) == len(chords)


async def test_each_team_has_its_queue_in_the_rail() -> None:
    directory = a_directory()
    await directory.put("t2", Team(name="Technical"), actor=ADA)
    await directory.put("t1", Team(name="billing"), actor=ADA)
    rail = rail_for("ada", directory, NOW)
    assert [view.name for view in rail.teams] == ["billing", "Technical"]
    assert rail.find("team-t1").wanted.team_id == "t1"


async def test_a_private_view_is_seen_by_its_owner_only() -> None:
    directory = a_directory()
    await directory.put("v1", View(name="Shared"), actor=ADA)
    await directory.put("v2", View(name="Bob's", agent_id="bob"), actor=ADA)
    assert [view.name for view in rail_for("ada", directory, NOW).saved] == ["Shared"]
    assert [view.name for view in rail_for("bob", directory, NOW).saved] == ["Bob's", "Shared"]


def test_an_unknown_view_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownView):
        rail_for("ada", a_directory(), NOW).find("nowhere")
