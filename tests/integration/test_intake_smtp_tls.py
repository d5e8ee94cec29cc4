"""The mail listener with encryption, with a limit for each client, and behind a mail server of one's own."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certificates import certificate
from deskwire_intake.channels.email.deliveries import Delivery
from deskwire_intake.settings import IntakeSettings
from deskwire_intake.wiring.mails import lmtp_listener
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.runtime.listening import CannotListen, bind_unix, server_tls
from intake_desk import SENDER, SUPPORT, IntakeDesk, intake_desk
from unit.intake.inbound import a_mail

SALES = "sales@example.com"


async def test_a_mail_is_taken_over_an_encrypted_connection(fresh_nats: str, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    async with intake_desk(fresh_nats, tmp_path, smtp_certificate=chain, smtp_key=key) as intake:

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", intake.listener.port, timeout=10) as client:
                client.starttls(context=ssl.create_default_context(cafile=str(chain)))
                client.sendmail(SENDER, [SUPPORT], a_mail(b"Secret.\n"))
                client.sendmail(SENDER, [SUPPORT], a_mail(b"Another.\n", message_id="<2@example.net>"))

        await asyncio.to_thread(send)
        assert [ticket.messages[0].text for ticket in await intake.tickets()] == ["Secret.", "Another."]


async def test_commands_smuggled_in_before_the_encryption_are_not_obeyed(fresh_nats: str, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    async with intake_desk(fresh_nats, tmp_path, smtp_certificate=chain, smtp_key=key) as intake:

        def smuggle() -> bytes:
            with socket.create_connection(("127.0.0.1", intake.listener.port), timeout=10) as plain:
                answers = plain.makefile("rb")
                answers.readline()
                plain.sendall(b"EHLO evil\r\n")
                while not answers.readline().startswith(b"250 "):
                    pass
                plain.sendall(b"STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n")
                assert answers.readline().startswith(b"220")
                with ssl.create_default_context(cafile=str(chain)).wrap_socket(
                    plain, server_hostname="127.0.0.1"
                ) as encrypted:
                    encrypted.sendall(b"NOOP\r\n")
                    return encrypted.recv(1000)

        assert (await asyncio.to_thread(smuggle)).startswith(b"250")


async def test_a_listener_without_a_certificate_offers_no_encryption(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake:

        def offered() -> bool:
            with smtplib.SMTP("127.0.0.1", intake.listener.port, timeout=10) as client:
                client.ehlo()
                return client.has_extn("starttls")

        assert not await asyncio.to_thread(offered)


def test_a_certificate_that_is_none_is_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    chain, _ = certificate(tmp_path)
    with pytest.raises(CannotListen, match="see THE_SETTING"):
        server_tls(chain, tmp_path / "no.key", setting="THE_SETTING")
    with pytest.raises(CannotListen, match="see THE_SETTING"):
        server_tls(chain, chain, setting="THE_SETTING")


async def test_a_client_that_sends_too_many_mails_is_asked_to_come_later(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, smtp_client_rate=2) as intake:
        mails = [a_mail(message_id=f"<{number}@example.net>") for number in range(3)]
        codes = [(await _sent(intake, mail))[0] for mail in mails]
        assert codes == [250, 250, 450]
        assert len(await intake.tickets()) == 2


async def test_each_recipient_of_a_mail_gets_an_answer_over_lmtp(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake, _lmtp(intake, tmp_path) as path:
        for address in (SUPPORT, SALES):
            await intake.desk.put(address.partition("@")[0], Channel(name=address, medium="email", address=address))

        def talk() -> list[bytes]:
            with smtplib.LMTP(str(path)) as client:
                client.docmd("LHLO", "relay.example.com")
                client.mail(SENDER)
                answers = [client.rcpt(to)[0] for to in (SUPPORT, "nobody@example.com", SALES)]
                assert answers == [250, 550, 250]
                client.putcmd("data")
                client.getreply()
                client.send(a_mail().replace(b"\n", b"\r\n") + b"\r\n.\r\n")
                return [client.getreply()[1] for _ in range(2)]

        answers = await asyncio.wait_for(asyncio.to_thread(talk), 20)
        assert all(b"accepted" in answer for answer in answers)
        assert len(await intake.tickets()) == 2


async def test_lmtp_offers_encryption_too(fresh_nats: str, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    certified = {"smtp_certificate": chain, "smtp_key": key}
    async with intake_desk(fresh_nats, tmp_path) as intake, _lmtp(intake, tmp_path, **certified) as path:

        def send() -> None:
            with smtplib.LMTP(str(path)) as client:
                client._host = "127.0.0.1"  # type: ignore[attr-defined]  # a path is no name of a certificate
                client.starttls(context=ssl.create_default_context(cafile=str(chain)))
                client.sendmail(SENDER, [SUPPORT], a_mail(b"Secret.\n"))

        await asyncio.wait_for(asyncio.to_thread(send), 20)
        assert [ticket.messages[0].text for ticket in await intake.tickets()] == ["Secret."]


async def test_a_mail_too_large_for_lmtp_is_refused_for_each_recipient(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake, _lmtp(intake, tmp_path, smtp_mail_bytes=2_000) as path:

        def talk() -> list[int]:
            with smtplib.LMTP(str(path)) as client:
                client.docmd("LHLO", "relay.example.com")
                client.mail(SENDER)
                for to in (SUPPORT, SALES):
                    client.rcpt(to)
                client.putcmd("data")
                client.getreply()
                client.send(a_mail(b"x" * 5_000).replace(b"\n", b"\r\n") + b"\r\n.\r\n")
                return [client.getreply()[0] for _ in range(2)]

        assert await asyncio.wait_for(asyncio.to_thread(talk), 20) == [552, 552]


async def test_each_recipient_gets_an_answer_over_lmtp_though_an_error_of_ours_befalls_one(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake, _lmtp(intake, tmp_path) as path:
        accept = intake.listener.channel.receive

        async def broken(delivery: Delivery) -> object:
            if SUPPORT in delivery.recipients:
                raise KeyError("oops")
            return await accept(delivery)

        object.__setattr__(intake.listener.channel, "receive", broken)

        def talk() -> list[int]:
            with smtplib.LMTP(str(path), timeout=10) as client:
                client.docmd("LHLO", "relay.example.com")
                client.mail(SENDER)
                for to in (SUPPORT, SALES):
                    client.rcpt(to)
                client.putcmd("data")
                client.getreply()
                client.send(a_mail().replace(b"\n", b"\r\n") + b"\r\n.\r\n")
                return [client.getreply()[0] for _ in range(2)]

        assert await asyncio.wait_for(asyncio.to_thread(talk), 20) == [451, 250]


async def test_lmtp_is_not_greeted_as_smtp(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as intake, _lmtp(intake, tmp_path) as path:

        def greet() -> int:
            with smtplib.LMTP(str(path)) as client:
                return client.docmd("EHLO", "relay.example.com")[0]

        assert await asyncio.to_thread(greet) == 500


def test_a_socket_left_behind_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    bind_unix(path, setting="THE_SETTING").close()
    with bind_unix(path, setting="THE_SETTING") as bound:
        bound.listen()
        with pytest.raises(CannotListen, match="see THE_SETTING"):
            bind_unix(path, setting="THE_SETTING")


async def _sent(intake: IntakeDesk, mail: bytes) -> tuple[int, bytes]:
    try:
        return await intake.send(mail)
    except smtplib.SMTPSenderRefused as refused:
        return refused.smtp_code, b""


@asynccontextmanager
async def _lmtp(intake: IntakeDesk, folder: Path, **settings: object) -> AsyncIterator[Path]:
    """Listen on a Unix socket as well."""
    path = folder / "lmtp"
    listener = lmtp_listener(IntakeSettings.model_validate(settings), intake.listener.channel)
    await listener.start(bind_unix(path, setting="none"))
    try:
        yield path
    finally:
        await listener.stop()
