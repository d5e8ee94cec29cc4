"""What cannot be handled waits, and what two processes park at once waits once."""

import asyncio
from pathlib import Path

import pytest

from deskwire_intake.app import intake_of
from deskwire_intake.channels.email.deliveries import Delivery
from deskwire_intake.figures import Figures
from deskwire_intake.replaying import MailReplays, StillCannotBeHandled
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.wiring.mails import email_channel
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.runtime.parking import dismiss, list_parked
from dovecot import running_dovecot
from imap_desk import a_mail, imap_desk
from intake_desk import intake_desk
from ticket_desk import ADMIN, ticket_desk
from unit.intake.inbound import a_mail as a_sent_mail


async def test_what_two_processes_park_at_the_same_moment_waits_once(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path / "one") as desk, ticket_desk(fresh_nats, tmp_path / "two") as other:
        lots = [desk.runtime.parking("intake"), other.runtime.parking("intake")] * 10
        parks = (lot.park("raw/1", b"", {}, reason=f"try {n}", once=("raw/1", "a@b")) for n, lot in enumerate(lots))
        numbers = set(await asyncio.gather(*parks))
        assert [one.number for one in await list_parked(desk.runtime.js)] == list(numbers)


async def test_what_was_dismissed_can_be_parked_again(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        lot = desk.runtime.parking("intake")
        first = await lot.park("raw/1", b"", {}, reason="one", once=("raw/1",))
        await dismiss(desk.runtime.js, first)
        second = await lot.park("raw/1", b"", {}, reason="two", once=("raw/1",))
        assert [(one.number, one.reason) for one in await list_parked(desk.runtime.js)] == [(second, "two")]


async def test_one_mail_in_two_mailboxes_is_parked_for_each(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        lot = desk.runtime.parking("intake")
        for address in ("support@example.com", "sales@example.com"):
            await lot.park("raw/1", b"", {"mailbox": address}, reason="unreadable", once=("raw/1", address))
        assert len(await list_parked(desk.runtime.js)) == 2


async def test_a_mail_server_that_sends_a_mail_again_that_is_parked_parks_it_once(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        report = a_sent_mail(from_="MAILER-DAEMON@mx.example.net")
        for _ in range(3):
            assert (await desk.send(report, sender=""))[0] == 250
        assert len(await list_parked(desk.desk.runtime.js)) == 1


async def test_two_fetchers_park_the_mails_of_a_mailbox_once(fresh_nats: str, tmp_path: Path) -> None:
    ours = b"From: support@example.com\r\nMessage-ID: <%d@example.com>\r\n\r\nHello\r\n"
    with running_dovecot() as server:
        async with (
            imap_desk(fresh_nats, tmp_path, server, imap_mail_bytes=10_000) as desk,
            imap_desk(fresh_nats, tmp_path, server, imap_mail_bytes=10_000) as other,
        ):
            await desk.becomes("waiting")
            await other.becomes("waiting")
            await desk.deliver(*(ours % number for number in range(40)), a_mail(1, body=b"x" * 20_000))
            await desk.all_flagged()
            parked = await desk.parked()
        assert len({one.reference for one in parked}) == len(parked) == 41


async def test_a_parked_mail_stays_parked_once_until_its_replay_goes_well(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        runtime = desk.runtime
        intake = await intake_of(runtime)
        channel = await email_channel(runtime, IntakeSettings(), intake, Figures(runtime.registry))
        ann = intake.customers.id_of("ann@example.net")
        await runtime.directory.put(ann, Customer(address="ann@example.net", blocked=True), actor=ADMIN)
        mail = Delivery(sender="ann@example.net", recipients=("support@example.com",), content=a_sent_mail())
        await channel.receive(mail)
        (parked,) = await list_parked(runtime.js)
        with pytest.raises(StillCannotBeHandled):
            await MailReplays(channel, runtime.js).replay(parked)
        assert await list_parked(runtime.js) == [parked]
        await runtime.directory.put(ann, Customer(address="ann@example.net"), actor=ADMIN)
        await MailReplays(channel, runtime.js).replay(parked)
