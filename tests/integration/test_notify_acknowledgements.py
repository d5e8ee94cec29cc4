"""Customers are told that their ticket exists, unless that would start a loop or bother somebody."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from deskwire_notify.claims import Busy, Claim, Claims
from deskwire_notify.quota import Quota
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Customer, Template
from deskwire_shared.contracts.facts import Acknowledged, Address, MachineKind, ReplyBounced, ReplyDelivered
from deskwire_shared.contracts.ids import new_id, person_id
from deskwire_shared.contracts.subjects import DELIVERIES
from deskwire_shared.contracts.threading_tokens import ticket_of_message_id
from deskwire_shared.runtime.buckets import Bucket
from deskwire_shared.runtime.outbox import list_outbox, read_outbox
from deskwire_shared.runtime.parking import list_parked
from mail_sink import MailSink
from notify_desk import ADMIN, CHANNEL, CORA, NotifyDesk, notify_desk, until


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with MailSink().open() as listening:
        yield listening


@pytest_asyncio.fixture
async def desk(
    fresh_nats: str, tmp_path: Path, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[NotifyDesk]:
    monkeypatch.setenv("DESKWIRE_NOTIFY_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("DESKWIRE_NOTIFY_SMTP_PORT", str(sink.port))
    monkeypatch.setenv("DESKWIRE_NOTIFY_SMTP_TLS", "none")
    monkeypatch.setenv("DESKWIRE_NOTIFY_ACKNOWLEDGEMENTS_PER_HOUR", "2")
    monkeypatch.setenv("DESKWIRE_NOTIFY_AUTOMATIC_MAILS_PER_HOUR", "6")
    monkeypatch.setenv("DESKWIRE_NOTIFY_AUTOMATIC_MAILS_PER_TICKET", "3")
    async with notify_desk(fresh_nats, tmp_path) as started:
        yield started


async def test_a_customer_is_told_that_the_ticket_exists(desk: NotifyDesk, sink: MailSink) -> None:
    ticket_id = await desk.open()
    (fact,) = await desk.recorded(ticket_id, Acknowledged)
    assert (fact.outcome, fact.template_id) == ("sent", "built-in.acknowledgement.en")
    (mail,) = sink.mails
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == "<c1@mail.example>"
    assert ticket_of_message_id(mail["Message-ID"].strip("<>"), await desk.key()) == ticket_id


@pytest.mark.parametrize("machine", ["auto_reply", "list", "bounce"])
async def test_machines_and_lists_are_never_acknowledged(
    desk: NotifyDesk, sink: MailSink, machine: MachineKind
) -> None:
    (fact,) = await desk.recorded(await desk.open(machine=machine), Acknowledged)
    assert fact.outcome == "suppressed"
    assert sink.mails == []


async def test_a_blocked_customer_is_not_acknowledged(desk: NotifyDesk, sink: MailSink) -> None:
    customer = Customer(address=CORA.address, blocked=True)
    await desk.runtime.directory.put(person_id(CORA.address, b"site"), customer, actor=ADMIN)
    (fact,) = await desk.recorded(await desk.open(), Acknowledged)
    assert (fact.outcome, fact.reason) == ("suppressed", "the customer is blocked")
    assert sink.mails == []


async def test_a_ticket_an_agent_opened_is_not_acknowledged(desk: NotifyDesk, sink: MailSink) -> None:
    ticket_id = await desk.open(actor=Actor(kind="agent", id="ada"))
    (fact,) = await desk.recorded(ticket_id, Acknowledged)
    assert fact.outcome == "suppressed"
    assert sink.mails == []


async def test_a_customer_who_opens_many_tickets_is_acknowledged_only_so_often(
    desk: NotifyDesk, sink: MailSink
) -> None:
    tickets = [await desk.open() for _ in range(4)]
    facts = [fact for ticket_id in tickets for fact in await desk.recorded(ticket_id, Acknowledged)]
    assert sorted(fact.outcome for fact in facts) == ["sent", "sent", "suppressed", "suppressed"]
    assert len(sink.mails) == 2


async def test_a_machine_that_writes_under_many_addresses_is_one_customer(desk: NotifyDesk, sink: MailSink) -> None:
    for number in range(4):
        ticket_id = await desk.open(author=Address(address=f"desk+{number}@example.org"), requester_id=f"p{number}")
        await desk.recorded(ticket_id, Acknowledged)
    assert len(sink.mails) == 2


async def test_answers_by_rules_leave_a_ticket_only_so_often(desk: NotifyDesk, sink: MailSink) -> None:
    ticket_id = await desk.open()
    await desk.recorded(ticket_id, Acknowledged)
    tickets = [await desk.settled(ticket_id, await desk.reply(ticket_id, automated=True)) for _ in range(4)]
    assert [ticket.messages[-1].delivery for ticket in tickets] == ["delivered", "delivered", "bounced", "bounced"]
    (fact, _) = await desk.facts(ticket_id, ReplyBounced)
    assert fact.reason == "it was not sent: too many automatic mails left this ticket within an hour"
    assert len(sink.mails) == 3
    assert desk.runtime.registry.get_sample_value("deskwire_notify_replies_withheld_total") == 2


async def test_a_customer_gets_only_so_many_answers_by_rules_on_all_tickets(desk: NotifyDesk, sink: MailSink) -> None:
    tickets = [await desk.open() for _ in range(8)]
    settled = [await desk.settled(one, await desk.reply(one, automated=True)) for one in tickets]
    await until(lambda: len(sink.mails) == 6)
    bounced = [ticket.id for ticket in settled if ticket.messages[-1].delivery == "bounced"]
    reasons = [fact.reason for one in bounced for fact in await desk.facts(one, ReplyBounced)]
    assert set(reasons) == {"it was not sent: the customer was sent too many automatic mails within an hour"}
    assert len(bounced) == 4


async def test_what_agents_write_always_leaves(desk: NotifyDesk) -> None:
    ticket_id = await desk.open()
    for automated in (True, True, True, False, False):
        ticket = await desk.settled(ticket_id, await desk.reply(ticket_id, automated=automated))
    assert ticket.messages[-1].delivery == "delivered"


async def test_a_refused_acknowledgement_is_recorded_without_the_address(desk: NotifyDesk, sink: MailSink) -> None:
    sink.refused["cora@example.org"] = "550 5.1.1 cora@example.org unknown"
    (fact,) = await desk.recorded(await desk.open(), Acknowledged)
    assert (fact.outcome, fact.reason) == ("suppressed", "it could not be delivered (550)")


async def test_a_template_that_fails_is_parked_once_and_the_customer_is_told_all_the_same(
    desk: NotifyDesk, sink: MailSink
) -> None:
    broken = Template(name="Ack", purpose="acknowledgement", subject="Hi", body="Dear {{ custmer.name }}")
    await desk.runtime.directory.put("broken", broken, actor=ADMIN)
    for _ in range(2):
        (fact,) = await desk.recorded(await desk.open(), Acknowledged)
        assert (fact.outcome, fact.template_id) == ("sent", "built-in.acknowledgement.en")
    (parked,) = await list_parked(desk.runtime.js)
    assert parked.reference == "directory.template.broken"
    assert "custmer" in parked.reason


async def test_without_a_mail_server_mails_stay_in_the_local_outbox(fresh_nats: str, tmp_path: Path) -> None:
    async with notify_desk(fresh_nats, tmp_path) as desk:
        ticket_id = await desk.open(author=Address(address="cora@example.org", name="Cörä"))
        await desk.recorded(ticket_id, Acknowledged)
        ticket = await desk.settled(ticket_id, await desk.reply(ticket_id))
        assert ticket.messages[-1].delivery == "delivered"
        (fact,) = await desk.facts(ticket_id, ReplyDelivered)
        assert fact.channel == "outbox"
        reply, acknowledgement = await list_outbox(desk.runtime.objects)
        assert reply.subject == acknowledgement.subject == "Re: Printer on fire [#42]"
        assert reply.to == "Cörä <cora@example.org>"
        assert b"Use water." in await read_outbox(desk.runtime.objects, reply.id)


async def test_a_desk_without_channels_answers_from_its_own_machine(fresh_nats: str, tmp_path: Path) -> None:
    async with notify_desk(fresh_nats, tmp_path) as desk:
        await desk.runtime.directory.delete(Channel, CHANNEL, actor=ADMIN)
        ticket_id = await desk.open(channel_id=None)
        await desk.settled(ticket_id, await desk.reply(ticket_id))
        (mail,) = await list_outbox(desk.runtime.objects)
        assert "support@localhost" in mail.sender
        assert await desk.facts(ticket_id, Acknowledged) == []


async def test_a_claim_is_had_by_one_until_it_lapses(fresh_nats: str, tmp_path: Path) -> None:
    async with notify_desk(fresh_nats, tmp_path, running=False) as desk:
        claims = Claims(Bucket(desk.runtime.js, DELIVERIES), lease=timedelta(minutes=2))
        mail_id, now = new_id(), desk.runtime.clock.now()
        claim = await claims.take(mail_id, now)
        assert isinstance(claim, Claim)
        assert await claims.take(mail_id, now) == Busy(now + timedelta(minutes=2))
        await claims.put_off(mail_id, claim, now + timedelta(minutes=1), frozenset({"a"}))
        assert await claims.take(mail_id, now) == Busy(now + timedelta(minutes=1))
        again = await claims.take(mail_id, now + timedelta(minutes=1))
        assert isinstance(again, Claim)
        assert (again.attempts, again.first_at, again.accepted) == (2, now, frozenset({"a"}))


async def test_a_quota_is_shared_by_all_replicas(fresh_nats: str, tmp_path: Path) -> None:
    async with notify_desk(fresh_nats, tmp_path, running=False) as desk:
        replicas = [Quota(Bucket(desk.runtime.js, DELIVERIES), most=1) for _ in range(2)]
        now = desk.runtime.clock.now()
        assert await replicas[0].allows("cora", "m1", now)
        assert not await replicas[1].allows("cora", "m2", now)
        assert await replicas[1].allows("cora", "m1", now)
        assert await replicas[1].allows("bob", "m3", now)


async def test_notify_says_what_it_did_in_figures(desk: NotifyDesk, sink: MailSink) -> None:
    await desk.open()
    await until(lambda: sink.mails)
    await until(lambda: desk.runtime.registry.get_sample_value(
        "deskwire_notify_attempts_total", {"kind": "acknowledgement", "outcome": "delivered"}
    ) == 1)  # fmt: skip
    await desk.open(machine="list")
    await until(lambda: desk.runtime.registry.get_sample_value(
        "deskwire_notify_acknowledgements_withheld_total"
    ) == 1)  # fmt: skip
