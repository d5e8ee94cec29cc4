"""`kill -9` of every process in turn while mails pour in: nothing lost, nothing doubled, the timers still fire."""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from deskwire_intake.ledger.reading import read_ledger
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.intake_ledger import message_digest
from deskwire_shared.contracts.policies import SlaPolicy, SlaTarget
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.directory.jetstream import JetStreamDirectory
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.runtime.clock import SystemClock
from processes import SERVICES, Desk, running_desk, send_until_accepted

MAILS = 2_000
SENDERS = 8
SETTLE_SECONDS = 240.0
PROMISED_SECONDS = 20
ONCE = ("assigned", "acknowledged", "sla_breached")
TEST = Actor(kind="system", id="test")
Stored = dict[str, Any]


@dataclass
class Delivery:
    """Mails on their way in, each sent until it is accepted."""

    desk: Desk
    mails: list[bytes]
    threads: list[threading.Thread] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def start(self) -> None:
        for share in range(SENDERS):
            thread = threading.Thread(target=self._send, args=(self.mails[share::SENDERS],), daemon=True)
            thread.start()
            self.threads.append(thread)

    def finish(self) -> None:
        for thread in self.threads:
            thread.join(SETTLE_SECONDS)
        assert not any(thread.is_alive() for thread in self.threads), "mails are still waiting to be accepted"
        assert not self.failures

    def _send(self, mails: list[bytes]) -> None:
        try:
            for start in range(0, len(mails), 10):
                send_until_accepted(
                    self.desk.ports["smtp"],
                    "sender@example.com",
                    "support@example.com",
                    mails[start : start + 10],
                    deadline=time.monotonic() + SETTLE_SECONDS,
                )
        except BaseException as error:  # noqa: BLE001  # told to the test, which runs in another thread
            self.failures.append(error)


@pytest.mark.timeout(600)
def test_killing_each_process_in_the_middle_of_two_thousand_mails_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with running_desk(tmp_path) as desk:
        asyncio.run(furnish(desk))
        delivery = Delivery(desk, [a_mail(number) for number in range(MAILS)])
        delivery.start()
        for name in ("nats", *random.sample(SERVICES, len(SERVICES)), "nats"):
            time.sleep(random.uniform(0.2, 1.0))
            desk.kill(name)
            time.sleep(random.uniform(0.0, 0.5))
            desk.start_one(name)
        delivery.finish()
        commits = asyncio.run(settled_commits(desk))

        assert Counter(message_ids(commits, "opened")).most_common(1)[0][1] == 1, "doubled"
        assert len(message_ids(commits, "opened")) == MAILS, "lost"
        for once in ONCE:
            per_ticket = tickets_with(commits, once)
            assert len(per_ticket) == MAILS, f"{MAILS - len(per_ticket)} tickets were never {once}"
            assert set(per_ticket.values()) == {1}, f"some tickets were {once} more than once"
        entered = asyncio.run(entered_tickets(desk))
        assert entered.keys() == {message_digest(f"order-{number}@example.com") for number in range(MAILS)}
        assert sorted(entered.values()) == sorted([ticket_id] for ticket_id, _ in facts(commits, "opened"))
        verified = desk.command("verify", check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr


async def furnish(desk: Desk) -> None:
    """A mailbox, a team of two agents, and a promise that nobody will keep: its timers have to fire."""
    connection = await nats.connect(desk.nats_url)
    try:
        directory = JetStreamDirectory(connection, JetStreamKeyRing(connection), SystemClock().now)
        await directory.start()
        channel = Channel(name="Support", medium="email", address="support@example.com", team_id="support")
        target = SlaTarget(metric="first_response", seconds={"normal": PROMISED_SECONDS})
        await directory.put("mail", channel, actor=TEST)
        await directory.put("support", Team(name="Support"), actor=TEST)
        await directory.put("promise", SlaPolicy(name="Promise", targets=(target,)), actor=TEST)
        for name in ("ann", "ben"):
            agent = Agent(email=f"{name}@desk.example", name=name, team_ids=("support",))
            await directory.put(name, agent, actor=TEST)
        await directory.stop()
    finally:
        await connection.close()


def a_mail(number: int) -> bytes:
    return (
        f"From: Customer {number} <customer{number % 500}@example.com>\r\n"
        "To: support@example.com\r\n"
        f"Subject: Order {number} has not arrived\r\n"
        f"Message-ID: <order-{number}@example.com>\r\n"
        "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
        "\r\n"
        f"Where is my order {number}?\r\n"
    ).encode()


async def settled_commits(desk: Desk) -> list[Stored]:
    """Every stored commit, still sealed, once no consumer has anything left to do and every promise is judged."""
    connection = await nats.connect(desk.nats_url)
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while await _left(connection) or not is_settled(await _commits(connection)):
                await asyncio.sleep(0.5)
        return await _commits(connection)
    finally:
        await connection.close()


async def entered_tickets(desk: Desk) -> dict[str, list[str]]:
    """The tickets that the ledger of intake names for each mail, by what a mail is found by there."""
    connection = await nats.connect(desk.nats_url)
    try:
        found: dict[str, set[str]] = {}
        async for entry in read_ledger(connection):
            found.setdefault(entry.message_digest or "", set()).add(entry.ticket_id or "")
        return {mail: sorted(tickets) for mail, tickets in found.items()}
    finally:
        await connection.close()


def is_settled(commits: list[Stored]) -> bool:
    """Whether every ticket is assigned, judged and acknowledged; a mail claimed by a killed notify waits two minutes."""
    return all(len(tickets_with(commits, once)) == MAILS for once in ONCE)


async def _left(connection: Client) -> int:
    infos = await connection.jetstream().consumers_info(TICKETS)
    durable = [info for info in infos if info.config.durable_name]
    return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in durable)


async def _commits(connection: Client) -> list[Stored]:
    follower = Follower(connection, TICKETS)
    waiting = await follower.open()
    commits: list[Stored] = []
    while len(commits) < waiting:
        commits += [json.loads(delivery.data) for delivery in await follower.batch()]
    await follower.close()
    return commits


def facts(commits: list[Stored], kind: str) -> list[tuple[str, Stored]]:
    """The facts of a kind, each with its ticket."""
    return [(c["ticket_id"], fact) for c in commits for fact in c["facts"] if fact["type"] == f"ticket.{kind}.v1"]


def message_ids(commits: list[Stored], kind: str) -> list[str]:
    return [fact["message_id"] for _, fact in facts(commits, kind)]


def tickets_with(commits: list[Stored], kind: str) -> Counter[str]:
    return Counter(ticket_id for ticket_id, _ in facts(commits, kind))
