"""Mails through SMTP and IMAP while processes are killed at random: nothing lost, nothing doubled, replies at home.

The mails come in families: a first mail and its replies. What must be in the log is known beforehand, since the id of
a ticket derives from the Message-ID that opens it.
"""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats

from deskwire_intake.channels.imap.credentials import MailboxSecret
from deskwire_intake.threads import opened_by
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.desk import open_desk
from deskwire_shared.runtime.settings import CommonSettings
from dovecot import PASSWORD, Dovecot, running_dovecot
from processes import LOOPBACK, Desk, send_until_accepted

SERVICES = {
    "intake": ("intake",),
    "second fetcher": ("intake", "--channel", "imap"),
}
VICTIMS = ("nats", "dovecot", *SERVICES)
FAMILY = 5
"""A first mail and so many replies less one."""
BOTH_WAYS = 10
"""Of so many families one comes through both ways to the same mailbox."""
SMTP_SENDERS = 4
LMTP_SENDERS = 2
SUPPORT, SALES = "support@example.com", "sales@example.com"
BOX = "support"
TELL_SECONDS = 10.0

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Family:
    """Mails that belong on one ticket."""

    number: int
    address: str

    @property
    def mails(self) -> list[bytes]:
        """The mails, the first one first; each reply refers to the mail before it."""
        return [self._mail(index) for index in range(FAMILY)]

    @property
    def ticket_id(self) -> str:
        """The ticket they belong on."""
        return opened_by(self.address, self._id(0))

    def _id(self, index: int) -> str:
        return f"order-{self.number}-{index}@example.com"

    def _mail(self, index: int) -> bytes:
        thread = f"In-Reply-To: <{self._id(index - 1)}>\r\n" if index else ""
        references = " ".join(f"<{self._id(earlier)}>" for earlier in range(index))
        return (
            f"From: Customer {self.number} <customer{self.number}@example.org>\r\n"
            f"To: {self.address}\r\n"
            f"Subject: {'Re: ' if index else ''}Order {self.number} has not arrived\r\n"
            f"Message-ID: <{self._id(index)}>\r\n"
            f"{thread}{f'References: {references}' + chr(13) + chr(10) if references else ''}"
            "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
            "\r\n"
            f"Message {index} about order {self.number}.\r\n"
        ).encode()


@dataclass
class Report:
    """What was found in the log."""

    sent: int = 0
    lost: int = 0
    doubled: int = 0
    astray: int = 0
    """Replies that opened a ticket, and mails on tickets of others."""
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether every mail is where it belongs, once."""
        return not (self.lost or self.doubled or self.astray)

    def __str__(self) -> str:
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return (
            f"of {self.sent:,} mails: {self.lost} lost, {self.doubled} doubled, {self.astray} astray,"
            f" in {self.seconds:,.0f} s; killed: {killed or 'nothing'}"
        )


def run(
    folder: Path, *, mails: int, pause: tuple[float, float], patience: float, tell: Tell = lambda _: None
) -> Report:
    """Send mails, kill a process after each pause, and look at the log when everything has come to rest."""
    with running_dovecot(mail_format="sdbox") as server:
        desk = Desk(folder, services=SERVICES)
        try:
            desk.start()
            asyncio.run(_open_mailboxes(desk, server))
            return _Run(desk, server, mails=mails, pause=pause, patience=patience, tell=tell).go()
        finally:
            desk.stop()


async def _open_mailboxes(desk: Desk, server: Dovecot) -> None:
    settings = CommonSettings(nats_url=desk.nats_url, data_dir=desk.folder / "data")
    imap = {"host": LOOPBACK, "port": server.port, "tls": "none", "username": BOX, "poll_seconds": 2}
    channels: dict[str, dict[str, Any]] = {
        "support": {"name": "Support", "medium": "email", "address": SUPPORT, "imap": imap},
        "sales": {"name": "Sales", "medium": "email", "address": SALES},
    }
    async with open_desk(settings) as opened:
        await opened.secrets.set_channel("support", MailboxSecret.model_validate({"password": PASSWORD}).stored())
        for channel_id, channel in channels.items():
            await opened.directory.put(
                channel_id, Channel.model_validate(channel), actor=Actor(kind="system", id="test")
            )


class _Run:
    def __init__(
        self, desk: Desk, server: Dovecot, *, mails: int, pause: tuple[float, float], patience: float, tell: Tell
    ) -> None:
        self.desk, self.server, self.tell = desk, server, tell
        self.pause, self.deadline = pause, time.monotonic() + patience
        self.told_at = self.started = time.monotonic()
        self.handed_over: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.victims: list[str] = []
        self.failures: list[BaseException] = []
        addresses = (SUPPORT, SALES)
        self.families = [Family(number, addresses[number % 2]) for number in range(mails // FAMILY)]

    def go(self) -> Report:
        """Send, kill, wait, and look."""
        senders = [threading.Thread(target=self._guarded, args=(send,), daemon=True) for send in self._senders()]
        for sender in senders:
            sender.start()
        while any(sender.is_alive() for sender in senders) or self._waiting():
            assert time.monotonic() < self.deadline, f"mails are still on their way: {self._progress()}"
            self._kill_one()
            self._tell_progress()
        assert not self.failures, self.failures
        report = Report(len(self.families) * FAMILY, kills=self.kills, seconds=time.monotonic() - self.started)
        _compare(self.families, asyncio.run(_customers_words(self.desk)), report)
        return report

    def _senders(self) -> Iterator[Callable[[], None]]:
        by_smtp = [one for one in self.families if one.address == SALES or one.number % BOTH_WAYS == 0]
        by_imap = [one for one in self.families if one.address == SUPPORT]
        for share in range(SMTP_SENDERS):
            yield lambda share=share: self._send_by_smtp(by_smtp[share::SMTP_SENDERS])  # type: ignore[misc]
        for share in range(LMTP_SENDERS):
            yield lambda share=share: self._deliver(by_imap[share::LMTP_SENDERS])  # type: ignore[misc]

    def _send_by_smtp(self, families: list[Family]) -> None:
        for family in families:
            port, sender = self.desk.ports["smtp"], "sender@example.com"
            send_until_accepted(port, sender, family.address, family.mails, deadline=self.deadline)
            self.handed_over["SMTP"] += FAMILY

    def _deliver(self, families: list[Family]) -> None:
        for some in range(0, len(families), 20):
            mails = [mail for family in families[some : some + 20] for mail in family.mails]
            self.server.deliver(BOX, mails, deadline=self.deadline)
            self.handed_over["mailbox"] += len(mails)

    def _guarded(self, send: Callable[[], None]) -> None:
        try:
            send()
        except BaseException as error:  # noqa: BLE001  # told to the test, which runs in another thread
            self.failures.append(error)

    def _kill_one(self) -> None:
        time.sleep(random.uniform(*self.pause))
        self.victims = self.victims or random.sample(VICTIMS, len(VICTIMS))  # each once in every round
        name = self.victims.pop()
        self.kills[name] += 1
        if name == "dovecot":
            self.server.kill()
            time.sleep(random.uniform(0, 0.3))
            self.server.start()
        else:
            self.desk.kill(name)
            time.sleep(random.uniform(0, 0.3))
            self.desk.start_one(name)

    def _waiting(self) -> int:
        """How many mails the desk has not fetched."""
        return self.server.count(BOX, "UNKEYWORD $Deskwire")

    def _progress(self) -> str:
        kills, handed_over = self.kills.total(), f"{self.handed_over['SMTP']:,} by SMTP"
        return (
            f"{handed_over}, {self.handed_over['mailbox']:,} to the mailbox ({self._waiting():,} wait), {kills} kills"
        )

    def _tell_progress(self) -> None:
        if time.monotonic() - self.told_at >= TELL_SECONDS:
            self.told_at = time.monotonic()
            self.tell(f"{self.told_at - self.started:6.0f} s: {self._progress()}")


async def _customers_words(desk: Desk) -> dict[str, Counter[tuple[str, str]]]:
    """By ticket, what customers wrote: the kind of fact and the message's id, with how often it is there."""
    connection = await nats.connect(desk.nats_url)
    try:
        follower = Follower(connection, TICKETS)
        waiting, read = await follower.open(), 0
        found: dict[str, Counter[tuple[str, str]]] = {}
        while read < waiting:
            batch = await follower.batch()
            read += len(batch)
            for commit in (json.loads(delivery.data) for delivery in batch):
                said = [fact for fact in commit["facts"] if fact["type"] in {OPENED, REPLIED}]
                words = found.setdefault(commit["ticket_id"], Counter())
                words.update((fact["type"], fact["message_id"]) for fact in said)
        await follower.close()
        return found
    finally:
        await connection.close()


OPENED, REPLIED = "ticket.opened.v1", "ticket.customer_replied.v1"


def _compare(families: list[Family], found: dict[str, Counter[tuple[str, str]]], report: Report) -> None:
    at_home = {family.ticket_id for family in families}
    for family in families:
        words = found.get(family.ticket_id, Counter())
        report.doubled += words.total() - len(words)
        report.lost += max(0, FAMILY - len(words))
        report.astray += max(0, len(words) - FAMILY) + abs(sum(kind == OPENED for kind, _ in words) - 1)
    report.astray += sum(len(words) for ticket_id, words in found.items() if ticket_id not in at_home)
