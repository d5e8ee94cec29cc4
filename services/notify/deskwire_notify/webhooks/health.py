"""Whether a webhook still answers: one that is gone, or has failed for days, is switched off and says why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from pydantic import AwareDatetime, TypeAdapter
from structlog import get_logger

from deskwire_notify.channels.port import Answer
from deskwire_notify.recording import NOTIFY
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import Directory, RevisionConflict
from deskwire_shared.runtime.buckets import Bucket
from deskwire_shared.runtime.clock import Clock

LONGEST_REASON: Final = 200

_moment: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookHealth:
    """Keeps since when each webhook has failed, for all replicas."""

    bucket: Bucket
    directory: Directory
    clock: Clock
    patience: timedelta

    async def note(self, webhook_id: str, answer: Answer) -> None:
        """Take in what came of an attempt. Raises EventStoreError."""
        key = f"failing.{webhook_id}"
        failing = await self.bucket.get(key)
        if answer.verdict == "accepted":
            if failing.value:
                await self.bucket.remove(key)
            return
        now = self.clock.now()
        since = _moment.validate_json(failing.value) if failing.value else now
        if not failing.value:
            await self.bucket.put(key, _moment.dump_json(now), revision=failing.revision)
        if why := self._hopeless(answer, since, now):
            await self._switch_off(webhook_id, why)
            await self.bucket.remove(key)

    def _hopeless(self, answer: Answer, since: datetime, now: datetime) -> str:
        if answer.status == HTTPStatus.GONE:
            return f"it answered 410 Gone on {now:%Y-%m-%d %H:%M} UTC"
        if now - since >= self.patience:
            days = self.patience / timedelta(days=1)
            return f"nothing was delivered for {days:g} days, last: {answer.reason[:LONGEST_REASON]}"
        return ""

    async def _switch_off(self, webhook_id: str, why: str) -> None:
        webhook, revision = self.directory.get(Webhook, webhook_id), self.directory.revision(Webhook, webhook_id)
        if webhook is None or not webhook.active:
            return
        switched_off = webhook.model_copy(update={"active": False, "disabled_because": why})
        try:
            await self.directory.put(webhook_id, switched_off, actor=NOTIFY, expected_revision=revision)
        except RevisionConflict:  # somebody has just changed it: what they say counts, until it fails again
            log.info("webhook was changed while it failed", webhook=webhook_id)
        else:
            log.warning("webhook switched off", webhook=webhook_id, why=why)
