"""Service levels on a real NATS server: clocks, timers, restarts, changed policies."""

import asyncio
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deskwire_routing.app import service as routing
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import (
    Assigned,
    NoteAdded,
    PriorityChanged,
    Routed,
    RuleApplied,
    SlaApplied,
    SlaBreached,
    SlaClock,
    SlaMet,
    SlaWarned,
    Woken,
)
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import TICKETS, TIMERS, ticket_subject
from deskwire_shared.runtime.process_manager import Heard, HeardMessage
from deskwire_shared.runtime.timers import Timers
from deskwire_shared.ticket.commands import ChangePriority, ChangeStatus, SendReply, SnoozeTicket
from deskwire_sla.app import service as sla
from deskwire_sla.app import wired
from deskwire_sla.handlers import ServiceLevels
from deskwire_sla.hints import NEXT_LOOK, SERVICE, Hint, Revision
from deskwire_sla.rechecks import DirectoryLags
from sla_desk import ADA, HOUR, SLA, clock_of, promising, tick_of, timers_of
from ticket_desk import TicketDesk, ticket_desk, until


def levels_of(desk: TicketDesk, timers: Timers | None = None) -> ServiceLevels:
    """A replica that hears nothing by itself."""
    return wired(desk.runtime, timers or Timers(desk.runtime.js, SERVICE))


async def heard(desk: TicketDesk, ticket_id: str) -> Heard:
    """The newest commit of a ticket, as a process manager hears it."""
    subject = ticket_subject(ticket_id)
    message = await desk.runtime.js.get_msg(TICKETS, subject=subject)
    assert message.seq is not None
    now = desk.runtime.clock.now()
    return Heard(ticket_id, message.seq, subject, frozenset(), now, (HeardMessage(message.seq, message.data or b""),))


HANGS_BEFORE_ITS_TIMER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from ticket_desk import ticket_desk
from deskwire_sla import app
from deskwire_shared.runtime.timers import Timers

class HangingTimers(Timers):
    async def set(self, ticket_id, name, at):
        print("appended", flush=True)
        await asyncio.Event().wait()

async def main():
    app.Timers = HangingTimers
    async with ticket_desk(sys.argv[1], Path(sys.argv[2]), app.service):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def wait_less_for_redelivery(desk: TicketDesk) -> None:
    config = (await desk.runtime.js.consumer_info(TICKETS, "sla")).config
    assert config is not None
    config.ack_wait = 1.0
    await desk.runtime.js.add_consumer(TICKETS, config=config)


async def line_that_says(process: asyncio.subprocess.Process, word: bytes) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while (line := await process.stdout.readline()).strip() != word:
            assert line, "the process ended early"


@dataclass(frozen=True)
class SlowTimers(Timers):
    """Timers of a replica that is held up before it sets its first one."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        """Wait to be told, then set it."""
        self.arrived.set()
        await self.go_on.wait()
        await Timers.set(self, ticket_id, name, at)


async def knows_policy(desk: TicketDesk) -> bool | None:
    return True if desk.runtime.directory.get(SlaPolicy, "standard") else None


async def test_a_ticket_is_warned_of_and_missed_on_time(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", promising(normal=2))
        ticket_id = await desk.open()
        applied = await desk.commit_with(ticket_id, SlaApplied)
        opened = (await desk.commits(ticket_id))[0]
        assert applied.causation_id == opened.commit_id
        clock = await clock_of(desk, ticket_id)
        assert clock.due_at == opened.at + timedelta(seconds=2)
        warned, breached = [await desk.commit_with(ticket_id, kind) for kind in (SlaWarned, SlaBreached)]
        assert clock.warn_at is not None
        assert warned.at >= clock.warn_at
        assert breached.at >= clock.due_at
        assert breached.actor == Actor(kind="system", id="sla")
        assert breached.correlation_id == opened.correlation_id
        assert breached.causation_id == applied.commit_id
        await desk.settled(*SLA)
        assert await timers_of(desk, ticket_id) == []


async def test_an_answer_in_time_meets_the_promise_and_cancels_the_timer(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", promising(normal=HOUR))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, SlaApplied)
        await desk.settled(*SLA)
        assert await timers_of(desk, ticket_id) == [tick_of((await clock_of(desk, ticket_id)).warn_at)]
        await desk.do(ticket_id, SendReply(message_id="a1", agent_id="ada", text="Water."), ADA)
        await desk.commit_with(ticket_id, SlaMet)
        await desk.settled(*SLA)
        assert await timers_of(desk, ticket_id) == []


async def test_a_pause_takes_the_timer_away_and_its_end_sets_a_later_one(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", promising("resolution", normal=HOUR))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, SlaApplied)
        first = (await clock_of(desk, ticket_id)).warn_at
        await desk.do(ticket_id, ChangeStatus(status="pending"), ADA)
        await desk.commit_with(ticket_id, SlaApplied, count=2)
        await desk.settled(*SLA)
        assert await timers_of(desk, ticket_id) == []
        await desk.do(ticket_id, ChangeStatus(status="open"), ADA)
        await desk.commit_with(ticket_id, SlaApplied, count=3)
        await desk.settled(*SLA)
        (later,) = await timers_of(desk, ticket_id)
        assert first is not None
        assert later > first


async def test_a_changed_priority_moves_the_timer(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", promising(normal=HOUR, urgent=60))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, SlaApplied)
        await desk.do(ticket_id, ChangePriority(priority="urgent"), ADA)
        await desk.commit_with(ticket_id, SlaApplied, count=2)
        await desk.settled(*SLA)
        opened_at = (await desk.ticket(ticket_id)).opened_at
        assert opened_at is not None
        assert await timers_of(desk, ticket_id) == [tick_of(opened_at + timedelta(seconds=30))]


async def test_a_rule_of_routing_decides_which_promise_holds(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, routing, sla) as desk:
        await desk.put("standard", promising(normal=HOUR, urgent=60))
        urgent = {"name": "Urgent", "actions": [{"do": "set_priority", "priority": "urgent"}]}
        await desk.put("r1", Rule.model_validate(urgent))
        ticket_id = await desk.open()

        async def urgent_clock() -> SlaClock | None:
            ticket = await desk.ticket(ticket_id)
            return next((c for c in (ticket.sla.clocks if ticket.sla else ()) if c.target == 60), None)

        assert await until(urgent_clock)


async def test_an_escalation_moves_the_ticket_and_routing_finds_an_agent_there(fresh_nats: str, tmp_path: Path) -> None:
    actions = [
        {"do": "notify_agents", "team": True},
        {"do": "raise_priority"},
        {"do": "set_team", "team_id": "experts"},
    ]
    policy = promising(normal=1, high=HOUR).model_dump() | {"escalations": [{"when": "breached", "actions": actions}]}
    async with ticket_desk(fresh_nats, tmp_path, routing, sla) as desk:
        await desk.put("experts", Team(name="Experts"))
        await desk.put("bob", Agent(email="bob@example.com", name="Bob", team_ids=("experts",)))
        await desk.put("standard", SlaPolicy.model_validate(policy))
        ticket_id = await desk.open()
        breach = await desk.commit_with(ticket_id, SlaBreached)
        assert {type(fact) for fact in breach.facts} == {SlaBreached, RuleApplied, NoteAdded, PriorityChanged, Routed}
        await desk.commit_with(ticket_id, Assigned)
        await desk.settled(*SLA)
        ticket = await desk.ticket(ticket_id)
        assert (ticket.assignee_id, ticket.team_id, ticket.priority) == ("bob", "experts", "high")
        assert (await clock_of(desk, ticket_id)).target == HOUR
        assert len(await desk.facts(ticket_id, SlaBreached, RuleApplied, NoteAdded, PriorityChanged)) == 4


async def test_a_ticket_without_a_policy_has_neither_clocks_nor_timers(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        ticket_id = await desk.open()
        await desk.settled(*SLA)
        assert len(await desk.commits(ticket_id)) == 1
        assert await timers_of(desk, ticket_id) == []


async def test_a_snoozed_ticket_wakes_on_time(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        ticket_id = await desk.open()
        now = desk.runtime.clock.now()
        await desk.do(ticket_id, SnoozeTicket(until=now + timedelta(seconds=1), at=now), ADA)
        woken = await desk.commit_with(ticket_id, Woken)
        assert woken.at - now >= timedelta(seconds=1)


async def test_what_was_missed_while_sla_was_down_is_noted_when_it_is_back(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", promising(normal=1))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, SlaApplied)
        await desk.settled((TICKETS, "sla"))
    async with ticket_desk(fresh_nats, tmp_path) as desk:

        async def due_passed() -> bool | None:
            due_at = (await clock_of(desk, ticket_id)).due_at
            return True if due_at is not None and desk.runtime.clock.now() > due_at + timedelta(seconds=1) else None

        await until(due_passed)
        assert await desk.facts(ticket_id, SlaBreached) == []
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.commit_with(ticket_id, SlaBreached)


async def test_a_process_killed_between_append_and_timer_loses_no_timer(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("standard", promising(normal=2))
        await wait_less_for_redelivery(desk)
        doomed = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HANGS_BEFORE_ITS_TIMER, fresh_nats, str(tmp_path), str(Path(__file__).parents[1]),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            await line_that_says(doomed, b"ready")
            ticket_id = await desk.open()
            await line_that_says(doomed, b"appended")
        finally:
            doomed.kill()
            await doomed.wait()
        assert len(await desk.facts(ticket_id, SlaApplied)) == 1
        assert await timers_of(desk, ticket_id) == []
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.commit_with(ticket_id, SlaBreached)
        assert len(await desk.facts(ticket_id, SlaApplied)) == 1


async def test_the_slower_of_two_replicas_does_not_take_the_timer_of_the_newer_state_away(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk, ticket_desk(fresh_nats, tmp_path) as other:
        await desk.put("standard", promising(normal=HOUR, urgent=60))
        await until(lambda: knows_policy(other))
        ticket_id = await desk.open()
        await levels_of(desk).on_commits(await heard(desk, ticket_id))
        usual = await timers_of(desk, ticket_id)
        await desk.do(ticket_id, ChangePriority(priority="urgent"), ADA)
        timers = SlowTimers(desk.runtime.js, SERVICE)
        slow = asyncio.create_task(levels_of(desk, timers).on_commits(await heard(desk, ticket_id)))
        await timers.arrived.wait()
        await other.do(ticket_id, ChangePriority(priority="normal"), ADA)
        await levels_of(other).on_commits(await heard(other, ticket_id))
        timers.go_on.set()
        await slow
        assert set(usual) <= set(await timers_of(desk, ticket_id))


async def test_hearing_a_commit_again_notes_nothing_and_sets_a_lost_timer(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("standard", promising(normal=HOUR))
        levels, ticket_id = levels_of(desk), await desk.open()
        news = await heard(desk, ticket_id)
        await levels.on_commits(news)
        timers = await timers_of(desk, ticket_id)
        await desk.runtime.js.purge_stream(TIMERS, subject=f"timer.wait.sla.*.{ticket_id}.*")
        assert await timers_of(desk, ticket_id) == []
        await levels.on_commits(news)
        assert len(timers) == 1
        assert await timers_of(desk, ticket_id) == timers
        assert len(await desk.commits(ticket_id)) == 2


async def test_who_works_on_a_ticket_matters_only_to_policies_that_ask_for_it(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("standard", promising(normal=HOUR))
        levels, ticket_id = levels_of(desk), await desk.open()
        assigned = replace(await heard(desk, ticket_id), facts=frozenset({"ticket.assigned.v1"}))
        await levels.on_commits(assigned)
        assert await desk.facts(ticket_id, SlaApplied) == []
        asks = {"all": [{"field": "ticket.channel", "op": "is", "value": "email"}]}
        policy = promising(normal=HOUR).model_dump() | {"conditions": asks}
        await desk.put("standard", SlaPolicy.model_validate(policy))
        await levels.on_commits(assigned)
        assert len(await desk.facts(ticket_id, SlaApplied)) == 1


async def test_a_breach_that_came_due_before_a_redelivery_is_noted_then(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("standard", promising(normal=1))
        levels, ticket_id = levels_of(desk), await desk.open()
        news = await heard(desk, ticket_id)
        await levels.on_commits(news)
        later = Heard(
            ticket_id, news.sequence, news.subject, news.facts, news.stored_at + timedelta(seconds=5), news.messages
        )
        await levels.on_commits(later)
        assert len(await desk.facts(ticket_id, SlaBreached)) == 1


async def test_a_timer_of_a_ticket_that_was_never_opened_is_no_obstacle(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await Timers(desk.runtime.js, SERVICE).fire("nobody", NEXT_LOOK, Hint().stored())
        await desk.settled(*SLA)
        assert await desk.commits("nobody") == ()


@pytest.mark.slow
async def test_two_replicas_note_every_breach_of_200_tickets_once_and_never_early(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk, ticket_desk(fresh_nats, tmp_path, sla):
        await desk.put("standard", promising(normal=8))
        tickets = await asyncio.gather(*(desk.open() for _ in range(200)))
        for ticket_id in tickets:
            commit = await desk.commit_with(ticket_id, SlaBreached)
            (breached,) = await desk.facts(ticket_id, SlaBreached)
            assert commit.at >= breached.due_at  # how much later is measured by the benchmarks
            assert len(await desk.facts(ticket_id, SlaApplied, SlaWarned)) == 2


async def test_a_replica_whose_directory_lags_puts_the_message_back(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        body = Hint(revisions=(Revision(kind="sla_policy", id="standard", revision=9),)).stored()
        now = desk.runtime.clock.now()
        told = Heard("t1", 1, "timer.due.sla.t1.recheck", frozenset(), now, (HeardMessage(1, body),))
        with pytest.raises(DirectoryLags, match="revision 9"):
            await levels_of(desk).on_timers(told)
