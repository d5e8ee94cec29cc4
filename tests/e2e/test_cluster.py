"""Each of three NATS servers is killed while mails come in: nothing lost, nothing doubled, and timers still fire."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from pydantic import SecretStr

from cluster import SERVERS, ClusterDesk, running_cluster
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.policies import SlaPolicy, SlaTarget
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.directory.jetstream import JetStreamDirectory
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.jetstream_keyring import JetStreamKeyRing
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.runtime.nats_address import nats_address
from processes import send_until_accepted

MAILS_EACH = 30
PROMISED_SECONDS = 8
"""So few that promises are missed while servers are killed."""

PATIENCE_SECONDS = 90.0
TEST = Actor(kind="system", id="test")
Stored = dict[str, Any]


@pytest.mark.timeout(400)
def test_killing_each_server_of_a_cluster_in_turn_loses_nothing_and_leaves_every_service_listening(
    tmp_path: Path,
) -> None:
    with running_cluster(tmp_path) as desk:
        asyncio.run(promise_a_first_response(desk))
        for victim in SERVERS:
            desk.kill(victim)
            send(desk, [a_mail(f"{victim}-{number}") for number in range(MAILS_EACH)])
            desk.start_one(victim)
        commits = asyncio.run(commits_once_all_is_missed_and_heard(desk))
        opened = [fact["message_id"] for _, fact in facts(commits, "opened")]
        assert len(set(opened)) == MAILS_EACH * len(SERVERS), "lost"
        assert len(opened) == len(set(opened)), "doubled"
        missed = [commit["ticket_id"] for commit, _ in facts(commits, "sla_breached")]
        assert len(missed) == len(set(missed)), "missed twice"
        assert due_times(commits) == {
            commit["ticket_id"]: moment(commit["at"]) + timedelta(seconds=PROMISED_SECONDS)
            for commit, _ in facts(commits, "opened")
        }
        verified = desk.command("verify", check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr


async def promise_a_first_response(desk: ClusterDesk) -> None:
    """Store a promise that nobody will keep: its timers have to fire."""
    async with connected(desk) as connection:
        directory = JetStreamDirectory(connection, JetStreamKeyRing(connection), SystemClock().now)
        await directory.start()
        target = SlaTarget(metric="first_response", seconds={"normal": PROMISED_SECONDS})
        await directory.put("promise", SlaPolicy(name="Promise", targets=(target,)), actor=TEST)
        await directory.stop()


def send(desk: ClusterDesk, mails: list[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    send_until_accepted(desk.ports["smtp"], "kim@example.com", "support@example.com", mails, deadline=deadline)


def a_mail(name: str) -> bytes:
    return (
        "From: Kim <kim@example.com>\r\nTo: support@example.com\r\n"
        f"Subject: Order {name} has not arrived\r\nMessage-ID: <{name}@example.com>\r\n"
        f"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\nWhere is {name}?\r\n"
    ).encode()


async def commits_once_all_is_missed_and_heard(desk: ClusterDesk) -> list[Stored]:
    """Every stored commit, once each promise is missed and no service has anything left to hear."""
    async with connected(desk) as connection, asyncio.timeout(PATIENCE_SECONDS):
        while await unheard(connection) or not is_all_missed(await commits_of(connection)):
            await asyncio.sleep(0.2)
        return await commits_of(connection)


def is_all_missed(commits: list[Stored]) -> bool:
    return len(due_times(commits)) == len({commit["ticket_id"] for commit, _ in facts(commits, "opened")})


@asynccontextmanager
async def connected(desk: ClusterDesk) -> AsyncIterator[Client]:
    address = nats_address(SecretStr(desk.nats_url))
    connection = await nats.connect(address.servers, **address.login)
    try:
        yield connection
    finally:
        await connection.close()


async def commits_of(connection: Client) -> list[Stored]:
    follower = Follower(connection, TICKETS)
    waiting = await follower.open()
    commits: list[Stored] = []
    while len(commits) < waiting:
        commits += [json.loads(delivery.data) for delivery in await follower.batch()]
    await follower.close()
    return commits


def facts(commits: list[Stored], kind: str) -> list[tuple[Stored, Stored]]:
    """The facts of a kind, each behind its commit."""
    return [(commit, fact) for commit in commits for fact in commit["facts"] if fact["type"] == f"ticket.{kind}.v1"]


def due_times(commits: list[Stored]) -> dict[str, datetime]:
    """When the promise was due on each ticket that it was missed on."""
    return {commit["ticket_id"]: moment(fact["due_at"]) for commit, fact in facts(commits, "sla_breached")}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def unheard(connection: Client) -> int:
    infos = await connection.jetstream().consumers_info(TICKETS)
    durable = [info for info in infos if info.config.durable_name]
    return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in durable)
