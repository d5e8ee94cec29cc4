"""What a mailbox holds, read without changing anything: to be held against the ledger."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from deskwire_intake.channels.imap.session import KEYWORD, Credential, ImapSession
from deskwire_intake.mail.headers import read_headers
from deskwire_intake.mail.identifiers import single_message_id
from deskwire_shared.contracts.channels import ImapMailbox
from deskwire_shared.contracts.intake_ledger import message_digest

AT_ONCE: Final = 1_000
"""Mails whose header is asked for in one go."""
HEADER: Final = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
ANSWERED_HEADER: Final = b"BODY[HEADER.FIELDS (MESSAGE-ID)]"


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderInventory:
    """The mails of a folder by their numbers."""

    uid_validity: int
    uid_next: int
    uids: frozenset[int]
    lately: frozenset[int]
    """Those that arrived on the day that was asked for or later."""
    marked: frozenset[int]
    """Those that carry the mark of mails that the desk has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """What a mailbox holds: its folder and, where mails are moved, the folder they are moved to."""

    folder: FolderInventory
    moved: FolderInventory | None = None
    digests: Mapping[int, str | None]
    """By which Message-ID each mail is found that was moved; None when it has none."""


@asynccontextmanager
async def imap_inventory(
    mailbox: ImapMailbox, credential: Credential, tls: ssl.SSLContext
) -> AsyncIterator["ImapInventory"]:
    """Connect, sign in and open the folder to be read only. Raises MailboxError."""
    inventory = ImapInventory(mailbox, tls)
    try:
        await inventory.open(credential)
        yield inventory
    finally:
        inventory.close()


class ImapInventory(ImapSession):
    """Looks through the folders of a mailbox."""

    async def take(self, since: date | None) -> Inventory:
        """List what the mailbox holds. Raises MailboxError."""
        days = [day for day in (since, self._mailbox.since) if day is not None]
        begin = max(days) if days else None
        folder = await self._call(self._list, self._mailbox.folder, begin)
        target = self._mailbox.move_to
        if self._mailbox.after != "move" or target is None or not await self._call(self._client.folder_exists, target):
            return Inventory(folder=folder, digests={})
        moved = await self._call(self._list, target, begin)
        return Inventory(folder=folder, moved=moved, digests=await self._digests(sorted(moved.uids)))

    def _select(self) -> None:
        """Open nothing yet."""

    def _list(self, folder: str, since: date | None) -> FolderInventory:
        opened = self._client.select_folder(folder, readonly=True)
        self._mails = int(opened[b"EXISTS"])
        return FolderInventory(
            uid_validity=int(opened.get(b"UIDVALIDITY", 0)),
            uid_next=int(opened.get(b"UIDNEXT", 0)),
            uids=self._found("UNDELETED"),
            lately=self._found("UNDELETED", "SINCE", since) if since else self._found("UNDELETED"),
            marked=self._found("UNDELETED", "KEYWORD", KEYWORD.decode()),
        )

    def _found(self, *criteria: Any) -> frozenset[int]:
        return frozenset(self._search_parts(list(criteria)))

    async def _digests(self, uids: list[int]) -> dict[int, str | None]:
        found: dict[int, str | None] = {}
        for start in range(0, len(uids), AT_ONCE):
            found |= await self._call(self._read_digests, uids[start : start + AT_ONCE])
        return found

    def _read_digests(self, uids: list[int]) -> dict[int, str | None]:
        answers = self._client.fetch(uids, [HEADER])
        return {uid: _digest(answer.get(ANSWERED_HEADER) or b"") for uid, answer in answers.items()}


def _digest(header: bytes) -> str | None:
    headers, _ = read_headers(header, 0, len(header), set())
    message_id = single_message_id(headers.first("message-id"))
    return message_digest(message_id) if message_id else None
