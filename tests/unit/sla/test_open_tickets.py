"""Which tickets are being worked on."""

import pytest

from deskwire_shared.contracts.facts import AnyFact, Merged, NoteAdded, Status, StatusChanged
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Delivery
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.eventstore.port import UNWRITTEN
from deskwire_shared.testing.ticket import TICKET_ID, a_commit, opened
from deskwire_sla.open_tickets import take_in

NOTE = NoteAdded(person_id="p1", message_id="n1", agent_id="ada", text="hm")


def became(status: Status) -> StatusChanged:
    return StatusChanged(before="open", after=status)


async def found_after(*commits: tuple[AnyFact, ...], named: bool = True) -> set[str]:
    found: dict[str, None] = {}
    for facts in commits:
        _, raw = await Codec(MemoryKeyRing()).encode(a_commit(*facts), after=UNWRITTEN)
        headers = {FACTS_HEADER: ",".join(fact.type for fact in facts)} if named else {}
        take_in(found, Delivery(1, f"ticket.00.{TICKET_ID}", raw, headers, 0))
    return set(found)


@pytest.mark.parametrize("named", [True, False])
async def test_an_opened_ticket_is_open_until_it_is_solved_or_closed(named: bool) -> None:
    assert await found_after((opened(),), named=named) == {TICKET_ID}
    for status in ("solved", "closed"):
        assert await found_after((opened(),), (became(status),), named=named) == set()


async def test_a_reopened_ticket_is_open() -> None:
    assert await found_after((opened(),), (became("solved"),), (became("open"),)) == {TICKET_ID}


async def test_a_merged_ticket_is_not_open() -> None:
    assert await found_after((opened(),), (Merged(into="t2", into_number=2), became("closed"))) == set()


async def test_what_is_said_on_a_closed_ticket_does_not_open_it() -> None:
    assert await found_after((opened(),), (became("closed"),), (NOTE,)) == set()


def test_a_commit_that_cannot_be_read_is_worth_a_look() -> None:
    found: dict[str, None] = {}
    take_in(found, Delivery(1, f"ticket.00.{TICKET_ID}", b"?", {}, 0))
    assert set(found) == {TICKET_ID}
