"""Which ticket a conversation stands on: one after the other, each the next turn when the one before is closed.

The id of a turn derives from the conversation and its number, so that no index is needed and two processes that
hear the same conversation open one ticket (decision record 0002).
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from deskwire_intake.matching import TicketToken
from deskwire_intake.threads import opened_by
from deskwire_shared.eventstore.recorder import Recorder

LOOK_BACK: Final = 15
"""So many turns back a message is recognised that was delivered before."""
REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Turns:
    """The tickets of a conversation: the one that would be opened next, and those before it, the latest first."""

    next_id: str
    earlier: tuple[str, ...] = ()

    @property
    def candidates(self) -> tuple[TicketToken, ...]:
        """Where a message of the conversation may stand or belong, the best first."""
        return tuple(map(TicketToken, (self.next_id, *self.earlier)))


class Conversations:
    """Finds the tickets of conversations."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._known: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def turns(self, channel_id: str, conversation: str) -> Turns:
        """The tickets of a conversation on a channel."""
        key = (channel_id, conversation)
        count = await self._count(key)
        self._remember(key, count)
        earlier = (turn_id(*key, number) for number in range(count - 1, max(-1, count - 1 - LOOK_BACK), -1))
        return Turns(turn_id(*key, count), tuple(earlier))

    async def _count(self, key: tuple[str, str]) -> int:
        """How many turns there are: they have no gaps, so that steps that double and then halve find the end."""
        there = self._known.get(key, 0)
        step = 1
        while await self._exists(key, there + step - 1):
            there, step = there + step, step * 2
        while step > 1:
            step //= 2
            if await self._exists(key, there + step - 1):
                there += step
        return there

    async def _exists(self, key: tuple[str, str], number: int) -> bool:
        return (await self._recorder.ticket(turn_id(*key, number))).exists

    def _remember(self, key: tuple[str, str], count: int) -> None:
        self._known[key] = count
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def turn_id(channel_id: str, conversation: str, number: int) -> str:
    """The id of a conversation's ticket."""
    return opened_by(channel_id, f"conversation:{conversation}:{number}")
