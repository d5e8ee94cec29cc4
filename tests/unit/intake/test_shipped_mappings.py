"""The services that connect without code: what their payloads become."""

from copy import deepcopy
from typing import Any

import pytest

from deskwire_intake.channels.port import Accepted, Parked
from deskwire_intake.channels.webhook.channel import Ignored
from deskwire_intake.mappings import shipped_mapping, shipped_names
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import Opened
from unit.intake.hook_desk import HookDesk, a_payload
from unit.intake.mail_desk import texts


async def a_desk(*channels: str) -> HookDesk:
    desk = HookDesk()
    for channel in channels:
        await desk.listen(channel)
    return desk


@pytest.mark.parametrize("name", shipped_names())
def test_every_mapping_that_is_shipped_can_be_read(name: str) -> None:
    assert shipped_mapping(name) is not None


def test_a_mapping_that_nobody_ships_is_none() -> None:
    assert shipped_mapping("carrier_pigeon") is None


async def test_a_telegram_message_opens_a_ticket_of_its_author() -> None:
    desk = await a_desk("telegram")
    ticket = await desk.heard("telegram", a_payload("telegram_text"))
    (said,) = ticket.messages
    assert (ticket.channel, ticket.channel_id, ticket.subject) == ("telegram", "telegram", "Hello, my printer burns.")
    assert said.text == "Hello, my printer burns.\nWhat now? 🔥"
    assert said.conversation == "52841733"
    assert await desk.directory.fetch(Customer, ticket.requester_id) == Customer(
        address="telegram:52841733", name="Ann Example"
    )


async def test_a_second_telegram_message_lands_on_the_same_ticket() -> None:
    desk = await a_desk("telegram")
    first = await desk.heard("telegram", a_payload("telegram_text"))
    second = await desk.heard("telegram", a_payload("telegram_photo"))
    assert first.id == second.id
    assert texts(second)[1] == "Look at it\n[Photo]"


async def test_a_telegram_group_is_a_conversation_of_its_own() -> None:
    desk = await a_desk("telegram")
    private = await desk.heard("telegram", a_payload("telegram_text"))
    group = await desk.heard("telegram", a_payload("telegram_group"))
    assert private.id != group.id
    assert group.messages[0].conversation == "-1001234567890"
    assert group.requester is not None
    assert group.requester.address == "telegram:700"


async def test_edits_joins_and_starts_of_telegram_open_nothing() -> None:
    desk = await a_desk("telegram")
    started = deepcopy(a_payload("telegram_text"))
    started["message"]["text"] = "/start"
    for payload in (a_payload("telegram_edited"), started, {"update_id": 1, "my_chat_member": {}}):
        assert await desk.hear("telegram", payload) == ()


async def test_a_whatsapp_message_opens_a_ticket_of_its_phone_number() -> None:
    desk = await a_desk("whatsapp")
    ticket = await desk.heard("whatsapp", a_payload("whatsapp_text"))
    assert (ticket.channel, texts(ticket)) == ("whatsapp", ["Does it come in another color?"])
    assert ticket.messages[0].conversation == "106540352242922/16505551234"
    assert await desk.directory.fetch(Customer, ticket.requester_id) == Customer(
        address="tel:+16505551234", name="Sheena Nelson"
    )


async def test_several_whatsapp_messages_in_one_payload_are_entered_in_their_order() -> None:
    desk = await a_desk("whatsapp")
    results = await desk.hear("whatsapp", a_payload("whatsapp_batch"))
    assert all(isinstance(result, Accepted) for result in results)
    (ticket_id,) = {result.ticket_id for result in results if isinstance(result, Accepted)}
    assert texts(await desk.ticket(ticket_id)) == [
        "[Image]\nThe blue one",
        "Yes, please",
        "[Message of a kind that is not shown here: unsupported]",
    ]


async def test_whatsapp_receipts_open_nothing() -> None:
    assert await (await a_desk("whatsapp")).hear("whatsapp", a_payload("whatsapp_status")) == ()


async def test_a_text_message_opens_a_ticket_and_a_picture_stays_a_link() -> None:
    desk = await a_desk("twilio_sms")
    first = await desk.heard("twilio_sms", a_payload("twilio_sms"))
    second = await desk.heard("twilio_sms", a_payload("twilio_mms"))
    assert first.id == second.id
    assert texts(second) == [
        "Where is my parcel? Größe M & L",
        "https://api.twilio.com/2010-04-01/Accounts/ACX/Messages/MM2/Media/ME9",
    ]
    assert (second.channel, second.messages[0].conversation) == ("sms", "+15558675310/+14155551212")


async def test_one_phone_number_is_one_customer_on_every_channel() -> None:
    desk = await a_desk("twilio_sms", "whatsapp")
    form = {**a_payload("twilio_sms"), "From": "+16505551234"}
    sms, chat = await desk.heard("twilio_sms", form), await desk.heard("whatsapp", a_payload("whatsapp_text"))
    assert sms.requester_id == chat.requester_id


async def test_whatsapp_by_way_of_twilio_belongs_to_the_phone_number_too() -> None:
    desk = await a_desk("twilio_sms")
    form = {**a_payload("twilio_sms"), "From": "whatsapp:+14155551212", "WaId": "14155551212", "ProfileName": "Ann"}
    ticket = await desk.heard("twilio_sms", form)
    assert ticket.requester is not None
    assert (ticket.requester.address, ticket.requester.name) == ("tel:+14155551212", "Ann")


async def test_a_slack_thread_is_one_ticket() -> None:
    desk = await a_desk("slack")
    first = await desk.heard("slack", a_payload("slack_message"))
    second = await desk.heard("slack", a_payload("slack_thread"))
    assert first.id == second.id
    assert texts(second) == [
        "The build is <red> & stuck",
        "Here is the log\n[File: build.log] https://acme.slack.com/files/U1/F1/build.log",
    ]
    assert second.messages[1].conversation == "C123ABC456/1795521600.000200"


async def test_what_slack_bots_say_comes_back_to_nobody() -> None:
    desk = await a_desk("slack")
    joined = deepcopy(a_payload("slack_message"))
    joined["event"]["subtype"] = "channel_join"
    for payload in (a_payload("slack_bot"), joined):
        assert await desk.hear("slack", payload) == ()


async def test_each_alert_opens_a_ticket_of_its_severity() -> None:
    desk = await a_desk("alertmanager")
    results = await desk.hear("alertmanager", a_payload("alertmanager_firing"))
    disk, load = [await desk.ticket(result.ticket_id) for result in results if isinstance(result, Accepted)]
    assert (disk.subject, disk.priority, disk.tags) == (
        "DiskFull: Disk is full on db1",
        "urgent",
        ("critical", "diskfull"),
    )
    assert (load.subject, load.priority) == ("HighLoad: Load is high", "high")
    assert texts(disk)[0].splitlines() == [
        "Firing since 2026-11-24T11:55:00.000Z",
        "3 % left on /var/lib",
        "Runbook: https://runbooks.example/disk",
        "Instance: db1:9100",
        "Job: node",
        "Source: https://prometheus.example/graph?g0.expr=up",
    ]


async def test_an_alert_that_is_told_again_and_again_is_entered_once() -> None:
    desk = await a_desk("alertmanager")
    await desk.hear("alertmanager", a_payload("alertmanager_firing"))
    again = await desk.hear("alertmanager", a_payload("alertmanager_firing"))
    assert [result.repeated for result in again if isinstance(result, Accepted)] == [True, True]


async def test_an_alert_that_is_resolved_solves_its_ticket_in_one_commit() -> None:
    desk = await a_desk("alertmanager")
    disk, _ = await desk.hear("alertmanager", a_payload("alertmanager_firing"))
    assert isinstance(disk, Accepted)
    ticket = await desk.heard("alertmanager", a_payload("alertmanager_resolved"))
    assert (ticket.id, ticket.status) == (disk.ticket_id, "solved")
    assert texts(ticket)[1].startswith("Resolved at 2026-11-24T12:10:00.000Z")
    assert len(await desk.history(ticket.id)) == 2


async def test_an_alert_that_fires_again_reopens_its_ticket() -> None:
    desk = await a_desk("alertmanager")
    await desk.hear("alertmanager", a_payload("alertmanager_firing"))
    solved = await desk.heard("alertmanager", a_payload("alertmanager_resolved"))
    again = deepcopy(a_payload("alertmanager_firing"))
    again["alerts"][0]["startsAt"] = "2026-11-24T13:00:00.000Z"
    del again["alerts"][1]
    ticket = await desk.heard("alertmanager", again)
    assert (ticket.id, ticket.status) == (solved.id, "open")


async def test_an_alert_that_nobody_saw_firing_is_resolved_without_a_ticket() -> None:
    desk = await a_desk("alertmanager")
    assert await desk.hear("alertmanager", a_payload("alertmanager_resolved")) == (
        Ignored("there is nothing that it continues"),
    )
    assert desk.parking.parked == []


async def test_a_program_of_ones_own_opens_a_ticket_with_files_priority_and_tags() -> None:
    desk = await a_desk("standard")
    ticket = await desk.heard("standard", a_payload("standard_message"))
    (file,) = ticket.messages[0].attachments
    assert (ticket.subject, ticket.priority, ticket.tags) == ("Order 77", "high", ("late", "shop"))
    assert (file.filename, file.content_type, file.size) == ("receipt.txt", "text/plain", 5)
    assert await desk.objects.get(file.key) == b"hello"
    assert ticket.requester is not None
    assert ticket.requester.address == "ann@example.net"


NOT_WHAT_THEY_ARE: list[tuple[str, Any]] = [
    ("telegram", {"message": "hello"}),
    ("telegram", {"message": {"message_id": 1, "chat": {"id": 7}, "text": "no author"}}),
    ("telegram", {"hello": "world"}),
    ("whatsapp", {"entry": "x"}),
    ("whatsapp", {"entry": [{"changes": [{"value": {"messages": [{"id": "1", "text": {"body": "x"}}]}}]}]}),
    ("slack", {"type": "event_callback"}),
    ("alertmanager", {"alerts": [{"status": "firing", "labels": []}]}),
    ("alertmanager", []),
    ("standard", {"id": ["x"], "conversation": {}, "author": None, "text": 7}),
    ("standard", {**a_payload("standard_message"), "priority": "very"}),
    ("standard", {**a_payload("standard_message"), "files": [{"filename": "x", "content": "%%%"}]}),
    ("standard", {**a_payload("standard_message"), "id": "x" * 5_000}),
    ("standard", "text"),
    ("standard", None),
]


@pytest.mark.parametrize(("channel", "payload"), NOT_WHAT_THEY_ARE)
async def test_a_payload_that_is_not_what_it_should_be_is_parked_whole(channel: str, payload: Any) -> None:
    desk = await a_desk(channel)
    (parked,) = await desk.hear(channel, payload)
    assert isinstance(parked, Parked)
    ((reference, reason),) = desk.parking.parked
    assert reason == parked.reason
    assert await desk.objects.get(reference) == desk.request(channel, payload).body


async def test_one_message_that_cannot_be_read_leaves_the_others_alone() -> None:
    desk = await a_desk("whatsapp")
    payload = deepcopy(a_payload("whatsapp_batch"))
    del payload["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
    results = await desk.hear("whatsapp", payload)
    assert [type(result) for result in results] == [Parked, Accepted, Accepted]


async def test_odd_characters_of_a_payload_are_made_harmless() -> None:
    desk = await a_desk("standard")
    payload = {**a_payload("standard_message"), "text": "a\0b\r\nc\x1b", "subject": "x\ny"}
    ticket = await desk.heard("standard", payload)
    assert (ticket.subject, texts(ticket)) == ("x y", ["a\ufffdb\nc\ufffd"])


async def test_the_payload_is_kept_as_it_came() -> None:
    desk = await a_desk("telegram")
    accepted = await desk.hear_one("telegram", a_payload("telegram_text"))
    (opened,) = (await desk.history(accepted.ticket_id))[0].facts
    assert isinstance(opened, Opened)
    assert await desk.objects.get(opened.raw_key or "") == desk.request("telegram", a_payload("telegram_text")).body
