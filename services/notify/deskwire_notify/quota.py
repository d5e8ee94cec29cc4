"""How many acknowledgements one customer gets: a backstop against loops that no header gives away."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, TypeAdapter

from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.buckets import Bucket

WINDOW: Final = timedelta(hours=1)
ATTEMPTS: Final = 10

_spent: TypeAdapter[dict[str, AwareDatetime]] = TypeAdapter(dict[str, AwareDatetime])


def spend(spent: Mapping[str, datetime], mail_id: str, *, most: int, now: datetime) -> Mapping[str, datetime] | None:
    """Count a mail among those of the last hour; None when there are `most` already."""
    recent = {earlier: at for earlier, at in spent.items() if now - at < WINDOW}
    if mail_id in recent:
        return recent
    return {**recent, mail_id: now} if len(recent) < most else None


class Quota:
    """What each customer was sent in the last hour, shared by all replicas."""

    def __init__(self, bucket: Bucket, *, most: int) -> None:
        self._bucket = bucket
        self._most = most

    async def allows(self, customer_id: str, mail_id: str, now: datetime) -> bool:
        """Whether a mail stays within the quota, which it then uses; the same mail uses it once.

        Raises EventStoreError.
        """
        key = f"quota.{derived_id(customer_id)}"
        for _ in range(ATTEMPTS):
            kept = await self._bucket.get(key)
            spent = spend(_spent.validate_json(kept.value or b"{}"), mail_id, most=self._most, now=now)
            if spent is None:
                return False
            if await self._bucket.put(key, _spent.dump_json(dict(spent)), revision=kept.revision):
                return True
        raise EventStoreError(f"quota {key} is being changed by too many at once")
