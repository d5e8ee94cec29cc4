"""The NATS configuration of the deployment carries a desk as the durability profile `single` asks."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskwire_shared.runtime import boot
from deskwire_shared.runtime.desk import connected
from deskwire_shared.runtime.durability import check_durability
from deskwire_shared.runtime.nats_server import find_program
from deskwire_shared.runtime.settings import CommonSettings
from processes import LOOPBACK, free_ports

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nats" / "single.conf"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    clients, monitoring = free_ports(2)
    configuration = tmp_path / "single.conf"
    text = CONFIGURATION.read_text().replace("0.0.0.0:4222", f"{LOOPBACK}:{clients}")
    configuration.write_text(text.replace("0.0.0.0:8222", f"{LOOPBACK}:{monitoring}"))
    secrets = {"DESKWIRE_NATS_PASSWORD": "abc123", "DESKWIRE_NATS_SYSTEM_PASSWORD": "def456"}
    with (tmp_path / "nats.log").open("wb") as log:
        server = subprocess.Popen(
            [find_program(), "--config", configuration], stdout=log, stderr=log,
            env=os.environ | secrets | {"DESKWIRE_NATS_STORE": str(tmp_path / "store")},
        )  # fmt: skip
    try:
        yield clients
    finally:
        server.terminate()
        server.wait(20)


async def test_the_server_of_the_deployment_is_as_durable_as_promised(port: int, tmp_path: Path) -> None:
    address = f"{LOOPBACK}:{port}"
    system_url = f"nats://deskwire-system:def456@{address}"
    settings = CommonSettings(data_dir=tmp_path).with_nats(f"nats://deskwire:abc123@{address}", system_url)
    assert "made stream TICKETS" in await boot.migrate(settings, patience_seconds=20)
    async with connected(settings, patience_seconds=20) as connection:
        await check_durability("single", connection.jetstream(), system_url)
