"""Who is carrying a mail out: a claim in a bucket lets one process attempt it at a time."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import AwareDatetime, TypeAdapter

from deskwire_shared.runtime.buckets import Bucket


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What is known of a mail's attempts; nobody may start another before `not_before`.

    `accepted` holds fingerprints of the recipients for whom an earlier attempt succeeded.
    """

    attempts: int
    first_at: AwareDatetime
    not_before: AwareDatetime
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody is at it, or the mail waits for its next attempt."""

    until: datetime


_claim = TypeAdapter(Claim)


class Claims:
    """The claims of all replicas.

    A claim is never given back after a mail was sent: a replica that has not heard of it yet must not
    send again. It lapses after `lease`, which outlasts every attempt, so that a crash only delays a mail.
    """

    def __init__(self, bucket: Bucket, *, lease: timedelta) -> None:
        self._bucket = bucket
        self._lease = lease

    async def take(self, mail_id: str, now: datetime) -> Claim | Busy:
        """Claim a mail for one attempt, if its time has come. Raises EventStoreError."""
        kept = await self._bucket.get(mail_id)
        if kept.value:
            last = _claim.validate_json(kept.value)
            if last.not_before > now:
                return Busy(last.not_before)
            claim = replace(last, attempts=last.attempts + 1, not_before=now + self._lease)
        else:
            claim = Claim(attempts=1, first_at=now, not_before=now + self._lease)
        if not await self._bucket.put(mail_id, _claim.dump_json(claim), revision=kept.revision):
            return Busy(now + self._lease)
        return claim

    async def put_off(self, mail_id: str, claim: Claim, until: datetime, accepted: frozenset[str]) -> None:
        """Let the next attempt wait; only the holder of a claim may. Raises EventStoreError."""
        waiting = replace(claim, not_before=until, accepted=claim.accepted | accepted)
        await self._bucket.put(mail_id, _claim.dump_json(waiting))
