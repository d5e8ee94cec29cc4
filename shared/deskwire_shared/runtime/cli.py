"""The command line `deskwire`: it finds the services by entry point, so it imports none."""

import asyncio
from collections.abc import Coroutine
from importlib.metadata import version
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from deskwire_shared.runtime import boot
from deskwire_shared.runtime.data_directory import DataDirectoryBusy
from deskwire_shared.runtime.durability import TooWeak, replicas
from deskwire_shared.runtime.embedded_nats import EmbeddedNatsFailed
from deskwire_shared.runtime.logs import configure_logs
from deskwire_shared.runtime.nats_server import NatsServerMissing
from deskwire_shared.runtime.running import discovered
from deskwire_shared.runtime.service import Service
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.runtime.streams import migrate as migrate_streams
from deskwire_shared.runtime.up import up as run_up

EXPECTED = (DataDirectoryBusy, EmbeddedNatsFailed, NatsServerMissing, TooWeak)
"""Failures whose message says all; no trace is shown for them."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def load_settings() -> CommonSettings:
    """The settings from the environment; ends the program with a clear message when one is wrong."""
    try:
        settings = CommonSettings()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"setting DESKWIRE_{name}: {problem['msg']}", err=True)
        raise typer.Exit(2) from error
    configure_logs(log_format=settings.log_format, level=settings.log_level)
    return settings


def run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work; failures that explain themselves end the program without a trace."""
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except EXPECTED as error:
        typer.echo(f"deskwire: {error}", err=True)
        raise typer.Exit(1) from error


@app.callback(invoke_without_command=True)
def root(show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Deskwire, the event-sourced help desk."""
    if show_version:
        typer.echo(version("deskwire-shared"))
        raise typer.Exit


@app.command()
def up(
    services: Annotated[list[str] | None, typer.Argument(help="Only these services.")] = None,
) -> None:
    """Run everything in one process, with a nats-server of its own unless DESKWIRE_NATS_URL names one."""
    run_async(run_up(load_settings(), _chosen(services or [])))


@app.command()
def run(
    service: Annotated[str, typer.Argument(help="The service to run.")],
    role: Annotated[str | None, typer.Option(help="Only this role of the service.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel, for intake: another name for --role.")] = None,
) -> None:
    """Run one service against the NATS server that DESKWIRE_NATS_URL names."""
    settings = discovered(load_settings())
    (chosen,) = _chosen([service])
    role = role or channel
    if role is not None and role not in chosen.roles:
        raise typer.BadParameter(f"{service} has the roles {', '.join(chosen.roles) or '(none)'}")
    run_async(boot.serve(settings, [chosen], role=role))


@app.command()
def migrate() -> None:
    """Make and update the streams, buckets and consumers; safe to run at any time."""

    async def work() -> None:
        settings = discovered(load_settings())
        async with boot.connected(settings) as connection:
            for line in await migrate_streams(connection.jetstream(), replicas=replicas(settings.durability)):
                typer.echo(line)
        typer.echo("streams are up to date")

    run_async(work())


def _chosen(names: list[str]) -> list[Service]:
    installed = boot.installed_services()
    unknown = [name for name in names if name not in installed]
    if unknown:
        raise typer.BadParameter(f"no service {', '.join(unknown)} here; installed: {', '.join(installed)}")
    return [installed[name] for name in names] or list(installed.values())


def _add_service_commands() -> None:
    for service in boot.installed_services().values():
        for name, commands in (service.commands() if service.commands else {}).items():
            app.add_typer(commands, name=name)


def main() -> None:
    """Entry point of the program `deskwire`."""
    _add_service_commands()
    app()


if __name__ == "__main__":
    main()
