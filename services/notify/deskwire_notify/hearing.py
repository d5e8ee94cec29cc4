"""What notify makes of what it hears: the ticket as of then, and how far the clocks are apart."""

from datetime import datetime, timedelta

from deskwire_shared.eventstore.port import EventStore, History
from deskwire_shared.runtime.process_manager import Heard


async def history_of(heard: Heard, store: EventStore) -> History:
    """Load what is known of a ticket; the sequence of a timer is one of another stream, and says nothing about it."""
    if heard.subject.startswith("ticket."):
        return await store.load(heard.ticket_id, at_least=heard.sequence)
    return await store.load(heard.ticket_id, fresh=True)


def server_ahead(heard: Heard, now: datetime) -> timedelta:
    """How far the server's clock is ahead of ours: by that much a timer would fire too early, again and again."""
    return max(timedelta(), heard.stored_at - now)
