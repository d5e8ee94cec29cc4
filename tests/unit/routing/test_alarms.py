"""When alarms are set, and when one that stands will do."""

from datetime import datetime, timedelta

from deskwire_routing.assignment.alarms import Alarms
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.testing.ticket import NOON

MINUTE = timedelta(minutes=1)


class CountingTimers:
    """Timers that keep all that was ever set."""

    def __init__(self) -> None:
        self.set_to: list[datetime] = []

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        self.set_to.append(at)


def some_alarms() -> tuple[Alarms, CountingTimers, ManualClock]:
    timers, clock = CountingTimers(), ManualClock(NOON)
    return Alarms(timers, clock), timers, clock


async def test_an_alarm_that_stands_early_enough_is_not_set_again() -> None:
    alarms, timers, _ = some_alarms()
    for minutes in (5, 5, 9):
        await alarms.set("support", "hours", NOON + minutes * MINUTE)
    assert timers.set_to == [NOON + 5 * MINUTE]


async def test_an_earlier_alarm_is_set() -> None:
    alarms, timers, _ = some_alarms()
    for minutes in (5, 3):
        await alarms.set("support", "hours", NOON + minutes * MINUTE)
    assert timers.set_to == [NOON + 5 * MINUTE, NOON + 3 * MINUTE]


async def test_alarms_of_others_and_of_other_names_stand_for_themselves() -> None:
    alarms, timers, _ = some_alarms()
    await alarms.set("support", "hours", NOON + MINUTE)
    await alarms.set("support", "soon", NOON + MINUTE)
    await alarms.set("billing", "hours", NOON + MINUTE)
    assert len(timers.set_to) == 3


async def test_an_alarm_that_may_have_rung_already_is_set_again() -> None:
    alarms, timers, clock = some_alarms()
    await alarms.set("support", "soon", NOON + MINUTE)
    clock.advance(MINUTE - timedelta(seconds=0.4))
    await alarms.set("support", "soon", NOON + 2 * MINUTE)
    assert timers.set_to == [NOON + MINUTE, NOON + 2 * MINUTE]
