"""`deskwire demo`: something to look at."""

import secrets

import typer

staging = typer.Typer()

PASSWORD_BYTES = 9


@staging.command()
def demo() -> None:
    """Fill the desk that runs here with a made-up company: teams, agents, promises and two weeks of tickets."""
    from rich.progress import Progress

    from deskwire_shared.runtime.demo.furniture import demo_id
    from deskwire_shared.runtime.demo.staging import how_much, is_whole, stage
    from deskwire_shared.runtime.demo.stories import staff
    from deskwire_shared.runtime.running import run_async, running_desk

    async def work() -> None:
        async with running_desk() as desk:
            if await is_whole(desk):
                typer.echo("The demo desk stands already. `deskwire user list` names its agents.")
                return
            with Progress() as progress:
                task = progress.add_task("Setting the stage", total=how_much())
                await stage(desk, lambda: progress.advance(task))
            lead = staff()[0].person
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            await desk.identity.set_password(demo_id("agent", lead.address), password)
            typer.echo(f"Sign in at {desk.settings.public_url} as {lead.address} with the password {password}")

    run_async(work())
