"""What the services would have done back then. A service takes part by an entry point of `deskwire.hindsight`.

It names a function that gives a `Hindsight` for a directory.
"""

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import entry_points
from typing import Protocol

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.directory.port import Directory
from deskwire_shared.ticket.commands import TicketCommand
from deskwire_shared.ticket.state import Ticket

ENTRY_POINTS = "deskwire.hindsight"


class Hindsight(Protocol):
    """A service that looks at a ticket as of a moment in the past."""

    actor: Actor

    async def wish(self, ticket: Ticket, at: datetime) -> TicketCommand:
        """What it would have wished for at that moment."""
        ...

    def next_look(self, ticket: Ticket, after: datetime) -> datetime | None:
        """When it would have looked again, had nothing happened."""
        ...


def hindsights(directory: Directory) -> list[Hindsight]:
    """Those of all installed services."""
    found: list[Callable[[Directory], Hindsight]] = [one.load() for one in entry_points(group=ENTRY_POINTS)]
    return [make(directory) for make in found]
