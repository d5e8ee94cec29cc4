"""How many mails that no human wrote leave within an hour: a backstop against loops that no header gives away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, TypeAdapter

from deskwire_shared.contracts.ids import derived_id, person_id
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.buckets import Bucket
from deskwire_shared.ticket.state import Ticket

WINDOW: Final = timedelta(hours=1)
ATTEMPTS: Final = 10

_spent: TypeAdapter[dict[str, AwareDatetime]] = TypeAdapter(dict[str, AwareDatetime])


def spend(spent: Mapping[str, datetime], mail_id: str, *, most: int, now: datetime) -> Mapping[str, datetime] | None:
    """Count a mail among those of the last hour; None when there are `most` already."""
    recent = {earlier: at for earlier, at in spent.items() if now - at < WINDOW}
    if mail_id in recent:
        return recent
    return {**recent, mail_id: now} if len(recent) < most else None


def sender_id(ticket: Ticket, key: bytes) -> str:
    """Name who is answered on a ticket: `desk+1@…` and `desk+2@…` are one sender, as one machine may write as both."""
    if ticket.requester is None:
        return ticket.requester_id
    name, at, domain = ticket.requester.address.rpartition("@")
    return person_id(f"{name.partition('+')[0] or name}{at}{domain}", key)


class Quota:
    """What was sent to somebody, or on a ticket, in the last hour, shared by all replicas."""

    def __init__(self, bucket: Bucket, *, most: int) -> None:
        self._bucket = bucket
        self._most = most

    async def allows(self, whom: str, mail_id: str, now: datetime) -> bool:
        """Whether a mail stays within the quota, which it then uses; the same mail uses it once.

        Raises EventStoreError.
        """
        key = f"quota.{derived_id(whom)}"
        for _ in range(ATTEMPTS):
            kept = await self._bucket.get(key)
            spent = spend(_spent.validate_json(kept.value or b"{}"), mail_id, most=self._most, now=now)
            if spent is None:
                return False
            if await self._bucket.put(key, _spent.dump_json(dict(spent)), revision=kept.revision):
                return True
        raise EventStoreError(f"quota {key} is being changed by too many at once")


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotas:
    """What is sent at most within an hour by no human: acknowledgements, and together with answers by rules."""

    acknowledgements: Quota
    by_sender: Quota
    by_ticket: Quota
    key: bytes
    """Of the site, so that no key of the bucket names a person."""

    async def against_acknowledging(self, ticket: Ticket, mail_id: str, now: datetime) -> str:
        """Say why a ticket must not be acknowledged; empty when it may. Raises EventStoreError."""
        if not await self.acknowledgements.allows(sender_id(ticket, self.key), mail_id, now):
            return "the customer was sent too many within an hour"
        return await self.against_sending(ticket, mail_id, now)

    async def against_sending(self, ticket: Ticket, mail_id: str, now: datetime) -> str:
        """Say why a mail that no human wrote must not leave; empty when it may. Raises EventStoreError."""
        if not await self.by_ticket.allows(f"ticket {ticket.id}", mail_id, now):
            return "too many automatic mails left this ticket within an hour"
        if not await self.by_sender.allows(f"sender {sender_id(ticket, self.key)}", mail_id, now):
            return "the customer was sent too many automatic mails within an hour"
        return ""
