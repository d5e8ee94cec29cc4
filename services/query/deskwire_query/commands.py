"""`deskwire rebuild` and `verify`: make the read models anew, and check them against the log."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deskwire_query.projections.runner import Sources

rebuild = typer.Typer(add_completion=False, invoke_without_command=True)
verify = typer.Typer(add_completion=False, invoke_without_command=True)

MOST_SHOWN = 50
STAGES = {"commits": "reading the log", "search": "indexing", "log": "comparing with the log", "tickets": "refolding"}

Tell = Callable[[str, int, int], Awaitable[None]]


@rebuild.callback()
def rebuild_read_models() -> None:
    """Make the read models anew from the log, beside the ones that answer, and swap them in."""
    from deskwire_query.catalogue import Overtaken
    from deskwire_query.generations import rebuild as rebuild_generation
    from deskwire_shared.runtime.running import CommandFailed, run_async

    async def work() -> None:
        async with _sources() as sources, _progress() as tell:
            try:
                rebuilt = await rebuild_generation(sources, progress=tell)
            except Overtaken as overtaken:
                raise CommandFailed(f"another rebuild began meanwhile: {overtaken}") from overtaken
        typer.echo(f"rebuilt up to commit {rebuilt.generation.position.sequence}")
        if rebuilt.kept_ledger is not None:
            typer.echo(
                f"the log has lost commits that the old ledger still holds: it was kept as table {rebuilt.kept_ledger}"
            )

    run_async(work())


@verify.callback()
def verify_read_models(
    most: Annotated[int, typer.Option(min=1, max=1000, help="Show at most so many differences.")] = MOST_SHOWN,
) -> None:
    """Check chains, versions, the ledger and everything projected against the log; exits 1 when something differs."""
    from deskwire_query.catalogue import NothingLives
    from deskwire_query.verifying import verify as verify_generation
    from deskwire_shared.runtime.running import CommandFailed, run_async

    async def work() -> None:
        async with _sources() as sources, _progress() as tell:
            try:
                found = await verify_generation(sources, progress=tell)
            except NothingLives as error:
                raise CommandFailed(f"{error}; is a projector running?") from error
        for difference in found.differences[:most]:
            typer.echo(difference)
        typer.echo(f"{found.commits} commits, {found.tickets} tickets, {found.lag} commits not projected yet")
        if found.differences:
            raise CommandFailed(f"{len(found.differences)} differences; `deskwire rebuild` makes the read models anew")
        typer.echo("no difference")

    run_async(work())


@asynccontextmanager
async def _sources() -> AsyncIterator["Sources"]:
    from deskwire_query import catalogue
    from deskwire_query.database import open_database
    from deskwire_query.projections.log import TicketLog
    from deskwire_query.projections.runner import Sources
    from deskwire_shared.eventstore.codec import Codec
    from deskwire_shared.runtime.memory import collect_less
    from deskwire_shared.runtime.running import running_desk

    async with running_desk() as desk:
        database = open_database(desk.settings.database_url.get_secret_value())
        try:
            await catalogue.create_catalogue(database)
            collect_less()
            yield Sources(database, TicketLog(desk.connection), Codec(desk.keys))
        finally:
            await database.close()


@asynccontextmanager
async def _progress() -> AsyncIterator[Tell]:
    """Show a bar on a terminal; elsewhere rich shows nothing until the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar_of = {stage: bars.add_task(words, total=None, visible=False) for stage, words in STAGES.items()}

        async def tell(stage: str, done: int, total: int) -> None:
            bars.update(bar_of[stage], completed=done, total=total, visible=True)

        yield tell
