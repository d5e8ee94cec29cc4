"""Keeps the lists on agents' screens true: what changed is read and drawn once, however many agents look at it.

The work grows with the changes and with the different lists that are looked at, not with agents times views.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

from structlog import get_logger

from deskwire_query.catalogue import NothingLives
from deskwire_query.database import is_transient
from deskwire_query.live import Announcement
from deskwire_query.reading.read_models import Reads, TicketFilter, TicketRow
from deskwire_query.web.live.screens import Screen, Screens, frame, reset_frame
from deskwire_query.web.people import People
from deskwire_query.web.rendering import environment
from deskwire_query.web.workspace.views import Rail, UnknownView, rail_for
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.clock import Clock

PAUSE: Final = 0.03
"""Seconds between two drawings: changes within them are drawn together."""
PAUSE_A_SCREEN: Final = 0.0001
COUNTS_PAUSE: Final = 1.5
PATIENCE: Final = 1.0
"""After some work comes a rest of at least so many times what it took."""
MOST_DRAWN: Final = 200
RETRY_SECONDS: Final = 1.0
TIME_PASSES: Final = 20.0

log = get_logger(__name__)

Announcements = Callable[[], AsyncGenerator[Announcement]]


class Redrawing:
    """Tells screens what has changed on them."""

    def __init__(
        self, screens: Screens, reads: Reads, directory: Directory, clock: Clock, announcements: Announcements
    ) -> None:
        self._screens = screens
        self._reads = reads
        self._directory = directory
        self._clock = clock
        self._announcements = announcements
        self._rails: dict[str, Rail] = {}
        self._rails_of: datetime | None = None
        self._changed: dict[str, int] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Carry on for as long as the process lives."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(_carry_on(self._draw, self._news, self._pause))
            tasks.create_task(self._keep_time())
            tasks.create_task(_carry_on(self._count, self._screens.arrived, lambda: COUNTS_PAUSE))

    async def _listen(self) -> None:
        while True:
            async for announcement in self._announcements():
                self._hear(announcement)
            self._screens.reset(self._screens.sequence)  # this process was too slow to hear everything

    def _hear(self, announcement: Announcement) -> None:
        match announcement.event:
            case "commit":
                self._changed[announcement.ticket_id] = announcement.sequence
                self._news.set()
            case "typing":
                self._screens.show(frame("typing", {"ticket_id": announcement.ticket_id}))
            case "reset":
                self._changed.clear()
                self._screens.reset(announcement.sequence)
                self._screens.arrived.set()

    def _pause(self) -> float:
        return PAUSE + PAUSE_A_SCREEN * len(self._screens)

    async def _draw(self) -> None:
        """Show what changed to everybody on whose list it belongs, and its absence to everybody else."""
        changed = dict(list(self._changed.items())[:MOST_DRAWN])
        self._screens.sequence = max(self._screens.sequence, *changed.values(), 0)  # who comes from now on starts later
        looked_at = self._looked_at()
        if changed and looked_at:
            await self._show(tuple(changed), looked_at)
        for ticket_id, sequence in changed.items():
            if self._changed.get(ticket_id) == sequence:
                del self._changed[ticket_id]
        if self._changed:
            self._news.set()
        if changed:
            self._screens.arrived.set()

    async def _show(self, ticket_ids: tuple[str, ...], looked_at: Mapping[TicketFilter | None, list[Screen]]) -> None:
        found = await self._reads.changed(ticket_ids, [wanted for wanted in looked_at if wanted is not None])
        drawn = {row.id: self._line(row) for row in found.rows}
        for wanted, screens in looked_at.items():
            members = found.members[wanted] if wanted is not None else frozenset[str]()
            lines = {ticket_id: line for ticket_id, line in drawn.items() if ticket_id in members}
            said = {"sequence": self._screens.sequence, "changed": ticket_ids, "lines": lines}
            self._screens.show(frame("rows", said, self._screens.sequence), to=screens)

    def _line(self, row: TicketRow) -> str:
        line = environment().get_template("row.html")
        return line.render(row=row, now=self._clock.now(), people=People(self._directory), view=None)

    def _looked_at(self) -> dict[TicketFilter | None, list[Screen]]:
        """Sort screens by what is listed on them; a search lists what it found, whatever becomes of it."""
        found: dict[TicketFilter | None, list[Screen]] = {}
        for screen in self._screens:
            wanted = self._wanted(screen)
            if screen.wanted not in {None, wanted}:  # time or an administrator has moved the bounds of the list
                screen.show(reset_frame(self._screens.sequence), sequence=self._screens.sequence)
            screen.wanted = wanted
            found.setdefault(wanted, []).append(screen)
        return found

    def _wanted(self, screen: Screen) -> TicketFilter | None:
        try:
            return self._rail(screen.agent_id).find(screen.view).wanted if screen.view else None
        except UnknownView:  # deleted while somebody looks at it; nothing belongs to it any more
            return None

    def _rail(self, agent_id: str) -> Rail:
        """Lay out an agent's rail, the same for a minute."""
        now = self._clock.now().replace(second=0, microsecond=0)
        if now != self._rails_of:
            self._rails, self._rails_of = {}, now
        if agent_id not in self._rails:
            self._rails[agent_id] = rail_for(agent_id, self._directory, now)
        return self._rails[agent_id]

    async def _count(self) -> None:
        """Tell rails how many tickets are in their views; a view that many rails have is counted once."""
        rails = {screen: {view.key: view.place for view in self._rail(screen.agent_id).all} for screen in self._screens}
        counted = await self._reads.counts(
            {view.place: view.wanted for screen in rails for view in self._rail(screen.agent_id).all}
        )
        for screen, rail in rails.items():
            counts = {key: counted[place] for key, place in rail.items()}
            if counts != screen.counts:
                screen.counts = counts
                screen.show(frame("counts", counts), sequence=self._screens.sequence)

    async def _keep_time(self) -> None:
        """Look at the clock when nothing changes: some lists depend on it."""
        while True:
            await asyncio.sleep(TIME_PASSES)
            self._news.set()


async def _carry_on(work: Callable[[], Awaitable[None]], wanted: asyncio.Event, pause: Callable[[], float]) -> None:
    """Work whenever there is some, and rest; a database that is away is asked again."""
    while True:
        await wanted.wait()
        wanted.clear()
        began = time.monotonic()
        try:
            await work()
        except Exception as error:
            if not isinstance(error, NothingLives) and not is_transient(error):
                raise
            log.warning("read models do not answer, will be asked again", error=repr(error))
            wanted.set()
            await asyncio.sleep(RETRY_SECONDS)
        await asyncio.sleep(max(pause(), PATIENCE * (time.monotonic() - began)))
