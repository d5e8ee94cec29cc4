"""What is parked, as pages see it: whether it still waits, and having it handled once more."""

import asyncio
from collections.abc import Iterable

from nats.aio.client import Client

from deskwire_shared.runtime.parking import UnknownParked, dismiss, get_parked
from deskwire_shared.runtime.replaying import ask_for_replay


class ParkedMessages:
    """Looks at parked things by their numbers."""

    def __init__(self, connection: Client) -> None:
        self._connection = connection
        self._js = connection.jetstream()

    async def waiting(self, numbers: Iterable[int]) -> frozenset[int]:
        """Say which of these still wait."""
        asked = tuple(numbers)
        wait = await asyncio.gather(*map(self._waits, asked))
        return frozenset(number for number, waits in zip(asked, wait, strict=True) if waits)

    async def replay(self, number: int) -> None:
        """Have something handled once more. Raises UnknownParked, or ReplayFailed: then it stays parked."""
        await ask_for_replay(self._connection, await get_parked(self._js, number))
        await dismiss(self._js, number)

    async def _waits(self, number: int) -> bool:
        try:
            await get_parked(self._js, number)
        except UnknownParked:
            return False
        return True
