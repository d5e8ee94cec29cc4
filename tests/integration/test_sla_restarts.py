"""Timers outlive the server: it is killed while they are pending, and those that come due meanwhile fire afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deskwire_shared.contracts.facts import Priority, SlaBreached
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.subjects import TIMERS
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.runtime.desk import Desk as OpenDesk
from deskwire_shared.runtime.desk import open_desk
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.ticket.commands import OpenTicket
from processes import Desk
from ticket_desk import ADMIN, CORA, CORA_ID, CUSTOMER, until

TIMERS_PENDING = 300
AT_ONCE = 32
SOON, LATER = 12, 25
POLICY = SlaPolicy.model_validate(
    {
        "name": "Standard",
        "targets": [{"metric": "first_response", "seconds": {"normal": SOON, "low": LATER}}],
        "warn_at": [],
    }
)


@asynccontextmanager
async def opened(desk: Desk) -> AsyncIterator[OpenDesk]:
    async with open_desk(CommonSettings(nats_url=desk.nats_url, data_dir=desk.folder / "data")) as found:
        yield found


async def open_tickets(desk: OpenDesk) -> list[str]:
    """Half of the tickets are due soon, half of them later."""
    room = asyncio.Semaphore(AT_ONCE)

    async def open_one(number: int) -> str:
        ticket_id, priority = new_id(), LEVELS[number % 2]
        command = OpenTicket(
            message_id=new_id(), number=number + 1, channel="email", author=CORA, requester_id=CORA_ID,
            subject="Fire", text="Help.", priority=priority,
        )  # fmt: skip
        async with room:
            await desk.recorder.record(ticket_id, command, Cause(new_id(), CUSTOMER, desk.clock.now()), unwritten=True)
        return ticket_id

    return await asyncio.gather(*(open_one(number) for number in range(TIMERS_PENDING)))


LEVELS: tuple[Priority, Priority] = ("normal", "low")


async def all_timers_are_set(desk: OpenDesk) -> bool | None:
    state = (await desk.js.stream_info(TIMERS, subjects_filter="timer.wait.>")).state
    return len(state.subjects or {}) >= TIMERS_PENDING or None


async def breaches(desk: OpenDesk, ticket_id: str) -> list[SlaBreached] | None:
    history = await desk.store.load(ticket_id)
    return [fact for commit in history.commits for fact in commit.facts if isinstance(fact, SlaBreached)] or None


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_all_pending_timers_fire_although_the_server_was_killed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, services={"sla": ("sla",)})
    try:
        await asyncio.to_thread(desk.start)
        async with opened(desk) as log:
            await log.directory.put("standard", POLICY, actor=ADMIN)
            tickets = await open_tickets(log)
            last_opened = log.clock.now()
            await until(lambda: all_timers_are_set(log), within=60)
            clock = log.clock
        desk.kill("nats")
        some_are_due = last_opened + timedelta(seconds=SOON)

        async def due_meanwhile() -> datetime | None:
            return now if (now := clock.now()) > some_are_due else None

        await until(due_meanwhile, within=60)
        await asyncio.to_thread(desk.start_one, "nats")
        async with opened(desk) as log:
            for ticket_id in tickets:
                (breached,) = await until(lambda ticket_id=ticket_id: breaches(log, ticket_id), within=90)  # type: ignore[misc]
                assert breached.metric == "first_response"
            assert (await log.js.stream_info(TIMERS, subjects_filter="timer.wait.>")).state.subjects is None
    finally:
        await asyncio.to_thread(desk.stop)
