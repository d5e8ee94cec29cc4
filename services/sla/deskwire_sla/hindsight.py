"""What sla would have noted on tickets of the past, for histories that are made up or imported."""

from datetime import datetime

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.staff import staff_of
from deskwire_shared.directory.surroundings import surroundings_of
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.handlers import BY_SLA
from deskwire_sla.policies import terms_for
from deskwire_sla.policy_book import PolicyBook
from deskwire_sla.review import next_look, review


class Hindsight:
    """Looks at tickets as of moments in the past, under the policies of today."""

    actor: Actor = BY_SLA

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._book = PolicyBook(directory)

    async def wish(self, ticket: Ticket, at: datetime) -> Several:
        """What sla would have wished for at that moment."""
        terms = await self._book.terms()
        asked = [one.policy.conditions for one in terms.values() if one.policy.active]
        surroundings = await surroundings_of(ticket, self._directory, asked)
        return review(ticket, terms_for(ticket, terms, surroundings.context(ticket)), at, staff_of(self._directory))

    def next_look(self, ticket: Ticket, after: datetime) -> datetime | None:
        """When sla would have looked again, had nothing happened."""
        return next_look(ticket, after)
