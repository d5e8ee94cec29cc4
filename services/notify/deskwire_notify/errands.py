"""What leaves the desk: when each is due, how it is written, what is recorded of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from deskwire_notify.channels.port import Parcel
from deskwire_notify.mails.header_lines import one_line
from deskwire_notify.mails.writing import Writer
from deskwire_notify.recording import commit_of_reply
from deskwire_notify.retries import Patience
from deskwire_notify.rules import acknowledgement_mail_id
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.eventstore.port import History
from deskwire_shared.ticket.commands import (
    RecordAcknowledgement,
    RecordBounce,
    RecordDelivery,
    Several,
    SingleCommand,
    TicketCommand,
)
from deskwire_shared.ticket.limits import RECIPIENTS
from deskwire_shared.ticket.state import Message, Ticket

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A recipient the mail did not reach, and why; see `Answer` for `reason` and `code`."""

    address: str
    reason: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What became of a mail in the end."""

    delivered: bool
    """At least one recipient has it."""
    refusals: tuple[Refusal, ...]
    channel: str
    attempts: int
    template_id: str = ""
    status: int | None = None
    """What an HTTP server answered with."""


def sentence_of(reasons: Iterable[str]) -> str:
    """Join what other servers said to what a ticket takes, whatever bytes they said it in."""
    return one_line("; ".join(dict.fromkeys(reasons)))[:LONGEST_REASON]


class ReplyWriter(Protocol):
    """Writes replies down for one way out of the desk."""

    @property
    def name(self) -> str:
        """How the way out is called on the ticket."""
        ...

    async def reply(self, ticket: Ticket, message: Message) -> Parcel:
        """Write an agent's reply down. Raises CannotWrite."""
        ...


class Errand(Protocol):
    """A mail, or something like it, to be carried out."""

    @property
    def kind(self) -> Literal["reply", "acknowledgement", "webhook"]:
        """Which kind of mail it is, for logs and figures."""
        ...

    @property
    def mail_id(self) -> str:
        """The same for every attempt on every replica."""
        ...

    @property
    def patience(self) -> Patience:
        """How long it is tried."""
        ...

    @property
    def channel(self) -> str:
        """How its way out is called on the ticket."""
        ...

    def origin(self, history: History) -> Commit:
        """The commit that asked for the mail."""
        ...

    def is_due(self, ticket: Ticket) -> bool:
        """Whether it still has to leave."""
        ...

    async def write(self, ticket: Ticket, history: History) -> Parcel:
        """Write the mail for the ticket as its history made it. Raises CannotWrite."""
        ...

    def settled(self, outcome: Settled) -> TicketCommand:
        """What is recorded in the end."""
        ...

    def late(self, reason: str) -> TicketCommand | None:
        """What is recorded when it takes long; None for nothing."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyErrand:
    """Carries an agent's reply to the customer."""

    message_id: str
    mail_id: str
    writer: ReplyWriter
    patience: Patience
    kind: Literal["reply"] = "reply"

    @property
    def channel(self) -> str:
        """See `Errand.channel`."""
        return self.writer.name

    def origin(self, history: History) -> Commit:
        """See `Errand.origin`."""
        return commit_of_reply(history, self.message_id)

    def is_due(self, ticket: Ticket) -> bool:
        """See `Errand.is_due`."""
        message = ticket.message(self.message_id)
        return message is not None and message.delivery == "waiting"

    async def write(self, ticket: Ticket, history: History) -> Parcel:
        """See `Errand.write`."""
        del history
        message = ticket.message(self.message_id)
        assert message is not None
        return await self.writer.reply(ticket, message)

    def settled(self, outcome: Settled) -> TicketCommand:
        """See `Errand.settled`: delivered where somebody has it, bounced where somebody has not."""
        commands: list[SingleCommand] = []
        if outcome.delivered:
            commands.append(
                RecordDelivery(message_id=self.message_id, channel=outcome.channel, attempts=outcome.attempts)
            )
        if outcome.refusals or not outcome.delivered:
            addresses = dict.fromkeys(refusal.address for refusal in outcome.refusals if refusal.address)
            commands.append(
                RecordBounce(
                    message_id=self.message_id,
                    reason=sentence_of(refusal.reason for refusal in outcome.refusals),
                    recipients=tuple(addresses)[:RECIPIENTS],
                )
            )
        return Several(commands=tuple(commands))

    def late(self, reason: str) -> TicketCommand | None:
        """See `Errand.late`."""
        return RecordBounce(message_id=self.message_id, permanent=False, reason=sentence_of([reason]))


@dataclass(frozen=True, kw_only=True, slots=True)
class AcknowledgementErrand:
    """Tells a customer that the ticket exists."""

    ticket_id: str
    writer: Writer
    patience: Patience
    kind: Literal["acknowledgement"] = "acknowledgement"

    @property
    def channel(self) -> str:
        """See `Errand.channel`."""
        return self.writer.name

    @property
    def mail_id(self) -> str:
        """See `Errand.mail_id`."""
        return acknowledgement_mail_id(self.ticket_id)

    def origin(self, history: History) -> Commit:
        """See `Errand.origin`."""
        return history.commits[0]

    def is_due(self, ticket: Ticket) -> bool:
        """See `Errand.is_due`."""
        return not ticket.acknowledged

    async def write(self, ticket: Ticket, history: History) -> Parcel:
        """See `Errand.write`."""
        del history
        return await self.writer.acknowledgement(ticket)

    def settled(self, outcome: Settled) -> TicketCommand:
        """See `Errand.settled`; the reason is not sealed, so that it holds codes and no addresses."""
        if outcome.delivered:
            return RecordAcknowledgement(message_id=self.mail_id, template_id=outcome.template_id)
        codes = ", ".join(dict.fromkeys(refusal.code for refusal in outcome.refusals))
        return RecordAcknowledgement(
            message_id=self.mail_id,
            template_id=outcome.template_id,
            outcome="suppressed",
            reason=f"it could not be delivered ({codes})",
        )

    def late(self, reason: str) -> TicketCommand | None:
        """See `Errand.late`: nobody waits for it."""
        del reason
        return None
