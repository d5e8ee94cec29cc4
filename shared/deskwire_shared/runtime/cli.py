"""The command line `deskwire`: it finds the services and their commands by entry point, so it imports none."""

from importlib.metadata import EntryPoints, entry_points, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from deskwire_shared.runtime.commands.demo import staging
from deskwire_shared.runtime.commands.doctor import health
from deskwire_shared.runtime.commands.parked import parked
from deskwire_shared.runtime.commands.people import token, user
from deskwire_shared.runtime.commands.reading import reading
from deskwire_shared.runtime.commands.serving import serving

COMMANDS = "deskwire.commands"
"""The entry points of the services' own commands: a Typer application under the name of the command."""


class Commands(TyperGroup):
    """Our own commands and, loaded when asked for, those of the installed services."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands as the help lists them."""
        return [*super().list_commands(ctx), *sorted(_of_services().names)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command."""
        return super().get_command(ctx, cmd_name) or _load(cmd_name)


def _load(name: str) -> Any:
    for found in _of_services().select(name=name):
        command = get_command(found.load())
        command.name = name
        return command
    return None


def _of_services() -> EntryPoints:
    return entry_points(group=COMMANDS)


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for commands in (serving, staging, health, reading, parked, user, token):
    app.add_typer(commands)


@app.callback(invoke_without_command=True)
def root(show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Deskwire, the event-sourced help desk."""
    if show_version:
        typer.echo(version("deskwire-shared"))
        raise typer.Exit


def main() -> None:
    """Entry point of the program `deskwire`."""
    app()


if __name__ == "__main__":
    main()
