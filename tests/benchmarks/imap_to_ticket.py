"""Mails per second from a mailbox to durable tickets: Dovecot, intake and a NATS server that syncs every write."""

import asyncio
import time
from pathlib import Path

from benchmarks.appends import raw_appends
from benchmarks.figures import Figure
from benchmarks.mail_to_ticket import MAIL, TEXT, desk, tickets_in
from deskwire_intake.channels.imap.credentials import MailboxSecret
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.runtime.data_directory import find_running
from deskwire_shared.runtime.desk import open_desk
from deskwire_shared.runtime.settings import CommonSettings
from dovecot import PASSWORD, Dovecot, running_dovecot
from processes import LOOPBACK

MAILS = 3_000
READ_AT_ONCE = 64
PATIENCE_SECONDS = 120
BOX = "support"


async def measure() -> list[Figure]:
    """Fill a mailbox, let the desk fetch from it, and wait until every mail is a ticket and flagged."""
    with running_dovecot(mail_format="sdbox") as server:
        mails = [MAIL.format(n=number, run="imap", text=TEXT).removesuffix(".\r\n").encode() for number in range(MAILS)]
        await asyncio.to_thread(server.deliver, BOX, mails)
        reading = await asyncio.to_thread(_seconds_to_read, server)
        async with desk() as (_, data_dir):
            started = time.perf_counter()
            await watch(server, data_dir)
            await all_flagged(server)
            seconds = time.perf_counter() - started
            tickets = await tickets_in(data_dir)
            reference = await raw_appends(data_dir)
    if tickets != MAILS:
        raise AssertionError(f"{MAILS} mails are flagged, but {tickets} tickets are there")
    return [
        Figure("mail to durable ticket over IMAP, fsync always", MAILS / seconds, "mails/s", note="one mailbox"),
        Figure("reading the same mails over IMAP, and nothing else", MAILS / reading, "mails/s"),
        reference,
    ]


async def watch(server: Dovecot, data_dir: Path) -> None:
    """Have the desk fetch from the mailbox."""
    running = find_running(data_dir)
    assert running is not None
    imap = {"host": LOOPBACK, "port": server.port, "tls": "none", "username": BOX}
    channel = {"name": "Support", "medium": "email", "address": "support@example.com", "imap": imap}
    async with open_desk(CommonSettings(nats_url=running.nats_url, data_dir=data_dir)) as opened:
        await opened.secrets.set_channel(BOX, MailboxSecret.model_validate({"password": PASSWORD}).stored())
        await opened.directory.put(BOX, Channel.model_validate(channel), actor=Actor(kind="system", id="benchmark"))


async def all_flagged(server: Dovecot) -> None:
    """Wait until the desk has flagged every mail."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await asyncio.to_thread(server.count, BOX, "UNKEYWORD $Deskwire"):
            await asyncio.sleep(0.1)


def _seconds_to_read(server: Dovecot) -> float:
    started = time.perf_counter()
    with server.client(BOX) as client:
        client.select_folder("INBOX", readonly=True)
        found = client.search("ALL")
        for first in range(0, len(found), READ_AT_ONCE):
            client.fetch(found[first : first + READ_AT_ONCE], ["BODY.PEEK[]"])
    return time.perf_counter() - started
