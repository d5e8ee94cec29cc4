"""How fast read models are rebuilt from the log, on both databases, and how fast a full desk answers."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import nats
from nats.aio.client import Client

from benchmarks.figures import Figure, percentile
from deskwire_query import catalogue, generations
from deskwire_query.database import open_database
from deskwire_query.projections.log import TicketLog
from deskwire_query.projections.runner import Sources
from deskwire_query.reading.history import ticket_as_of
from deskwire_query.reading.read_models import TicketFilter
from deskwire_query.reading.reader import Reader
from deskwire_query.verifying import verify
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    AnyFact,
    Assigned,
    CustomerReplied,
    Opened,
    ReplyDelivered,
    Routed,
    RuleApplied,
    SlaApplied,
    SlaClock,
    SlaMet,
    StatusChanged,
    TagsChanged,
)
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.subjects import TICKETS, ticket_subject
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.eventstore.port import UNWRITTEN, Tip
from deskwire_shared.runtime.memory import collect_less
from deskwire_shared.runtime.streams import migrate
from servers import nats_server, new_database, postgres_server

TICKETS_OPENED: Final = 10_000
CUSTOMERS: Final = 4_000
AT_ONCE: Final = 500
ASKED: Final = 60
START: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
WORDS: Final = [
    "printer",
    "invoice",
    "refund",
    "delivery",
    "password",
    "account",
    "screen",
    "network",
    "router",
    "contract",
    "order",
    "address",
    "broken",
    "slow",
    "missing",
    "double",
    "charged",
    "please",
    "help",
    "urgent",
    "again",
    "yesterday",
    "today",
    "customer",
    "number",
    "email",
    "phone",
    "login",
    "error",
    "page",
]


@dataclass(frozen=True)
class Log:
    """A log that has been filled."""

    connection: Client
    facts: int


async def measure() -> list[Figure]:
    """Fill a log with the life of ten thousand tickets; rebuild, verify and ask it on both databases."""
    figures: list[Figure] = []
    async with nats_server() as address, _filled(address) as log:
        collect_less()  # as `deskwire rebuild` does
        with tempfile.TemporaryDirectory() as folder:
            figures += await _measure(log, f"sqlite+aiosqlite:///{Path(folder) / 'desk.db'}", "SQLite", bar=15_000)
        with postgres_server() as server:
            async with new_database(server) as url:
                figures += await _measure(log, url, "PostgreSQL", bar=10_000)
    return figures


async def _measure(log: Log, url: str, name: str, *, bar: float) -> list[Figure]:
    database = open_database(url)
    sources = Sources(database, TicketLog(log.connection), Codec(JetStreamKeyRing(log.connection)))
    await catalogue.create_catalogue(database)
    generation = await generations.find_or_start(sources)
    started, busy = time.perf_counter(), time.process_time()
    generation = await generations.build(sources, generation)
    took, worked = time.perf_counter() - started, time.process_time() - busy
    await generations.promote(sources, generation)
    started = time.perf_counter()
    verified = await verify(sources)
    checked = time.perf_counter() - started
    assert not verified.differences, verified.differences[:3]
    reader = Reader(database, MemoryDirectory(MemoryKeyRing(), lambda: START))
    figures = [
        Figure(f"rebuild on {name}", log.facts / took, "facts/s", bar=bar, note=f"{log.facts:,} facts, indexes made"),
        Figure(f"rebuild on {name}, processor time of our own", worked, "s", note=f"of {took:.1f} s"),
        Figure(f"verify on {name}", verified.commits / checked, "commits/s"),
        *[
            Figure(f"{what} on {name}, p50", await _p50(ask), "ms", bar=20, better="less")
            for what, ask in _questions(reader, sources).items()
        ],
    ]
    await database.close()
    return figures


def _questions(reader: Reader, sources: Sources) -> dict[str, Callable[[int], Awaitable[object]]]:
    pick = random.Random(7)

    async def ticket_page(turn: int) -> object:
        ticket = await reader.ticket(str(1 + turn * 97 % TICKETS_OPENED))
        return await reader.timeline(ticket.id)

    return {
        "list page": lambda _turn: reader.list_tickets(TicketFilter(statuses=("new", "open"))),
        "ticket page": ticket_page,
        "search, one word": lambda _turn: reader.search(pick.choice(WORDS)),
        "search, two words": lambda _turn: reader.search(" ".join(pick.sample(WORDS, 2))),
        "search, an address": lambda turn: reader.search(f"customer{turn}@example.org"),
        "counts of six views": lambda _turn: reader.counts(
            {str(n): TicketFilter(statuses=("open",), assignee_id=f"agent{n}") for n in range(6)}
        ),
        "ticket as of a moment": lambda turn: ticket_as_of(
            reader, sources.codec, _ticket_id(1 + turn * 97 % TICKETS_OPENED), None
        ),
    }


async def _p50(ask: Callable[[int], Awaitable[object]]) -> float:
    taken = []
    for turn in range(ASKED):
        started = time.perf_counter()
        await ask(turn)
        taken.append((time.perf_counter() - started) * 1000)
    return percentile(taken, 0.5)


@asynccontextmanager
async def _filled(address: str) -> AsyncIterator[Log]:
    connection = await nats.connect(address, pending_size=64 * 1024 * 1024)
    await migrate(connection.jetstream())
    keys = JetStreamKeyRing(connection)
    await asyncio.gather(*(keys.current(_customer(number)) for number in range(CUSTOMERS)))
    js, codec, facts = connection.jetstream(), Codec(keys), 0
    for start in range(1, TICKETS_OPENED + 1, AT_ONCE):
        tips: dict[int, Tip] = {}
        lives = {number: list(_life(number)) for number in range(start, start + AT_ONCE)}
        for step in range(max(map(len, lives.values()))):
            publishing = []
            for number, life in lives.items():
                if step < len(life):
                    commit, raw = await _encoded(codec, number, step, life[step], tips)
                    facts += len(commit.facts)
                    publishing.append(js.publish(ticket_subject(commit.ticket_id), raw, stream=TICKETS, timeout=30))
            await asyncio.gather(*publishing)
    try:
        yield Log(connection, facts)
    finally:
        await connection.close()


async def _encoded(
    codec: Codec, number: int, step: int, facts: tuple[AnyFact, ...], tips: dict[int, Tip]
) -> tuple[Commit, bytes]:
    tip = tips.get(number, UNWRITTEN)
    commit = Commit(
        commit_id=derived_id("c", str(number), str(step)),
        command_id=derived_id("k", str(number), str(step)),
        ticket_id=_ticket_id(number),
        version=tip.version + len(facts),
        at=START + timedelta(minutes=number, seconds=step),
        actor=Actor(kind="agent", id=f"agent{number % 20}"),
        correlation_id=derived_id("r", str(number)),
        facts=facts,
    )
    commit, raw = await codec.encode(commit, after=tip)
    tips[number] = Tip(0, commit.version, commit.chain)
    return commit, raw


def _life(number: int) -> Iterator[tuple[AnyFact, ...]]:
    """What happens on a ticket: eleven facts in seven commits, or five in three where nobody has answered yet."""
    person, agent = _customer(number), f"agent{number % 20}"
    author = Address(address=f"customer{number % CUSTOMERS}@example.org", name=f"Customer {number % CUSTOMERS}")
    due = START + timedelta(days=number % 30)
    yield (
        Opened(
            person_id=person, requester_id=person, message_id=f"o{number}", number=number, channel="email",
            author=author, subject=_text(number, 5), text=_text(number + 1, 100),
            to=(Address(address="support@example.com"),),
        ),
    )  # fmt: skip
    rule = RuleApplied(rule_id="r1", rule_name="Everything", rule_revision=1, trigger="opened")
    yield rule, Routed(team_id=f"team{number % 5}"), Assigned(agent_id=agent, strategy="round_robin")
    clocks = tuple(
        SlaClock(metric=metric, cycle=1, state="running", target=3600, used=0, warn_at=due, due_at=due)
        for metric in ("first_response", "resolution")
    )
    yield (SlaApplied(policy_id="p1", clocks=clocks),)
    if number % 4 == 0:
        return
    reply = AgentReplied(person_id=person, message_id=f"a{number}", agent_id=agent, text=_text(number + 2, 60))
    yield reply, StatusChanged(before="new", after="open"), TagsChanged(added=("vip",), tags=("vip",))
    yield (ReplyDelivered(message_id=f"a{number}"),)
    yield (SlaMet(metric="first_response", cycle=1, policy_id="p1", used=10, target=3600),)
    yield (
        CustomerReplied(
            person_id=person, author_id=person, message_id=f"b{number}", channel="email", author=author,
            text=_text(number + 3, 40),
        ),
    )  # fmt: skip


def _text(seed: int, length: int) -> str:
    pick = random.Random(seed)
    return " ".join(pick.choice(WORDS) if pick.random() < 0.7 else f"w{pick.randrange(20_000)}" for _ in range(length))


def _ticket_id(number: int) -> str:
    return derived_id("bench ticket", str(number))


def _customer(number: int) -> str:
    return derived_id("bench customer", str(number % CUSTOMERS))
