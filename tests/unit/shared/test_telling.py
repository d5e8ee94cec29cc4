"""Facts in words: names in place of ids, and people's own words as they are."""

from datetime import UTC, datetime

from deskwire_shared.contracts.actions import SetPriority
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import FollowersChanged, Routed, TagsChanged
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.runtime.telling import Teller

SOMEBODY = Actor(kind="system", id="test")


async def a_teller() -> Teller:
    directory = MemoryDirectory(MemoryKeyRing(), lambda: datetime(2026, 3, 2, tzinfo=UTC))
    await directory.put("ada", Agent(email="ada@desk.example", name="Ada Lovelace"), actor=SOMEBODY)
    await directory.put("crew", Team(name="Night crew"), actor=SOMEBODY)
    await directory.put(
        "ship", Rule(name="Ship it", trigger="opened", actions=(SetPriority(priority="low"),)), actor=SOMEBODY
    )
    return Teller(directory)


async def test_ids_are_told_by_the_names_behind_them() -> None:
    teller = await a_teller()
    assert teller.tell(Routed(team_id="crew")) == "in the queue of Night crew"
    assert teller.tell(FollowersChanged(added=("ada",), followers=("ada",))) == "followed by Ada Lovelace"


async def test_a_tag_that_is_spelled_like_an_id_stays_a_tag() -> None:
    assert (await a_teller()).tell(TagsChanged(added=("ship",), tags=("ship", "vip"))) == "tags are now: ship, vip"
