"""Agents' replies leave over SMTP, once, whatever the mail server says."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from deskwire_notify.channels.email import SmtpRelay, SmtpServer
from deskwire_notify.channels.port import Answer
from deskwire_notify.deliveries import LEASE
from deskwire_notify.errands import ReplyErrand
from deskwire_notify.handlers import on_ticket
from deskwire_notify.mails.composing import OutgoingMail
from deskwire_shared.contracts.facts import Address, AgentReplied, Attachment, ReplyBounced, ReplyDelivered
from deskwire_shared.contracts.threading_tokens import ticket_of, ticket_of_message_id
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.parking import list_parked
from deskwire_shared.ticket.commands import RedactMessage, WithdrawReply
from mail_sink import MailSink
from notify_desk import NotifyDesk, notify_desk, until


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with MailSink().open() as listening:
        yield listening


@pytest_asyncio.fixture
async def desk(
    fresh_nats: str, tmp_path: Path, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[NotifyDesk]:
    use(monkeypatch, sink)
    async with notify_desk(fresh_nats, tmp_path) as started:
        yield started


def use(monkeypatch: pytest.MonkeyPatch, sink: MailSink) -> None:
    monkeypatch.setenv("DESKWIRE_NOTIFY_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("DESKWIRE_NOTIFY_SMTP_PORT", str(sink.port))
    monkeypatch.setenv("DESKWIRE_NOTIFY_SMTP_TLS", "none")
    monkeypatch.setenv("DESKWIRE_NOTIFY_RETRY_FIRST_SECONDS", "1")
    monkeypatch.setenv("DESKWIRE_NOTIFY_ACKNOWLEDGEMENTS_PER_HOUR", "0")


async def test_a_reply_leaves_in_the_customers_thread_and_its_answer_finds_the_ticket(
    desk: NotifyDesk, sink: MailSink
) -> None:
    ticket_id = await desk.open()
    message_id = await desk.reply(ticket_id)
    ticket = await desk.settled(ticket_id, message_id)
    assert ticket.messages[-1].delivery == "delivered"
    (mail,) = sink.mails
    assert mail["To"] == "Cora Customer <cora@example.org>"
    assert mail["From"] == "Acme Support <support@acme.example>"
    assert mail["Subject"] == "Re: Printer on fire [#42]"
    assert mail["In-Reply-To"] == "<c1@mail.example>"
    assert mail["References"].split() == ["<c0@mail.example>", "<c1@mail.example>"]
    key = await desk.key()
    assert ticket_of(mail["Reply-To"].addresses[0].addr_spec, key) == ticket_id
    assert ticket_of_message_id(mail["Message-ID"].strip("<>"), key) == ticket_id
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Use water.\n\nAda Agent" in body.get_content().replace("\r\n", "\n")


async def test_what_was_recorded_names_its_cause(desk: NotifyDesk) -> None:
    ticket_id = await desk.open()
    await desk.settled(ticket_id, await desk.reply(ticket_id))
    history = await desk.runtime.store.load(ticket_id, fresh=True)
    (replied,) = [commit for commit in history.commits if isinstance(commit.facts[0], AgentReplied)]
    (delivered,) = [commit for commit in history.commits if isinstance(commit.facts[0], ReplyDelivered)]
    assert delivered.causation_id == replied.commit_id
    assert delivered.correlation_id == replied.correlation_id
    assert delivered.actor.id == "notify"


async def test_a_reply_goes_to_everybody_but_the_desk_itself(desk: NotifyDesk, sink: MailSink) -> None:
    ticket_id = await desk.open()
    cc = (Address(address="bob@example.org"), Address(address="support+t1@acme.example"))
    await desk.settled(ticket_id, await desk.reply(ticket_id, cc=cc))
    assert sink.recipients == [["cora@example.org", "bob@example.org"]]


async def test_many_replies_share_a_few_connections(desk: NotifyDesk, sink: MailSink) -> None:
    tickets = [await desk.open() for _ in range(12)]
    for ticket_id in tickets:
        await desk.reply(ticket_id)
    await until(lambda: len(sink.mails) == 12)
    assert sink.sessions <= 4


async def test_a_mail_that_is_not_taken_now_is_sent_later_once(desk: NotifyDesk, sink: MailSink) -> None:
    sink.next_answers.append("450 4.2.0 greylisted, come back")
    ticket_id = await desk.open()
    message_id = await desk.reply(ticket_id)
    ticket = await desk.settled(ticket_id, message_id)
    assert ticket.messages[-1].delivery == "delivered"
    assert len(sink.mails) == 1
    (fact,) = await desk.facts(ticket_id, ReplyDelivered)
    assert fact.attempts == 2


async def test_a_mail_that_is_refused_for_good_bounces_at_once_with_the_reason(
    desk: NotifyDesk, sink: MailSink
) -> None:
    sink.refused["cora@example.org"] = "550 5.1.1 no such user"
    ticket_id = await desk.open()
    message_id = await desk.reply(ticket_id)
    ticket = await desk.settled(ticket_id, message_id)
    assert ticket.messages[-1].delivery == "bounced"
    (fact,) = await desk.facts(ticket_id, ReplyBounced)
    assert fact.permanent
    assert fact.reason == "550 5.1.1 no such user"
    assert fact.recipients == ("cora@example.org",)
    assert sink.mails == []


async def test_content_that_is_refused_for_good_bounces(desk: NotifyDesk, sink: MailSink) -> None:
    sink.next_answers.append("554 5.7.1 spam")
    ticket_id = await desk.open()
    ticket = await desk.settled(ticket_id, await desk.reply(ticket_id))
    assert ticket.messages[-1].delivery == "bounced"


async def test_one_of_two_recipients_is_refused(desk: NotifyDesk, sink: MailSink) -> None:
    sink.refused["bob@example.org"] = "550 5.1.1 no such user"
    ticket_id = await desk.open()
    await desk.reply(ticket_id, cc=(Address(address="bob@example.org"),))
    (bounced,) = await desk.recorded(ticket_id, ReplyBounced)
    assert bounced.recipients == ("bob@example.org",)
    assert len(await desk.facts(ticket_id, ReplyDelivered)) == 1
    assert sink.recipients == [["cora@example.org"]]


async def test_only_who_was_not_reached_is_tried_again(desk: NotifyDesk, sink: MailSink) -> None:
    sink.refused["bob@example.org"] = "451 4.3.0 mailbox busy"
    ticket_id = await desk.open()
    message_id = await desk.reply(ticket_id, cc=(Address(address="bob@example.org"),))
    await until(lambda: sink.mails)
    del sink.refused["bob@example.org"]
    await desk.settled(ticket_id, message_id)
    assert sink.recipients == [["cora@example.org"], ["bob@example.org"]]
    assert sink.mails[0]["Message-ID"] == sink.mails[1]["Message-ID"]
    assert await desk.facts(ticket_id, ReplyBounced) == []


async def test_a_reply_waits_for_a_mail_server_that_is_away(
    fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = MailSink()
    async with sink.open():
        pass
    use(monkeypatch, sink)
    async with notify_desk(fresh_nats, tmp_path) as desk:
        ticket_id = await desk.open()
        message_id = await desk.reply(ticket_id)
        await until(lambda: desk.runtime.registry.get_sample_value(
            "deskwire_notify_attempts_total", {"kind": "reply", "outcome": "retried"}
        ))  # fmt: skip
        async with sink.open():
            await desk.settled(ticket_id, message_id)
            assert len(sink.mails) == 1


async def test_a_retry_survives_a_restart(fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with MailSink().open() as sink:
        use(monkeypatch, sink)
        sink.next_answers.append("451 4.3.0 try again")
        async with notify_desk(fresh_nats, tmp_path) as before:
            ticket_id = await before.open()
            message_id = await before.reply(ticket_id)
            await until(lambda: not sink.next_answers)
        async with notify_desk(fresh_nats, tmp_path) as after:
            await after.settled(ticket_id, message_id)
        assert len(sink.mails) == 1


async def test_a_mail_nobody_takes_is_given_up_and_parked(
    fresh_nats: str, tmp_path: Path, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sink)
    monkeypatch.setenv("DESKWIRE_NOTIFY_GIVE_UP_HOURS", "0.0003")  # a good second
    sink.refused["cora@example.org"] = "450 4.2.1 mailbox full of cora@example.org"
    async with notify_desk(fresh_nats, tmp_path) as desk:
        ticket_id = await desk.open()
        ticket = await desk.settled(ticket_id, await desk.reply(ticket_id))
        assert ticket.messages[-1].delivery == "bounced"
        (fact,) = await desk.facts(ticket_id, ReplyBounced)
        assert "mailbox full" in fact.reason
        (parked,) = await list_parked(desk.runtime.js)
        assert re.search(r"given up after [23] attempts: 450", parked.reason)
        assert "cora" not in parked.reason
        assert ticket_id in parked.reference


async def test_a_mail_server_that_wants_us_to_sign_in_does_not_make_replies_bounce(
    desk: NotifyDesk, sink: MailSink
) -> None:
    sink.next_answers.append("530 5.7.0 authentication required")
    ticket_id = await desk.open()
    ticket = await desk.settled(ticket_id, await desk.reply(ticket_id))
    assert ticket.messages[-1].delivery == "delivered"


async def test_a_reply_can_be_taken_back_until_its_moment(desk: NotifyDesk, sink: MailSink) -> None:
    ticket_id = await desk.open()
    moment = desk.runtime.clock.now() + timedelta(seconds=1)
    withdrawn = await desk.reply(ticket_id, deliver_after=moment + timedelta(hours=1))
    await desk.do(ticket_id, WithdrawReply(message_id=withdrawn, at=moment))
    sent = await desk.reply(ticket_id, deliver_after=moment)
    await desk.settled(ticket_id, sent)
    assert desk.runtime.clock.now() >= moment
    assert len(sink.mails) == 1


async def test_a_reply_whose_attachment_is_lost_bounces_and_is_parked(desk: NotifyDesk, sink: MailSink) -> None:
    ticket_id = await desk.open()
    lost = Attachment(key="gone", filename="a.pdf", content_type="application/pdf", size=3, sha256="0" * 64)
    ticket = await desk.settled(ticket_id, await desk.reply(ticket_id, attachments=(lost,)))
    assert ticket.messages[-1].delivery == "bounced"
    (fact,) = await desk.facts(ticket_id, ReplyBounced)
    assert "a.pdf is missing" in fact.reason
    assert len(await list_parked(desk.runtime.js)) == 1
    assert sink.mails == []


async def test_a_reply_to_no_mail_address_bounces(desk: NotifyDesk) -> None:
    ticket_id = await desk.open(author=Address(address="+49 30 1234"))
    await desk.reply(ticket_id)
    (fact,) = await desk.recorded(ticket_id, ReplyBounced)
    assert fact.recipients == ("+49 30 1234",)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class DyingRelay:
    """Sends the mail, then the process is killed before it can record that."""

    relay: SmtpRelay
    name: str = "email"

    async def send(self, mail: OutgoingMail) -> Mapping[str, Answer]:
        await self.relay.send(mail)
        raise Killed

    async def close(self) -> None:
        await self.relay.close()


def a_relay(sink: MailSink) -> SmtpRelay:
    return SmtpRelay(SmtpServer(host="127.0.0.1", port=sink.port, tls="none"))


def stopped_clock(desk: NotifyDesk) -> ManualClock:
    clock = ManualClock(desk.runtime.clock.now())
    desk.runtime.clock = clock
    return clock


async def test_a_mail_that_was_sent_and_not_recorded_is_sent_again_with_the_same_message_id(
    fresh_nats: str, tmp_path: Path, sink: MailSink
) -> None:
    async with AsyncExitStack() as stack, notify_desk(fresh_nats, tmp_path, running=False) as desk:
        clock = stopped_clock(desk)
        relay = a_relay(sink)
        stack.push_async_callback(relay.close)
        ticket_id = await desk.open(channel_id=None)
        message_id = await desk.reply(ticket_id)
        with pytest.raises(Killed):
            await on_ticket(desk.heard(ticket_id), outgoing=await desk.outgoing(DyingRelay(relay)))
        survivor = await desk.outgoing(relay)
        await on_ticket(desk.heard(ticket_id), outgoing=survivor)
        assert len(sink.mails) == 1, "the claim of the dead has not lapsed"
        clock.advance(LEASE)
        await on_ticket(desk.heard(ticket_id), outgoing=survivor)
        await desk.settled(ticket_id, message_id)
        assert len(sink.mails) == 2
        assert sink.mails[0]["Message-ID"] == sink.mails[1]["Message-ID"]
        clock.advance(LEASE)
        await on_ticket(desk.heard(ticket_id), outgoing=survivor)
        assert len(sink.mails) == 2


async def test_a_replica_that_heard_too_late_finds_the_reply_delivered_and_sends_nothing(
    fresh_nats: str, tmp_path: Path, sink: MailSink
) -> None:
    async with AsyncExitStack() as stack, notify_desk(fresh_nats, tmp_path, running=False) as desk:
        clock = stopped_clock(desk)
        relay = a_relay(sink)
        stack.push_async_callback(relay.close)
        ticket_id = await desk.open(channel_id=None)
        message_id = await desk.reply(ticket_id)
        outgoing = await desk.outgoing(relay)
        errand = ReplyErrand(
            message_id=message_id, mail_id=message_id, writer=outgoing.writer, patience=outgoing.patience
        )
        await outgoing.deliveries.carry(ticket_id, errand)
        clock.advance(LEASE)
        assert await outgoing.deliveries.carry(ticket_id, errand) is None
        assert len(sink.mails) == 1


@dataclass
class RedactingRelay:
    """While the mail leaves, somebody hides its words."""

    relay: SmtpRelay
    desk: NotifyDesk
    command: RedactMessage
    ticket_id: str
    name: str = "email"

    async def send(self, mail: OutgoingMail) -> Mapping[str, Answer]:
        await self.desk.do(self.ticket_id, self.command)
        return await self.relay.send(mail)

    async def close(self) -> None:
        await self.relay.close()


async def test_a_reply_that_left_while_it_was_withdrawn_is_shown_to_an_operator(
    fresh_nats: str, tmp_path: Path, sink: MailSink
) -> None:
    async with AsyncExitStack() as stack, notify_desk(fresh_nats, tmp_path, running=False) as desk:
        relay = a_relay(sink)
        stack.push_async_callback(relay.close)
        ticket_id = await desk.open(channel_id=None)
        message_id = await desk.reply(ticket_id)
        redact = RedactMessage(message_id=message_id, agent_id="ada")
        await on_ticket(
            desk.heard(ticket_id), outgoing=await desk.outgoing(RedactingRelay(relay, desk, redact, ticket_id))
        )
        assert len(sink.mails) == 1
        (parked,) = await list_parked(desk.runtime.js)
        assert "withdrawn" in parked.reason


async def test_an_agent_is_told_once_that_a_reply_is_late(fresh_nats: str, tmp_path: Path, sink: MailSink) -> None:
    sink.refused["cora@example.org"] = "450 4.2.1 mailbox full"
    async with AsyncExitStack() as stack, notify_desk(fresh_nats, tmp_path, running=False) as desk:
        clock = stopped_clock(desk)
        relay = a_relay(sink)
        stack.push_async_callback(relay.close)
        ticket_id = await desk.open(channel_id=None)
        await desk.reply(ticket_id)
        outgoing = await desk.outgoing(relay)
        await on_ticket(desk.heard(ticket_id), outgoing=outgoing)
        assert await desk.facts(ticket_id, ReplyBounced) == []
        for _ in range(3):
            clock.advance(timedelta(hours=5))
            await on_ticket(desk.heard(ticket_id), outgoing=outgoing)
        (late,) = await desk.facts(ticket_id, ReplyBounced)
        assert not late.permanent
        assert "mailbox full" in late.reason
        clock.advance(timedelta(days=3))
        await on_ticket(desk.heard(ticket_id), outgoing=outgoing)
        assert [fact.permanent for fact in await desk.facts(ticket_id, ReplyBounced)] == [False, True]


async def test_of_two_replicas_that_hear_of_a_reply_one_sends_it(
    fresh_nats: str, tmp_path: Path, sink: MailSink
) -> None:
    async with AsyncExitStack() as stack, notify_desk(fresh_nats, tmp_path, running=False) as desk:
        relays = [a_relay(sink) for _ in range(4)]
        for relay in relays:
            stack.push_async_callback(relay.close)
        ticket_id = await desk.open(channel_id=None)
        message_id = await desk.reply(ticket_id)
        replicas = [await desk.outgoing(relay) for relay in relays]
        await asyncio.gather(*(on_ticket(desk.heard(ticket_id), outgoing=replica) for replica in replicas))
        await desk.settled(ticket_id, message_id)
        assert len(sink.mails) == 1
