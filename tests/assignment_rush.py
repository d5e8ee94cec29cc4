"""A rush of tickets on several routing processes, and what the log says about it afterwards."""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from deskwire_routing.app import STRATEGIES as WAYS
from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft
from deskwire_routing.rehearsal.assignment.report import AssignmentRehearsal
from deskwire_routing.rehearsal.assignment.run import AskedAssignment, rehearse_assignment_on
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.workload.workload import WEIGHTS
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.ids import derived_id, new_id
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.ending import end
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.recorder import Cause
from deskwire_shared.runtime.desk import Desk, open_desk
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.ticket.commands import ChangeStatus, OpenTicket
from processes import Desk as Processes

ADMIN = Actor(kind="agent", id="root")
CUSTOMER = Actor(kind="customer", id="cora")
STRATEGIES = ("round_robin", "least_loaded", "skills", "longest_idle")
SKILLS = ("german", "french", "billing", "hardware", "network")
OPENERS = 8
ACK_WAIT_SECONDS = 10.0
SOLVERS = 16


@dataclass(frozen=True)
class Staff:
    """The agents of the desk by id, five in a team of each strategy out of twenty, and so on."""

    agents: dict[str, Agent]

    def documents(self) -> Iterator[tuple[str, Document]]:
        """What has to be in the directory."""
        for strategy in STRATEGIES:
            yield strategy, Team.model_validate({"name": strategy, "assignment": strategy})
            yield f"mail-{strategy}", Channel(name=strategy, medium="email", team_id=strategy)
        yield from self.agents.items()


def a_staff(count: int, *, chance: random.Random) -> Staff:
    """Agents with limits and skills, spread over four teams; every skill is known in every team."""
    agents = {}
    for number in range(count):
        skills = {SKILLS[number // len(STRATEGIES) % len(SKILLS)]: 5, chance.choice(SKILLS): chance.randint(1, 5)}
        agents[f"agent{number:03}"] = Agent.model_validate(
            {
                "email": f"agent{number}@desk.example",
                "name": f"Agent {number}",
                "team_ids": (STRATEGIES[number % len(STRATEGIES)],),
                "skills": skills,
                "capacity": {"default": chance.randint(4, 12), "chat": 2},
            }
        )
    return Staff(agents)


@dataclass
class Rush:
    """Tickets on their way, and agents who solve what they are given."""

    desk: Desk
    staff: Staff
    chance: random.Random
    holding: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    assigned: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    work: "asyncio.Queue[tuple[str, str]]" = field(default_factory=asyncio.Queue)

    async def open(self, count: int) -> None:
        """Open tickets of all teams, media, priorities and wishes."""
        numbers = iter(range(count))

        async def opener() -> None:
            for number in numbers:
                await self._open(number)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(OPENERS):
                tasks.create_task(opener())

    async def until_assigned(self, count: int, *, within: float) -> None:
        """Wait until so many tickets have an agent."""
        async with asyncio.timeout(within):
            while len(self.assigned) < count:
                self.news.clear()
                await self.news.wait()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Let the agents work: each solves some ticket of theirs for every second one they get, or when they are full."""
        tasks = [asyncio.create_task(self._follow()), *(asyncio.create_task(self._solve()) for _ in range(SOLVERS))]
        try:
            yield
        finally:
            await asyncio.gather(*map(end, tasks))

    async def _open(self, number: int) -> None:
        tags = (f"skill:{self.chance.choice(SKILLS)}",) if self.chance.random() < 0.3 else ()
        command = OpenTicket(
            number=number + 1,
            requester_id=f"customer{number % 500}",
            message_id=new_id(),
            channel="chat" if self.chance.random() < 0.1 else "email",
            channel_id=f"mail-{self.chance.choice(STRATEGIES)}",
            author=Address(address="cora@example.org"),
            priority=self.chance.choice(("low", "normal", "normal", "high", "urgent")),
            tags=tags,
            text="Please help.",
        )
        cause = Cause(new_id(), CUSTOMER, self.desk.clock.now())
        await self.desk.recorder.record(derived_id("rush", str(number)), command, cause, unwritten=True)

    async def _follow(self) -> None:
        follower = Follower(self.desk.connection, TICKETS, subjects=["ticket.>"])
        await follower.open()
        try:
            while True:
                for delivery in await follower.batch():
                    for fact in json.loads(delivery.data)["facts"]:
                        if fact["type"] == "ticket.assigned.v1":
                            self._note(fact["agent_id"], delivery.subject.rpartition(".")[2])
                self.news.set()
        finally:
            await follower.close()

    def _note(self, agent_id: str, ticket_id: str) -> None:
        self.assigned.add(ticket_id)
        mine = self.holding[agent_id]
        mine.append(ticket_id)
        if len(mine) >= self.staff.agents[agent_id].capacity["default"] or self.chance.random() < 0.5:
            self.work.put_nowait((agent_id, mine.pop(self.chance.randrange(len(mine)))))

    async def _solve(self) -> None:
        while True:
            agent_id, ticket_id = await self.work.get()
            cause = Cause(new_id(), Actor(kind="agent", id=agent_id), self.desk.clock.now())
            await self.desk.recorder.record(ticket_id, ChangeStatus(status="solved"), cause)


@dataclass
class _Ticket:
    medium: str
    opened_at: datetime
    skills: tuple[str, ...]
    weight: int
    agent_id: str | None = None


@dataclass
class Findings:
    """What the log says about assignments: read in order, with a look at each moment for what must never be."""

    staff: Staff
    assignments: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    unskilled: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    fullest: Counter[str] = field(default_factory=Counter)
    moments: list[datetime] = field(default_factory=list)
    overtaken: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """For each assignment of a strategy, how many could have taken the ticket and were more in turn at that moment."""
    rehearsal: AssignmentRehearsal | None = None
    """The same rush again, rehearsed without drafts."""
    rehearsal_seconds: float = 0.0
    _tickets: dict[str, _Ticket] = field(default_factory=dict)
    _weights: Counter[str] = field(default_factory=Counter)
    _turns: Counter[str] = field(default_factory=Counter)
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)

    def read(self, commit: dict[str, Any]) -> None:
        """Take in the next commit."""
        ticket_id, at = commit["ticket_id"], datetime.fromisoformat(commit["at"])
        for fact in commit["facts"]:
            if fact["type"] == "ticket.opened.v1":
                skills = tuple(tag.removeprefix("skill:") for tag in fact["tags"] if tag.startswith("skill:"))
                self._tickets[ticket_id] = _Ticket(fact["channel"], at, skills, WEIGHTS[fact["priority"]])
            elif fact["type"] == "ticket.assigned.v1":
                self._assigned(ticket_id, fact, at)
            elif fact["type"] == "ticket.status_changed.v1" and fact["after"] == "solved":
                self._count(ticket_id, -1)

    def spread(self, strategy: str) -> tuple[int, int]:
        """The fewest and the most tickets that an agent of a team got."""
        members = (agent_id for agent_id, agent in self.staff.agents.items() if strategy in agent.team_ids)
        counts = [self.assignments[agent_id] for agent_id in members]
        return min(counts), max(counts)

    def rehearsed(self) -> AssignmentRehearsal:
        """The rehearsal, which has to be there."""
        assert self.rehearsal is not None
        return self.rehearsal

    @property
    def elsewhere(self) -> float:
        """The share of tickets that the rehearsal counts with other agents than the log does."""
        agents = self.rehearsed().agents
        return sum(abs(one.draft.assigned - one.recorded.assigned) for one in agents) / 2 / self.assignments.total()

    @property
    def other_loads(self) -> list[float]:
        """By how many open tickets each agent's average differs between the rehearsal and the log."""
        return [abs(one.draft.mean_open - one.recorded.mean_open) for one in self.rehearsed().agents]

    @property
    def per_second(self) -> float:
        """Assignments a second from the first to the last."""
        return len(self.moments) / (self.moments[-1] - self.moments[0]).total_seconds()

    def _assigned(self, ticket_id: str, fact: dict[str, Any], at: datetime) -> None:
        ticket, agent_id, decision = self._tickets[ticket_id], fact["agent_id"], fact["decision"]
        agent = self.staff.agents[agent_id]
        if ticket.agent_id is not None:
            self.doubled.append(ticket_id)
        if any(skill not in agent.skills for skill in ticket.skills):
            self.unskilled.append(ticket_id)
        if decision is None or decision["considered"][0]["agent_id"] != agent_id or not decision["reason"]:
            self.unexplained.append(ticket_id)
        self._compare(fact["strategy"], agent_id, ticket)
        ticket.agent_id = agent_id
        self.assignments[agent_id] += 1
        self._turns[agent_id] = len(self.moments) + 1
        self.waits.append((at - ticket.opened_at).total_seconds())
        self.moments.append(at)
        self._count(ticket_id, 1)
        self._look_at(agent_id, agent, ticket)

    def _count(self, ticket_id: str, step: int) -> None:
        ticket = self._tickets[ticket_id]
        assert ticket.agent_id is not None
        self._weights[ticket.agent_id] += step * ticket.weight
        for kind in ("default", ticket.medium):
            self._open[ticket.agent_id, kind] += step

    def _compare(self, strategy: str, agent_id: str, ticket: _Ticket) -> None:
        measure = {"round_robin": self._turns, "least_loaded": self._weights}.get(strategy)
        if measure is not None:
            able = (one for one, agent in self.staff.agents.items() if self._is_able(one, agent, strategy, ticket))
            self.overtaken[strategy].append(sum(measure[one] < measure[agent_id] for one in able))

    def _is_able(self, agent_id: str, agent: Agent, team_id: str, ticket: _Ticket) -> bool:
        limits = [(kind, limit) for kind, limit in agent.capacity.items() if kind in {"default", ticket.medium}]
        has_room = all(self._open[agent_id, kind] < limit for kind, limit in limits)
        return team_id in agent.team_ids and has_room and all(skill in agent.skills for skill in ticket.skills)

    def _look_at(self, agent_id: str, agent: Agent, ticket: _Ticket) -> None:
        for kind, limit in agent.capacity.items():
            if kind in {"default", ticket.medium} and self._open[agent_id, kind] > limit:
                self.beyond.append(f"{agent_id} has {self._open[agent_id, kind]} of {limit} ({kind})")
        self.fullest[agent_id] = max(self.fullest[agent_id], self._open[agent_id, "default"])


@contextmanager
def routing_processes(folder: Path, count: int) -> Iterator[Processes]:
    """A nats-server and so many routing processes, all stopped at the end."""
    replicas: dict[str, tuple[str, ...]] = {f"routing-{number}": ("routing",) for number in range(1, count + 1)}
    processes = Processes(folder, services=replicas)
    try:
        processes.start()
        yield processes
    finally:
        processes.stop()


async def rush(processes: Processes, *, tickets: int, agents: int, within: float, seed: int) -> Findings:
    """Let tickets pour in, kill a routing process in the middle, start it again, and read the log at the end."""
    chance = random.Random(seed)
    staff = a_staff(agents, chance=chance)
    settings = CommonSettings(nats_url=SecretStr(processes.nats_url), data_dir=processes.folder / "driver")
    async with open_desk(settings) as desk:
        began = desk.clock.now()
        for document_id, document in staff.documents():
            await desk.directory.put(document_id, document, actor=ADMIN)
        await deal_out_again_after(desk, ACK_WAIT_SECONDS)
        running = Rush(desk, staff, chance)
        async with running.working(), asyncio.TaskGroup() as tasks:
            tasks.create_task(running.open(tickets))
            await running.until_assigned(tickets // 2, within=within)
            victim = chance.choice(list(processes.services))
            processes.kill(victim)
            await running.until_assigned(tickets * 3 // 4, within=within)
            await asyncio.to_thread(processes.start_one, victim)
            await running.until_assigned(tickets, within=within)
        found = Findings(staff)
        for commit in await all_commits(desk):
            found.read(commit)
        asked = AskedAssignment(AssignmentDraft(), Span(began, desk.clock.now()))
        started = time.perf_counter()
        found.rehearsal = await rehearse_assignment_on(desk, asked, strategies=WAYS, most_tickets=tickets)
        found.rehearsal_seconds = time.perf_counter() - started
        return found


async def deal_out_again_after(desk: Desk, seconds: float) -> None:
    """Shorten the wait until others hear what a killed process has heard: a minute is long for a test."""
    found = await desk.js.consumer_info(TICKETS, "routing")
    await desk.js.add_consumer(TICKETS, config=replace(found.config, ack_wait=seconds))


async def all_commits(desk: Desk) -> list[dict[str, Any]]:
    """Every commit as it is stored, in the order of the log."""
    follower = Follower(desk.connection, TICKETS)
    waiting = await follower.open()
    commits: list[dict[str, Any]] = []
    while len(commits) < waiting:
        commits += [json.loads(delivery.data) for delivery in await follower.batch()]
    await follower.close()
    return commits
