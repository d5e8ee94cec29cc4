"""Changed policies and calendars reach the tickets that are open, on a real NATS server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from deskwire_shared.contracts.calendar import WEEKDAYS
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.facts import (
    SlaApplied,
)
from deskwire_shared.contracts.subjects import DIRECTORY
from deskwire_shared.ticket.commands import ChangeStatus
from deskwire_sla.app import service as sla
from sla_desk import ADA, HOUR, SLA, clock_of, promising, tick_of, timers_of
from ticket_desk import ticket_desk

CHANGES = ((DIRECTORY, "sla-policies"), (DIRECTORY, "sla-calendars"))


def open_on(now: datetime, *, days: int) -> Calendar:
    """Always open but for the next days."""
    closed = {(now + timedelta(days=day)).astimezone(UTC).date().isoformat(): () for day in range(days)}
    always = dict.fromkeys(WEEKDAYS, (("00:00", "24:00"),))
    return Calendar.model_validate({"name": "Office", "time_zone": "UTC", "hours": always, "exceptions": closed})


async def test_a_new_policy_reaches_the_tickets_that_are_open_already(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        waiting, solved = await desk.open(), await desk.open()
        await desk.do(solved, ChangeStatus(status="solved"), ADA)
        await desk.settled(*SLA)
        await desk.put("standard", promising(normal=HOUR))
        await desk.commit_with(waiting, SlaApplied)
        await desk.settled(*CHANGES, *SLA)
        assert await timers_of(desk, waiting) == [tick_of((await clock_of(desk, waiting)).warn_at)]
        assert await desk.facts(solved, SlaApplied) == []


async def test_a_changed_calendar_moves_the_clocks_of_open_tickets(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("office", open_on(desk.runtime.clock.now(), days=0))
        await desk.put("standard", promising(normal=HOUR).model_copy(update={"calendar_id": "office"}))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, SlaApplied)
        before = await clock_of(desk, ticket_id)
        await desk.put("office", open_on(desk.runtime.clock.now(), days=3))
        await desk.commit_with(ticket_id, SlaApplied, count=2)
        after = await clock_of(desk, ticket_id)
        assert before.due_at is not None
        assert after.due_at is not None
        assert after.due_at - before.due_at > timedelta(days=1)
        (_, applied) = await desk.facts(ticket_id, SlaApplied)
        assert (applied.calendar_id, applied.calendar_revision) == ("office", 2)


async def test_a_missing_calendar_gives_no_clocks_until_it_comes(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", promising(normal=HOUR).model_copy(update={"calendar_id": "office"}))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, SlaApplied)
        await desk.settled(*SLA)
        (applied,) = await desk.facts(ticket_id, SlaApplied)
        assert (applied.policy_id, applied.clocks) == ("standard", ())
        await desk.put("office", open_on(desk.runtime.clock.now(), days=0))
        await desk.commit_with(ticket_id, SlaApplied, count=2)
        assert (await clock_of(desk, ticket_id)).state == "running"


async def test_a_policy_changed_while_sla_was_down_is_not_missed(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", promising(normal=HOUR))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, SlaApplied)
        await desk.settled(*CHANGES, *SLA)
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("standard", promising(normal=2 * HOUR))
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.commit_with(ticket_id, SlaApplied, count=2)
        assert (await clock_of(desk, ticket_id)).target == 2 * HOUR
