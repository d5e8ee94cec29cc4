"""A conversation stands on one open ticket, and goes on on the next when that is closed."""

import asyncio
from typing import Any

import pytest

from deskwire_intake.channels.port import Accepted, Parked
from deskwire_intake.channels.webhook.conversations import Conversations, turn_id
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.ticket.commands import AssignTicket, ChangeStatus
from deskwire_shared.ticket.state import Ticket
from unit.intake.hook_desk import HookDesk, a_payload
from unit.intake.mail_desk import texts


class CountingRecorder(Recorder):
    """Counts the tickets that are looked at."""

    looks = 0

    async def ticket(self, ticket_id: str, *, at_least: int = 0) -> Ticket:
        self.looks += 1
        return await super().ticket(ticket_id, at_least=at_least)


def said(number: int, text: str = "", **changes: Any) -> dict[str, Any]:
    return {**a_payload("standard_message"), "id": f"m{number}", "text": text or f"{number}", "files": [], **changes}


async def a_desk(**settings: Any) -> HookDesk:
    desk = HookDesk()
    await desk.listen("standard", **settings)
    return desk


async def close(desk: HookDesk, ticket: Ticket) -> None:
    await desk.do(ticket.id, AssignTicket(agent_id="ada"))
    await desk.do(ticket.id, ChangeStatus(status="solved"))
    await desk.do(ticket.id, ChangeStatus(status="closed"))


async def test_what_is_said_in_one_conversation_stands_on_one_ticket() -> None:
    desk = await a_desk()
    first, second = await desk.heard("standard", said(1)), await desk.heard("standard", said(2))
    other = await desk.heard("standard", said(3, conversation="another"))
    assert first.id == second.id != other.id
    assert texts(second) == ["1", "2"]


async def test_a_delivery_that_comes_again_changes_nothing() -> None:
    desk = await a_desk()
    first = await desk.hear_one("standard", said(1))
    again = await desk.hear_one("standard", said(1))
    assert (again.ticket_id, again.number, again.repeated) == (first.ticket_id, first.number, True)
    assert len((await desk.ticket(first.ticket_id)).messages) == 1


async def test_the_same_words_under_another_id_are_said_twice() -> None:
    desk = await a_desk()
    await desk.heard("standard", said(1, "Hello?"))
    assert texts(await desk.heard("standard", said(2, "Hello?"))) == ["Hello?", "Hello?"]


async def test_first_words_that_arrive_at_the_same_time_open_one_ticket() -> None:
    desk = await a_desk()
    heard = await asyncio.gather(*(desk.hear_one("standard", said(number)) for number in range(4)))
    assert len({one.ticket_id for one in heard}) == 1
    assert sorted(texts(await desk.ticket(heard[0].ticket_id))) == ["0", "1", "2", "3"]


async def test_words_on_a_solved_ticket_reopen_it() -> None:
    desk = await a_desk()
    ticket = await desk.heard("standard", said(1))
    await desk.do(ticket.id, ChangeStatus(status="solved"))
    again = await desk.heard("standard", said(2))
    assert (again.id, again.status) == (ticket.id, "open")


async def test_words_after_the_end_open_a_follow_up_where_the_conversation_goes_on() -> None:
    desk = await a_desk()
    first = await desk.heard("standard", said(1))
    await close(desk, first)
    second, third = await desk.heard("standard", said(2)), await desk.heard("standard", said(3))
    assert second.id == third.id != first.id
    assert second.follow_up_of == first.id
    assert texts(third) == ["2", "3"]


async def test_long_after_the_end_a_new_ticket_is_related_to_the_old_one_and_the_conversation_goes_on_there() -> None:
    desk = await a_desk(follow_up_days=7)
    first = await desk.heard("standard", said(1))
    await close(desk, first)
    desk.later(days=8)
    second, third = await desk.heard("standard", said(2)), await desk.heard("standard", said(3))
    assert second.id == third.id != first.id
    assert second.follow_up_of is None
    assert [(link.ticket_id, link.kind) for link in second.links] == [(first.id, "related")]


async def test_words_after_the_end_that_arrive_at_the_same_time_open_one_follow_up() -> None:
    desk = await a_desk()
    first = await desk.heard("standard", said(1))
    await close(desk, first)
    heard = await asyncio.gather(*(desk.hear_one("standard", said(number)) for number in range(2, 6)))
    assert len({one.ticket_id for one in heard}) == 1
    assert sorted(texts(await desk.ticket(heard[0].ticket_id))) == ["2", "3", "4", "5"]


async def test_a_delivery_that_comes_again_after_the_end_is_recognised() -> None:
    desk = await a_desk()
    tickets = []
    for number in range(5):
        tickets.append(await desk.heard("standard", said(number)))
        await close(desk, tickets[-1])
    again = await desk.hear_one("standard", said(1))
    assert (again.ticket_id, again.repeated) == (tickets[1].id, True)


async def test_a_conversation_follows_its_ticket_into_another_one() -> None:
    desk = await a_desk()
    ticket, target = await desk.heard("standard", said(1)), await desk.opened()
    await desk.merge(ticket, target)
    assert (await desk.heard("standard", said(2))).id == target.id


async def test_channels_do_not_share_conversations() -> None:
    desk = await a_desk()
    await desk.listen("shop", {"mapping": "standard", "signature": {"scheme": "hmac"}})
    first, second = await desk.heard("standard", said(1)), await desk.heard("shop", said(1))
    assert first.id != second.id
    assert first.requester_id == second.requester_id


async def test_a_blocked_customer_is_parked() -> None:
    desk = await a_desk()
    await desk.block("ann@example.net")
    (parked,) = await desk.hear("standard", said(1))
    assert isinstance(parked, Parked)
    assert "blocked" in parked.reason


async def test_what_only_continues_is_noted_on_a_closed_ticket_and_follows_nothing_up() -> None:
    desk = HookDesk()
    await desk.listen("alertmanager")
    opened, _ = await desk.hear("alertmanager", a_payload("alertmanager_firing"))
    assert isinstance(opened, Accepted)
    await close(desk, await desk.ticket(opened.ticket_id))
    (noted,) = await desk.hear("alertmanager", a_payload("alertmanager_resolved"))
    assert isinstance(noted, Accepted)
    ticket = await desk.ticket(opened.ticket_id)
    assert (noted.ticket_id, ticket.status, len(ticket.messages)) == (ticket.id, "closed", 2)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 20])
async def test_the_latest_turn_of_a_conversation_is_found_in_few_looks(count: int) -> None:
    desk = await a_desk()
    for number in range(count):
        await close(desk, await desk.heard("standard", said(number)))
    recorder = CountingRecorder(desk.store)
    conversations = Conversations(recorder)
    turns = await conversations.turns("standard", "order-77")
    assert turns.next_id == turn_id("standard", "order-77", count)
    assert len(turns.earlier) == min(count, 15)
    assert recorder.looks <= 2 * count.bit_length() + 2
    recorder.looks = 0
    assert await conversations.turns("standard", "order-77") == turns
    assert recorder.looks == 1


async def test_a_conversation_nobody_knows_has_had_no_turn() -> None:
    turns = await Conversations((await a_desk()).recorder).turns("standard", new_id())
    assert turns.earlier == ()
