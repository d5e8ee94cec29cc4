"""A desk whose virus scanner is away: mails with files stay where they are, all others go their way."""

from pathlib import Path
from typing import Any

from clamd_server import EICAR, clamd_server
from deskwire_intake.attachments import quarantine_key
from dovecot import running_dovecot
from imap_desk import BOX, a_mail, imap_desk
from intake_desk import IntakeDesk, intake_desk
from unit.intake.inbound import a_mail as mail_of
from unit.intake.test_scanning import a_mail_with

FILE_PART = b"--b\r\nContent-Type: application/pdf; name=order.pdf\r\n\r\nORDER\r\n--b--\r\n"


def a_mail_with_a_file(number: int) -> bytes:
    head, _, _ = a_mail(number).partition(b"\r\n\r\n")
    return head + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + FILE_PART


def asking(socket: Path, **more: Any) -> dict[str, Any]:
    """The settings of a desk with a scanner that it soon takes for gone."""
    return {"clamd": f"unix:{socket}", "clamd_tries": 1, "clamd_seconds": 5, **more}


async def files_of(intake: IntakeDesk) -> list[tuple[str | None, bool]]:
    opened = [await intake.opening(ticket) for ticket in await intake.tickets()]
    return [(file.infected, file.unscanned) for one in opened for file in one.attachments]


async def test_over_smtp_a_mail_with_files_stays_with_its_sender_until_the_scanner_is_back(
    fresh_nats: str, tmp_path: Path
) -> None:
    socket = tmp_path / "clamd.sock"
    async with intake_desk(fresh_nats, tmp_path, **asking(socket)) as intake:
        code, words = await intake.send(a_mail_with(EICAR, b"harmless"))
        assert (code, words[:5]) == (451, b"4.3.0")
        assert await intake.send(mail_of(message_id="<plain@example.net>")) == (250, b"")
        assert await files_of(intake) == []
        async with clamd_server(socket):
            assert await intake.send(a_mail_with(EICAR, b"harmless")) == (250, b"")
        assert await files_of(intake) == [("Eicar-Test-Signature", False), (None, False)]
        infected, _ = (await intake.opening((await intake.tickets())[-1])).attachments
        assert (tmp_path / "objects" / quarantine_key(infected.sha256)).read_bytes() == EICAR


async def test_over_smtp_files_are_taken_in_unscanned_where_that_is_chosen(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path, **asking(tmp_path / "none.sock", clamd_away="accept")) as intake:
        assert await intake.send(a_mail_with(b"one", b"two")) == (250, b"")
        assert await files_of(intake) == [(None, True), (None, True)]


async def test_in_a_mailbox_a_mail_with_files_waits_and_holds_up_no_other(fresh_nats: str, tmp_path: Path) -> None:
    socket = tmp_path / "clamd.sock"
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1), a_mail_with_a_file(2), a_mail(3)])
        async with imap_desk(fresh_nats, tmp_path, server, **asking(socket)) as desk:
            assert "ScannerUnavailable" in await desk.becomes("held_up")
            assert [said.message_id for said in await desk.has(2)] == ["order-1@example.com", "order-3@example.com"]
            assert await desk.count("UNKEYWORD $Deskwire") == 1
            async with clamd_server(socket) as clamd:
                await desk.has(3)
                await desk.all_flagged()
                assert clamd.scanned == [b"ORDER"]
            assert await desk.parked() == []
