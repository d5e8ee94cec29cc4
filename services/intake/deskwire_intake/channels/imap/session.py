"""One connection to an IMAP server with one folder open; its calls block, so they run in a thread of their own.

Errors:

    MailboxError
    ├── MailboxUnreachable   there is no connection, or it broke
    ├── SignInRefused        the server does not let us in
    ├── FolderUnusable       there is no such folder, or it cannot be changed
    └── RequestRefused       the server answers no
"""

import asyncio
import imaplib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from socket import SHUT_RDWR
from typing import Any, Final, ParamSpec, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError

from deskwire_shared.contracts.channels import ImapMailbox

KEYWORD: Final = b"$Deskwire"
"""The flag on a mail that the desk has."""
CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
SEARCHED: Final = 50_000
"""Mails searched in one go: the answer is a single line, and lines have a limit."""
HEADER_BYTES: Final = 128 * 1024
PASSING_CODES: Final = ("[UNAVAILABLE]", "[INUSE]", "[SERVERBUG]", "[LIMIT]")
"""Response codes of sign-ins that failed for another reason than the password (RFC 5530)."""

P = ParamSpec("P")
T = TypeVar("T")

logging.getLogger("imapclient").setLevel(logging.WARNING)


class MailboxError(Exception):
    """A mailbox cannot be read; the message says why."""


class MailboxUnreachable(MailboxError):
    """There is no connection, or it broke."""


class SignInRefused(MailboxError):
    """The server does not let us in, and will not until somebody mends it."""


class FolderUnusable(MailboxError):
    """There is no such folder, or it cannot be changed."""


class RequestRefused(MailboxError):
    """The server answers no."""


@dataclass(frozen=True, slots=True)
class Password:
    """A password to sign in with."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A short-lived token to sign in with."""

    value: str = field(repr=False)


Credential = Password | AccessToken


@asynccontextmanager
async def imap_session(
    mailbox: ImapMailbox, credential: Credential, tls: ssl.SSLContext
) -> AsyncIterator["ImapSession"]:
    """Connect, sign in and open the folder. Raises MailboxError."""
    session = ImapSession(mailbox, tls)
    try:
        await session.open(credential)
        yield session
    finally:
        session.close()


class ImapSession:
    """Reads and marks the mails of one folder."""

    def __init__(self, mailbox: ImapMailbox, tls: ssl.SSLContext) -> None:
        self._mailbox = mailbox
        self._tls = tls
        self._client: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"imap {mailbox.host}")
        self._keeps_keywords = False
        self._idles = False
        self._mails = 0
        self.uid_validity = 0

    async def open(self, credential: Credential) -> None:
        """Connect, sign in and open the folder."""
        await self._call(self._connect)
        await self._call(self._sign_in, credential)
        await self._call(self._select)

    def close(self) -> None:
        """Cut the connection at once, also while the thread waits for an answer; `LOGOUT` could hang."""
        if self._client is not None:
            with suppress(OSError):  # it was cut before
                self._client.socket().shutdown(SHUT_RDWR)
        self._thread.submit(self._disconnect)
        self._thread.shutdown(wait=False)

    @property
    def hides_read_mails(self) -> bool:
        """Whether a mail that a person reads first is taken for one that the desk has."""
        return not self._keeps_keywords and self._mailbox.after == "keep_flagged"

    async def waiting(self) -> list[int]:
        """The mails that the desk does not have, the oldest first."""
        return await self._call(self._search)

    async def sizes(self, uids: Collection[int]) -> dict[int, int]:
        """The size of each mail in bytes; mails that are gone by now are left out."""
        found = await self._call(lambda: self._client.fetch(uids, ["RFC822.SIZE"]))
        return {uid: int(found[uid][b"RFC822.SIZE"]) for uid in uids if b"RFC822.SIZE" in found.get(uid, {})}

    async def fetch(self, uids: Collection[int]) -> dict[int, bytes]:
        """The mails as they came, not marked as seen; those that are gone by now are left out."""
        found = await self._call(lambda: self._client.fetch(uids, ["BODY.PEEK[]"]))
        return {uid: found[uid][b"BODY[]"] for uid in uids if found.get(uid, {}).get(b"BODY[]") is not None}

    async def header(self, uid: int) -> bytes:
        """The beginning of a mail's header."""
        found = await self._call(lambda: self._client.fetch([uid], [f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>"]))
        return found.get(uid, {}).get(b"BODY[HEADER]<0>") or b""

    async def finish(self, uids: Collection[int]) -> None:
        """Do with mails that the desk has what the mailbox asks for."""
        match self._mailbox.after:
            case "keep_flagged":
                await self._call(self._mark, uids)
            case "move":
                await self._call(self._move, uids)
            case "delete":
                await self._call(self._delete, uids)

    async def set_aside(self, uids: Collection[int]) -> None:
        """Leave mails where they are, and mark them so that they are not fetched again."""
        await self._call(self._mark, uids)

    async def wait(self, seconds: float) -> None:
        """Wait until the server tells of something new, or the time is over."""
        if self._idles:
            await self._call(self._idle, seconds)
        else:
            await asyncio.sleep(seconds)

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))
        except (imaplib.IMAP4.abort, OSError) as error:
            raise MailboxUnreachable(_reason(error)) from error
        except imaplib.IMAP4.error as error:
            raise RequestRefused(_reason(error)) from error

    def _connect(self) -> None:
        self._client = IMAPClient(
            self._mailbox.host,
            self._mailbox.port,
            ssl=self._mailbox.tls == "implicit",
            ssl_context=self._tls,
            timeout=SocketTimeout(connect=CONNECT_SECONDS, read=READ_SECONDS),  # type: ignore[arg-type]  # its own
        )
        if self._mailbox.tls == "starttls":
            self._client.starttls(self._tls)

    def _sign_in(self, credential: Credential) -> None:
        try:
            self._authenticate(credential)
        except LoginError as error:
            if isinstance(error.__context__, imaplib.IMAP4.abort) or any(code in str(error) for code in PASSING_CODES):
                raise MailboxUnreachable(_reason(error)) from error
            raise SignInRefused(_reason(error)) from error

    def _authenticate(self, credential: Credential) -> None:
        match credential:
            case AccessToken(token):
                self._client.oauth2_login(self._mailbox.username, token)
            case Password(password) if self._client.has_capability("AUTH=PLAIN"):  # it knows more than ASCII
                self._client.plain_login(self._mailbox.username, password)
            case Password(password):
                self._client.login(self._mailbox.username, password)

    def _select(self) -> None:
        """Open the folder; another one to move mails to is made when it is missing."""
        try:
            opened = self._client.select_folder(self._mailbox.folder)
            if self._mailbox.after == "move" and not self._client.folder_exists(self._mailbox.move_to):
                self._client.create_folder(self._mailbox.move_to)
        except imaplib.IMAP4.readonly as error:
            raise FolderUnusable(f"folder {self._mailbox.folder} cannot be written") from error
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise FolderUnusable(_reason(error)) from error
        self.uid_validity = int(opened.get(b"UIDVALIDITY", 0))
        self._mails = int(opened[b"EXISTS"])
        self._idles = self._client.has_capability("IDLE")
        self._keeps_keywords = bool({b"\\*", KEYWORD} & set(opened.get(b"PERMANENTFLAGS", ())))

    def _search(self) -> list[int]:
        wanted: list[Any] = ["UNDELETED"]
        if self._keeps_keywords:
            wanted += ["UNKEYWORD", KEYWORD.decode()]
        elif self._mailbox.after == "keep_flagged":
            wanted += ["UNSEEN"]
        if self._mailbox.since is not None:
            wanted += ["SINCE", self._mailbox.since]
        return sorted(self._search_parts(wanted))

    def _search_parts(self, wanted: list[Any]) -> set[int]:
        return {uid for part in _parts(self._mails) for uid in self._client.search([*part, *wanted])}

    def _mark(self, uids: Collection[int]) -> None:
        if self._keeps_keywords:
            self._client.add_flags(uids, [KEYWORD], silent=True)
        elif self._mailbox.after == "keep_flagged":
            self._client.add_flags(uids, [b"\\Seen"], silent=True)

    def _move(self, uids: Collection[int]) -> None:
        if self._client.has_capability("MOVE"):
            self._client.move(uids, self._mailbox.move_to)
        else:
            self._client.copy(uids, self._mailbox.move_to)
            self._delete(uids)

    def _delete(self, uids: Collection[int]) -> None:
        self._client.add_flags(uids, [b"\\Deleted"], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(uids)
        else:
            self._client.expunge()

    def _idle(self, seconds: float) -> None:
        self._client.idle()
        self._client.idle_check(seconds)
        self._client.idle_done()

    def _disconnect(self) -> None:
        if self._client is not None:
            with suppress(OSError, imaplib.IMAP4.error):  # nothing is left to lose
                self._client.shutdown()


def _parts(mails: int) -> list[list[str]]:
    """Search criteria that cut a large folder in parts; the last one takes whatever has come since."""
    starts = range(1, mails + 1, SEARCHED) if mails > SEARCHED else ()
    parts = [[f"{start}:{start + SEARCHED - 1}"] for start in starts]
    return [*parts[:-1], [f"{parts[-1][0].partition(':')[0]}:*"]] if parts else [[]]


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
