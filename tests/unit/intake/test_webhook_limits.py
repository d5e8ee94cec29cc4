"""What comes by webhook is bounded in size, depth and number, and nothing of it is lost."""

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from deskwire_intake.channels.port import Accepted, Parked
from deskwire_intake.channels.webhook.channel import raw_hook_key
from deskwire_intake.channels.webhook.mapping import UnreadablePayload
from deskwire_intake.channels.webhook.signatures import SignatureRefused
from deskwire_intake.rates import NoPlace
from deskwire_shared.runtime.objects import Content, ObjectStoreUnavailable
from deskwire_shared.ticket import limits
from unit.intake.hook_desk import PLACES_EACH, HookDesk, a_payload


async def a_desk() -> HookDesk:
    desk = HookDesk()
    await desk.listen("standard")
    return desk


def nested(levels: int) -> Any:
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


UNREADABLE = [
    b"",
    b"{",
    b"\xff\xfe",
    b'{"text": "\\ud800"}',
    b'{"n": NaN}',
    json.dumps(nested(33)).encode(),
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"1" * 10_000,
]


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
async def test_a_body_that_is_no_json_of_bearable_depth_is_refused(body: bytes) -> None:
    desk = await a_desk()
    with pytest.raises(UnreadablePayload):
        await desk.webhooks.receive(desk.request("standard", body))
    assert desk.parking.parked == []


async def test_values_of_bearable_depth_that_nobody_maps_are_left_alone() -> None:
    desk = await a_desk()
    assert await desk.heard("standard", {**a_payload("standard_message"), "extra": nested(20)})


async def test_long_texts_are_cut_with_a_mark_and_kept_whole() -> None:
    desk = await a_desk()
    payload = {**a_payload("standard_message"), "text": "long " * 100_000, "subject": "s" * 5_000}
    ticket = await desk.heard("standard", payload)
    assert ticket.messages[0].text.endswith("the whole message is kept as it arrived]")
    assert len(ticket.messages[0].text.encode()) <= limits.TEXT_SIZE
    body = desk.request("standard", payload).body
    assert await desk.objects.get(raw_hook_key("standard", body)) == body


async def test_more_messages_than_a_payload_may_hold_are_parked_together() -> None:
    desk = HookDesk()
    await desk.listen("alertmanager")
    payload = a_payload("alertmanager_firing")
    payload["alerts"] *= 101
    (parked,) = await desk.hear("alertmanager", payload)
    assert isinstance(parked, Parked)
    assert "more than 200 messages" in parked.reason


async def test_more_tags_than_a_ticket_takes_are_not_mapped() -> None:
    desk = await a_desk()
    tags = [f"  Tag {number} {'x' * 200}" for number in range(50)]
    assert len((await desk.heard("standard", {**a_payload("standard_message"), "tags": tags})).tags) == 5


async def test_a_channel_that_has_taken_all_its_places_waits() -> None:
    desk = await a_desk()
    with ExitStack() as stack:
        for _ in range(PLACES_EACH):
            stack.enter_context(desk.webhooks.places.hold("standard"))
        with pytest.raises(NoPlace):
            await desk.hear("standard", a_payload("standard_message"))
        with pytest.raises(SignatureRefused):  # a flood of forged requests takes nobody's place
            await desk.webhooks.receive(replace(desk.request("standard", {}), headers={}))
    assert await desk.hear_one("standard", a_payload("standard_message"))


async def test_nothing_is_entered_while_the_payload_is_not_safe() -> None:
    desk = await a_desk()

    async def full(key: str, data: Content) -> bool:
        raise ObjectStoreUnavailable("no space left")

    put, desk.objects.put = desk.objects.put, full  # type: ignore[method-assign]
    with pytest.raises(ObjectStoreUnavailable):
        await desk.hear("standard", a_payload("standard_message"))
    desk.objects.put = put  # type: ignore[method-assign]
    assert not (await desk.hear_one("standard", a_payload("standard_message"))).repeated


async def test_a_fault_of_ours_parks_the_message() -> None:
    desk = await a_desk()

    async def broken(*_: object) -> Accepted:
        raise ZeroDivisionError("a mistake")

    object.__setattr__(desk.webhooks, "accept", broken)
    (parked,) = await desk.hear("standard", a_payload("standard_message"))
    assert isinstance(parked, Parked)
    assert parked.reason == "ZeroDivisionError: a mistake"


async def test_a_parked_payload_is_taken_in_again_once_its_cause_is_mended() -> None:
    desk = await a_desk()
    await desk.block("ann@example.net")
    (parked,) = await desk.hear("standard", a_payload("standard_message"))
    assert isinstance(parked, Parked)
    ((raw_key, _),) = desk.parking.parked
    await desk.unblock("ann@example.net")
    (accepted,) = await desk.webhooks.take_in_again("standard", raw_key)
    assert isinstance(accepted, Accepted)
    (again,) = await desk.webhooks.take_in_again("standard", raw_key)
    assert isinstance(again, Accepted)
    assert (again.ticket_id, again.repeated) == (accepted.ticket_id, True)
