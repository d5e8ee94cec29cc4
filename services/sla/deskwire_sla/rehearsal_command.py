"""A rehearsal on the command line: a progress bar, then a table of what would have been different."""

import sys
import time
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from deskwire_shared.contracts.staff import Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.running import CommandFailed, running_desk
from deskwire_shared.runtime.telling import harmless
from deskwire_sla.drafts import Draft, DraftIncomplete
from deskwire_sla.rehearsal import Figures, Rehearsal, rehearse_on

WITHOUT_LIMIT: Final = sys.maxsize
COLUMNS: Final = ("Team", "Priority", "Promise", "Kept", "as drafted", "Missed", "as drafted", "Missed more")


async def rehearse_and_print(draft: Draft, since: datetime, until: datetime, *, as_json: bool) -> None:
    """Rehearse on the running desk and print what came of it."""
    bar = (TextColumn("reading the log"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    started = time.perf_counter()
    async with running_desk() as desk:
        with Progress(*bar, console=Console(stderr=True)) as progress:
            task = progress.add_task("", total=None)
            try:
                found = await rehearse_on(
                    desk, draft, since=since, until=until, most_tickets=WITHOUT_LIMIT,
                    tell=lambda read, total: progress.update(task, completed=read, total=total),
                )  # fmt: skip
            except DraftIncomplete as error:
                raise CommandFailed(str(error)) from error
        if as_json:
            sys.stdout.write(f"{found.model_dump_json(indent=2)}\n")
        else:
            _print(found, desk.directory, seconds=time.perf_counter() - started)


def _print(found: Rehearsal, directory: Directory, *, seconds: float) -> None:
    console = Console()
    table = Table(*COLUMNS[:3])
    for column in COLUMNS[3:]:
        table.add_column(column, justify="right")
    for figures in found.figures:
        table.add_row(*_row(figures, directory))
    console.print(table)
    console.print(
        f"{found.tickets} tickets; {found.changed} promises would have ended in another way. "
        f"Read {found.facts} facts in {seconds:.1f} s ({found.facts / seconds:,.0f} facts/s).",
        highlight=False,
    )


def _row(figures: Figures, directory: Directory) -> tuple[str, ...]:
    team = directory.get(Team, figures.team_id) if figures.team_id else None
    return (
        escape(harmless(team.name if team else figures.team_id or "no team")),
        figures.priority,
        figures.metric.replace("_", " "),
        str(figures.kept),
        str(figures.draft_kept),
        str(figures.missed),
        str(figures.draft_missed),
        f"{figures.draft_missed - figures.missed:+d}",
    )
