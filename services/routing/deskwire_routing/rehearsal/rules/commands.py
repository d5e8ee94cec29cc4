"""`deskwire rules rehearse`: what draft rules would have changed."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

    from deskwire_routing.rehearsal.rules.report import Rehearsal
    from deskwire_routing.rehearsal.rules.run import Asked
    from deskwire_shared.contracts.rules import Rule

rules = typer.Typer(add_completion=False, no_args_is_help=True, help="Business rules.")

MOST_SHOWN = 40
HOLD_IDS = frozenset({"team", "assignee", "followers"})
"""Where ids stand for teams and agents."""


@rules.callback()
def _several() -> None:
    """Business rules."""


@rules.command()
def rehearse(
    file: Annotated[
        list[Path],
        typer.Option("-r", "--rules", metavar="PATH", help="Rules as `deskwire export` writes them. Repeatable."),
    ],
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="From this day or moment on.")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Until before this day or moment.")],
    alone: Annotated[bool, typer.Option("--alone", help="Without the other rules that the desk has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Tell what draft rules would have done in the past, beside what rules did; nothing is changed by it."""
    from deskwire_routing.rehearsal.rules.reliving import Span
    from deskwire_routing.rehearsal.rules.run import Asked
    from deskwire_shared.runtime.running import run_async

    span = Span(moment(since), moment(until))
    if span.since >= span.until:
        raise typer.BadParameter("--to has to be behind --from")
    run_async(_rehearse(Asked(rules=read_draft_rules(file), span=span, alone=alone), as_json=as_json))


async def _rehearse(asked: "Asked", *, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from deskwire_routing.rehearsal.rules.run import rehearse_on
    from deskwire_shared.runtime.running import running_desk
    from deskwire_shared.runtime.telling import Teller

    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with running_desk() as desk:
        with Progress(*bar, console=Console(stderr=True)) as progress:
            task = progress.add_task("reading the log", total=None)
            found = await rehearse_on(
                desk, asked, most_tickets=sys.maxsize,
                tell=lambda what, done, total: progress.update(task, description=what, completed=done, total=total),
            )  # fmt: skip
        if as_json:
            sys.stdout.write(f"{found.model_dump_json(indent=2)}\n")
        else:
            _print(found, Teller(desk.directory).name)


def print_rules(found: "Rehearsal") -> None:
    """Print how often each rule acted."""
    from deskwire_shared.runtime.tables import print_table

    print_table(
        ("Rule", "Name", "Acted", "as drafted", "Stopped"),
        ((one.rule_id, one.name, str(one.recorded), str(one.draft), str(one.stopped)) for one in found.rules),
    )
    typer.echo("")


def print_sum(found: "Rehearsal") -> None:
    """Print what drafts could not do, and what all of it comes to."""
    from deskwire_shared.runtime.telling import harmless

    for trouble in found.troubles:
        typer.echo(f"a draft could not do everything: {harmless(trouble)}")
    typer.echo(
        f"{found.tickets} tickets, {found.occasions} occasions;"
        f" {found.changed} would have ended otherwise, on {found.changed_tickets} tickets"
    )


def _print(found: "Rehearsal", name: "Callable[[str], str]") -> None:
    from deskwire_shared.runtime.tables import print_table

    print_rules(found)
    print_table(
        ("Ticket", "At", "Occasion", "What", "Was", "as drafted"),
        (
            (f"#{one.number}", f"{one.at:%Y-%m-%d %H:%M}", one.occasion, difference.what,
             shown(difference.what, difference.recorded, name), shown(difference.what, difference.draft, name))
            for one in found.first_changed[:MOST_SHOWN]
            for difference in one.differences
        ),
    )  # fmt: skip
    print_sum(found)


def shown(what: str, value: "JsonValue", name: "Callable[[str], str]") -> str:
    """Show what a ticket had; teams and agents by their names."""
    match value:
        case str() if what in HOLD_IDS:
            return name(value)
        case [*ids] if ids and what in HOLD_IDS:
            return ", ".join(name(str(one)) for one in ids)
        case _:
            return json.dumps(value, ensure_ascii=False)


def read_draft_rules(paths: list[Path]) -> "dict[str, Rule]":
    """Read draft rules by id. Raises BadParameter."""
    from deskwire_routing.configuration.documents import FaultyConfiguration
    from deskwire_routing.configuration.files import read_rules

    try:
        return read_rules(paths)
    except FaultyConfiguration as error:
        raise typer.BadParameter(str(error), param_hint="--rules") from error


def moment(text: str) -> datetime:
    """Read a moment; a day begins at midnight in UTC, and so does a time without an offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day or moment such as 2026-03-27 or 2026-03-27T16:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
