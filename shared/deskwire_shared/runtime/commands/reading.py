"""`deskwire tail` and `explain`: read the log."""

import re
import sys
from datetime import timedelta
from typing import Annotated

import typer

reading = typer.Typer()

WIDTH = 2_000
"""Of a line, where no terminal limits it."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@reading.command()
def tail(
    ticket: Annotated[str | None, typer.Option(help="Only this ticket: its number or id.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Start there: a time span such as 10m, 2h or 3d, or a sequence. Default: now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each commit.")] = False,
) -> None:
    """Show what happens on tickets, as it happens; Ctrl-C ends it."""
    from rich.console import Console

    from deskwire_shared.runtime import finding, tailing
    from deskwire_shared.runtime.running import run_async, running_desk
    from deskwire_shared.runtime.telling import Teller

    span = _span(since)

    async def work() -> None:
        async with running_desk() as desk:
            ticket_id = await finding.find_ticket(desk, ticket) if ticket else None
            if isinstance(span, timedelta):
                start = await finding.sequence_at(desk, desk.clock.now() - span)
            else:
                start = span or await finding.next_sequence(desk)
            console = Console(highlight=False)
            show = tailing.as_json(console) if as_json else tailing.as_text(console, Teller(desk.directory))
            await tailing.tail(desk, show, start=start, ticket_id=ticket_id)

    run_async(work())


@reading.command()
def explain(ticket: Annotated[str, typer.Argument(help="The ticket's number or id.")]) -> None:
    """Show who did what to a ticket and why: each change stands below the one that caused it."""
    from rich.console import Console

    from deskwire_shared.runtime import finding, tailing
    from deskwire_shared.runtime.running import CommandFailed, run_async, running_desk
    from deskwire_shared.runtime.telling import Teller

    async def work() -> None:
        async with running_desk() as desk:
            history = await desk.store.load(await finding.find_ticket(desk, ticket))
            if not history.recorded:
                raise CommandFailed(f"there is no ticket {ticket}")
            tree = tailing.explained(history, Teller(desk.directory))
            Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH).print(tree)

    run_async(work())


def _span(since: str | None) -> timedelta | int | None:
    if since is None:
        return None
    if since.isdecimal():
        return int(since)
    parts = re.fullmatch(r"(\d{1,6})([smhd])", since)
    if parts is None:
        raise typer.BadParameter("write a time span such as 90s, 10m, 2h or 3d, or a sequence")
    return timedelta(**{UNITS[parts[2]]: int(parts[1])})
