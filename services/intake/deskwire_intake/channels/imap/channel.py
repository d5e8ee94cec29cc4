"""IMAP as a way in: one fetcher for each mailbox that the directory names, started and ended as it changes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from deskwire_intake.channels.imap.fetcher import MailboxFetcher
from deskwire_shared.contracts.channels import Channel, ImapMailbox
from deskwire_shared.contracts.directory import Entry
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.ending import end

BATCHES_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class WatchedMailbox:
    """A mailbox to fetch from, and the address whose mails are in it."""

    channel_id: str
    address: str
    imap: ImapMailbox


BuildFetcher = Callable[[WatchedMailbox], MailboxFetcher]


class ImapChannel:
    """Fetches from all mailboxes, or from those of one channel."""

    def __init__(self, directory: Directory, build: BuildFetcher, *, only: str | None = None) -> None:
        self._directory = directory
        self._build = build
        self._only = only
        self._changed = asyncio.Event()
        self._fetching: dict[WatchedMailbox, tuple[MailboxFetcher, asyncio.Task[None]]] = {}
        directory.on_change(self._note)

    async def run(self) -> None:
        """Fetch until cancelled."""
        try:
            while True:
                self._changed.clear()
                await self._follow_directory()
                await self._changed.wait()
        finally:
            for watched in tuple(self._fetching):
                await self._end(watched)

    def states(self) -> dict[str, str]:
        """How each mailbox fares, by channel."""
        return {watched.channel_id: str(fetcher.intake.state) for watched, (fetcher, _) in self._fetching.items()}

    async def _follow_directory(self) -> None:
        wanted = watched_mailboxes(self._directory, self._only)
        for watched in self._fetching.keys() - wanted:
            await self._end(watched)
        for watched in wanted - self._fetching.keys():
            fetcher = self._build(watched)
            self._fetching[watched] = fetcher, asyncio.create_task(fetcher.run(), name=f"fetch {watched.channel_id}")

    async def _end(self, watched: WatchedMailbox) -> None:
        fetcher, task = self._fetching.pop(watched)
        await end(task)
        fetcher.intake.state.ends()

    def _note(self, changed: Entry) -> None:
        if changed.kind == "channel":
            self._changed.set()


def watched_mailboxes(directory: Directory, only: str | None = None) -> set[WatchedMailbox]:
    """The mailboxes of the active channels."""
    return {
        WatchedMailbox(channel_id, channel.address, channel.imap)
        for channel_id, channel in directory.all(Channel).items()
        if channel.active and channel.imap is not None and channel.address and only in {None, channel_id}
    }
