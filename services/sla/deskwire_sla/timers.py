"""Timers on JetStream message schedules (ADR-51): one a ticket, for the next moment at which something is due.

Publishing on a schedule's subject replaces what stood there, purging the subject cancels it. The server deletes a
schedule when it fires, fires one that is in the past at once, and keeps what fired until somebody has handled it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deskwire_shared.contracts.subjects import TIMERS, timer_due_subject, timer_subject
from deskwire_sla.hints import Hint

SERVICE: Final = "sla"
NEXT_LOOK: Final = "next"
RECHECK: Final = "recheck"


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of the sla service. `keep_seconds` is how long one that fired waits for a stopped service."""

    js: JetStreamContext
    keep_seconds: int

    async def set(self, ticket_id: str, moment: datetime | None, hint: Hint) -> bool:
        """Let the ticket's timer fire at a moment, or never; whether that was a change."""
        subject = timer_subject(SERVICE, ticket_id, NEXT_LOOK)
        sequence, schedule = await self._found(subject)
        wanted = schedule_at(moment) if moment else None
        if schedule == wanted:
            return False
        if wanted is None:
            # Only what was seen here is cancelled, not what another replica sets in this moment.
            await self.js.purge_stream(TIMERS, seq=sequence + 1, subject=subject)
            return True
        headers = {
            "Nats-Schedule": wanted,
            "Nats-Schedule-Target": timer_due_subject(SERVICE, ticket_id, NEXT_LOOK),
            "Nats-Schedule-TTL": f"{self.keep_seconds}s",
        }
        await self.js.publish(subject, hint.stored(), stream=TIMERS, headers=headers)
        return True

    async def fire(self, ticket_id: str, hint: Hint, *, once: str) -> None:
        """Let a ticket be looked at now; `once` names the reason, so that telling it twice is harmless."""
        subject = timer_due_subject(SERVICE, ticket_id, RECHECK)
        headers = {"Nats-Msg-Id": f"{ticket_id}-{once}"}
        await self.js.publish(
            subject, hint.stored(), stream=TIMERS, headers=headers, msg_ttl=float(self.keep_seconds)
        )  # fmt: skip

    async def _found(self, subject: str) -> tuple[int, str | None]:
        try:
            message = await self.js.get_msg(TIMERS, subject=subject)
        except NotFoundError:
            return 0, None
        return message.seq or 0, (message.headers or {}).get("Nats-Schedule")


def schedule_at(moment: datetime) -> str:
    """Write a moment as a schedule."""
    return f"@at {moment.astimezone(UTC).isoformat().replace('+00:00', 'Z')}"
