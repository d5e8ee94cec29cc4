"""Watches one mailbox for as long as it runs; every trouble is told, and tried again after a pause."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from structlog import get_logger

from deskwire_intake.channels.imap.credentials import Credentials
from deskwire_intake.channels.imap.intake import Folder, HeldUp, MailboxIntake
from deskwire_intake.channels.imap.session import Credential, FolderUnusable, MailboxError, SignInRefused
from deskwire_intake.channels.imap.states import Condition
from deskwire_intake.channels.passing import passes
from deskwire_shared.contracts.channels import ImapMailbox
from deskwire_shared.eventstore.port import EventStoreError

PAUSE_SECONDS: Final = (1.0, 60.0)
"""The first pause after trouble and the longest; each is twice the one before."""
REFUSED_SECONDS: Final = (60.0, 3600.0)
"""The same after a refused sign-in: servers lock out who tries too often."""
SECRET_SECONDS: Final = 2.0
"""How soon another password is tried."""

log = get_logger(__name__)


class Session(Folder, Protocol):
    """A connection to a mailbox with its folder open."""

    @property
    def hides_read_mails(self) -> bool:
        """Whether a mail that a person reads first is taken for one that the desk has."""
        ...

    async def wait(self, seconds: float) -> None:
        """Wait for something new."""
        ...


OpenSession = Callable[[ImapMailbox, Credential], AbstractAsyncContextManager[Session]]


class Pauses:
    """Pauses that grow."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def next(self) -> float:
        """How long to pause now."""
        now, self._next = self._next, min(self._next * 2, self._longest)
        return now

    def reset(self) -> None:
        """Begin with the first one again."""
        self._next = self._first


@dataclass(kw_only=True)
class MailboxFetcher:
    """Keeps a mailbox empty of mails that the desk does not have."""

    mailbox: ImapMailbox
    intake: MailboxIntake
    credentials: Credentials
    open_session: OpenSession

    def __post_init__(self) -> None:
        self._pauses, self._refused_pauses = Pauses(*PAUSE_SECONDS), Pauses(*REFUSED_SECONDS)

    async def run(self) -> None:
        """Fetch until cancelled."""
        while True:
            known = self.intake.entered
            try:
                await self._watch()
            except SignInRefused as error:
                self._tell("refused", error)
                await self._wait_for_another_secret()
            except Exception as error:  # noqa: BLE001  # one mailbox must not stop the others
                self._tell(_condition(error), error)
                if self.intake.entered > known:
                    self._pauses.reset()
                await asyncio.sleep(self._pauses.next())

    async def _watch(self) -> None:
        async with self.open_session(self.mailbox, await self.credentials.get()) as session:
            self._refused_pauses.reset()
            if session.hides_read_mails:
                log.warning("mails that people read before the desk are not taken in", channel_id=self._channel_id)
            while True:
                self.intake.state.becomes("fetching")
                while await self.intake.take_in(session):
                    pass
                self._pauses.reset()
                self.intake.state.becomes("waiting")
                await session.wait(self.mailbox.poll_seconds)

    async def _wait_for_another_secret(self) -> None:
        """Wait long before the same password is tried again, but not once there is another one."""
        self.credentials.refused()
        loop = asyncio.get_running_loop()
        end = loop.time() + self._refused_pauses.next()
        while loop.time() < end and not await self._has_another_secret():
            await asyncio.sleep(SECRET_SECONDS)

    async def _has_another_secret(self) -> bool:
        try:
            return await self.credentials.have_changed()
        except EventStoreError:  # nobody can tell now; the same password is not tried for that
            return False

    def _tell(self, condition: Condition, error: Exception) -> None:
        if condition == "failing":
            log.error("mailbox fails", channel_id=self._channel_id, exc_info=error)
        self.intake.state.becomes(condition, str(error) or repr(error))

    @property
    def _channel_id(self) -> str:
        return self.intake.channel_id


def _condition(error: Exception) -> Condition:
    match error:
        case FolderUnusable():
            return "unusable"
        case MailboxError():
            return "unreachable"
        case HeldUp():
            return "held_up"
        case _:
            return "held_up" if passes(error) else "failing"
