"""Holds what a mail server has against the ledger: pure rules, so that the same two lists always tell the same."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from deskwire_intake.channels.imap.inventory import FolderInventory, Inventory
from deskwire_shared.contracts.channels import ImapMailbox
from deskwire_shared.contracts.intake_ledger import LedgerEntry

Source = str
"""A mail of a mailbox: `<UIDVALIDITY>:<UID>`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """What a server has and what the ledger has, and wherein they differ."""

    mailbox: str
    server: int
    ledger: int
    waiting: tuple[str, ...] = ()
    """Mails of the folder that the desk has not fetched yet."""
    not_in_ledger: tuple[str, ...] = ()
    """Mails that the desk is said to have, and has not entered."""
    not_on_server: tuple[str, ...] = ()
    """Mails that were entered, and that the server does not have any more."""
    deletes: bool = False
    """Whether mails are deleted once they are entered, so that the server cannot show them."""

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing on either side."""
        return not (self.waiting or self.not_in_ledger or self.not_on_server)

    def __str__(self) -> str:
        if self.deletes:
            rest = f"{self.server:,} mails" if self.server else "empty"
            return f"{self.mailbox}: ledger {self.ledger:,}, folder {rest}"
        sign = "=" if self.agrees else "≠"
        return f"{self.mailbox}: server {self.server:,} {sign} ledger {self.ledger:,}"


@dataclass(slots=True)
class Entered:
    """What the ledger has of one mailbox: the last entry of each mail, since one may have been fetched twice."""

    entries: dict[Source, LedgerEntry] = field(default_factory=dict)

    def add(self, entry: LedgerEntry) -> None:
        """Take an entry in."""
        self.entries[entry.source] = entry

    def uids(self, validity: int) -> Mapping[int, LedgerEntry]:
        """The entries of mails that still have the numbers they had."""
        found = (source.partition(":") for source in self.entries)
        return {int(uid): self.entries[f"{v}:{uid}"] for v, _, uid in found if v == str(validity) and uid.isdigit()}


def reconcile(
    name: str, imap: ImapMailbox, inventory: Inventory, entered: Entered, since: datetime | None
) -> Reconciliation:
    """Hold an inventory against the entries of its mailbox, the inventory having been taken first."""
    match imap.after:
        case "keep_flagged":
            return _kept(name, inventory.folder, entered, since)
        case "delete":
            return _deleted(name, inventory.folder, entered, since)
        case "move":
            return _moved(name, imap.move_to or "", inventory, entered, since)


def _kept(name: str, folder: FolderInventory, entered: Entered, since: datetime | None) -> Reconciliation:
    known = {uid: entry for uid, entry in entered.uids(folder.uid_validity).items() if uid < folder.uid_next}
    gone = [uid for uid, entry in known.items() if uid not in folder.uids and _is_since(entry, since)]
    waiting, missing = _not_entered(folder, known)
    return Reconciliation(
        mailbox=name,
        server=len(folder.lately),
        ledger=len(folder.lately & known.keys()) + len(gone),
        waiting=_named(folder, waiting),
        not_in_ledger=_named(folder, missing),
        not_on_server=tuple(_told(known[uid]) for uid in sorted(gone)),
    )


def _deleted(name: str, folder: FolderInventory, entered: Entered, since: datetime | None) -> Reconciliation:
    waiting, missing = _not_entered(folder, entered.uids(folder.uid_validity))
    return Reconciliation(
        mailbox=name,
        server=len(folder.lately),
        ledger=sum(_is_since(entry, since) for entry in entered.entries.values()),
        waiting=_named(folder, waiting),
        not_in_ledger=_named(folder, missing),
        deletes=True,
    )


def _moved(name: str, moved_to: str, inventory: Inventory, entered: Entered, since: datetime | None) -> Reconciliation:
    """Find moved mails by their Message-ID, since a mail gets another number in another folder."""
    folder, target = inventory.folder, inventory.moved
    known = entered.uids(folder.uid_validity)
    still_there = {f"{folder.uid_validity}:{uid}" for uid in folder.uids}
    later = {f"{folder.uid_validity}:{uid}" for uid in known if uid >= folder.uid_next}
    left = [entry for source, entry in entered.entries.items() if source not in still_there | later]
    waiting, missing = _not_entered(folder, known)
    strange = _surplus(target.lately if target else (), inventory.digests, left)
    gone = _unmatched([entry for entry in left if _is_since(entry, since)], inventory.digests.values())
    arrived = len(target.lately) if target else 0
    return Reconciliation(
        mailbox=name,
        server=len(folder.lately) + arrived,
        ledger=len(folder.lately & known.keys()) + arrived - len(strange) + len(gone),
        waiting=_named(folder, waiting),
        not_in_ledger=(*_named(folder, missing), *(f"UID {uid} in {moved_to}" for uid in strange)),
        not_on_server=tuple(map(_told, gone)),
    )


def _not_entered(folder: FolderInventory, known: Mapping[int, LedgerEntry]) -> tuple[list[int], list[int]]:
    """The mails of a folder that are not in the ledger: those that are not marked either, and those that are."""
    absent = sorted(folder.lately - known.keys())
    return [uid for uid in absent if uid not in folder.marked], [uid for uid in absent if uid in folder.marked]


def _surplus(uids: Iterable[int], digests: Mapping[int, str | None], entries: Iterable[LedgerEntry]) -> list[int]:
    """The mails that no entry tells of, each entry telling of one mail."""
    told = Counter(entry.message_digest for entry in entries)
    surplus = []
    for uid in sorted(uids):
        told[digests.get(uid)] -= 1
        if told[digests.get(uid)] < 0:
            surplus.append(uid)
    return surplus


def _unmatched(entries: Iterable[LedgerEntry], digests: Iterable[str | None]) -> list[LedgerEntry]:
    """The entries whose mail is nowhere, each mail standing for one entry."""
    there = Counter(digests)
    unmatched = []
    for entry in entries:
        there[entry.message_digest] -= 1
        if there[entry.message_digest] < 0:
            unmatched.append(entry)
    return unmatched


def _is_since(entry: LedgerEntry, since: datetime | None) -> bool:
    return since is None or entry.at >= since


def _named(folder: FolderInventory, uids: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"{folder.uid_validity}:{uid}" for uid in uids)


def _told(entry: LedgerEntry) -> str:
    where = f"#{entry.number}" if entry.number else entry.decision
    return f"{entry.source} ({where})"
