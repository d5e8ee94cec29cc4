"""`deskwire apply` and `export`: the settings of a desk as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deskwire_routing.configuration.changes import Change

apply = typer.Typer(add_completion=False)
export = typer.Typer(add_completion=False)

Paths = Annotated[
    list[Path],
    typer.Option("-f", "--file", metavar="PATH", help="A JSON file, or a folder of `<kind>/<id>.json`. Repeatable."),
]


@apply.command()
def apply_configuration(
    file: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Bring the desk's settings in line with files; what stands in no file stays as it is."""
    from deskwire_routing.configuration.documents import FaultyConfiguration
    from deskwire_routing.configuration.files import planned, read_configuration, store
    from deskwire_shared.runtime.people import COMMAND_LINE
    from deskwire_shared.runtime.running import CommandFailed, run_async, running_desk

    async def work() -> None:
        try:
            configured = read_configuration(file)
            async with running_desk() as desk:
                plan = planned(configured, desk.directory)
                _show(plan)
                if not dry_run:
                    await store(plan, desk.directory, COMMAND_LINE)
        except FaultyConfiguration as error:
            raise CommandFailed(f"nothing was changed\n{error}") from error
        verb = "would be stored" if dry_run else "stored"
        typer.echo(f"{len(plan)} {verb}, {len(configured) - len(plan)} as they are")

    run_async(work())


@export.command()
def export_configuration(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where to write the files.")],
) -> None:
    """Write the desk's settings into files that `deskwire apply` reads; people and secrets are none of them."""
    from deskwire_routing.configuration.files import write_configuration
    from deskwire_shared.runtime.running import CommandFailed, run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            try:
                count = write_configuration(desk.directory, output)
            except OSError as error:
                raise CommandFailed(f"{output} cannot be written: {error.strerror or error}") from error
            typer.echo(f"{count} documents written to {output}")

    run_async(work())


def _show(plan: "list[Change]") -> None:
    from deskwire_shared.runtime.telling import harmless

    for change in plan:
        name = harmless(str(getattr(change.document, "name", "")))
        mark = typer.style("+", fg="green") if change.is_new else typer.style("~", fg="yellow")
        typer.echo(f"{mark} {change.key}  {name}")
        for line in change.lines:
            typer.echo(f"    {harmless(line)}")
