"""What sla wishes for a ticket, by the policies, people and organisations of the directory."""

from collections.abc import Callable
from datetime import datetime

from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.staff import staff_of
from deskwire_shared.directory.surroundings import surroundings_of
from deskwire_shared.ticket.acting import NOBODY
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.policies import terms_for
from deskwire_sla.policy_book import PolicyBook
from deskwire_sla.review import review


async def wish_for(
    ticket: Ticket, now: datetime, book: PolicyBook, directory: Directory
) -> Callable[[Ticket], Several]:
    """Tell what to wish for the ticket as it is, or as it will be found a moment later."""
    terms = await book.terms()
    asked = [one.policy.conditions for one in terms.values() if one.policy.active]
    surroundings = await surroundings_of(ticket, directory, asked)
    staff = staff_of(directory) if any(one.policy.escalations for one in terms.values()) else NOBODY
    return lambda found: review(found, terms_for(found, terms, surroundings.context(found)), now, staff)
