"""A live chat, from the widget's socket to the ticket and back, on a real log; notify runs beside it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio

from deskwire_intake.attachments import keep_upload
from deskwire_intake.channels.visitor_tokens import new_token
from deskwire_notify.app import service as notify
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Calendar, Customer
from deskwire_shared.contracts.facts import Address, CustomerReplied, Opened, ReplyDelivered
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.subjects import chat_typing_subject
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.outbox import list_outbox
from deskwire_shared.ticket.commands import (
    AssignTicket,
    ChangeStatus,
    MergeTicket,
    ReceiveReply,
    RedactMessage,
)
from ticket_desk import CORA, CORA_ID
from visitor_desk import CHAT, SHOP, VisitorDesk, visitor_desk

ADA = Actor(kind="agent", id="ada")


@pytest_asyncio.fixture
async def desk(fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VisitorDesk]:
    """A desk whose customers may be away for a second before answers are mailed."""
    monkeypatch.setenv("DESKWIRE_NOTIFY_CHAT_GRACE_SECONDS", "1")
    async with visitor_desk(fresh_nats, tmp_path, notify) as running:
        yield running


async def test_what_a_customer_says_is_on_the_ticket_before_it_is_shown_as_sent(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, _):
        said = await widget.say("Hello, is anybody there?")
        ticket = await desk.only_ticket()
        assert [message.id for message in ticket.messages] == [said["message_id"]]
        await widget.say("It is about order 7.")
    (opened,) = await desk.desk.facts(ticket.id, Opened)
    (replied,) = await desk.desk.facts(ticket.id, CustomerReplied)
    assert (opened.channel, opened.channel_id, opened.subject) == ("chat", CHAT, "Hello, is anybody there?")
    assert (replied.channel, replied.text, replied.author_id) == ("chat", "It is about order 7.", ticket.requester_id)


async def test_a_message_sent_again_is_one_message(desk: VisitorDesk) -> None:
    message_id = new_id()
    async with desk.widget() as (widget, welcome):
        first = await widget.say("Hello", message_id)
        again = await widget.say("Hello", message_id)
    async with desk.widget(welcome["session"]) as (widget, _):
        after_a_reload = await widget.say("Hello", message_id)
    assert first["message_id"] == again["message_id"] == after_a_reload["message_id"]
    assert [message.text for message in (await desk.only_ticket()).messages] == ["Hello"]


async def test_two_windows_that_start_at_once_are_one_chat(desk: VisitorDesk) -> None:
    async with desk.widget() as (first, welcome), desk.widget(welcome["session"]) as (second, _):
        await asyncio.gather(first.say("From the one"), second.say("From the other"))
        ticket = await desk.only_ticket()
        assert {message.text for message in ticket.messages} == {"From the one", "From the other"}


async def test_an_answer_appears_in_the_chat_and_is_delivered_by_it(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, _):
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        reply_id = await desk.reply(ticket, "Hello Cora!")
        shown = await widget.hear("message")
        assert (shown["message"]["id"], shown["message"]["by"]) == (reply_id, "agent")
        assert (shown["message"]["name"], shown["message"]["text"]) == ("Ada Agent", "Hello Cora!")
        async with asyncio.timeout(10):
            listening = asyncio.create_task(widget.hear("nothing"))
            await desk.delivery(ticket, reply_id, "delivered")
            listening.cancel()
    (delivered,) = await desk.desk.facts(ticket.id, ReplyDelivered)
    assert delivered.channel == "chat"
    assert await list_outbox(desk.desk.runtime.objects) == []


async def test_an_answer_waits_for_a_customer_without_an_address_until_they_come_back(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, welcome):
        await widget.say("Hello")
    ticket = await desk.only_ticket()
    reply_id = await desk.reply(ticket, "Are you still there?")
    await desk.desk.settled(("TICKETS", "notify"))
    await desk.delivery(ticket, reply_id, "waiting")
    async with desk.widget(welcome["session"]) as (widget, again):
        assert [message["text"] for message in again["messages"]] == ["Hello"]
        shown = await widget.hear("message")
        assert shown["message"]["text"] == "Are you still there?"
        listening = asyncio.create_task(widget.hear("nothing"))
        await desk.delivery(ticket, reply_id, "delivered")
        listening.cancel()


async def test_an_answer_goes_by_mail_when_the_customer_has_left(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, _):
        await widget.send(type="introduce", name="Cora", address="cora@example.org")
        await widget.say("Hello")
    ticket = await desk.only_ticket()
    assert ticket.requester == Address(address="cora@example.org", name="Cora")
    reply_id = await desk.reply(ticket, "Here is your answer.")
    await desk.delivery(ticket, reply_id, "delivered")
    (mail,) = await list_outbox(desk.desk.runtime.objects)
    assert "cora@example.org" in mail.to


async def test_an_answer_that_waits_goes_by_mail_once_an_address_is_told(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, _):
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        widget.shows = False  # a browser that sleeps
        reply_id = await desk.reply(ticket, "Here is your answer.")
        await widget.hear("message")
        await widget.send(type="introduce", address="cora@example.org")
        await widget.stands(address="cora@example.org")
    await desk.delivery(ticket, reply_id, "delivered")
    (mail,) = await list_outbox(desk.desk.runtime.objects)
    assert "cora@example.org" in mail.to
    assert await desk.desk.runtime.directory.fetch(Customer, (await desk.desk.ticket(ticket.id)).requester_id)


async def test_no_address_that_nobody_can_be_reached_at_is_taken(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, _):
        await widget.send(type="introduce", address="cora@example.org\nBcc: all@example.org")
        assert (await widget.hear("refused"))["code"] == "no_address"


async def test_who_comes_back_is_told_what_was_said_since(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, welcome):
        first = await widget.say("One")
        await widget.say("Two")
    async with desk.widget(welcome["session"], last_seen=first["message_id"]) as (_, again):
        assert again["is_replay"]
        assert [message["text"] for message in again["messages"]] == ["Two"]
    async with desk.widget(welcome["session"]) as (_, all_of_it):
        assert not all_of_it["is_replay"]
        assert [message["text"] for message in all_of_it["messages"]] == ["One", "Two"]


@pytest.mark.parametrize("session", ["forged", "a" * 16 + ".1." + "b" * 26])
async def test_nobody_enters_a_chat_with_a_token_that_is_not_ours(desk: VisitorDesk, session: str) -> None:
    async with desk.widget(session) as (_, welcome):
        assert welcome["session"] != session
        assert welcome["messages"] == []


async def test_an_old_session_is_not_taken_up_again(desk: VisitorDesk) -> None:
    runtime = desk.desk.runtime
    at = runtime.clock.now() - timedelta(days=31)
    old = new_token("chat", CHAT, at, await runtime.secrets.site_key())
    async with desk.widget(old) as (_, welcome):
        assert welcome["session"] != old


async def test_customers_see_who_is_before_them_and_who_is_with_them(desk: VisitorDesk) -> None:
    async with desk.widget() as (first, _), desk.widget() as (second, _):
        await first.say("First")
        one = await desk.only_ticket()
        await first.stands(state="queued", position=1)
        await second.say("Second")
        await second.stands(state="queued", position=2)
        await desk.desk.do(one.id, AssignTicket(agent_id="ada"), ADA)
        await first.stands(state="with_agent", agent="Ada Agent")
        await second.stands(state="queued", position=1)


async def test_a_chat_that_was_closed_or_merged_has_ended(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, _):
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        await desk.desk.do(ticket.id, ChangeStatus(status="solved"), ADA)
        await widget.stands(state="solved")
        await widget.say("One thing more")
        await widget.stands(state="queued")
        other = await desk.desk.open(number=99)
        await desk.desk.do(ticket.id, MergeTicket(into=other, into_number=99), ADA)
        await widget.stands(state="ended")
        await widget.send(type="say", id=new_id(), text="Too late")
        assert (await widget.hear("refused"))["code"] == "ended"


async def test_who_tells_their_address_when_the_chat_has_ended_is_told_so(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, _):
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        await desk.desk.do(ticket.id, ChangeStatus(status="closed"), ADA)
        await widget.stands(state="ended")
        await widget.send(type="introduce", address="cora@example.org")
        assert (await widget.hear("refused"))["code"] == "ended"
        await widget.send(type="say", id="still-here", text="Are you there?")
        assert (await widget.hear("refused"))["id"] == "still-here"
    assert (await desk.only_ticket()).requester == ticket.requester


async def test_words_that_were_hidden_are_taken_back(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, welcome):
        said = await widget.say("My card is 4111 1111 1111 1111")
        ticket = await desk.only_ticket()
        await desk.desk.do(ticket.id, RedactMessage(message_id=said["message_id"], agent_id="ada"), ADA)
        assert (await widget.hear("removed"))["id"] == said["message_id"]
    async with desk.widget(welcome["session"]) as (_, again):
        assert again["messages"] == []


async def test_what_others_say_on_the_ticket_is_not_shown_to_the_customer(desk: VisitorDesk) -> None:
    async with desk.widget() as (widget, welcome):
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        supplier = ReceiveReply(
            message_id=new_id(), channel="email", author=CORA, text="Our price is secret.", author_id=CORA_ID
        )
        await desk.desk.do(ticket.id, supplier)
        asked = await desk.reply(ticket, "Dear supplier", to=(CORA,))
        await desk.delivery(ticket, asked, "delivered")
        await widget.say("Anything new?")
        assert not [frame for frame in widget.frames if frame["type"] == "message"]
    async with desk.widget(welcome["session"]) as (_, again):
        assert [message["text"] for message in again["messages"]] == ["Hello", "Anything new?"]


async def test_nobody_reads_what_others_say_by_claiming_to_be_them(desk: VisitorDesk) -> None:
    async with desk.widget() as (other_window, welcome):
        await other_window.send(type="introduce", address=CORA.address.upper())  # there is no ticket yet
        async with desk.widget(welcome["session"]) as (widget, _):
            await widget.say("Hello")
            ticket = await desk.only_ticket()
            asked = await desk.reply(ticket, "Dear supplier", to=(CORA,))
            await desk.delivery(ticket, asked, "delivered")
            await widget.send(type="introduce", address=CORA.address)
            assert (await widget.hear("refused"))["code"] == "not_accepted"
            await other_window.say("It is me, Cora")
    assert (await desk.only_ticket()).requester == ticket.requester
    async with desk.widget(welcome["session"]) as (_, again):
        assert [message["text"] for message in again["messages"]] == ["Hello", "It is me, Cora"]


async def test_writing_is_told_both_ways(desk: VisitorDesk) -> None:
    connection = desk.desk.runtime.connection
    async with desk.widget() as (widget, _):
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        heard = await connection.subscribe(chat_typing_subject(ticket.id))
        await widget.send(type="typing")
        assert json.loads((await heard.next_msg(timeout=10)).data)["by"] == "customer"
        await connection.publish(chat_typing_subject(ticket.id), json.dumps({"by": "agent", "name": "Ada"}).encode())
        assert (await widget.hear("typing"))["name"] == "Ada"


async def test_a_chat_out_of_hours_says_so(desk: VisitorDesk) -> None:
    never = Calendar(name="Long ago", time_zone="UTC", exceptions={"2001-01-01": (("09:00", "10:00"),)})
    await desk.desk.put("never", never)
    chat = {"origins": [SHOP], "calendar_id": "never"}
    await desk.desk.put(CHAT, Channel.model_validate({"name": "Help", "medium": "chat", "chat": chat}))
    described = await desk.client.get(f"/intake/v1/chat/{CHAT}", headers={"Origin": SHOP})
    assert described.json()["is_open"] is False
    async with desk.widget() as (widget, _):
        await widget.stands(state="away")
        await widget.say("Please call me back.")
    assert len(await desk.tickets()) == 1


async def test_markup_is_kept_as_the_text_it_is(desk: VisitorDesk) -> None:
    hostile = '<img src=x onerror="alert(1)">\x00'
    async with desk.widget() as (widget, welcome):
        await widget.say(hostile)
    async with desk.widget(welcome["session"]) as (_, again):
        assert again["messages"][0]["text"] == '<img src=x onerror="alert(1)">'
    assert (await desk.only_ticket()).messages[0].html is None


async def test_any_process_may_hold_the_socket(fresh_nats: str, tmp_path: Path) -> None:
    async with (
        visitor_desk(fresh_nats, tmp_path / "a", notify) as one,
        visitor_desk(fresh_nats, tmp_path / "b") as other,
        one.widget() as (first, welcome),
        other.widget(welcome["session"]) as (second, _),
    ):
        await first.say("Hello from the first window")
        told = await second.hear("message")
        assert told["message"]["text"] == "Hello from the first window"
        await second.say("And from the second")
        assert (await first.hear("message"))["message"]["text"] == "And from the second"
        ticket = await one.only_ticket()
        reply_id = await one.reply(ticket, "Hello both")
        shown = await asyncio.gather(first.hear("message"), second.hear("message"))
        assert [frame["message"]["id"] for frame in shown] == [reply_id, reply_id]
        await one.delivery(ticket, reply_id, "delivered")


async def test_the_files_of_an_answer_are_given_to_who_was_told_of_them_and_never_run(desk: VisitorDesk) -> None:
    kept = Objects(desk.desk.runtime.objects)
    page = await keep_upload(kept, BytesIO(b"<script>"), filename="Größe.html", content_type="text/html")
    async with desk.widget() as (widget, _):
        await widget.say("Hello")
        ticket = await desk.only_ticket()
        await desk.reply(ticket, "Here", attachments=(page,))
        (file,) = (await widget.hear("message"))["message"]["files"]
    assert file["name"] == "Größe.html"
    given = await desk.client.get(f"/intake/v1/chat/{file['path']}")
    assert given.content == b"<script>"
    assert given.headers["Content-Type"] == "application/octet-stream"
    assert given.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.html"
    assert "sandbox" in given.headers["Content-Security-Policy"]
    for other in (file["path"][:-1] + "x", file["path"].replace("/0/", "/1/")):
        assert (await desk.client.get(f"/intake/v1/chat/{other}")).status_code == 404
