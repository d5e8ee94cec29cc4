"""Agents see who else is on a ticket, as long as they are, and nobody else sees it."""

import json
from dataclasses import dataclass, field
from typing import Any

from deskwire_query.web.live import presence
from deskwire_query.web.live.presence import LOOKING_SECONDS, TYPING_SECONDS, Looking, Presence, Sighting
from deskwire_query.web.live.screens import Screen, Screens

TICKET = "a" * 16
OTHER_TICKET = "b" * 16


@dataclass
class Room:
    """Agents before their screens, on a clock of their own."""

    now: float = 100.0
    screens: Screens = field(default_factory=lambda: Screens(most=100))
    presence: Presence = field(init=False)

    def __post_init__(self) -> None:
        self.presence = Presence(self.screens, self._publish, now=lambda: self.now)

    async def _publish(self, _: str, told: bytes) -> None:
        self.presence.hear(told)

    async def look(self, agent: str, ticket_id: str | None, *, tab: str = "1", typing: bool = False) -> None:
        looking = Looking(tab=tab, ticket_id=ticket_id, typing=typing)
        await self.presence.tell(Sighting(agent_id=agent, name=agent.title(), looking=looking))


def a_screen(agent: str, tab: str = "1") -> Screen:
    return Screen(agent_id=agent, view="open", tab=tab)


def people(screen: Screen) -> list[dict[str, Any]] | None:
    """Who a screen was told of last; None when it was told nothing."""
    told = None
    while not screen.queue.empty():
        told = screen.queue.get_nowait()
    found: list[dict[str, Any]] | None = json.loads(told.split(b"data: ")[1])["people"] if told else None
    return found


async def test_two_agents_on_one_ticket_see_each_other_and_nobody_sees_themselves() -> None:
    room, ada, bob, eve = Room(), a_screen("ada"), a_screen("bob"), a_screen("eve")
    with room.screens.showing(ada), room.screens.showing(bob), room.screens.showing(eve):
        await room.look("ada", TICKET)
        await room.look("eve", OTHER_TICKET)
        await room.look("bob", TICKET)
    assert people(ada) == [{"name": "Bob", "typing": False}]
    assert people(bob) == [{"name": "Ada", "typing": False}]
    assert people(eve) == []


async def test_who_writes_is_said_to_write_for_a_few_seconds() -> None:
    room, ada = Room(), a_screen("ada")
    with room.screens.showing(ada):
        await room.look("ada", TICKET)
        await room.look("bob", TICKET, typing=True)
        assert people(ada) == [{"name": "Bob", "typing": True}]
        room.now += TYPING_SECONDS
        room.presence.sweep()
        assert people(ada) == [{"name": "Bob", "typing": False}]


async def test_who_goes_to_another_ticket_or_away_is_no_longer_seen() -> None:
    room, ada = Room(), a_screen("ada")
    with room.screens.showing(ada):
        await room.look("ada", TICKET)
        for where in (OTHER_TICKET, None):
            await room.look("bob", TICKET)
            assert people(ada) == [{"name": "Bob", "typing": False}]
            await room.look("bob", where)
            assert people(ada) == []


async def test_who_is_not_heard_of_for_a_while_is_forgotten() -> None:
    room, ada = Room(), a_screen("ada")
    with room.screens.showing(ada):
        await room.look("bob", TICKET)
        room.now += LOOKING_SECONDS - 1
        await room.look("ada", TICKET)
        room.presence.sweep()
        assert people(ada) == [{"name": "Bob", "typing": False}]
        room.now += 1
        room.presence.sweep()
        assert people(ada) == []


async def test_saying_the_same_again_tells_nobody_anything() -> None:
    room, ada = Room(), a_screen("ada")
    with room.screens.showing(ada):
        await room.look("ada", TICKET)
        await room.look("bob", TICKET)
        people(ada)
        await room.look("bob", TICKET)
        assert people(ada) is None


async def test_an_agent_with_two_pages_is_one_person() -> None:
    room, ada = Room(), a_screen("ada")
    with room.screens.showing(ada):
        await room.look("ada", TICKET)
        await room.look("bob", TICKET, tab="1")
        await room.look("bob", TICKET, tab="2", typing=True)
    assert people(ada) == [{"name": "Bob", "typing": True}]


async def test_a_flood_of_pages_fills_no_memory(monkeypatch: Any) -> None:
    monkeypatch.setattr(presence, "MOST", 2)
    room, ada = Room(), a_screen("ada", "9")
    with room.screens.showing(ada):
        await room.look("ada", TICKET, tab="9")
        for number in range(5):
            await room.look("bob", TICKET, tab=f"b{number}")
    assert people(ada) == [{"name": "Bob", "typing": False}]


async def test_what_another_version_says_is_passed_over() -> None:
    room = Room()
    room.presence.hear(b"{}")
    room.presence.hear(b"\xff")
