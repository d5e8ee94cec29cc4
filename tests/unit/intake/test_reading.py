"""Mails are read within a time limit, and one does not hold up the others."""

import asyncio

import pytest

from deskwire_intake.mail import ParsedMail
from deskwire_intake.reading import MailReader, ReadingFailed, ReadingTookTooLong, _Process, read_mail
from unit.intake.inbound import a_mail, stored_mail

LARGE = a_mail(b"burns\n" * 20_000)


async def test_a_large_mail_is_read_in_a_process_of_its_own_as_it_is_here() -> None:
    reader = MailReader(seconds=30, inline_bytes=1_000)
    try:
        assert await reader.read(LARGE) == read_mail(LARGE)
        assert await reader.read(LARGE) == read_mail(LARGE)
    finally:
        await reader.close()


async def test_a_mail_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    reader = MailReader(seconds=0.0001, inline_bytes=1_000)
    try:
        with pytest.raises(ReadingTookTooLong):
            await reader.read(LARGE)
        assert (await reader.read(a_mail())).subject == "Printer"
    finally:
        await reader.close()


async def test_a_reader_that_dies_of_a_mail_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = MailReader(seconds=30, inline_bytes=1_000)
    read = _Process.read

    async def dying(process: _Process, raw: bytes) -> ParsedMail:
        process._process.kill()
        return await read(process, raw)

    monkeypatch.setattr(_Process, "read", dying)
    try:
        with pytest.raises(ReadingFailed):
            await reader.read(LARGE)
        monkeypatch.undo()
        assert (await reader.read(LARGE)).subject == "Printer"
    finally:
        await reader.close()


async def test_a_reader_that_was_ended_between_two_mails_is_no_fault_of_the_next_one() -> None:
    reader = MailReader(seconds=30, inline_bytes=1_000)
    try:
        await reader.read(LARGE)
        (idle,) = reader._idle
        idle._process.kill()
        await idle._process.wait()
        assert (await reader.read(LARGE)).subject == "Printer"
    finally:
        await reader.close()


async def test_the_mail_at_hand_is_read_when_the_whole_group_of_processes_is_told_to_stop() -> None:
    process = await _Process.start()
    try:
        process._process.terminate()
        assert (await process.read(LARGE)).subject == "Printer"
    finally:
        await process.kill()


async def test_small_mails_do_not_wait_for_large_ones() -> None:
    reader = MailReader(seconds=30, inline_bytes=1_000)
    large = asyncio.create_task(reader.read(LARGE))
    try:
        assert (await reader.read(a_mail())).subject == "Printer"
        assert not large.done()
        await large
    finally:
        await reader.close()


async def test_a_small_mail_with_files_to_look_into_is_read_in_a_process_too() -> None:
    reader = MailReader(seconds=30, inline_bytes=1_000_000)
    try:
        mail = await reader.read(stored_mail("calendar_invite"))
        assert mail == read_mail(stored_mail("calendar_invite"))
        assert len(reader._idle) == 1
    finally:
        await reader.close()
