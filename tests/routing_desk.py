"""A desk in memory with one routing service, or several that share its log."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deskwire_routing.app import wired
from deskwire_routing.handlers import Routing
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.work import Work
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Fact
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Delivery
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.numbers import MemoryNumbers
from deskwire_shared.eventstore.port import Recorded, Tip
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.buckets import NOTHING, Kept
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.process_manager import Heard, HeardMessage
from deskwire_shared.testing.ticket import AGENT, CUSTOMER, CUSTOMER_ID, NOON, TICKET_ID
from deskwire_shared.ticket.commands import OpenTicket, ReceiveReply, TicketCommand
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.state import Ticket

ADMIN = Actor(kind="agent", id="root")
REPLY = ReceiveReply(author_id=CUSTOMER_ID, message_id="m2", channel="email", author=CUSTOMER, text="Hello?")
MAIL = Channel(name="Mail", medium="email", address="help@desk.example", team_id="support")
SUPPORT = Team(name="Support")


class FollowedStore(MemoryEventStore):
    """A log in memory whose followers hear a commit when it is stored."""

    def __init__(self, codec: Codec) -> None:
        super().__init__(codec)
        self.followers: list[LiveWorkload] = []

    async def append_together(self, commits: Sequence[tuple[Commit, Tip]]) -> tuple[Recorded, ...]:
        """Store commits and tell of them."""
        recorded = await super().append_together(commits)
        for entry in recorded:
            for follower in self.followers:
                follower.hear(self.delivery(entry.sequence))
        return recorded

    def delivery(self, sequence: int) -> Delivery:
        """A commit as a follower hears it."""
        ticket_id, raw = self._stored[sequence - 1]
        facts = ",".join(fact["type"] for fact in json.loads(raw)["facts"])
        return Delivery(sequence, f"ticket.00.{ticket_id}", raw, {FACTS_HEADER: facts}, 0)

    @property
    def last(self) -> int:
        """The place of the last commit."""
        return len(self._stored)

    async def end(self) -> int:
        """The place of the last commit."""
        return self.last


@dataclass
class MemoryClaims:
    """Claims in a dictionary, guarded by revision; everybody else gets a turn before they are stored."""

    kept: dict[str, Kept] = field(default_factory=dict)

    async def get(self, key: str) -> Kept:
        """See `ClaimStore.get`."""
        return self.kept.get(key, NOTHING)

    async def put(self, key: str, value: bytes, *, revision: int) -> bool:
        """See `ClaimStore.put`."""
        await asyncio.sleep(0)
        if self.kept.get(key, NOTHING).revision != revision:
            return False
        self.kept[key] = Kept(value, revision + 1)
        return True


@dataclass
class MemoryTimers:
    """Timers in a dictionary."""

    standing: dict[tuple[str, str], datetime] = field(default_factory=dict)

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        """See `TimerStore.set`."""
        self.standing[ticket_id, name] = at


@dataclass(kw_only=True)
class RoutingDesk:
    """A desk, and what its people do."""

    routing: Routing
    store: FollowedStore
    recorder: Recorder
    directory: MemoryDirectory
    clock: ManualClock
    timers: MemoryTimers
    claims: MemoryClaims
    heard: int = 0

    async def do(self, command: TicketCommand, ticket_id: str = TICKET_ID, actor: Actor = AGENT) -> None:
        """Carry a wish out on a ticket; routing does not hear of it yet."""
        await self.recorder.record(ticket_id, command, Cause(new_id(), actor, self.clock.now()))

    async def after(self, command: TicketCommand, ticket_id: str = TICKET_ID, actor: Actor = AGENT) -> Ticket:
        """Carry a wish out on a ticket and let routing react to everything that follows from it."""
        await self.do(command, ticket_id, actor)
        await self.settle()
        return await self.ticket(ticket_id)

    async def settle(self) -> None:
        """Let routing hear all commits that it has not heard."""
        while self.heard < self.store.last:
            self.heard += 1
            await self.routing.on_commits(self.message(self.heard))

    async def put(self, document_id: str, document: Document) -> None:
        """Store a document; routing hears of it."""
        entry = await self.directory.put(document_id, document, actor=ADMIN)
        await self._tell(entry.kind, document_id, entry.revision)

    async def change(self, agent_id: str, **changes: Any) -> None:
        """Change an agent; routing hears of it."""
        agent = self.directory.get(Agent, agent_id)
        assert agent is not None
        await self.put(agent_id, Agent.model_validate(agent.model_dump() | changes))

    async def delete(self, model: type[Document], document_id: str) -> None:
        """Delete a document; routing hears of it."""
        entry = await self.directory.delete(model, document_id, actor=ADMIN)
        await self._tell(entry.kind, document_id, entry.revision)

    async def wait_until(self, moment: datetime) -> None:
        """Let time pass; the timers that fall due fire in order."""
        while due := sorted((at, key) for key, at in self.timers.standing.items() if at <= moment):
            at, (about, name) = due[0]
            del self.timers.standing[about, name]
            self.clock.set(max(at, self.clock.now()))
            subject = f"timer.due.routing.{about}.{name}"
            await self.routing.on_timers(Heard(about, 1, subject, frozenset(), at, (HeardMessage(1, b""),)))
            await self.settle()
        self.clock.set(moment)

    async def ticket(self, ticket_id: str = TICKET_ID) -> Ticket:
        """The ticket as it is now."""
        return fold(ticket_id, await self.commits(ticket_id))

    async def commits(self, ticket_id: str = TICKET_ID) -> tuple[Commit, ...]:
        """The history of a ticket."""
        return (await self.store.load(ticket_id)).commits

    async def facts(self, ticket_id: str = TICKET_ID) -> list[type[Fact]]:
        """The kinds of facts on a ticket."""
        return [type(fact) for commit in await self.commits(ticket_id) for fact in commit.facts]

    async def assignees(self, *ticket_ids: str) -> list[str | None]:
        """Who has these tickets."""
        return [(await self.ticket(ticket_id)).assignee_id for ticket_id in ticket_ids]

    def message(self, *sequences: int) -> Heard:
        """What routing hears of commits of one ticket."""
        deliveries = [self.store.delivery(sequence) for sequence in sequences]
        messages = tuple(HeardMessage(one.sequence, one.data) for one in deliveries)
        last = deliveries[-1]
        return Heard(last.subject.split(".")[2], last.sequence, last.subject, frozenset(), NOON, messages)

    async def _tell(self, kind: str, document_id: str, revision: int) -> None:
        react = {
            "agent": self.routing.assignment.on_agent,
            "team": self.routing.assignment.on_team,
            "calendar": self.routing.on_calendar,
            "rule": self.routing.waiting.on_rule,
        }.get(kind)
        if react is not None:
            message = HeardMessage(1, f'{{"revision":{revision}}}'.encode())
            await react(Heard(document_id, 1, f"directory.{kind}.{document_id}", frozenset(), NOON, (message,)))
            await self.settle()


async def routing_desk(kind: type[FollowedStore] = FollowedStore, /, **documents: Document) -> RoutingDesk:
    """A desk with these documents."""
    keys = MemoryKeyRing()
    clock = ManualClock(NOON)
    directory = MemoryDirectory(keys, clock.now)
    for document_id, document in documents.items():
        await directory.put(document_id, document, actor=ADMIN)
    return another_replica(kind(Codec(keys)), directory, clock, MemoryClaims(), MemoryTimers())


def another_replica(
    store: FollowedStore, directory: MemoryDirectory, clock: ManualClock, claims: MemoryClaims, timers: MemoryTimers
) -> RoutingDesk:
    """A routing process of its own on a shared log."""
    workload = LiveWorkload(patience_seconds=1)
    workload.catch_up()
    for sequence in range(1, store.last + 1):
        workload.hear(store.delivery(sequence))
    store.followers.append(workload)
    recorder = Recorder(store)
    routing = wired(
        store=store, recorder=recorder, directory=directory, workload=workload, claims=claims, timers=timers,
        numbers=MemoryNumbers(), log_end=store.end, clock=clock, patience_seconds=1,
    )  # fmt: skip
    return RoutingDesk(
        routing=routing, store=store, recorder=recorder, directory=directory, clock=clock, timers=timers, claims=claims
    )


def opening(**changes: Any) -> OpenTicket:
    """A customer's mail."""
    usual: dict[str, Any] = {
        "number": 1, "requester_id": CUSTOMER_ID, "message_id": new_id(), "channel": "email", "channel_id": "mail",
        "author": CUSTOMER, "subject": "The printer is on fire", "text": "Please help.",
    }  # fmt: skip
    return OpenTicket(**{**usual, **changes})


def an_agent(*team_ids: str, **changes: Any) -> Agent:
    """Somebody who answers."""
    return Agent.model_validate({"email": "a@desk.example", "name": "A", "team_ids": team_ids, **changes})


def a_team(**changes: Any) -> Team:
    """A team called Support."""
    return Team.model_validate({"name": "Support", **changes})


def a_rule(*actions: dict[str, Any], **changes: Any) -> Rule:
    """A rule that acts on every new ticket."""
    return Rule.model_validate({"name": "Rule", "actions": actions, **changes})


def a_work(**changes: Any) -> Work:
    """A ticket as the workload knows it."""
    return Work.model_validate({"requester_id": CUSTOMER_ID, "medium": "email", "opened": 1, **changes})
