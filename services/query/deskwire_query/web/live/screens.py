"""The pages that agents have open at this moment, each with the frames that wait for it."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from pydantic_core import to_json

from deskwire_query.live import TooManyListeners
from deskwire_query.reading.read_models import TicketFilter

QUEUE: Final = 100
"""Frames that wait for one screen; a slower one is told to load its page anew."""


@dataclass(eq=False, slots=True)
class Screen:
    """A page of an agent."""

    agent_id: str
    view: str
    """The key of the view whose list it shows; empty for a search, which is shown as it was found."""
    tab: str = ""
    wanted: TicketFilter | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    """What the rail was last told."""
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(QUEUE))

    def show(self, shown: bytes, *, sequence: int) -> None:
        """Queue a frame; a screen that cannot keep up is told to start over."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            shown = reset_frame(sequence)
        self.queue.put_nowait(shown)


def frame(event: str, said: object, sequence: int | None = None) -> bytes:
    """Write a server-sent event; with a sequence it is where a lost connection goes on."""
    number = b"" if sequence is None else b"id: %d\r\n" % sequence
    return number + b"event: %s\r\ndata: %s\r\n\r\n" % (event.encode(), to_json(said))


def reset_frame(sequence: int) -> bytes:
    """Say that too much was missed to be told: the page is loaded anew."""
    return frame("reset", {"sequence": sequence}, sequence)


class Screens:
    """All screens that this process serves."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._open: set[Screen] = set()
        self.arrived = asyncio.Event()
        """Set when a screen has come that was told nothing yet."""
        self.sequence = 0
        """The last change that screens were told of."""

    def __len__(self) -> int:
        """Count them."""
        return len(self._open)

    def __iter__(self) -> Iterator[Screen]:
        """Give those of this moment."""
        return iter(tuple(self._open))

    def require_room(self) -> None:
        """Raise TooManyListeners when no more screens are served."""
        if len(self._open) >= self._most:
            raise TooManyListeners("too many pages are open here")

    async def watch(self, screen: Screen, *, after: int) -> AsyncGenerator[bytes]:
        """Give what changes on a screen that shows the desk as of a sequence. Raises TooManyListeners."""
        with self.showing(screen):
            if after < self.sequence:
                yield reset_frame(self.sequence)
            while True:
                yield await screen.queue.get()

    @contextmanager
    def showing(self, screen: Screen) -> Iterator[None]:
        """Count a screen among the open ones for as long as it is. Raises TooManyListeners."""
        self.require_room()
        self._open.add(screen)
        self.arrived.set()
        try:
            yield
        finally:
            self._open.discard(screen)

    def show(self, shown: bytes, *, to: Collection[Screen] | None = None) -> None:
        """Show a frame to some screens, or to all."""
        for screen in self if to is None else to:
            screen.show(shown, sequence=self.sequence)

    def reset(self, sequence: int) -> None:
        """Let every screen start over."""
        self.sequence = sequence
        self.show(reset_frame(sequence))
