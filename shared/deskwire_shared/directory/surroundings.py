"""Who stands behind a ticket: what conditions can ask about its customer and organisation."""

from collections.abc import Iterable
from dataclasses import dataclass

from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.directory.port import Directory
from deskwire_shared.ticket.conditions import ticket_context
from deskwire_shared.ticket.state import Message, Ticket


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The documents around a ticket."""

    customer: Customer | None = None
    organisation: Organisation | None = None

    def context(self, ticket: Ticket, message: Message | None = None) -> dict[str, object]:
        """Lay out what conditions can ask about, for the ticket at any version."""
        return ticket_context(ticket, self.customer, self.organisation, message=message)


async def surroundings_of(ticket: Ticket, directory: Directory, asked: Iterable[Conditions]) -> Surroundings:
    """Look up who stands behind a ticket, unless none of the conditions asks about it."""
    if not any(_asks_about_people(conditions) for conditions in asked):
        return Surroundings()
    customer = await directory.fetch(Customer, ticket.requester_id)
    if customer is None or customer.organisation_id is None:
        return Surroundings(customer)
    return Surroundings(customer, directory.get(Organisation, customer.organisation_id))


def _asks_about_people(conditions: Conditions) -> bool:
    return any(one.field.startswith(("customer.", "organisation.")) for one in (*conditions.all, *conditions.any))
