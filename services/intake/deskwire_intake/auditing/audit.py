"""Holds the mailboxes of a desk, and the receipts its listeners gave, against its ledger."""

import re
import ssl
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

import httpx2

from deskwire_intake.auditing.reconciling import Entered, Reconciliation, reconcile
from deskwire_intake.channels.imap.credentials import Credentials
from deskwire_intake.channels.imap.inventory import Inventory, imap_inventory
from deskwire_intake.channels.imap.session import MailboxError
from deskwire_intake.ledger.reading import read_ledger
from deskwire_intake.mailbox.connecting import mailbox_of
from deskwire_shared.contracts.channels import Channel, ImapMailbox
from deskwire_shared.contracts.intake_ledger import Decision, LedgerEntry, Via
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.running import CommandFailed

EARLIER: Final = timedelta(days=2)
"""The ledger is read from before the day that is asked for: a day begins at another hour where the server is."""

_RECEIPT: Final = re.compile(r"The mail was accepted as ([a-z2-7]{16})\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """A mailbox that is fetched from."""

    channel_id: str
    name: str
    imap: ImapMailbox


@dataclass(frozen=True, slots=True)
class Kind:
    """Entries that are counted together."""

    channel_id: str | None
    via: Via
    decision: Decision


@dataclass(slots=True)
class Audit:
    """What the ledger tells, and what the mail servers say to it."""

    counts: Counter[Kind] = field(default_factory=Counter)
    reconciliations: list[Reconciliation] = field(default_factory=list)
    receipts: int = 0
    missing_receipts: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing anywhere."""
        return not self.missing_receipts and all(one.agrees for one in self.reconciliations)


async def take_audit(
    desk: Desk, *, mailbox: str | None = None, since: datetime | None = None, receipts: Iterable[str] = ()
) -> Audit:
    """Read what the servers hold, then the ledger, and compare: what came in between is in the ledger alone.

    Raises CommandFailed.
    """
    mailboxes = _mailboxes(desk, mailbox)
    held = {one.channel_id: await _inventory(desk, one, since) for one in mailboxes}
    found, entered, missing = Audit(), {one.channel_id: Entered() for one in mailboxes}, set(receipts)
    found.receipts = len(missing)
    async for entry in read_ledger(desk.connection, since=since - EARLIER if since else None):
        if entry.via == "imap" and entry.channel_id in entered:
            entered[entry.channel_id].add(entry)
        if _is_wanted(entry, since, held if mailbox else None):
            found.counts[Kind(entry.channel_id, entry.via, entry.decision)] += 1
        missing.discard(entry.source)
    found.reconciliations = [
        reconcile(one.name, one.imap, held[one.channel_id], entered[one.channel_id], since) for one in mailboxes
    ]
    found.missing_receipts = tuple(sorted(missing))
    return found


def receipts_in(log: Iterable[str]) -> set[str]:
    """The receipts of this desk in the log of a mail server that handed mails over."""
    return {receipt for line in log for receipt in _RECEIPT.findall(line)}


def midnight(day: datetime) -> datetime:
    """The beginning of a day."""
    return datetime.combine(day.date(), time(), UTC)


def _is_wanted(entry: LedgerEntry, since: datetime | None, only: Mapping[str, object] | None) -> bool:
    return (since is None or entry.at >= since) and (only is None or entry.channel_id in only)


def _mailboxes(desk: Desk, asked: str | None) -> list[Mailbox]:
    if asked is not None:
        channel_id, channel, imap = mailbox_of(desk, asked)
        return [Mailbox(channel_id=channel_id, name=channel.name, imap=imap)]
    channels = sorted(desk.directory.all(Channel).items(), key=lambda item: item[1].name)
    return [
        Mailbox(channel_id=channel_id, name=channel.name, imap=channel.imap)
        for channel_id, channel in channels
        if channel.active and channel.imap is not None
    ]


async def _inventory(desk: Desk, mailbox: Mailbox, since: datetime | None) -> Inventory:
    async with httpx2.AsyncClient() as http:
        try:
            credential = await Credentials(mailbox.channel_id, mailbox.imap, desk.secrets, http).get()
            async with imap_inventory(mailbox.imap, credential, ssl.create_default_context()) as inventory:
                return await inventory.take(since.date() if since else None)
        except MailboxError as error:
            raise CommandFailed(f"{mailbox.name}: {error}") from error
