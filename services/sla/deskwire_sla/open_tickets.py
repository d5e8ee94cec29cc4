"""Which tickets are being worked on, found by one pass over the log."""

from collections.abc import Collection
from typing import Final

from deskwire_shared.contracts.facts import Opened, StatusChanged
from deskwire_shared.eventstore.follower import Delivery, Follower
from deskwire_shared.eventstore.jetstream import FACTS_HEADER
from deskwire_shared.eventstore.plain_facts import mentions, plain_commit
from deskwire_shared.eventstore.port import BrokenHistory
from deskwire_shared.ticket.lifecycle import OVER

OPENED: Final = Opened.model_fields["type"].default
STATUS_CHANGED: Final = StatusChanged.model_fields["type"].default


async def open_tickets(follower: Follower) -> Collection[str]:
    """Read the log to where it ends now, and name the tickets that are neither solved nor closed."""
    found: dict[str, None] = {}
    try:
        waiting = await follower.open()
        while waiting > 0:
            deliveries = await follower.batch()
            waiting -= len(deliveries)
            for delivery in deliveries:
                take_in(found, delivery)
    finally:
        await follower.close()
    return found.keys()


def take_in(found: dict[str, None], delivery: Delivery) -> None:
    """Add or take away the ticket of a commit; one that cannot be read counts as open, so that it is looked at."""
    if not mentions(delivery.headers.get(FACTS_HEADER, ""), {OPENED, STATUS_CHANGED}):
        return
    ticket_id = delivery.subject.rpartition(".")[2]
    if _is_over(delivery.data):
        found.pop(ticket_id, None)
    else:
        found[ticket_id] = None


def _is_over(raw: bytes) -> bool:
    try:
        changes = plain_commit(raw).of(StatusChanged)
    except BrokenHistory:
        return False
    return bool(changes) and isinstance(last := changes[-1], StatusChanged) and last.after in OVER
