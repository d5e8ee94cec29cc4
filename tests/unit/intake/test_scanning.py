"""Files are looked through for viruses before anybody gets them."""

import asyncio
from io import BytesIO
from pathlib import Path
from socket import AF_INET, SOCK_STREAM
from typing import Any

import pytest

from clamd_server import EICAR, MOST_BYTES, clamd_over_tcp, clamd_server
from deskwire_intake.attachments import attachment_key, keep_upload, quarantine_key
from deskwire_intake.channels.passing import passes
from deskwire_intake.scanning import CLEAN, Clamd, Finding, ScannerUnavailable, TooLargeToScan
from deskwire_intake.settings import IntakeSettings
from deskwire_shared.runtime.objects import ObjectMissing
from unit.intake.inbound import a_mail
from unit.intake.mail_desk import MailDesk


def clamd_at(path: Path, *, accepts_unscanned: bool = False, tries: int = 1) -> Clamd:
    return Clamd(address=f"unix:{path}", seconds=10, tries=tries, accepts_unscanned=accepts_unscanned)


def a_mail_with(*files: bytes) -> bytes:
    parts = [b"Content-Type: text/plain\n\nSee attached."]
    parts += [b"Content-Type: application/octet-stream; name=f%d.bin\n\n" % n + f for n, f in enumerate(files)]
    body = b"".join(b"--b\n" + part + b"\n" for part in parts) + b"--b--\n"
    return a_mail(body, content_type="multipart/mixed; boundary=b")


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "clamd.sock"


async def test_a_virus_is_found_by_its_name_and_other_files_are_clean(socket: Path) -> None:
    async with clamd_server(socket) as clamd:
        assert await clamd_at(socket).scan(EICAR) == Finding(infected="Eicar-Test-Signature")
        large = bytes(range(256)) * 4_000
        assert await clamd_at(socket).scan(large) == CLEAN
        assert clamd.scanned == [EICAR, large]


async def test_the_scanner_is_reached_over_tcp_too() -> None:
    async with clamd_over_tcp() as (_, port):
        scanner = Clamd(address=f"tcp://127.0.0.1:{port}", seconds=10, tries=1)
        assert (await scanner.scan(EICAR)).infected


async def test_an_empty_file_needs_no_scanner(socket: Path) -> None:
    assert await clamd_at(socket).scan(b"") == CLEAN


async def test_a_scanner_that_is_away_holds_the_message_up(socket: Path) -> None:
    with pytest.raises(ScannerUnavailable) as trouble:
        await clamd_at(socket, tries=2).scan(b"x")
    assert passes(trouble.value)


async def test_a_scanner_that_comes_back_between_two_tries_is_heard(socket: Path) -> None:
    async with clamd_server(socket) as clamd:
        clamd.answers.append(b"")
        assert (await clamd_at(socket, tries=2).scan(EICAR)).infected


@pytest.mark.parametrize("answer", [b"stream: broken ERROR\0", b"what?\0", b"", b"x" * 10_000, b"stream:  FOUND\0"])
async def test_an_answer_that_says_nothing_is_trouble(socket: Path, answer: bytes) -> None:
    async with clamd_server(socket) as clamd:
        clamd.answers.append(answer)
        with pytest.raises(ScannerUnavailable):
            await clamd_at(socket).scan(b"x")


async def test_files_may_be_taken_in_unscanned_while_it_is_away(socket: Path) -> None:
    assert await clamd_at(socket, accepts_unscanned=True).scan(b"x") == Finding(unscanned=True)


async def test_a_scanner_that_is_away_is_waited_for_once_in_a_message(tmp_path: Path) -> None:
    async with clamd_server(tmp_path / "clamd.sock") as clamd:
        clamd.answers += [b"", b"stream: OK\0"]
        desk = MailDesk(scanner=clamd_at(tmp_path / "clamd.sock", accepts_unscanned=True))
        ticket = await desk.ticket((await desk.accept(a_mail_with(b"one", b"two", b"three"))).ticket_id)
        assert [file.unscanned for file in ticket.messages[0].attachments] == [True, True, True]
        assert clamd.scanned == [b"one"]


async def test_a_scanner_is_found_at_any_address_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with clamd_over_tcp() as (_, port):
        loop = asyncio.get_running_loop()
        here = await loop.getaddrinfo("127.0.0.1", port, type=SOCK_STREAM)
        nobody = [(AF_INET, SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

        async def both(*_: object, **__: object) -> list[Any]:
            return [*nobody, *here]

        monkeypatch.setattr(loop, "getaddrinfo", both)
        assert (await Clamd(address=f"tcp://clamav:{port}", seconds=10, tries=1).scan(EICAR)).infected


async def test_a_file_that_is_too_large_for_the_scanner_is_no_passing_trouble(socket: Path) -> None:
    async with clamd_server(socket):
        with pytest.raises(TooLargeToScan) as trouble:
            await clamd_at(socket).scan(bytes(MOST_BYTES + 1))
    assert not passes(trouble.value)


async def test_an_infected_file_of_a_mail_is_kept_out_of_reach_and_named(socket: Path) -> None:
    async with clamd_server(socket):
        desk = MailDesk(scanner=clamd_at(socket))
        ticket = await desk.ticket((await desk.accept(a_mail_with(EICAR, b"harmless"))).ticket_id)
        infected, clean = ticket.messages[0].attachments
        assert (infected.infected, clean.infected) == ("Eicar-Test-Signature", None)
        assert await desk.objects.get(quarantine_key(infected.sha256)) == EICAR
        assert await desk.objects.get(attachment_key(clean.sha256)) == b"harmless"
        with pytest.raises(ObjectMissing):
            await desk.objects.get(attachment_key(infected.sha256))


async def test_a_mail_waits_while_no_scanner_answers_and_is_taken_in_once_later(socket: Path) -> None:
    desk = MailDesk(scanner=clamd_at(socket))
    with pytest.raises(ScannerUnavailable):
        await desk.deliver(a_mail_with(b"harmless"))
    assert desk.parking.parked == []
    async with clamd_server(socket):
        assert not (await desk.accept(a_mail_with(b"harmless"))).repeated


async def test_a_mail_without_files_does_not_wait(socket: Path) -> None:
    await MailDesk(scanner=clamd_at(socket)).accept(a_mail())


async def test_a_mail_with_a_file_that_cannot_be_scanned_is_parked_with_the_reason(socket: Path) -> None:
    async with clamd_server(socket):
        reason = await MailDesk(scanner=clamd_at(socket)).refuse(a_mail_with(b"x" * (MOST_BYTES + 1)))
    assert "StreamMaxLength" in reason


async def test_an_upload_is_scanned(socket: Path) -> None:
    async with clamd_server(socket):
        kept = await keep_upload(
            MailDesk().objects, BytesIO(EICAR), filename="a.txt", content_type="text/plain", scanner=clamd_at(socket)
        )
    assert (kept.infected, kept.key) == ("Eicar-Test-Signature", quarantine_key(kept.sha256))


@pytest.mark.parametrize("address", ["unix:/run/clamd.ctl", "tcp://clamav:3310"])
def test_where_a_scanner_may_be(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DESKWIRE_INTAKE_CLAMD", address)
    assert IntakeSettings().clamd == address


def test_another_kind_of_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKWIRE_INTAKE_CLAMD", "clamav:3310")
    with pytest.raises(ValueError, match="clamd"):
        IntakeSettings()
