"""What networks, disks and strangers do to intake: it always says clearly how things stand, and nothing is lost."""

import asyncio
import base64
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import httpx2
import pytest

from deskwire_intake.channels.visitor_tokens import new_token
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.ticket import limits
from dovecot import running_dovecot
from full_disk import LARGE, MIB, Disk, limited_files, mounted_disk
from imap_desk import BOX, imap_desk
from imap_desk import a_mail as a_waiting_mail
from intake_desk import SENDER, intake_desk
from unit.intake.inbound import a_mail
from visitor_desk import FORM, VisitorDesk, visitor_desk
from wire import Wire

LARGE_MAIL = a_mail((b"x" * 70 + b"\n") * (LARGE // 71))
ENVELOPE = b"EHLO x\r\nMAIL FROM:<ann@example.net>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n"


@pytest.fixture(params=["a disk that is full", "files that may not grow"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """The disk of the object store of a desk in `tmp_path`."""
    with mounted_disk(tmp_path / "objects") if "disk" in request.param else limited_files() as found:
        yield found


async def test_a_mail_that_a_full_disk_does_not_take_stays_with_its_sender(
    fresh_nats: str, tmp_path: Path, disk: Disk
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        disk.fill()
        code, words = await desk.send(LARGE_MAIL)
        disk.free()
        assert f"{code} {words.decode()}".startswith("451 4.3.0")
        assert await desk.tickets() == []
        assert await desk.send(LARGE_MAIL) == (250, b"")
        assert len(await desk.tickets()) == 1
        (opened,) = [await desk.opening(ticket) for ticket in await desk.tickets()]
        assert (tmp_path / "objects" / str(opened.raw_key)).stat().st_size > LARGE


async def test_a_mail_that_a_full_disk_does_not_take_stays_in_its_mailbox(
    fresh_nats: str, tmp_path: Path, disk: Disk
) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_waiting_mail(1, body=(b"x" * 70 + b"\r\n") * (LARGE // 72))])
        disk.fill()
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            assert "ObjectStoreUnavailable" in await desk.becomes("held_up")
            assert (await desk.count("UNKEYWORD $Deskwire"), await desk.messages()) == (1, [])
            disk.free()
            await desk.all_flagged()
            await desk.has(1)


async def test_a_file_that_a_full_disk_does_not_take_leaves_the_form_to_be_sent_again(
    fresh_nats: str, tmp_path: Path, disk: Disk
) -> None:
    async with visitor_desk(fresh_nats, tmp_path) as desk:
        token = await _form_token(desk)
        disk.fill()
        answer = await _send_form(desk, token, file=b"x" * LARGE)
        disk.free()
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:deskwire:problem:form-unavailable")
        assert "Retry-After" in answer.headers
        assert await desk.tickets() == []
        assert (await _send_form(desk, token, file=b"x" * LARGE)).status_code == 201
        (attachment,) = (await desk.only_ticket()).messages[0].attachments
        assert (tmp_path / "objects" / attachment.key).stat().st_size == LARGE


async def test_a_connection_that_breaks_in_the_middle_of_a_mail_leaves_nothing_and_the_next_one_is_taken(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        whole = a_mail(b"burns\n" * 5_000).replace(b"\n", b"\r\n") + b".\r\n"
        for sent in (0, 100, len(whole) - 5, len(whole) - 1):
            _, writer = await asyncio.open_connection("127.0.0.1", desk.listener.port)
            writer.write(ENVELOPE + whole[:sent])
            await writer.drain()
            writer.transport.abort()
        assert await desk.send(a_mail(b"burns\n" * 5_000)) == (250, b"")
        (ticket,) = await desk.tickets()
        assert [len(message.text.split()) for message in ticket.messages] == [5_000]


async def test_a_mail_whose_answer_is_lost_on_the_wire_is_there_once_when_it_comes_again(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk, Wire(desk.listener.port).open() as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(ENVELOPE + a_mail().replace(b"\n", b"\r\n") + b".\r\n")
        while not (await reader.readline()).startswith(b"354"):
            pass
        wire.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(4_096)
        writer.close()
        assert await desk.send(a_mail()) == (250, b"")
        assert [len(ticket.messages) for ticket in await desk.tickets()] == [1]


async def test_ten_thousand_recipients_of_one_mail_are_put_off_beyond_the_limit(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        codes = await asyncio.to_thread(_name_recipients, desk.listener.port, 10_000)
        assert codes == [250] * 100 + [452] * 9_900
        (ticket,) = await desk.tickets()
        assert len(ticket.messages) == 1


def _name_recipients(port: int, count: int) -> list[int]:
    """Send one mail to so many; the codes by which each was answered."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        client.mail(SENDER)
        codes = [client.rcpt(f"support+{number}@example.com")[0] for number in range(count)]
        assert client.data(a_mail())[0] == 250
        return codes


async def test_ten_thousand_people_in_the_header_are_a_ticket_with_as_many_as_it_bears(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        people = ",\n ".join(f"Person {number} <p{number}@example.net>" for number in range(10_000))
        assert await desk.send(a_mail(to=people)) == (250, b"")
        (opened,) = [await desk.opening(ticket) for ticket in await desk.tickets()]
        assert len(opened.to) == limits.RECIPIENTS
        assert b"p9999@example.net" in (tmp_path / "objects" / str(opened.raw_key)).read_bytes()


async def test_an_archive_that_would_fill_the_disk_is_kept_as_it_came_and_never_opened(
    fresh_nats: str, tmp_path: Path
) -> None:
    bomb = BytesIO()
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.txt", b"\0" * 10 * MIB)
    async with intake_desk(fresh_nats, tmp_path) as desk:
        head = b"--b\n\nPlease open.\n--b\nContent-Type: application/zip; name=bomb.zip\n"
        file = b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(bomb.getvalue()) + b"\n--b--\n"
        assert await desk.send(a_mail(head + file, content_type="multipart/mixed; boundary=b")) == (250, b"")
        (ticket,) = await desk.tickets()
        (attachment,) = ticket.messages[0].attachments
        assert (tmp_path / "objects" / attachment.key).read_bytes() == bomb.getvalue()
        kept = sum(file.stat().st_size for file in (tmp_path / "objects").rglob("*") if file.is_file())
        assert kept < 5 * len(bomb.getvalue())


async def test_a_mail_that_carries_nothing_but_words_is_a_ticket_of_the_envelopes_sender(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        assert await desk.send(b"Subject: Help\n\nNo From, no Date, no Message-ID.\n") == (250, b"")
        (opened,) = [await desk.opening(ticket) for ticket in await desk.tickets()]
        assert (opened.author.address, opened.subject) == (SENDER, "Help")
        assert opened.internet_message_id is None


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 +0000", "Fri, 01 Jan 2100 00:00:00 +0000", "yesterday"])
async def test_a_sender_whose_clock_is_wrong_does_not_move_the_clock_of_the_desk(
    fresh_nats: str, tmp_path: Path, date: str
) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        before = SystemClock().now()
        assert await desk.send(a_mail(date=date)) == (250, b"")
        (ticket,) = await desk.tickets()
        assert ticket.opened_at is not None
        assert before <= ticket.opened_at <= SystemClock().now()


async def _form_token(desk: VisitorDesk) -> str:
    shown_at = SystemClock().now() - timedelta(seconds=10)
    return new_token("form", FORM, shown_at, await desk.desk.runtime.secrets.site_key())


async def _send_form(desk: VisitorDesk, token: str, *, file: bytes) -> httpx2.Response:
    written = {"name": "Ann Lee", "address": "ann@example.com", "subject": "Where is it?", "message": "It is late."}
    return await desk.client.post(
        f"/intake/v1/forms/{FORM}",
        data={**written, "token": token},
        files=[("files", ("photo.bin", file))],
        headers={"Accept": "application/json"},
    )
