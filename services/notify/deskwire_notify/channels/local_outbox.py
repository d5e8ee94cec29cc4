"""The way out while no mail server is configured: mails stay in the local outbox, to be looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

from deskwire_notify.channels.port import ACCEPTED, Answer
from deskwire_notify.mails.composing import OutgoingMail
from deskwire_shared.runtime.objects import Objects, ObjectStoreUnavailable
from deskwire_shared.runtime.outbox import keep


@dataclass(frozen=True, slots=True)
class LocalOutbox:
    """Keeps mails in the object store."""

    objects: Objects
    name: str = "outbox"

    async def send(self, mail: OutgoingMail) -> Mapping[str, Answer]:
        """See `Relay.send`."""
        try:
            await keep(self.objects, mail.mail_id, mail.content)
        except ObjectStoreUnavailable as error:
            answer = Answer("not_now", f"the object store does not take the mail: {error}", type(error).__name__)
        else:
            answer = ACCEPTED
        return dict.fromkeys(mail.recipients, answer)

    async def close(self) -> None:
        """See `Relay.close`."""
