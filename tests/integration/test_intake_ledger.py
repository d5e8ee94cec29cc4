"""The ledger on real servers: what a mailbox holds and what was entered agree, or the difference is named."""

import asyncio
import json
import re
import smtplib
import subprocess
from pathlib import Path
from typing import Any

from deskwire_intake.auditing.audit import Audit, take_audit
from deskwire_intake.ledger.reading import read_ledger
from deskwire_shared.contracts.intake_ledger import LedgerEntry
from deskwire_shared.contracts.subjects import INTAKE
from dovecot import running_dovecot
from imap_desk import BOX, ImapDesk, a_mail, imap_desk
from intake_desk import intake_desk
from processes import DESKWIRE
from ticket_desk import TicketDesk, ticket_desk, until

MAIL = b"From: Ann <ann@example.net>\nTo: support@example.com\nSubject: Printer\nMessage-ID: <a@example.net>\n\nHello\n"


async def entries(desk: TicketDesk) -> list[LedgerEntry]:
    return [entry async for entry in read_ledger(desk.runtime.connection)]


async def audited(desk: ImapDesk) -> Audit:
    return await take_audit(desk.desk.runtime)


async def agreed(desk: ImapDesk, told: str) -> None:
    """Wait until server and ledger say this of each other."""

    async def look() -> bool | None:
        (one,) = (await audited(desk)).reconciliations
        return (one.agrees and str(one) == told) or None

    await until(look)


async def command(desk: TicketDesk, *words: str) -> "subprocess.CompletedProcess[str]":
    settings = desk.runtime.settings
    assert settings.nats_url is not None
    environment = {
        "DESKWIRE_NATS_URL": settings.nats_url.get_secret_value(),
        "DESKWIRE_DATA_DIR": str(settings.data_dir),
        "DESKWIRE_DURABILITY": "dev",
    }
    return await asyncio.to_thread(
        lambda: subprocess.run(
            [DESKWIRE, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    )


async def test_a_mailbox_and_its_ledger_agree_on_every_mail(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(150)])
        async with imap_desk(fresh_nats, tmp_path, server, since="2020-01-01") as desk:
            await desk.has(150)
            await desk.all_flagged()
            await agreed(desk, "Support: server 150 = ledger 150")
            found = await command(desk.desk, "mail", "ledger", "--mailbox", "Support")
            assert (found.returncode, found.stdout) == (
                0, "Support by imap: 150 opened\nSupport: server 150 = ledger 150\n",
            )  # fmt: skip


async def test_moved_and_deleted_mails_are_accounted_for(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(20)])
        async with imap_desk(fresh_nats, tmp_path, server, after="move", move_to="Done & over") as desk:
            await agreed(desk, "Support: server 20 = ledger 20")
            await desk.watch(after="delete")
            await desk.deliver(*(a_mail(number) for number in range(20, 25)))
            await desk.has(25)
            await agreed(desk, "Support: ledger 25, folder empty")


async def test_a_mail_that_somebody_marked_or_deleted_by_hand_is_named(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1), a_mail(2)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(2)
            await desk.all_flagged()
        server.deliver(BOX, [a_mail(3), a_mail(4)])
        with server.client(BOX) as client:
            client.select_folder("INBOX")
            client.add_flags([3], [b"$Deskwire"])
            client.delete_messages([1])
            client.expunge()
        async with ticket_desk(fresh_nats, tmp_path) as desk:
            found = await command(desk, "mail", "ledger", "--json")
            (told,) = json.loads(found.stdout)["mailboxes"]
            assert (found.returncode, told["agrees"], told["server"], told["ledger"]) == (1, False, 3, 2)
            numbers = {key: [one.partition(":")[2] for one in told[key]] for key in ("waiting", "not_in_ledger")}
            assert numbers == {"waiting": ["4"], "not_in_ledger": ["3"]}
            assert re.fullmatch(r"\d+:1 \(#\d+\)", told["not_on_server"][0])


async def test_a_ledger_that_is_away_holds_mails_up_and_loses_none(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.becomes("waiting")
            config = (await desk.desk.runtime.js.stream_info(INTAKE)).config
            await desk.desk.runtime.js.delete_stream(INTAKE)
            await desk.deliver(*(a_mail(number) for number in range(5)))
            await desk.becomes("held_up")
            assert await desk.count("KEYWORD $Deskwire") == 0
            await desk.desk.runtime.js.add_stream(config)
            await desk.all_flagged()
            await desk.has(5)
            assert {entry.decision for entry in await entries(desk.desk)} == {"repeated"}
            await agreed(desk, "Support: server 5 = ledger 5")


async def test_a_fetcher_stopped_anywhere_leaves_a_ledger_that_agrees(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(150)])
        for commits in (5, 40, 90):
            async with imap_desk(fresh_nats, tmp_path, server) as desk:
                await desk.has_begun(commits)
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(150)
            await desk.all_flagged()
            await agreed(desk, "Support: server 150 = ledger 150")


async def test_every_receipt_of_the_listener_is_in_the_ledger(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        mails = [MAIL.replace(b"<a@", f"<{number}@".encode()) for number in range(20)]
        for start in range(0, 20, 2):
            await asyncio.gather(*map(desk.send, mails[start : start + 2]))
        written = await entries(desk.desk)
        assert {(entry.via, entry.decision) for entry in written} == {("smtp", "opened")}
        taken = desk.desk.runtime.registry.get_sample_value(
            "deskwire_intake_listener_mails_total", {"listener": "smtp"}
        )
        assert (taken, len({entry.source for entry in written})) == (20, 20)
        log = tmp_path / "mail.log"
        lines = [f"250 2.0.0 The mail was accepted as {entry.source}" for entry in written]
        log.write_text("\n".join(lines))
        found = await command(desk.desk, "mail", "ledger", "--relay-log", str(log))
        assert (found.returncode, found.stdout.splitlines()[-1]) == (0, "receipts: mail server 20 = ledger 20")
        log.write_text("\n".join([*lines, "250 2.0.0 The mail was accepted as aaaaaaaaaaaaaaaa"]))
        found = await command(desk.desk, "mail", "ledger", "--relay-log", str(log))
        assert (found.returncode, found.stdout.splitlines()[-1]) == (1, "  1 are not in the ledger: aaaaaaaaaaaaaaaa")


async def test_a_mail_accepted_over_smtp_says_its_receipt(fresh_nats: str, tmp_path: Path) -> None:
    async with intake_desk(fresh_nats, tmp_path) as desk:
        answer = await asyncio.to_thread(_last_answer, desk.listener.port)
        (entry,) = await entries(desk.desk)
        assert answer == f"2.0.0 The mail was accepted as {entry.source}"


def _last_answer(port: int) -> Any:

    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        client.mail("ann@example.net")
        client.rcpt("support@example.com")
        return client.data(MAIL)[1].decode()
