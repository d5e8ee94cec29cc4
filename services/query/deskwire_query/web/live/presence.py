"""Who looks at a ticket at this moment, and who writes: told to everybody else who looks at it, and kept nowhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, Field, ValidationError
from structlog import get_logger

from deskwire_query.web.live.screens import Screens, frame
from deskwire_shared.contracts.subjects import PRESENCE_SUBJECT

LOOKING_SECONDS: Final = 45.0
"""How long somebody is believed to look at a ticket; their page says so again before."""
TYPING_SECONDS: Final = 6.0
SWEEP_SECONDS: Final = 2.0
MOST: Final = 20_000
"""Pages that are remembered at a time."""

log = get_logger(__name__)

Publish = Callable[[str, bytes], Awaitable[None]]


class Looking(BaseModel, frozen=True):
    """What a page says of itself: the ticket it shows, if any, and whether somebody writes on it."""

    tab: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,40}$")]
    ticket_id: Annotated[str, Field(pattern=r"^[a-z2-7]{16}$")] | None = None
    typing: bool = False


class Sighting(BaseModel, frozen=True):
    """An agent was seen."""

    agent_id: str
    name: str
    looking: Looking


class Page(NamedTuple):
    """A page of an agent."""

    agent_id: str
    tab: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Where an agent was seen last, and how long that is believed."""

    ticket_id: str
    name: str
    until: float
    typing_until: float

    def at(self, now: float) -> tuple[str, bool]:
        """Tell the ticket, and whether they write on it."""
        return self.ticket_id, self.typing_until > now


class Presence:
    """Remembers where agents were seen, by any process, and tells the screens of this one."""

    def __init__(self, screens: Screens, publish: Publish, *, now: Callable[[], float] = time.monotonic) -> None:
        self._screens = screens
        self._publish = publish
        self._now = now
        self._seen: dict[Page, Seen] = {}

    async def tell(self, sighting: Sighting) -> None:
        """Let every process know where an agent was seen."""
        await self._publish(PRESENCE_SUBJECT, sighting.model_dump_json().encode())

    def hear(self, told: bytes) -> None:
        """Hear where an agent was seen."""
        try:
            sighting = Sighting.model_validate_json(told)
        except ValidationError as error:  # of another version; it is said again in a moment
            log.debug("sighting not understood", error=repr(error))
            return
        page = Page(sighting.agent_id, sighting.looking.tab)
        before = self._seen.pop(page, None)
        after = self._as_seen(sighting) if len(self._seen) < MOST else None
        if after is not None:
            self._seen[page] = after
        now = self._now()
        if (before and before.at(now)) != (after and after.at(now)):
            self._show({one.ticket_id for one in (before, after) if one is not None})

    def sweep(self) -> None:
        """Forget who has not been seen for a while."""
        now = self._now()
        gone = {page: seen for page, seen in self._seen.items() if seen.until <= now}
        quiet = {page: seen for page, seen in self._seen.items() if 0 < seen.typing_until <= now}
        for page in gone:
            del self._seen[page]
        for page, seen in quiet.items():
            if page in self._seen:
                self._seen[page] = Seen(seen.ticket_id, seen.name, seen.until, 0)
        self._show({seen.ticket_id for seen in (*gone.values(), *quiet.values())})

    async def run(self) -> None:
        """Carry on for as long as the process lives."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()

    def _as_seen(self, sighting: Sighting) -> Seen | None:
        looking, now = sighting.looking, self._now()
        if looking.ticket_id is None:
            return None
        typing_until = now + TYPING_SECONDS if looking.typing else 0
        return Seen(looking.ticket_id, sighting.name, now + LOOKING_SECONDS, typing_until)

    def _show(self, ticket_ids: Iterable[str]) -> None:
        for ticket_id in ticket_ids:
            there = {page: seen for page, seen in self._seen.items() if seen.ticket_id == ticket_id}
            for screen in self._screens:
                if Page(screen.agent_id, screen.tab) in there:
                    said = {"ticket_id": ticket_id, "people": self._others(screen.agent_id, there)}
                    screen.show(frame("presence", said), sequence=self._screens.sequence)

    def _others(self, agent_id: str, there: dict[Page, Seen]) -> list[dict[str, object]]:
        now = self._now()
        others: dict[str, dict[str, object]] = {}
        for page, seen in there.items():
            if page.agent_id != agent_id:
                known = others.setdefault(page.agent_id, {"name": seen.name, "typing": False})
                known["typing"] = known["typing"] or seen.typing_until > now
        return list(others.values())
