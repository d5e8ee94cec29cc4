"""What every command does around its work: read the settings, find the desk, end with a clear message."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, NoReturn

import typer
from pydantic import ValidationError

from deskwire_shared.directory.port import DirectoryError
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.data_directory import DataDirectoryBusy, DataDirectoryUnusable, find_running
from deskwire_shared.runtime.desk import ConnectionLost, Desk, Unreachable, open_desk
from deskwire_shared.runtime.durability import TooWeak
from deskwire_shared.runtime.embedded_nats import EmbeddedNatsFailed
from deskwire_shared.runtime.listening import CannotListen
from deskwire_shared.runtime.logs import configure_logs
from deskwire_shared.runtime.nats_server import NatsServerMissing
from deskwire_shared.runtime.parking import UnknownParked
from deskwire_shared.runtime.settings import CommonSettings, UnknownRole, WrongSettings

PATIENCE_SECONDS = 5.0
"""How long a command waits for the NATS server."""


class CommandFailed(Exception):
    """A command cannot do what was asked; the sentence says why."""


EXPECTED = (
    CannotListen,
    CommandFailed,
    ConnectionLost,
    DataDirectoryBusy,
    DataDirectoryUnusable,
    DirectoryError,
    EmbeddedNatsFailed,
    EventStoreError,
    NatsServerMissing,
    TooWeak,
    UnknownParked,
    UnknownRole,
    Unreachable,
    WrongSettings,
)
"""Failures whose message says all; no trace is shown for them."""


def load_settings() -> CommonSettings:
    """The common settings, and logs as they say; ends the program with a clear message when one is wrong."""
    try:
        settings = CommonSettings()
    except ValidationError as error:
        typer.echo(f"deskwire: {WrongSettings(error)}", err=True)
        raise typer.Exit(2) from error
    configure_logs(log_format=settings.log_format, level=settings.log_level)
    return settings


def run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work; failures that explain themselves end the program without a trace."""
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except EXPECTED as failure:
        _give_up(failure)
    except BaseExceptionGroup as failures:
        if failures.split(EXPECTED)[1] is not None:
            raise
        _give_up(*_leaves(failures))


def _give_up(*failures: BaseException) -> NoReturn:
    for failure in failures:
        typer.echo(f"deskwire: {failure}", err=True)
    raise typer.Exit(1) from failures[0]


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for failure in group.exceptions:
        leaves += _leaves(failure) if isinstance(failure, BaseExceptionGroup) else [failure]
    return leaves


def known_server(settings: CommonSettings) -> CommonSettings:
    """The settings with the NATS server they name, or the servers of the Deskwire running here, if there is one."""
    if settings.nats_url is not None:
        return settings
    running = find_running(settings.data_dir)
    if running is None:
        return settings
    found = settings.with_nats(running.nats_url, running.nats_system_url)
    return found.model_copy(update={"public_url": running.http_url})


def discovered(settings: CommonSettings) -> CommonSettings:
    """The settings with a NATS server in them. Raises CommandFailed when there is none."""
    found = known_server(settings)
    if found.nats_url is None:
        raise CommandFailed(
            f"nothing runs on {settings.data_dir}, and DESKWIRE_NATS_URL names no server."
            " Start `deskwire up`, or set it."
        )
    return found


@contextlib.asynccontextmanager
async def running_desk() -> AsyncIterator[Desk]:
    """The desk that the settings name or that runs here. Raises CommandFailed or Unreachable."""
    async with open_desk(discovered(load_settings()), patience_seconds=PATIENCE_SECONDS) as desk:
        yield desk
