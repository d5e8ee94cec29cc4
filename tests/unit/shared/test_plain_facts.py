"""What can be read of a stored commit without any key."""

import pytest

from deskwire_shared.contracts.facts import AnyFact, Assigned, Opened, StatusChanged
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.plain_facts import mentions, plain_commit, tip_of
from deskwire_shared.eventstore.port import UNWRITTEN, BrokenHistory, Tip
from deskwire_shared.testing.ticket import TICKET_ID, a_commit, opened

ASSIGNED = Assigned(agent_id="ada")


async def stored(*facts: AnyFact) -> bytes:
    _, raw = await Codec(MemoryKeyRing()).encode(a_commit(*facts), after=UNWRITTEN)
    return raw


async def test_facts_without_personal_data_are_read_without_a_key() -> None:
    commit = plain_commit(await stored(opened(), ASSIGNED, StatusChanged(before="new", after="open")))
    assert commit.of(Assigned) == [ASSIGNED]
    assert commit.ticket_id == TICKET_ID
    assert commit.facts[0]["type"] == "ticket.opened.v1"


async def test_what_a_customer_said_stays_sealed() -> None:
    commit = plain_commit(await stored(opened(text="my secret")))
    assert "text" not in commit.facts[0]
    with pytest.raises(AssertionError):
        commit.of(Opened)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b'{"commit_id": 1}'])
def test_bytes_that_are_no_commit_are_refused(raw: bytes) -> None:
    with pytest.raises(BrokenHistory):
        plain_commit(raw)


async def test_a_fact_that_cannot_be_one_is_refused() -> None:
    raw = (await stored(ASSIGNED)).replace(b'"agent_id"', b'"agent_xx"')
    with pytest.raises(BrokenHistory):
        plain_commit(raw).of(Assigned)


async def test_a_tip_is_where_the_next_commit_follows() -> None:
    store = MemoryEventStore(Codec(MemoryKeyRing()))
    assert await store.tip(TICKET_ID) == UNWRITTEN
    first = await store.append(a_commit(opened()), after=UNWRITTEN)
    tip = await store.tip(TICKET_ID)
    assert tip == Tip(first.sequence, 1, first.commit.chain) == (await store.load(TICKET_ID)).tip
    _, raw = await Codec(MemoryKeyRing()).encode(a_commit(ASSIGNED, after=1), after=tip)
    assert tip_of(raw, 7).version == 2


def test_a_commit_without_a_list_of_facts_may_hold_any() -> None:
    assert mentions("ticket.opened.v1,ticket.assigned.v1", {"ticket.assigned.v1"})
    assert not mentions("ticket.opened.v1", {"ticket.assigned.v1"})
    assert mentions("", {"ticket.assigned.v1"})
