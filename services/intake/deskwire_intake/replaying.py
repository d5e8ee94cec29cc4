"""Takes in once more what was parked, when somebody asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from nats.js import JetStreamContext

from deskwire_intake.channels.email.channel import EmailChannel
from deskwire_intake.channels.imap.intake import LEFT_IN_MAILBOX
from deskwire_intake.channels.port import CannotBeHandled, Parked
from deskwire_intake.channels.webhook.channel import CHANNEL_HEADER, WebhookIntake
from deskwire_shared.runtime.parking import Parked as ParkedBefore
from deskwire_shared.runtime.parking import dismiss


class StillCannotBeHandled(CannotBeHandled):
    """It met the same fate again."""


@dataclass(frozen=True)
class MailReplays:
    """Takes parked mails in from their raw bytes."""

    channel: EmailChannel
    js: JetStreamContext

    async def replay(self, parked: ParkedBefore) -> None:
        """Take a mail in once more. Raises StillCannotBeHandled; then it stays parked as it was, and once."""
        if parked.reference.startswith(LEFT_IN_MAILBOX):
            raise StillCannotBeHandled("the mail is still in its mailbox: take its flag $Deskwire off there")
        await _require_handled(parked, await self.channel.take_in_again(parked.reference), self.js)


@dataclass(frozen=True)
class HookReplays:
    """Takes parked payloads in from their raw bytes."""

    webhooks: WebhookIntake
    js: JetStreamContext

    async def replay(self, parked: ParkedBefore) -> None:
        """Take a payload in once more. Raises StillCannotBeHandled; then it stays parked as it was, and once."""
        channel_id = parked.headers.get(CHANNEL_HEADER, "")
        await _require_handled(parked, await self.webhooks.take_in_again(channel_id, parked.reference), self.js)


async def _require_handled(before: ParkedBefore, results: Sequence[object], js: JetStreamContext) -> None:
    again = [result for result in results if isinstance(result, Parked)]
    for number in {result.number for result in again} - {before.number}:
        await dismiss(js, number)
    if again:
        raise StillCannotBeHandled("; ".join(result.reason for result in again))
