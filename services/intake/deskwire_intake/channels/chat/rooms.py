"""The chats whose customers are connected to this process.

Any process may hold the sockets of any chat, since all of them hear the log, and notify asks them all.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from weakref import WeakValueDictionary

from deskwire_intake.channels.chat.room import Room, RoomParts
from deskwire_intake.channels.chat.waiting import ChatQueue
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.follower import Follower

RESTATE_SECONDS: Final = 15.0
"""How often chats are told how they stand without any news: an office may have opened."""
TOGETHER_SECONDS: Final = 0.1


class Rooms:
    """The rooms of this process."""

    def __init__(self, parts: RoomParts) -> None:
        self._parts = parts
        self._rooms: dict[str, Room] = {}
        self._doors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._queue = ChatQueue(parts.connection, self._queue_changed)
        self._restating = asyncio.Event()

    @property
    def count(self) -> int:
        """How many chats have their customer here."""
        return len(self._rooms)

    async def start(self) -> None:
        """Hear of the queues of other processes."""
        await self._queue.start()

    async def run(self, first_sequence: int) -> None:
        """Follow the log from a sequence on, and tell the rooms."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(first_sequence), name="follow the log for chats")
            tasks.create_task(self._queue.run(), name="tell the chat queue")
            tasks.create_task(self._restate(), name="tell chats how they stand")

    @asynccontextmanager
    async def enter(self, ticket_id: str, channel_id: str) -> AsyncIterator[Room]:
        """Give the room of a chat; it is there for as long as somebody is in it. Raises EventStoreError."""
        async with self._door(ticket_id):
            room = self._rooms.get(ticket_id)
            if room is None:
                room = Room(ticket_id, channel_id, self._parts, self._queue)
                await room.open()
                self._rooms[ticket_id] = room
            room.visitors += 1
        try:
            yield room
        finally:
            async with self._door(ticket_id):
                room.visitors -= 1
                if not room.visitors:
                    del self._rooms[ticket_id]
                    await room.close()

    def _door(self, ticket_id: str) -> asyncio.Lock:
        return self._doors.setdefault(ticket_id, asyncio.Lock())

    async def _follow(self, first_sequence: int) -> None:
        follower = Follower(self._parts.connection, TICKETS, start=first_sequence)
        await follower.open()
        try:
            while True:
                for delivery in await follower.batch():
                    room = self._rooms.get(delivery.subject.rpartition(".")[2])
                    if room is not None:
                        room.changed(delivery.sequence)
        finally:
            await follower.close()

    def _queue_changed(self) -> None:
        self._restating.set()

    async def _restate(self) -> None:
        """Tell every chat how it stands: when the queue moves, and when an office may have opened."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._restating.wait(), RESTATE_SECONDS)
            self._restating.clear()
            for room in list(self._rooms.values()):
                room.tell_state()
            await asyncio.sleep(TOGETHER_SECONDS)  # changes that come together are told together
