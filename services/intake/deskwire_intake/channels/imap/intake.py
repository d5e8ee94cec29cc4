"""Takes in the mails that wait in a mailbox, in bounded batches, and marks those that are on their tickets.

The mark on the server is all that is remembered. What is cut off in the middle is fetched again and meets its own
entry in the log, so any number of fetchers may work on one mailbox.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from structlog import get_logger

from deskwire_intake.channels.email.channel import EmailChannel
from deskwire_intake.channels.email.deliveries import Delivery
from deskwire_intake.channels.email.messages import EMAIL
from deskwire_intake.channels.imap.batches import FetchedMail, batches, conversations, fetched_mail
from deskwire_intake.channels.imap.session import MailboxError
from deskwire_intake.channels.imap.states import MailboxState
from deskwire_intake.channels.passing import passes
from deskwire_intake.channels.port import Parked
from deskwire_intake.ledger.entering import became
from deskwire_shared.contracts.intake_ledger import LedgerEntry

TRIES: Final = 5
"""How often a mail is fetched in vain before it is left on the server."""
LEFT_IN_MAILBOX: Final = "imap:"
"""How references to mails begin that are parked and still on their server."""
SIZED: Final = 500
"""Mails whose size is asked for in one go."""

log = get_logger(__name__)


class HeldUp(Exception):
    """Mails could not be entered at the moment; they are still in the mailbox."""


class ChannelIsClosed(Exception):
    """The desk takes no mails for the address any more."""


class Folder(Protocol):
    """The folder of a mailbox while a connection lasts; every call may raise MailboxError."""

    @property
    def uid_validity(self) -> int:
        """Changes when the numbers of the mails do."""
        ...

    async def waiting(self) -> list[int]:
        """The mails that the desk does not have, the oldest first."""
        ...

    async def sizes(self, uids: Collection[int]) -> Mapping[int, int]:
        """The size in bytes of each mail that is still there."""
        ...

    async def fetch(self, uids: Collection[int]) -> Mapping[int, bytes]:
        """The mails that are still there."""
        ...

    async def header(self, uid: int) -> bytes:
        """The beginning of a mail's header."""
        ...

    async def finish(self, uids: Collection[int]) -> None:
        """Do with mails that the desk has what the mailbox asks for."""
        ...

    async def set_aside(self, uids: Collection[int]) -> None:
        """Leave mails where they are, and mark them."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapLimits:
    """How much is fetched at once."""

    mail_bytes: int
    batch_bytes: int = 8 * 1024 * 1024
    batch_mails: int = 64


@dataclass(kw_only=True)
class MailboxIntake:
    """Takes in the mails of one mailbox."""

    channel_id: str
    address: str
    host: str
    channel: EmailChannel
    limits: ImapLimits
    state: MailboxState
    room: asyncio.Semaphore
    """Lets so many batches of all mailboxes be in memory at once."""
    entered: int = 0
    """How many mails were taken in so far."""
    _uid_validity: int | None = None
    _failures: Counter[int] = field(default_factory=Counter)
    """How often each mail was fetched in vain."""
    _settled: set[int] = field(default_factory=set)
    """The mails taken in or left, for as long as the server lists them: not every server keeps its marks."""

    async def take_in(self, folder: Folder) -> int:
        """Take in what waits; of how many mails something became. Raises HeldUp when some have to be tried again."""
        self._know(folder)
        listed = await folder.waiting()
        self._settled &= set(listed)
        waiting = [uid for uid in listed if uid not in self._settled]
        self.state.looked_into(len(waiting))
        deferred = _Deferred()
        for start in range(0, len(waiting), SIZED):
            await self._take_part(folder, waiting[start : start + SIZED], deferred)
            self.state.looked_into(max(0, len(waiting) - start - SIZED))
        if deferred.error is not None:
            raise HeldUp(repr(deferred.error)) from deferred.error
        return len(self._settled & set(waiting))

    def _know(self, folder: Folder) -> None:
        """Forget what was known by numbers that name other mails now."""
        if folder.uid_validity != self._uid_validity:
            self._uid_validity = folder.uid_validity
            self._failures.clear()
            self._settled.clear()

    async def _take_part(self, folder: Folder, uids: list[int], deferred: "_Deferred") -> None:
        sizes = await folder.sizes(uids)
        unfit = {uid: reason for uid, size in sizes.items() if (reason := self._unfit(uid, size))}
        alone = {*unfit, *self._failures}
        limits = self.limits
        for batch in batches(sizes, most_bytes=limits.batch_bytes, most_mails=limits.batch_mails, alone=alone):
            async with self.room:
                if batch[0] in unfit:
                    await self._leave(folder, batch[0], unfit[batch[0]], is_expected=True)
                else:
                    await self._take_batch(folder, batch, deferred)

    def _unfit(self, uid: int, size: int) -> str | None:
        """Why a mail cannot be fetched."""
        if self._failures[uid] >= TRIES:
            return f"the mail server did not give the mail out in {TRIES} tries"
        if size > self.limits.mail_bytes:
            return f"the mail has {size} bytes; the most are {self.limits.mail_bytes}"
        return None

    async def _take_batch(self, folder: Folder, batch: list[int], deferred: "_Deferred") -> None:
        with self._counting_failures(batch):
            fetched = await folder.fetch(batch)
        mails = [fetched_mail(uid, raw) for uid, raw in fetched.items()]
        taken = _Taken()
        await asyncio.gather(*(self._follow(mails, taken, deferred) for mails in conversations(mails)))
        self.entered += len(taken.entered)
        if taken.entered:
            await folder.finish(taken.entered)
            self._settled.update(taken.entered)
        for uid, reason in taken.failed.items():
            await self._leave(folder, uid, reason, is_expected=False)
        if deferred.error is not None and not (taken.entered or taken.failed):
            raise HeldUp(repr(deferred.error)) from deferred.error

    @contextmanager
    def _counting_failures(self, uids: Collection[int]) -> Iterator[None]:
        try:
            yield
        except MailboxError:
            self._failures.update(uids)
            raise
        for uid in uids:
            self._failures.pop(uid, None)

    async def _follow(self, conversation: list[FetchedMail], taken: "_Taken", deferred: "_Deferred") -> None:
        """Enter mails that refer to each other one after the other, none before one that it may answer."""
        for mail in conversation:
            if deferred.threads & mail.thread:
                deferred.threads |= mail.thread
                continue
            try:
                await self._enter(mail)
            except Exception as error:
                if passes(error) or isinstance(error, ChannelIsClosed):
                    deferred.error = error
                    deferred.threads |= mail.thread
                else:
                    log.exception("mail not taken in", channel_id=self.channel_id, uid=mail.uid)
                    taken.failed[mail.uid] = f"{type(error).__name__}: {error}"
            else:
                taken.entered.append(mail.uid)

    async def _enter(self, mail: FetchedMail) -> None:
        self.channel.figures.count(EMAIL, "received")
        delivery = Delivery(
            sender=mail.sender,
            recipients=(self.address,),
            content=mail.raw,
            client=self.host,
            via="imap",
            source=self._source(mail.uid),
        )
        if not await self.channel.receive(delivery):
            raise ChannelIsClosed(self.address)

    def _source(self, uid: int) -> str:
        return f"{self._uid_validity}:{uid}"

    async def _leave(self, folder: Folder, uid: int, reason: str, *, is_expected: bool) -> None:
        """Leave a mail on the server, and park a reference to it."""
        header = b""
        if self._failures[uid] < TRIES:
            with self._counting_failures([uid]):
                header = await folder.header(uid)
        reference = f"{LEFT_IN_MAILBOX}{self.channel_id}:{self._source(uid)}"
        number = await self.channel.parking.park(
            reference, header, {"mailbox": self.address}, reason=reason, once=(reference,)
        )
        log.warning("mail left on its server", channel_id=self.channel_id, uid=uid, number=number, reason=reason)
        self.channel.figures.count(EMAIL, "parked")
        await self._enter_left(uid, Parked(number, reason, is_expected=is_expected))
        self._settled.add(uid)
        await folder.set_aside([uid])

    async def _enter_left(self, uid: int, parked: Parked) -> None:
        entry = LedgerEntry(
            at=self.channel.clock.now(),
            via="imap",
            channel_id=self.channel_id,
            mailbox=self.address,
            source=self._source(uid),
            **became(parked),
        )
        await self.channel.ledger.enter(entry)


@dataclass(slots=True)
class _Taken:
    """What became of a batch."""

    entered: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Deferred:
    """Mails that have to be tried again, by the ids in them, and why the last one has."""

    error: Exception | None = None
    threads: set[str] = field(default_factory=set)
