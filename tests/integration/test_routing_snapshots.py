"""A start goes on from a snapshot, and never depends on it."""

import asyncio
from pathlib import Path

import obstore
import pytest

from deskwire_routing.app import service
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.snapshots import KEY, ObjectSnapshots, Snapshot
from deskwire_routing.workload.workload import Memory
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Assigned
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.follower import Follower
from ticket_desk import TicketDesk, ticket_desk

TICKETS_OPENED = 5


async def worked(desk: TicketDesk) -> None:
    """Ada gets some tickets."""
    await desk.put("support", Team(name="Support"))
    await desk.put("mail", Channel(name="Mail", medium="email", address="help@acme.example", team_id="support"))
    await desk.put("ada", Agent(email="ada@acme.example", name="Ada", team_ids=("support",)))
    for _ in range(TICKETS_OPENED):
        await desk.commit_with(await desk.open(), Assigned)


async def started(desk: TicketDesk) -> tuple[int, LiveWorkload]:
    """Start as a replica does; from where the log was read, and what is known then."""
    starts: list[int] = []
    live = LiveWorkload(patience_seconds=10)

    def follower(start: int) -> Follower:
        starts.append(start)
        return Follower(desk.runtime.connection, TICKETS, subjects=["ticket.>"], start=start)

    snapshots = ObjectSnapshots(desk.runtime.objects, desk.runtime.js)
    following = asyncio.create_task(live.follow(follower, snapshots))
    await live.reached((await desk.runtime.js.stream_info(TICKETS)).state.last_seq)
    await end(following)
    return starts[0], live


async def test_a_process_that_stops_leaves_a_snapshot_for_the_next(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await worked(desk)
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.open()
        start, live = await started(desk)
        assert start == 2 * TICKETS_OPENED + 1
        assert live.now.open_tickets("ada") == TICKETS_OPENED


async def test_without_a_snapshot_the_whole_log_is_read(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await worked(desk)
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await obstore.delete_async(desk.runtime.objects, KEY)
        start, live = await started(desk)
        assert (start, live.now.open_tickets("ada")) == (1, TICKETS_OPENED)


@pytest.mark.parametrize("kept", [b"", b"not packed", b"x\x9c\x03\x00\x00\x00\x00\x01", "other", "beyond"])
async def test_a_snapshot_that_is_broken_or_of_another_log_is_passed_over(
    fresh_nats: str, tmp_path: Path, kept: bytes | str
) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await worked(desk)
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        if isinstance(kept, bytes):
            await obstore.put_async(desk.runtime.objects, KEY, kept)
        else:
            wrong = Snapshot(sequence=3 if kept == "other" else 999, commit_id="x", memory=Memory())
            await ObjectSnapshots(desk.runtime.objects, desk.runtime.js).save(wrong)
        start, live = await started(desk)
        assert (start, live.now.open_tickets("ada")) == (1, TICKETS_OPENED)
