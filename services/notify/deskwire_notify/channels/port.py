"""A way out of the desk as deliveries see it: hand something over, hear an answer for each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from deskwire_notify.mails.composing import OutgoingMail


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a mail for one recipient: taken, refused for good, or not possible at this moment.

    `reason` may quote addresses and belongs on the ticket only; `code` is safe to log.
    """

    verdict: Literal["accepted", "refused", "not_now"]
    reason: str = ""
    code: str = ""
    status: int | None = None
    """What an HTTP server answered with."""


ACCEPTED = Answer("accepted")


class Parcel(Protocol):
    """Something written down that is ready to leave."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """Whom it is for; each is told apart, and sent to once."""
        ...

    @property
    def refused(self) -> Mapping[str, Answer]:
        """Those it cannot be sent to at all."""
        ...

    @property
    def template_id(self) -> str:
        """The template it was written with, if any."""
        ...

    async def send(self, to: tuple[str, ...]) -> Mapping[str, Answer]:
        """Send it to some of its recipients; an answer for each, whatever happens on the way."""
        ...


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
