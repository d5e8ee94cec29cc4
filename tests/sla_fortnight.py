"""The sla service in memory under a clock that is moved: it lives through a script, timers fire when they are due."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Fact, SlaBreached, SlaMet, SlaWarned
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.subjects import ticket_subject
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.process_manager import Heard, HeardMessage
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID
from deskwire_shared.ticket.commands import (
    ChangePriority,
    ChangeStatus,
    MergeTicket,
    OpenTicket,
    ReceiveReply,
    SendReply,
    TicketCommand,
    WithdrawReply,
)
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_sla.handlers import ServiceLevels
from deskwire_sla.hints import Hint
from deskwire_sla.policy_book import PolicyBook
from sla_script import END, START, TAKEN_BACK_AFTER, Change, Life, moment

PEOPLE = Actor(kind="agent", id="ada")
DOCUMENTS: dict[str, type[Document]] = {"calendar": Calendar, "sla_policy": SlaPolicy}
JUDGING = (SlaWarned, SlaBreached, SlaMet)


@dataclass
class DueTimers:
    """Timers in memory, each a ticket and the moment it is due."""

    standing: set[tuple[datetime, str]] = field(default_factory=set)
    queue: list[tuple[datetime, str]] = field(default_factory=list)

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        """See `TicketTimers.set`."""
        del name  # every ticket has one kind of timer
        if (at, ticket_id) not in self.standing:
            self.standing.add((at, ticket_id))
            heapq.heappush(self.queue, (at, ticket_id))

    async def stands(self, ticket_id: str, name: str, at: datetime) -> bool:
        """See `TicketTimers.stands`."""
        del name
        return (at, ticket_id) in self.standing

    async def cancel(self, ticket_id: str, name: str, at: datetime) -> None:
        """See `TicketTimers.cancel`."""
        del name
        self.standing.discard((at, ticket_id))

    def fired_before(self, end: datetime) -> Iterator[tuple[datetime, str]]:
        """Let what is due before a moment fire, in order, also what is set meanwhile."""
        while self.queue and self.queue[0][0] < end:
            due = heapq.heappop(self.queue)
            if due in self.standing:
                self.standing.remove(due)
                yield due


class Desk:
    """A desk in memory whose only service is sla."""

    def __init__(self, tickets: int) -> None:
        self.keys = keys = MemoryKeyRing()
        self.clock = ManualClock(START)
        self.timers = DueTimers()
        self.store = MemoryEventStore(Codec(keys))
        self.recorder = Recorder(self.store, remembered=tickets)
        self.directory = MemoryDirectory(keys, self.clock.now)
        self.levels = ServiceLevels(
            recorder=self.recorder,
            store=self.store,
            directory=self.directory,
            book=PolicyBook(self.directory),
            timers=self.timers,
            clock=self.clock,
        )
        self._ids = iter(range(10**9))
        self.opened: set[str] = set()
        self.fired = 0

    async def live(self, lives: list[Life], changes: list[Change]) -> None:
        """Live through the fortnight: of what comes at one second, people are first and timers last."""
        steps: list[tuple[int, int, Any]] = [(change.second, 0, change) for change in changes]
        for life in lives:
            steps.append((life.opened, 1, (life, None)))
            steps += [(one.second, 1, (life, one.what)) for one in life.happenings]
            taken_back = [one for one in life.happenings if one.what == "agent takes back"]
            steps += [(one.second + TAKEN_BACK_AFTER, 1, (life, "taken back")) for one in taken_back]
        for second, _, what in sorted(steps, key=lambda step: step[:2]):
            if second >= END:
                break
            await self._wait_until(moment(second))
            await (self._change(what) if isinstance(what, Change) else self._happen(*what))
        await self._wait_until(moment(END))

    async def noted(self, life: Life) -> list[tuple[Commit, Fact]]:
        """What sla noted on a ticket, with the commits."""
        history = await self.store.load(ticket_id_of(life))
        return [(commit, fact) for commit in history.commits for fact in commit.facts if isinstance(fact, JUDGING)]

    async def _wait_until(self, end: datetime) -> None:
        for due, ticket_id in self.timers.fired_before(end):
            self.fired += 1
            self.clock.set(due)
            await self.levels.on_timers(self._heard(ticket_id, 0))
        self.clock.set(end)

    async def _change(self, change: Change) -> None:
        document = DOCUMENTS[change.kind].model_validate(change.document)
        await self.directory.put(change.id, document, actor=PEOPLE)
        for ticket_id in sorted(self.opened):
            if (await self.recorder.ticket(ticket_id, at_least=1)).status not in OVER:
                await self.levels.on_timers(self._heard(ticket_id, 0))

    async def _happen(self, life: Life, what: str | None) -> None:
        ticket_id, now = ticket_id_of(life), self.clock.now()
        command = command_for(life, what, now, number := next(self._ids))
        outcome = await self.recorder.record(ticket_id, command, Cause(f"k{number}", PEOPLE, now, f"r{number}"))
        self.opened.add(ticket_id)
        if outcome.recorded is not None:
            await self.levels.on_commits(self._heard(ticket_id, outcome.sequence))

    def _heard(self, ticket_id: str, sequence: int) -> Heard:
        body = HeardMessage(sequence, Hint(commit_id="c", correlation_id="r").stored())
        return Heard(ticket_id, sequence, ticket_subject(ticket_id), frozenset(), self.clock.now(), (body,))


def ticket_id_of(life: Life) -> str:
    """The id of a ticket of the script."""
    return f"t{life.number:015}"


def command_for(  # noqa: PLR0911 - one case per happening
    life: Life, what: str | None, now: datetime, number: int
) -> TicketCommand:
    """What the script's words mean; `number` makes ids that differ."""
    said: dict[str, Any] = {"channel": "email", "author": CUSTOMER, "text": "?"}
    match what:
        case None:
            tags = ("vip",) if life.is_vip else ()
            return OpenTicket(
                number=life.number, requester_id=CUSTOMER_ID, message_id="opening", priority=life.priority, tags=tags, **said  # type: ignore[arg-type]
            )  # fmt: skip
        case "customer writes":
            return ReceiveReply(author_id=CUSTOMER_ID, message_id=f"m{number}", **said)
        case "machine writes":
            return ReceiveReply(author_id=CUSTOMER_ID, message_id=f"m{number}", machine="auto_reply", **said)
        case "agent answers":
            return SendReply(message_id=f"m{number}", agent_id="ada", text="!")
        case "automation answers":
            return SendReply(message_id=f"m{number}", agent_id="ada", text="!", automated=True)
        case "agent takes back":
            later = now + timedelta(minutes=1)
            return SendReply(message_id=f"back{now:%s}", agent_id="ada", text="!", deliver_after=later)
        case "taken back":
            return WithdrawReply(message_id=f"back{now - timedelta(seconds=TAKEN_BACK_AFTER):%s}", at=now)
        case "merged":
            return MergeTicket(into="t999999999999999", into_number=9)
        case "low" | "normal" | "high" | "urgent":
            return ChangePriority(priority=what)
        case _:
            return ChangeStatus(status=what)  # type: ignore[arg-type]
