"""What agents see on lists that are open while tickets change, and how little is done for it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deskwire_query.live import Announcement, TooManyListeners
from deskwire_query.reading.read_models import Changed, TicketFilter
from deskwire_query.reading.reader import Reader
from deskwire_query.web.live.redrawing import Redrawing
from deskwire_query.web.live.screens import QUEUE, Screen, Screens, frame
from deskwire_shared.contracts.facts import Assigned, StatusChanged
from deskwire_shared.eventstore.ending import end
from deskwire_shared.runtime.clock import ManualClock
from query_desk import MONDAY, QueryDesk, query_desk, ticket_id

DEADLINE = 10.0


class CountingReader(Reader):
    """A reader that remembers how often it was asked."""

    asked: list[int]
    drawn_rows: int = 0

    async def changed(self, ticket_ids: Sequence[str], selections: Sequence[TicketFilter]) -> Changed:
        self.asked.append(len(selections))
        found = await super().changed(ticket_ids, selections)
        self.drawn_rows += len(found.rows)
        return found


@dataclass
class LiveDesk:
    """A desk whose screens are kept true."""

    desk: QueryDesk
    screens: Screens
    reader: CountingReader
    clock: ManualClock = field(default_factory=lambda: ManualClock(MONDAY))
    announced: asyncio.Queue[Announcement] = field(default_factory=asyncio.Queue)

    async def announcements(self) -> AsyncGenerator[Announcement]:
        while True:
            yield await self.announced.get()

    async def announce(self, *numbers: int) -> None:
        """Say that tickets have changed."""
        position = await self.reader.position()
        for number in numbers:
            self.announced.put_nowait(Announcement(position, ticket_id(number)))

    async def see(self, screen: Screen, event: str) -> dict[str, Any]:
        """Wait for a frame of a kind."""
        async with asyncio.timeout(DEADLINE):
            while True:
                lines = (await screen.queue.get()).decode().split("\r\n")
                if f"event: {event}" in lines:
                    said: dict[str, Any] = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
                    return said


@asynccontextmanager
async def live_desk(folder: Path) -> AsyncIterator[LiveDesk]:
    async with query_desk(f"sqlite+aiosqlite:///{folder}/desk.db") as desk:
        reader = CountingReader(desk.database, desk.directory)
        reader.asked = []
        live = LiveDesk(desk, Screens(most=1000), reader)
        redrawing = Redrawing(live.screens, reader, desk.directory, live.clock, live.announcements)
        running = asyncio.create_task(redrawing.run())
        try:
            yield live
        finally:
            await end(running)


def a_screen(view: str = "open", agent: str = "ada") -> Screen:
    return Screen(agent_id=agent, view=view)


async def test_a_ticket_that_changed_is_drawn_on_the_lists_it_belongs_to(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        await live.desk.open(1)
        await live.desk.open(2)
        await live.desk.add(2, Assigned(agent_id="ada"))
        everything, mine = a_screen("open"), a_screen("mine")
        with live.screens.showing(everything), live.screens.showing(mine):
            await live.announce(1, 2)
            seen = [await live.see(screen, "rows") for screen in (everything, mine)]
        assert [sorted(said["lines"]) for said in seen] == [sorted([ticket_id(1), ticket_id(2)]), [ticket_id(2)]]
        assert all(said["changed"] == [ticket_id(1), ticket_id(2)] for said in seen)
        assert 'data-number="1"' in seen[0]["lines"][ticket_id(1)]


async def test_a_ticket_that_leaves_a_list_is_named_without_a_line(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        await live.desk.open(1)
        await live.desk.add(1, StatusChanged(before="new", after="solved"))
        screen = a_screen("open")
        with live.screens.showing(screen):
            await live.announce(1)
            said = await live.see(screen, "rows")
        assert (said["changed"], said["lines"]) == ([ticket_id(1)], {})


async def test_fifty_agents_with_three_lists_cost_one_question_each_time(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        await live.desk.open(1)
        screens = [a_screen(("open", "pending", "mine")[n % 3], f"agent{n // 3}") for n in range(150)]
        with contextlib.ExitStack() as open_screens:
            for screen in screens:
                open_screens.enter_context(live.screens.showing(screen))
            await live.announce(1)
            for screen in screens:
                await live.see(screen, "rows")
        assert live.reader.asked == [2 + 50]
        assert live.reader.drawn_rows == 1


async def test_a_burst_of_changes_to_a_ticket_is_drawn_together(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        await live.desk.open(1)
        screen = a_screen()
        with live.screens.showing(screen):
            await live.announce(*[1] * 100)
            await live.see(screen, "rows")
            await live.announce(1)
            await live.see(screen, "rows")
        assert len(live.reader.asked) <= 3


async def test_rails_are_told_their_counts_once_they_are_others(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        await live.desk.open(1)
        screen = a_screen()
        with live.screens.showing(screen):
            counts = await live.see(screen, "counts")
            assert (counts["open"], counts["unassigned"], counts["mine"]) == (1, 1, 0)
            await live.desk.add(1, Assigned(agent_id="ada"))
            await live.announce(1)
            counts = await live.see(screen, "counts")
        assert (counts["open"], counts["unassigned"], counts["mine"]) == (1, 0, 1)


async def test_a_screen_that_shows_less_than_is_known_starts_over() -> None:
    screens = Screens(most=1)
    screens.sequence = 7
    async with aclosing(screens.watch(a_screen(), after=6)) as frames:
        assert b"event: reset" in await anext(frames)


async def test_a_slow_screen_starts_over_instead_of_filling_the_memory() -> None:
    screens, screen = Screens(most=1), a_screen()
    with screens.showing(screen):
        for _ in range(QUEUE + 1):
            screens.show(frame("rows", {}))
    assert screen.queue.qsize() == 1
    assert b"event: reset" in screen.queue.get_nowait()


async def test_a_process_shows_so_many_screens_and_no_more() -> None:
    screens = Screens(most=1)
    with screens.showing(a_screen()), pytest.raises(TooManyListeners):
        screens.require_room()


async def test_a_reset_of_the_log_reaches_every_screen(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        screen = a_screen()
        with live.screens.showing(screen):
            await live.announced.put(Announcement(3, event="reset"))
            assert await live.see(screen, "reset") == {"sequence": 3}


async def test_a_view_that_was_deleted_shows_no_more_changes(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        await live.desk.open(1)
        screen = a_screen("view-gone")
        with live.screens.showing(screen):
            await live.announce(1)
            assert (await live.see(screen, "rows"))["lines"] == {}


async def test_a_list_whose_bounds_time_has_moved_starts_over(tmp_path: Path) -> None:
    async with live_desk(tmp_path) as live:
        screen = a_screen("soon")
        await live.desk.open(1)
        with live.screens.showing(screen):
            await live.announce(1)
            await live.see(screen, "rows")
            live.clock.advance(timedelta(minutes=5))
            await live.announce(1)
            await live.see(screen, "reset")
