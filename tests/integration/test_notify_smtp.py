"""What the way out by SMTP makes of the mail servers there are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deskwire_notify.channels.email import SmtpRelay, SmtpServer
from deskwire_notify.channels.port import ACCEPTED, Answer
from deskwire_notify.mails.composing import OutgoingMail
from mail_sink import MailSink

CORA = "cora@example.org"
MAIL = OutgoingMail(
    mail_id="abcdefghijklmnop",
    sender="support@acme.example",
    recipients=(CORA,),
    content=b"From: support@acme.example\r\nTo: cora@example.org\r\n\r\n.\r\nHello\r\n",
)


async def sent(mail: OutgoingMail, port: int, **how: Any) -> Answer:
    relay = SmtpRelay(SmtpServer(**{"host": "127.0.0.1", "port": port, "tls": "none", **how}))
    try:
        return (await relay.send(mail))[CORA]
    finally:
        await relay.close()


@asynccontextmanager
async def a_server_that_says(*lines: str) -> AsyncIterator[int]:
    """Greet with these lines, then nothing more."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(f"{line}\r\n".encode() for line in lines)
        await writer.drain()
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_a_lone_dot_in_a_mail_does_not_end_it() -> None:
    async with MailSink().open() as sink:
        assert await sent(MAIL, sink.port) == ACCEPTED
        assert "Hello" in sink.mails[0].get_content()


async def test_nobody_listens() -> None:
    sink = MailSink()
    async with sink.open():
        pass
    answer = await sent(MAIL, sink.port)
    assert answer.verdict == "not_now"
    assert answer.code == "SMTPConnectError"


async def test_a_server_that_does_not_answer_is_left_after_a_while() -> None:
    async with a_server_that_says() as port:
        answer = await sent(MAIL, port, timeout_seconds=0.2)
    assert answer.verdict == "not_now"


@pytest.mark.parametrize("greeting", ["554 no service here", "421 too busy", "hello?"])
async def test_a_server_that_wants_nothing_from_us_says_nothing_about_the_mail(greeting: str) -> None:
    async with a_server_that_says(greeting) as port:
        answer = await sent(MAIL, port, timeout_seconds=1)
    assert answer.verdict == "not_now"


async def test_a_password_is_not_sent_where_encryption_is_wished_and_not_offered() -> None:
    async with MailSink().open() as sink:
        answer = await sent(MAIL, sink.port, tls="starttls", username="desk", password="secret")
        assert answer.verdict == "not_now"
        assert "secret" not in answer.reason
        assert sink.mails == []


async def test_a_server_without_foreign_letters_refuses_an_address_that_has_them() -> None:
    foreign = OutgoingMail(
        mail_id=MAIL.mail_id, sender=MAIL.sender, recipients=("jürgen@example.org",), content=MAIL.content,
        needs_utf8=True,
    )  # fmt: skip
    async with MailSink().open() as sink:
        relay = SmtpRelay(SmtpServer(host="127.0.0.1", port=sink.port, tls="none"))
        answers = await relay.send(foreign)
        await relay.close()
    assert answers["jürgen@example.org"].verdict == "refused"


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced() -> None:
    async with MailSink().open() as sink:
        relay = SmtpRelay(SmtpServer(host="127.0.0.1", port=sink.port, tls="none"))
        assert (await relay.send(MAIL))[CORA] == ACCEPTED
        sink.hang_up()
        assert (await relay.send(MAIL))[CORA] == ACCEPTED
        assert sink.sessions == 2
        await relay.close()


async def test_after_a_refusal_the_connection_is_used_again() -> None:
    async with MailSink().open() as sink:
        sink.next_answers.append("554 5.6.0 not this one")
        relay = SmtpRelay(SmtpServer(host="127.0.0.1", port=sink.port, tls="none"))
        assert (await relay.send(MAIL))[CORA] == Answer("refused", "554 5.6.0 not this one", "554")
        assert (await relay.send(MAIL))[CORA] == ACCEPTED
        assert sink.sessions == 1
        await relay.close()


async def test_a_server_that_is_about_to_close_is_tried_again_later() -> None:
    async with MailSink().open() as sink:
        sink.next_answers.append("421 4.3.2 shutting down")
        assert (await sent(MAIL, sink.port)).verdict == "not_now"
