"""Tells many listeners at once what the read models have just learnt.

One subscription a process hears of new commits and reads them from the ledger once; every listener gets
the same bytes. A notice that is lost costs a second, never an event.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from nats.aio.client import Client
from nats.aio.msg import Msg
from structlog import get_logger

from deskwire_query.catalogue import NothingLives
from deskwire_query.database import is_transient
from deskwire_query.reading.reader import LedgerRow, Reader
from deskwire_shared.contracts.subjects import PROJECTED_SUBJECT, chat_typing_subject

POLL_SECONDS: Final = 1.0
AT_ONCE: Final = 500
QUEUE: Final = 1_000
"""Announcements that wait for one listener; a slower one is cut off, comes back and is told what it missed."""
MOST_REPLAYED: Final = 5_000
"""Commits that are told again; whoever missed more has to load everything anew."""

log = get_logger(__name__)


class TooManyListeners(Exception):
    """No more event streams are served by this process."""


class NotCaughtUp(Exception):
    """The read models have not reached a sequence in time."""

    def __init__(self, asked: int, reached: int) -> None:
        super().__init__(f"the read models have reached {reached}, not {asked} yet; ask again in a moment")


@dataclass(frozen=True)
class Announcement:
    """A commit that can be read now; `reset` says that too much was missed to be told.

    `typing` is none of both: a customer writes in a chat at this moment, and nobody is told again who missed it.
    """

    sequence: int
    ticket_id: str = ""
    version: int = 0
    facts: tuple[str, ...] = ()
    event: Literal["commit", "reset", "typing"] = "commit"

    @cached_property
    def frame(self) -> bytes:
        """The announcement as a server-sent event; its id is the sequence, to go on behind it later."""
        if self.event == "typing":
            return f"event: typing\r\ndata: {json.dumps({'ticket_id': self.ticket_id})}\r\n\r\n".encode()
        said = {"sequence": self.sequence}
        if self.event == "commit":
            commit = {"ticket_id": self.ticket_id, "version": self.version, "facts": self.facts}
            said = {**said, **commit}  # type: ignore[dict-item]  # JSON of several kinds
        return f"id: {self.sequence}\r\nevent: {self.event}\r\ndata: {json.dumps(said)}\r\n\r\n".encode()


@dataclass(eq=False, slots=True)
class _Listener:
    queue: asyncio.Queue[Announcement | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))

    def tell(self, announcement: Announcement) -> bool:
        """Queue an announcement; False when the listener is too slow."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)
            return False
        self.queue.put_nowait(announcement)
        return True

    async def take(self) -> list[Announcement | None]:
        """Wait for the next announcement, and take those that stand behind it along; None ends them."""
        told = [await self.queue.get()]
        while not self.queue.empty():
            told.append(self.queue.get_nowait())
        return told


class Hub:
    """Where listeners listen and readers wait."""

    def __init__(self, connection: Client, reader: Reader, *, most_listeners: int) -> None:
        self._connection = connection
        self._reader = reader
        self._most_listeners = most_listeners
        self._listeners: set[_Listener] = set()
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._news = asyncio.Event()
        self.sequence = 0
        """What the read models have reached, as far as is known here."""

    async def start(self) -> None:
        """Hear of what is projected."""
        await self._connection.subscribe(PROJECTED_SUBJECT, cb=self._hear)
        await self._connection.subscribe(chat_typing_subject("*"), cb=self._hear_typing)

    async def run(self) -> None:
        """Carry on for as long as the process lives."""
        known = False
        while True:
            try:
                if not known:
                    self._reached(await self._reader.position())
                    known = True
                await self._catch_up()
            except NothingLives:
                log.debug("nothing to tell yet")
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("read models do not answer, will be asked again", error=repr(error))
            await self._wait_for_news()

    async def listen(self, after: int | None = None) -> AsyncGenerator[Announcement]:
        """Give what is announced from now on, or behind a sequence. It ends when the listener is too slow.

        Raises TooManyListeners.
        """
        async with aclosing(self.bursts(after)) as bursts:
            async for burst in bursts:
                for announcement in burst:
                    yield announcement

    async def bursts(self, after: int | None = None) -> AsyncGenerator[tuple[Announcement, ...]]:
        """Give what is announced, as `listen` does, together what came together: it costs a listener one waking."""
        with self._listening() as listener:
            heard = self.sequence
            if after is not None and after != heard:
                async for missed in self._missed(after, heard):
                    yield (missed,)
            ended = False
            while not ended:
                told = await listener.take()
                ended = None in told
                news = tuple(one for one in told if one and (one.sequence > heard or one.event != "commit"))
                if news:
                    yield news

    async def wait_for(self, sequence: int, *, within: float) -> None:
        """Wait until what stands at a sequence can be read. Raises NotCaughtUp after `within` seconds."""
        if sequence <= self.sequence:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[reached] = sequence
        try:
            async with asyncio.timeout(within):
                await reached
        except TimeoutError:
            raise NotCaughtUp(sequence, self.sequence) from None
        finally:
            del self._waiting[reached]

    @property
    def waiting(self) -> int:
        """How many reads wait at this moment."""
        return len(self._waiting)

    def require_room(self) -> None:
        """Raise TooManyListeners when no more event streams are served."""
        if len(self._listeners) >= self._most_listeners:
            raise TooManyListeners("too many event streams are open here")

    @contextmanager
    def _listening(self) -> Iterator[_Listener]:
        self.require_room()
        listener = _Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def _missed(self, after: int, until: int) -> AsyncIterator[Announcement]:
        """Tell again what was missed; who comes from another log, or from too far back, starts over."""
        told = 0
        while after < until and told < MOST_REPLAYED:
            rows = await self._reader.commits(after=after, limit=AT_ONCE)
            if not rows:
                return
            for row in rows:
                if row.sequence <= until:
                    yield _announcement(row)
            after = rows[-1].sequence
            told += len(rows)
        if after != until and (after > until or told >= MOST_REPLAYED):
            yield Announcement(until, event="reset")

    async def _hear(self, message: Msg) -> None:
        del message  # that there is news is enough: it is read from the ledger, where nothing is missing
        self._news.set()

    async def _hear_typing(self, message: Msg) -> None:
        if json.loads(message.data)["by"] == "customer":
            self._tell(Announcement(0, message.subject.split(".")[2], event="typing"))

    async def _wait_for_news(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._news.wait()
        self._news.clear()

    async def _catch_up(self) -> None:
        while rows := await self._reader.commits(after=self.sequence, limit=AT_ONCE):
            for row in rows:
                self._tell(_announcement(row))
            self._reached(rows[-1].sequence)
        position = await self._reader.position()
        if position < self.sequence:
            self.sequence = position
            self._tell(Announcement(position, event="reset"))

    def _tell(self, announcement: Announcement) -> None:
        slow = [listener for listener in self._listeners if not listener.tell(announcement)]
        self._listeners.difference_update(slow)

    def _reached(self, sequence: int) -> None:
        self.sequence = sequence
        for reached, wanted in self._waiting.items():
            if wanted <= sequence and not reached.done():
                reached.set_result(None)


def _announcement(row: LedgerRow) -> Announcement:
    return Announcement(row.sequence, row.ticket_id, row.version, tuple(row.facts.split()))
