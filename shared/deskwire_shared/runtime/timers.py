"""Timers that survive every restart: message schedules on the stream `TIMERS` (ADR-51).

A timer is a hint: whoever hears it looks at the ticket as it is then and decides anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError

from deskwire_shared.contracts.subjects import TIMERS, timer_due_subject, timer_subject
from deskwire_shared.eventstore.port import EventStoreError

HEARD_WITHIN = "720h"
"""How long a fired timer waits to be heard, should its service be down: 30 days."""


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of one service, by ticket and name."""

    js: JetStreamContext
    service: str

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        """Set or move a timer to the second that is not before `at`; the past fires at once. Raises EventStoreError."""
        moment = _whole_second(at).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {
            "Nats-Schedule": f"@at {moment}",
            "Nats-Schedule-Target": timer_due_subject(self.service, ticket_id, name),
            "Nats-Schedule-TTL": HEARD_WITHIN,
        }
        try:
            await self.js.publish(timer_subject(self.service, ticket_id, name), b"", stream=TIMERS, headers=headers)
        except (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError) as error:
            raise EventStoreError(f"timer {name} of ticket {ticket_id} cannot be set: {error!r}") from error

    async def fire(self, ticket_id: str, name: str) -> None:
        """Let the service look at a ticket at once, as if a timer had fired. Raises EventStoreError."""
        subject = timer_due_subject(self.service, ticket_id, name)
        try:
            await self.js.publish(subject, b"", stream=TIMERS, headers={"Nats-TTL": HEARD_WITHIN})
        except (APIError, NoStreamResponseError, nats.errors.Error, TimeoutError) as error:
            raise EventStoreError(f"{self.service} cannot be told of ticket {ticket_id}: {error!r}") from error

    async def cancel(self, ticket_id: str, name: str) -> None:
        """Forget a timer. Raises EventStoreError."""
        try:
            await self.js.purge_stream(TIMERS, subject=timer_subject(self.service, ticket_id, name))
        except (APIError, nats.errors.Error, TimeoutError) as error:
            raise EventStoreError(f"timer {name} of ticket {ticket_id} cannot be cancelled: {error!r}") from error


def _whole_second(at: datetime) -> datetime:
    """Round up: what is heard too early would be set again for the same second, over and over."""
    return (at + timedelta(microseconds=999_999)).astimezone(UTC).replace(microsecond=0)
