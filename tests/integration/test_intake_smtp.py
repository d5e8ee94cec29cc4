"""Mails over SMTP, from real clients to a real log."""

import asyncio
import smtplib
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deskwire_intake.channels.email.smtp import LOGGED_A_MINUTE
from deskwire_intake.channels.email.smtp_answers import TRY_LATER
from deskwire_intake.ledger.reading import read_ledger
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.parking import list_parked
from intake_desk import SENDER, SUPPORT, IntakeDesk, intake_desk
from processes import free_ports
from ticket_desk import until
from unit.intake.inbound import a_mail, nested

MIB = 1024 * 1024
OK = (250, b"")


async def test_a_mail_is_a_ticket_once_it_is_answered_with_250(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        assert await intake.send(a_mail(b"It burns.\n")) == OK
        (ticket,) = await intake.tickets()
        assert (ticket.number, ticket.subject, ticket.messages[0].text) == (1, "Printer", "It burns.")
        customer = await intake.desk.runtime.directory.fetch(Customer, ticket.requester_id)
        assert customer == Customer(address=SENDER, name="Ann")
        raw = (tmp_path / "objects" / ((await intake.opening(ticket)).raw_key or "")).read_bytes()
        assert raw.endswith(b"\r\n\r\nIt burns.\r\n")


async def test_lines_of_dots_arrive_as_they_were_sent(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        text = ".\n..\n.a\nb.\n.\n.b"
        await intake.send(a_mail(text.encode() + b"\n"))
        (ticket,) = await intake.tickets()
        assert ticket.messages[0].text == text


async def test_a_conversation_is_one_ticket(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        await intake.send(a_mail())
        await intake.send(a_mail(b"Still.\n", message_id="<b@example.net>", in_reply_to="<a@example.net>"))
        (ticket,) = await intake.tickets()
        assert [message.text for message in ticket.messages] == ["Hello", "Still."]


async def test_a_mail_that_two_processes_take_at_once_is_there_once(fresh_nats: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        desks = [await stack.enter_async_context(intake_desk(fresh_nats, tmp_path)) for _ in range(2)]
        for round_ in range(10):
            mail = a_mail(b"Now.\n", message_id=f"<{round_}@example.net>")
            answers = await asyncio.gather(*(desk.send(mail) for desk in desks * 2))
            assert set(answers) == {OK}
        tickets = await desks[0].tickets()
        assert len(tickets) == 10
        assert {len(ticket.messages) for ticket in tickets} == {1}


async def test_a_mail_that_comes_while_nats_is_away_is_asked_for_again(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    server = EmbeddedNats(tmp_path / "nats", port=port, sync_interval="2m")
    await server.start()
    try:
        async with intake_desk(server.url, tmp_path / "desk") as intake:
            assert await intake.send(a_mail()) == OK
            await server.stop()
            second = a_mail(b"Are you there?\n", message_id="<b@example.net>")
            code, words = await intake.send(second)
            assert f"{code} {words.decode()}" == TRY_LATER
            await server.start()

            async def accepted() -> bool | None:
                return await intake.send(second) == OK or None

            async def reconnected() -> bool | None:
                return await intake.desk.runtime.broker.ping(1.0) or None

            await until(accepted)
            await until(reconnected)
            assert [ticket.messages[0].text for ticket in await intake.tickets()] == ["Hello", "Are you there?"]
    finally:
        await server.stop()


async def test_a_mail_that_the_disk_does_not_take_is_asked_for_again(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        raw = tmp_path / "objects" / "raw"
        raw.write_text("a file where a folder should be")
        assert (await intake.send(a_mail()))[0] == 451
        raw.unlink()
        assert await intake.send(a_mail()) == OK
        assert len(await intake.tickets()) == 1


async def test_a_mail_of_thirty_megabytes_is_refused_by_its_size(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        assert (await intake.send(a_mail((b"x" * 70 + b"\n") * 420_000)))[0] == 552
        assert await intake.tickets() == []


async def test_a_mail_that_does_not_tell_its_size_is_refused_at_its_end(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, smtp_mail_bytes=100_000) as intake:
        assert await asyncio.to_thread(data_answer, intake.listener.port, b"x\r\n" * 50_000) == 552
        assert await asyncio.to_thread(data_answer, intake.listener.port, a_mail()) == 250
        assert len(await intake.tickets()) == 1


def data_answer(port: int, mail: bytes) -> int:
    """Send a mail without its size; the code of the answer."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.helo()
        client.mail(SENDER)
        client.rcpt(SUPPORT)
        return client.data(mail)[0]


async def test_a_large_mail_is_read_in_a_process_of_its_own(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        file = b"--b\nContent-Type: application/x-odd; name=f\n\n" + b"0123456789abcde\n" * (MIB // 2) + b"\n--b--\n"
        assert await intake.send(a_mail(file, content_type="multipart/mixed; boundary=b")) == OK
        (ticket,) = await intake.tickets()
        (attachment,) = ticket.messages[0].attachments
        assert (tmp_path / "objects" / attachment.key).stat().st_size == attachment.size >= 8 * MIB


async def test_a_mail_that_takes_too_long_to_read_is_parked(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, reading_seconds=0.0001, reading_inline_bytes=1024) as intake:
        assert await intake.send(a_mail(b"burns\n" * 20_000)) == OK
        (parked,) = await list_parked(intake.desk.runtime.js)
        assert (parked.reason, parked.headers) == ("reading the mail took more than 0.0001 s", {"mailbox": SUPPORT})
        assert (tmp_path / "objects" / parked.reference).read_bytes().endswith(b"burns\r\n")
        assert await intake.tickets() == []


@pytest.mark.parametrize(
    "mail", [a_mail(b"\0" * 1000), a_mail(b"a\0b\n", subject=b"nul\0l"), nested(200), b"", b"\n", b"no header at all"]
)
async def test_no_bytes_are_lost(mail: bytes, fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        assert await intake.send(mail) == OK
        assert len(await intake.tickets()) == 1


async def test_an_unknown_mailbox_is_refused_and_the_others_are_served(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        await intake.desk.put("mail", Channel(name="Mail", medium="email", address=SUPPORT))
        code, words = await intake.send(a_mail(), to=["nobody@example.com"])
        assert (code, words[:5]) == (550, b"5.1.1")
        assert (await intake.send(a_mail(), to=[SUPPORT, "nobody@example.com"]))[0] == 550
        assert [ticket.channel_id for ticket in await intake.tickets()] == ["mail"]


async def test_recipients_beyond_the_limit_are_put_off(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, smtp_recipients=2) as intake:
        recipients = [f"support+{number}@example.com" for number in range(3)]
        assert (await intake.send(a_mail(), to=recipients))[0] == 452
        assert len(await intake.tickets()) == 1


async def test_connections_beyond_the_limit_are_put_off(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, smtp_connections=1) as intake:
        reader, writer = await asyncio.open_connection("127.0.0.1", intake.listener.port)
        assert (await reader.readline()).startswith(b"220")
        second, closing = await asyncio.open_connection("127.0.0.1", intake.listener.port)
        assert (await second.read()).startswith(b"421")
        closing.close()
        writer.write(b"QUIT\r\n")
        assert (await reader.readline()).startswith(b"221")
        writer.close()

        async def free() -> bool | None:
            try:
                return await intake.send(a_mail()) == OK
            except smtplib.SMTPException:
                return None

        assert await until(free)


async def test_mails_beyond_the_memory_for_all_are_put_off(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, smtp_memory_bytes=50_000) as intake:
        mail = a_mail(b"x" * 70 + b"\n") + b"y" * 60 + b"\n"
        assert (await intake.send(mail * 1000))[0] == 421
        assert await intake.send(a_mail()) == OK


def turned_away(intake: IntakeDesk) -> dict[str, float]:
    """How often somebody was turned away, by the reason."""
    samples = (sample for metric in intake.desk.runtime.registry.collect() for sample in metric.samples)
    return {
        sample.labels["reason"]: sample.value
        for sample in samples
        if sample.name == "deskwire_intake_listener_turned_away_total"
    }


async def test_whoever_is_turned_away_is_counted_by_the_reason_and_not_in_the_ledger(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(
        fresh_nats, tmp_path, smtp_mail_bytes=10_000, smtp_recipients=2, smtp_memory_bytes=6_000
    ) as intake:
        await intake.desk.put("mail", Channel(name="Mail", medium="email", address=SUPPORT))
        await intake.send(a_mail(), to=["nobody@example.com"])
        await intake.send(a_mail(), to=[SUPPORT, SUPPORT, SUPPORT])
        await intake.send(a_mail(b"x" * 70 + b"\n" * 20_000))
        await asyncio.to_thread(data_answer, intake.listener.port, b"x\r\n" * 50_000)
        await intake.send(a_mail(b"x\n" * 2_500))
        assert turned_away(intake) == {"recipient": 1, "recipients": 1, "size": 2, "memory": 1}
        ledger = [one.decision async for one in read_ledger(intake.desk.runtime.connection)]
        assert ledger == ["opened"]


async def test_a_flood_of_wrong_addresses_does_not_fill_the_log(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        await intake.desk.put("mail", Channel(name="Mail", medium="email", address=SUPPORT))
        with capture_logs() as logged:
            await intake.send(a_mail(), to=[f"n{number}@example.com" for number in range(3 * LOGGED_A_MINUTE)])
        told = [one for one in logged if one["event"] == "mail turned away"]
        assert len(told) == LOGGED_A_MINUTE
        assert told[0] == {
            "event": "mail turned away", "log_level": "info", "listener": "smtp", "reason": "recipient",
            "client": "127.0.0.1",
        }  # fmt: skip
        assert turned_away(intake) == {"recipient": 3 * LOGGED_A_MINUTE}


async def test_a_silent_connection_is_ended(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, smtp_idle_seconds=0.1) as intake:
        reader, writer = await asyncio.open_connection("127.0.0.1", intake.listener.port)
        assert (await reader.read()).startswith(b"220")
        writer.close()


async def test_commands_sent_ahead_are_answered_in_turn(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        reader, writer = await asyncio.open_connection("127.0.0.1", intake.listener.port)
        await reader.readline()
        crlf = a_mail().replace(b"\n", b"\r\n")
        for name in (b"1", b"2"):
            mail = crlf.replace(b"<a@", b"<" + name + b"@")
            writer.write(b"HELO x\r\n" if name == b"1" else b"RSET\r\n")
            writer.write(b"MAIL FROM:<a@b.c>\r\nRCPT TO:<s@example.com>\r\nDATA\r\n" + mail + b".\r\n")
        writer.write(b"QUIT\r\n")
        codes = [line[:3] for line in (await reader.read()).splitlines()]
        assert codes == [b"250", b"250", b"250", b"354", b"250"] * 2 + [b"221"]
        writer.close()
        assert len(await intake.tickets()) == 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@b.c\x01>", b"553"),
        (b"MAIL FROM:<" + b"a" * 600 + b"@b.c>", b"500"),
        (b"MAIL FROM:<a@b.c> SIZE=99999999", b"552"),
        (b"MAIL FROM:<>", b"250"),
        (b"MAIL FROM:<@relay.example:ann@example.net>", b"250"),
        (b"MAIL FROM:ann@example.net BODY=8BITMIME", b"250"),
        ("MAIL FROM:<jürgen@example.net> SMTPUTF8".encode(), b"250"),
        (b"MAIL FROM:<\xff@b.c>", b"553"),
        (b"\xff\xfe", b"500"),
        (b"DATA", b"503"),
        (b"VRFY ann", b"252"),
    ],
)
async def test_odd_commands_are_answered(line: bytes, code: bytes, fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:
        reader, writer = await asyncio.open_connection("127.0.0.1", intake.listener.port)
        writer.write(b"EHLO x\r\n" + line + b"\r\nQUIT\r\n")
        answers = (await reader.read()).splitlines()
        assert answers[-2][:3] == code
        writer.close()
