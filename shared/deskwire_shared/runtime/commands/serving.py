"""`deskwire up`, `run` and `migrate`: start the desk, or one service of it."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deskwire_shared.runtime.service import Service

serving = typer.Typer()


@serving.command()
def up(
    services: Annotated[list[str] | None, typer.Argument(help="Only these services.", show_default=False)] = None,
) -> None:
    """Run everything in one process, with a nats-server of its own unless DESKWIRE_NATS_URL names one."""
    from deskwire_shared.runtime import up as whole_desk
    from deskwire_shared.runtime.running import load_settings, run_async

    settings = load_settings()
    _warn_of_unknown_settings()
    run_async(whole_desk.up(settings, _chosen(services or [])))


@serving.command()
def run(
    service: Annotated[str, typer.Argument(help="The service to run.")],
    role: Annotated[str | None, typer.Option(help="Only this role of the service.")] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            help="Only this channel, for intake: `email`, `imap`, `web`, `chat`, `webhook`, or a mailbox by name or id."
        ),
    ] = None,
) -> None:
    """Run one service against the NATS server that DESKWIRE_NATS_URL names."""
    from deskwire_shared.runtime import boot
    from deskwire_shared.runtime.running import discovered, load_settings, run_async

    (chosen,) = _chosen([service])
    role = role or channel
    if role is not None and role not in chosen.roles and not chosen.plays_channels:
        raise typer.BadParameter(f"{service} has the roles {', '.join(chosen.roles) or '(none)'}")

    settings = load_settings()
    _warn_of_unknown_settings()

    async def work() -> None:
        await boot.serve(discovered(settings), [chosen], role=role)

    run_async(work())


@serving.command()
def migrate() -> None:
    """Make and update the streams, buckets and consumers; safe to run at any time."""
    from deskwire_shared.runtime import boot
    from deskwire_shared.runtime.running import PATIENCE_SECONDS, discovered, load_settings, run_async

    async def work() -> None:
        for line in await boot.migrate(discovered(load_settings()), patience_seconds=PATIENCE_SECONDS):
            typer.echo(line)
        typer.echo("streams are up to date")

    run_async(work())


def _warn_of_unknown_settings() -> None:
    from structlog import get_logger

    from deskwire_shared.runtime.setting_names import unknown_settings

    for unknown in unknown_settings(os.environ):
        get_logger(__name__).warning(str(unknown))


def _chosen(names: list[str]) -> "list[Service]":
    from deskwire_shared.runtime.boot import load_service, service_names

    unknown = set(names) - set(service_names())
    if unknown:
        raise typer.BadParameter(
            f"no service {', '.join(sorted(unknown))} here; installed: {', '.join(service_names())}"
        )
    return [load_service(name) for name in names or service_names()]
