"""What stands around a ticket: what conditions can ask about its customer, their organisation and calendars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.directory import Calendar, Customer, Organisation
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.directory.port import Directory
from deskwire_shared.ticket.conditions import ticket_context
from deskwire_shared.ticket.state import Message, Ticket

PEOPLE: Final = ("customer.", "organisation.")
CALENDAR: Final = "calendar."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The documents around a ticket, and which calendars are open, by the name of the field that asks for them."""

    customer: Customer | None = None
    organisation: Organisation | None = None
    calendars: Mapping[str, bool] = field(default_factory=dict)

    def context(self, ticket: Ticket, message: Message | None = None) -> dict[str, object]:
        """Lay out what conditions can ask about, for the ticket at any version."""
        return {**ticket_context(ticket, self.customer, self.organisation, message=message), **self.calendars}


async def surroundings_of(
    ticket: Ticket, directory: Directory, asked: Iterable[Conditions], *, at: datetime | None = None
) -> Surroundings:
    """Look up what the conditions ask about; calendars at a moment, unless there is none."""
    fields = fields_of(asked)
    calendars = open_calendars(fields, directory, at) if at else {}
    if not any(field.startswith(PEOPLE) for field in fields):
        return Surroundings(calendars=calendars)
    customer = await directory.fetch(Customer, ticket.requester_id)
    if customer is None or customer.organisation_id is None:
        return Surroundings(customer, calendars=calendars)
    return Surroundings(customer, directory.get(Organisation, customer.organisation_id), calendars)


def fields_of(asked: Iterable[Conditions]) -> set[str]:
    """The fields that conditions ask about."""
    return {one.field for conditions in asked for one in (*conditions.all, *conditions.any)}


def open_calendars(fields: Iterable[str], directory: Directory, at: datetime) -> dict[str, bool]:
    """Tell which of the calendars in fields are open; one that does not exist is neither open nor closed."""
    asked = {name: name.split(".")[1] for name in fields if name.startswith(CALENDAR)}
    calendars = {name: directory.get(Calendar, calendar_id) for name, calendar_id in asked.items()}
    return {name: OpenHours(calendar).is_open(at) for name, calendar in calendars.items() if calendar is not None}
