"""Checks at the start that the log keeps what it acknowledges, as the settings say it must.

JetStream's default acknowledges before the disk has the message; `sync_interval: always` does not.
"""

import json

import nats
import nats.errors
from nats.js import JetStreamContext
from pydantic import SecretStr

from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.runtime.nats_address import nats_address
from deskwire_shared.runtime.settings import Durability

CLUSTER_REPLICAS = 3
VARZ = "$SYS.REQ.SERVER.PING.VARZ"


class TooWeak(Exception):
    """The NATS server keeps less than the durability profile promises."""


def replicas(profile: Durability) -> int:
    """How many copies of each stream a profile asks for."""
    return CLUSTER_REPLICAS if profile == "cluster" else 1


async def check_durability(profile: Durability, js: JetStreamContext, system_url: str | None) -> None:
    """Raise TooWeak unless the server is at least as durable as the profile."""
    if profile == "dev":
        return
    if system_url is None:
        raise TooWeak(
            f"durability is {profile!r}, but without DESKWIRE_NATS_SYSTEM_URL (a user of the system account) it cannot"
            " be checked that the server syncs every write; set it, or choose DESKWIRE_DURABILITY=dev for a trial"
        )
    if not await _syncs_always(system_url):
        raise TooWeak(f"durability is {profile!r}, but the NATS server does not run with `sync_interval: always`")
    info = await js.stream_info(TICKETS)
    if (info.config.num_replicas or 1) < replicas(profile):
        raise TooWeak(f"durability is {profile!r}, but stream {TICKETS} has {info.config.num_replicas} replica(s)")


async def _syncs_always(system_url: str) -> bool:
    address = nats_address(SecretStr(system_url))
    connection = await nats.connect(address.servers, **address.login, connect_timeout=5, allow_reconnect=False)
    try:
        answer = await connection.request(VARZ, b"{}", timeout=5)
    except nats.errors.Error as error:
        raise TooWeak(f"the system account does not tell how the server is configured: {error!r}") from error
    finally:
        await connection.close()
    config = json.loads(answer.data)["data"].get("jetstream", {}).get("config", {})
    return bool(config.get("sync_always"))
