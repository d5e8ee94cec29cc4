"""What sla would have noted on tickets of the past, for histories that are made up or imported."""

from datetime import datetime

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.directory.port import Directory
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.handlers import BY_SLA
from deskwire_sla.policy_book import PolicyBook
from deskwire_sla.review import next_look
from deskwire_sla.wishing import wish_for


class Hindsight:
    """Looks at tickets as of moments in the past, under the policies of today."""

    actor: Actor = BY_SLA

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._book = PolicyBook(directory)

    async def wish(self, ticket: Ticket, at: datetime) -> Several:
        """What sla would have wished for at that moment."""
        wish = await wish_for(ticket, at, self._book, self._directory)
        return wish(ticket)

    def next_look(self, ticket: Ticket, after: datetime) -> datetime | None:
        """When sla would have looked again, had nothing happened."""
        return next_look(ticket, after)
