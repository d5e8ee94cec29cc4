"""Writes the mails of a ticket: looks up who writes to whom, and puts the letter down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from structlog import get_logger

from deskwire_notify.channels.port import Answer, Relay
from deskwire_notify.mails.attachments import fetch_contents
from deskwire_notify.mails.composing import OutgoingMail, compose
from deskwire_notify.mails.letters import Letter, Stationery, acknowledgement_letter, reply_letter
from deskwire_notify.mails.senders import mailboxes, sender_for
from deskwire_notify.mails.wording import Failure
from deskwire_notify.undeliverable import Undeliverable
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer, Template
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.subjects import directory_subject
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.runtime.parking import ParkingLot
from deskwire_shared.ticket.state import Message, Ticket

MOST_REPORTED: Final = 1_000

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A letter, and the mail it became; see `Parcel`."""

    letter: Letter
    mail: OutgoingMail
    relay: Relay

    @property
    def recipients(self) -> tuple[str, ...]:
        """See `Parcel.recipients`."""
        return self.mail.recipients

    @property
    def refused(self) -> Mapping[str, Answer]:
        """See `Parcel.refused`."""
        unmailable = self.letter.recipients.unmailable
        return {address: Answer("refused", f"{address} is no mail address", "no address") for address in unmailable}

    @property
    def template_id(self) -> str:
        """See `Parcel.template_id`."""
        return self.letter.wording.template_id

    async def send(self, to: tuple[str, ...]) -> Mapping[str, Answer]:
        """See `Parcel.send`."""
        return await self.relay.send(replace(self.mail, recipients=to))


@dataclass(frozen=True, kw_only=True, slots=True)
class Writer:
    """Writes mails with the desk's people, channels, templates and files."""

    directory: Directory
    objects: Objects
    relay: Relay
    key: bytes
    parking: ParkingLot
    fallback_sender: str | None
    most_bytes: int
    _reported: set[tuple[str, int]] = field(default_factory=set)

    @property
    def name(self) -> str:
        """See `ReplyWriter.name`."""
        return self.relay.name

    async def reply(self, ticket: Ticket, message: Message) -> Written:
        """Write the mail that carries an agent's reply. Raises CannotWrite."""
        letter = reply_letter(
            ticket,
            message,
            agent=self.directory.get(Agent, message.author),
            customer=await self.directory.fetch(Customer, ticket.requester_id),
            stationery=self._stationery(ticket),
        )
        return await self._written(letter)

    async def acknowledgement(self, ticket: Ticket) -> Written:
        """Write the mail that tells a customer that the ticket exists. Raises CannotWrite."""
        customer = await self.directory.fetch(Customer, ticket.requester_id)
        return await self._written(
            acknowledgement_letter(ticket, customer=customer, stationery=self._stationery(ticket))
        )

    def mailboxes(self) -> frozenset[str]:
        """List the desk's own addresses."""
        return mailboxes(self.directory.all(Channel), self.fallback_sender)

    def _stationery(self, ticket: Ticket) -> Stationery:
        sender = sender_for(ticket, self.directory.all(Channel), self.fallback_sender)
        if sender is None:
            raise Undeliverable("the desk has no mailbox to send from: add an e-mail channel")
        return Stationery(sender=sender, mailboxes=self.mailboxes(), templates=self.directory.all(Template))

    async def _written(self, letter: Letter) -> Written:
        if letter.wording.failure is not None:
            await self._report(letter.wording.failure)
        if not letter.recipients.addresses:
            raise Undeliverable("there is nobody to send it to", recipients=letter.recipients.unmailable)
        contents = await fetch_contents(self.objects, letter.attachments, most_bytes=self.most_bytes)
        return Written(letter, compose(letter, contents, self.key), self.relay)

    async def _report(self, failure: Failure) -> None:
        """Park a template that cannot be used, once for each of its revisions."""
        revision = self.directory.revision(Template, failure.template_id)
        if (failure.template_id, revision) in self._reported or len(self._reported) >= MOST_REPORTED:
            return
        log.error("template unusable, the built-in one is sent", template_id=failure.template_id, reason=failure.reason)
        subject = directory_subject("template", failure.template_id)
        reason = f"the template cannot be used: {failure.reason}"
        await self.parking.park(subject, b"", {}, reason=reason, once=(subject, str(revision)))
        self._reported.add((failure.template_id, revision))
