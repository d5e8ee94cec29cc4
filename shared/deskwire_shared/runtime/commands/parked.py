"""`deskwire parked`: what nobody could handle, waiting for somebody to look at it."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nats.js import JetStreamContext

parked = typer.Typer(name="parked", help="Messages and mails that could not be handled.", no_args_is_help=True)

SHOWN_BYTES = 10_000
MOST = 100_000

Number = Annotated[int, typer.Argument(min=1, help="Its number, as `parked list` shows it.")]
Numbers = Annotated[list[int] | None, typer.Argument(min=1, help="Their numbers, as `parked list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="Everything that is parked.")]


@parked.command("list")
def list_parked(
    service: Annotated[str | None, typer.Option(help="Only what this service parked.")] = None,
    most: Annotated[int, typer.Option(min=1, max=MOST, help="How many at most.")] = 100,
) -> None:
    """List what is parked, oldest first."""
    from deskwire_shared.runtime import parking
    from deskwire_shared.runtime.running import run_async, running_desk
    from deskwire_shared.runtime.tables import print_table

    async def work() -> None:
        async with running_desk() as desk:
            found = await parking.list_parked(desk.js, most=most)
            print_table(
                ("Number", "Since", "Service", "Reference", "Reason"),
                (
                    (str(one.number), f"{one.at:%Y-%m-%d %H:%M}", one.service, one.reference, one.reason)
                    for one in found
                    if service in (None, one.service)
                ),
            )

    run_async(work())


@parked.command()
def show(number: Number) -> None:
    """Show something parked with all that is known of it."""
    from deskwire_shared.runtime.parking import get_parked
    from deskwire_shared.runtime.running import run_async, running_desk
    from deskwire_shared.runtime.telling import harmless

    async def work() -> None:
        async with running_desk() as desk:
            found = await get_parked(desk.js, number)
            lines = [
                f"number     {found.number}",
                f"since      {found.at.isoformat()}",
                f"service    {found.service}",
                f"reference  {found.reference}",
                f"reason     {found.reason}",
                *(f"header     {name}: {value}" for name, value in found.headers.items()),
                *((f"content    {len(found.data)} bytes",) if found.data else ()),
                *found.data[:SHOWN_BYTES].decode("utf-8", "replace").splitlines(),
            ]
            typer.echo("\n".join(map(harmless, lines)))

    run_async(work())


@parked.command()
def replay(numbers: Numbers = None, everything: All = False) -> None:
    """Have the service handle something parked once more; it leaves the list when that goes well."""
    from deskwire_shared.runtime.parking import dismiss, get_parked
    from deskwire_shared.runtime.replaying import ReplayFailed, ask_for_replay
    from deskwire_shared.runtime.running import run_async, running_desk

    async def work() -> None:
        failed = False
        async with running_desk() as desk:
            for number in await _asked(desk.js, numbers, everything=everything):
                try:
                    await ask_for_replay(desk.connection, await get_parked(desk.js, number))
                except ReplayFailed as error:
                    failed = True
                    typer.echo(f"{number}: {error}", err=True)
                    continue
                await dismiss(desk.js, number)
                typer.echo(f"{number}: handled")
        raise typer.Exit(1 if failed else 0)

    run_async(work())


@parked.command("dismiss")
def dismiss_parked(numbers: Numbers = None, everything: All = False) -> None:
    """Take something out of the list for good, unhandled."""
    from deskwire_shared.runtime.parking import dismiss
    from deskwire_shared.runtime.running import run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            for number in await _asked(desk.js, numbers, everything=everything):
                await dismiss(desk.js, number)
                typer.echo(f"{number}: dismissed")

    run_async(work())


async def _asked(js: "JetStreamContext", numbers: list[int] | None, *, everything: bool) -> list[int]:
    from deskwire_shared.runtime.parking import list_parked

    if bool(numbers) == everything:
        raise typer.BadParameter("give either numbers or --all")
    return numbers or [one.number for one in await list_parked(js, most=MOST)]
