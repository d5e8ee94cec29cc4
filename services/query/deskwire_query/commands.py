"""The commands `deskwire rebuild` and `deskwire verify`."""

import typer


def commands() -> dict[str, typer.Typer]:
    """Give the query service's commands by name."""
    return {}
