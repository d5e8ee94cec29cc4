"""`deskwire up`: the whole desk in one process, for a laptop or a small team."""

import os
import sys
from collections.abc import Sequence

from deskwire_shared.contracts.staff import Agent
from deskwire_shared.runtime import boot
from deskwire_shared.runtime.data_directory import (
    RunningDeskwire,
    announce_running,
    make_data_directory,
    withdraw_running,
)
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.settings import CommonSettings


async def up(settings: CommonSettings, services: Sequence[Service]) -> None:
    """Start the server, announce where the desk is reached, serve until stopped."""
    make_data_directory(settings.data_dir)
    async with boot.embedded_server(settings) as found:
        assert found.nats_url is not None
        system_url = found.nats_system_url
        announce_running(
            settings.data_dir,
            RunningDeskwire(
                pid=os.getpid(),
                nats_url=found.nats_url.get_secret_value(),
                nats_system_url=system_url.get_secret_value() if system_url else "",
                http_url=found.public_url,
                smtp_address=f"{found.bind_host}:{found.smtp_port}",
            ),
        )
        try:
            await boot.serve(found, services, ready=greet)
        finally:
            withdraw_running(settings.data_dir)


async def greet(runtime: Runtime) -> None:
    """Print where the desk is reached; with nobody in it yet, the one-time link that makes the first administrator."""
    settings = runtime.settings
    told = {"Desk": settings.public_url, **runtime.announcements}
    if "intake" in runtime.services:
        told["Mail in"] = f"smtp://{settings.bind_host}:{settings.smtp_port}"
    if not any(agent.active for agent in runtime.directory.all(Agent).values()):
        token = await runtime.secrets.new_setup_token()
        told["Start"] = f"{settings.public_url}/setup?token={token}"
        told[""] = "(opens once, and makes you the first administrator)"
    told["Stop"] = "Ctrl-C"
    lines = (f"  {word:<9} {text}" for word, text in told.items())
    sys.stdout.write("\n".join(["", "Deskwire is ready.", *lines, "", ""]))
    sys.stdout.flush()
