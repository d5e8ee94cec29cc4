"""Finds the NATS server for a command: the one the settings name, or that of the Deskwire running here."""

import typer

from deskwire_shared.runtime.data_directory import find_running
from deskwire_shared.runtime.settings import CommonSettings


def discovered(settings: CommonSettings) -> CommonSettings:
    """The settings with a NATS server in them; ends the program with a clear message when there is none."""
    if settings.nats_url is not None:
        return settings
    running = find_running(settings.data_dir)
    if running is None:
        typer.echo(
            f"deskwire: nothing runs on {settings.data_dir}, and DESKWIRE_NATS_URL names no server."
            " Start `deskwire up`, or set it.",
            err=True,
        )
        raise typer.Exit(1)
    return settings.with_nats(running.nats_url, running.nats_system_url)
