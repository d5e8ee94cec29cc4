"""Takes parked mails in once more, when somebody asks for it."""

from dataclasses import dataclass

from nats.js import JetStreamContext

from deskwire_intake.channels.email import EmailChannel
from deskwire_intake.channels.port import CannotBeHandled, Parked
from deskwire_shared.runtime.parking import Parked as ParkedMail
from deskwire_shared.runtime.parking import dismiss


class StillCannotBeHandled(CannotBeHandled):
    """The mail met the same fate again."""


@dataclass(frozen=True)
class MailReplays:
    """Takes parked mails in from their raw bytes."""

    channel: EmailChannel
    js: JetStreamContext

    async def replay(self, parked: ParkedMail) -> None:
        """Take a mail in once more. Raises StillCannotBeHandled; then it stays parked as it was, and once."""
        results = await self.channel.take_in_again(parked.reference)
        again = [result for result in results if isinstance(result, Parked)]
        for result in again:
            await dismiss(self.js, result.number)
        if again:
            raise StillCannotBeHandled("; ".join(result.reason for result in again))
