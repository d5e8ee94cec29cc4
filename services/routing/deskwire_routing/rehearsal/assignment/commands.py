"""`deskwire routing rehearse`: who would have got which ticket when."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deskwire_routing.rehearsal.rules.commands import moment, read_draft_rules

if TYPE_CHECKING:
    from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft
    from deskwire_routing.rehearsal.assignment.run import AskedAssignment

routing = typer.Typer(add_completion=False, no_args_is_help=True, help="Assignment of tickets to agents.")


@routing.callback()
def _several() -> None:
    """Assignment of tickets to agents."""


@routing.command()
def rehearse(  # noqa: PLR0917 - typer passes options by name
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="From this day or moment on.")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Until before this day or moment.")],
    teams: Annotated[
        list[Path] | None,
        typer.Option("-t", "--teams", metavar="PATH", help="Teams and calendars as `deskwire export` writes them."),
    ] = None,
    agents: Annotated[
        Path | None,
        typer.Option(
            "-a", "--agents", metavar="FILE", help='What is different about agents: {"ada": {"capacity": …}}.'
        ),
    ] = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option("-r", "--rules", metavar="PATH", help="Draft rules, which then decide what is assigned."),
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Without the rules that the desk has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Tell who would have got which ticket when, with draft teams, agents and rules; nothing is changed by it.

    Without drafts it tells how near to what happened a rehearsal comes.
    """
    from deskwire_routing.rehearsal.assignment.run import AskedAssignment
    from deskwire_routing.rehearsal.rules.reliving import Span
    from deskwire_shared.runtime.running import run_async

    span = Span(moment(since), moment(until))
    if span.since >= span.until:
        raise typer.BadParameter("--to has to be behind --from")
    drafted = read_draft_rules(rules) if rules else {}
    asked = AskedAssignment(_draft(teams or [], agents), span, drafted, alone=alone)
    run_async(_rehearse(asked, as_json=as_json))


async def _rehearse(asked: "AskedAssignment", *, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from deskwire_routing.app import STRATEGIES
    from deskwire_routing.rehearsal.assignment.drafts import DraftIncomplete
    from deskwire_routing.rehearsal.assignment.run import rehearse_assignment_on
    from deskwire_routing.rehearsal.assignment.tables import print_rehearsal
    from deskwire_shared.runtime.running import CommandFailed, running_desk

    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with running_desk() as desk:
        with Progress(*bar, console=Console(stderr=True)) as progress:
            task = progress.add_task("reading the log", total=None)
            try:
                found = await rehearse_assignment_on(
                    desk, asked, strategies=STRATEGIES, most_tickets=sys.maxsize,
                    tell=lambda what, done, total: progress.update(
                        task, description=what, completed=done, total=total
                    ),
                )  # fmt: skip
            except DraftIncomplete as error:
                raise CommandFailed(str(error)) from error
        if as_json:
            sys.stdout.write(f"{found.model_dump_json(indent=2)}\n")
        else:
            print_rehearsal(found, asked.draft, desk.directory)


def _draft(teams: list[Path], agents: Path | None) -> "AssignmentDraft":
    from deskwire_routing.configuration.documents import FaultyConfiguration
    from deskwire_routing.rehearsal.assignment.draft_files import read_draft

    try:
        return read_draft(teams, agents)
    except FaultyConfiguration as error:
        raise typer.BadParameter(str(error), param_hint="--teams, --agents") from error
