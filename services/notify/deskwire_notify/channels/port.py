"""A way out of the desk as deliveries see it: hand a mail over, hear an answer for each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from deskwire_notify.composing import OutgoingMail


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a mail for one recipient: taken, refused for good, or not possible at this moment.

    `reason` may quote addresses and belongs on the ticket only; `code` is safe to log.
    """

    verdict: Literal["accepted", "refused", "not_now"]
    reason: str = ""
    code: str = ""


ACCEPTED = Answer("accepted")


class Relay(Protocol):
    """Takes mails over."""

    @property
    def name(self) -> str:
        """How the way out is called on the ticket."""
        ...

    async def send(self, mail: OutgoingMail) -> Mapping[str, Answer]:
        """Hand a mail over; an answer for every recipient, whatever happens on the way."""
        ...

    async def close(self) -> None:
        """Part from the other side."""
        ...
