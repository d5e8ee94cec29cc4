"""Each of three NATS servers is killed while mails come in: nothing lost, nothing doubled, nobody stops listening."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from pydantic import SecretStr

from cluster import SERVERS, ClusterDesk, running_cluster
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.nats_address import nats_address
from processes import send_until_accepted

MAILS_EACH = 30
PATIENCE_SECONDS = 90.0


@pytest.mark.timeout(400)
def test_killing_each_server_of_a_cluster_in_turn_loses_nothing_and_leaves_every_service_listening(
    tmp_path: Path,
) -> None:
    with running_cluster(tmp_path) as desk:
        for victim in SERVERS:
            desk.kill(victim)
            send(desk, [a_mail(f"{victim}-{number}") for number in range(MAILS_EACH)])
            desk.start_one(victim)
        opened = asyncio.run(opened_once_everything_is_heard(desk))
        assert len(set(opened)) == MAILS_EACH * len(SERVERS), "lost"
        assert len(opened) == len(set(opened)), "doubled"
        verified = desk.command("verify", check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr


def send(desk: ClusterDesk, mails: list[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    send_until_accepted(desk.ports["smtp"], "kim@example.com", "support@example.com", mails, deadline=deadline)


def a_mail(name: str) -> bytes:
    return (
        "From: Kim <kim@example.com>\r\nTo: support@example.com\r\n"
        f"Subject: Order {name} has not arrived\r\nMessage-ID: <{name}@example.com>\r\n"
        f"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\nWhere is {name}?\r\n"
    ).encode()


async def opened_once_everything_is_heard(desk: ClusterDesk) -> list[str]:
    """The messages that opened tickets, once no service has anything left to hear."""
    address = nats_address(SecretStr(desk.nats_url))
    connection = await nats.connect(address.servers, **address.login)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await unheard(connection):
                await asyncio.sleep(0.2)
        follower = Follower(connection, TICKETS)
        waiting = await follower.open()
        commits: list[dict[str, Any]] = []
        while len(commits) < waiting:
            commits += [json.loads(delivery.data) for delivery in await follower.batch()]
        await follower.close()
    finally:
        await connection.close()
    facts = [fact for commit in commits for fact in commit["facts"]]
    return [fact["message_id"] for fact in facts if fact["type"] == "ticket.opened.v1"]


async def unheard(connection: Client) -> int:
    infos = await connection.jetstream().consumers_info(TICKETS)
    durable = [info for info in infos if info.config.durable_name]
    return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in durable)
