"""What people complain of in other help desks that take mails and chats in, told as what holds in this one."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from deskwire_intake.channels.imap.session import ImapSession, MailboxUnreachable
from deskwire_shared.contracts.facts import CustomerReplied, Opened
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.ticket.commands import ChangeStatus, RedactMessage
from dovecot import running_dovecot
from imap_desk import BOX, ImapDesk, a_mail, imap_desk
from ticket_desk import ADMIN
from unit.intake.inbound import stored_mail
from visitor_desk import VisitorDesk, visitor_desk

MARK = "$Deskwire"


async def test_mails_whose_mark_cannot_be_set_are_on_their_tickets_once(
    fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, finish = iter(range(2)), ImapSession.finish

    async def moody(self: ImapSession, uids: list[int]) -> None:
        if next(failures, None) is not None:
            raise MailboxUnreachable("cut before the marks were set")
        await finish(self, uids)

    monkeypatch.setattr(ImapSession, "finish", moody)
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(20)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.all_flagged()
            assert next(failures, None) is None
            await desk.has(20)


async def test_two_fetchers_at_once_lose_no_word_and_no_file_of_a_mail(fresh_nats: str, tmp_path: Path) -> None:
    invoice = stored_mail("inline_image").replace(b"\n", b"\r\n")
    with running_dovecot() as server:
        async with (
            imap_desk(fresh_nats, tmp_path, server) as desk,
            imap_desk(fresh_nats, tmp_path, server) as other,
        ):
            await desk.becomes("waiting")
            await other.becomes("waiting")
            ids = [f"<file-{number}@example.com>".encode() for number in range(60)]
            await desk.deliver(*(b"Message-ID: " + name + b"\r\n" + _without_id(invoice) for name in ids))
            opened = [fact for said in await desk.has(60) for fact in await desk.desk.facts(said.ticket_id, Opened)]
        assert len({fact.text for fact in opened}) == len({fact.html for fact in opened}) == 1
        assert all(fact.text and fact.html and fact.attachments for fact in opened)
        files = {
            (tmp_path / "objects" / file.key).stat().st_size == file.size for f in opened for file in f.attachments
        }
        assert files == {True}


def _without_id(mail: bytes) -> bytes:
    return b"\r\n".join(line for line in mail.split(b"\r\n") if not line.lower().startswith(b"message-id:"))


async def test_mails_that_waited_for_forty_days_are_fetched_all_the_same(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        with server.client(BOX) as client:
            for number in range(30):
                came_at = SystemClock().now() - timedelta(days=40 - number)
                client.append("INBOX", a_mail(number), msg_time=came_at)
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(30)


async def test_mails_that_somebody_has_read_first_are_fetched_all_the_same(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(5)])
        with server.client(BOX) as client:
            client.select_folder("INBOX")
            client.add_flags(client.search("ALL"), [b"\\Seen"])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(5)


async def test_a_poison_mail_is_fetched_once_and_is_not_in_the_way_of_the_next(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1, body=b"burns\r\n" * 20_000), a_mail(2)])
        async with imap_desk(fresh_nats, tmp_path, server, reading_seconds=0.0001, reading_inline_bytes=10_000) as desk:
            await desk.all_flagged()
            await desk.deliver(a_mail(3))
            await desk.has(2)
            (parked,) = await desk.parked()
            assert parked.reason.startswith("reading the mail took more than")
            received = desk.desk.runtime.registry.get_sample_value
            assert received("deskwire_intake_messages_total", {"channel": "email", "outcome": "received"}) == 3


@pytest.mark.parametrize("ended", ["closed", "redacted"])
async def test_what_was_ended_does_not_come_back_when_its_mail_is_fetched_again(
    fresh_nats: str, tmp_path: Path, ended: str
) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            (said,) = await desk.has(1)
            await desk.all_flagged()
            await _end(desk, said.ticket_id, ended)
            before = await desk.desk.ticket(said.ticket_id)
            await asyncio.to_thread(_unmark, desk)
            await desk.all_flagged()
            assert await desk.desk.ticket(said.ticket_id) == before
            assert len(await desk.desk.facts(said.ticket_id, Opened, CustomerReplied)) == 1
            await desk.has(1)


async def _end(desk: ImapDesk, ticket_id: str, ended: str) -> None:
    if ended == "closed":
        await desk.desk.do(ticket_id, ChangeStatus(status="solved"), ADMIN)
        await desk.desk.do(ticket_id, ChangeStatus(status="closed"), ADMIN)
        return
    (message,) = (await desk.desk.ticket(ticket_id)).messages
    await desk.desk.do(ticket_id, RedactMessage(message_id=message.id, agent_id="root", reason="a secret"), ADMIN)


def _unmark(desk: ImapDesk) -> None:
    """Forget on the server that the desk has its mails; the desk may see it at once."""
    with desk.server.client(BOX) as client:
        client.select_folder("INBOX")
        client.remove_flags(client.search("ALL"), [MARK.encode()])
        client.append("INBOX", a_mail(1))


async def test_what_is_said_in_one_chat_costs_the_same_however_many_are_open(fresh_nats: str, tmp_path: Path) -> None:
    limits = {"chat_client_sockets": 500, "chat_client_rate": 1_000}
    async with visitor_desk(fresh_nats, tmp_path, **limits) as desk, AsyncExitStack() as stack:
        alone = await _messages_for_a_chat(desk)
        others = [(await stack.enter_async_context(desk.widget()))[0] for _ in range(100)]
        for other in others:
            await other.stands()
        assert await _messages_for_a_chat(desk) <= alone * 1.2
        for other in others:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.socket.recv(), 0.001)


async def _messages_for_a_chat(desk: VisitorDesk) -> int:
    """How many messages go between the desk and the log while one customer talks."""
    connection = desk.desk.runtime.connection
    async with desk.widget() as (widget, _):
        before = connection.stats["in_msgs"] + connection.stats["out_msgs"]
        for number in range(10):
            await widget.say(f"Message {number}")
        return connection.stats["in_msgs"] + connection.stats["out_msgs"] - before
