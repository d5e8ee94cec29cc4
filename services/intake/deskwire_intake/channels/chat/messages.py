"""What customers say in a chat becomes messages on its ticket, each durable before its sender is told so, and once."""

from dataclasses import dataclass, replace
from typing import Final, Self

from deskwire_intake.channels.chat.frames import Introduce, Say
from deskwire_intake.channels.chat.states import has_ended, subject_of
from deskwire_intake.channels.port import Accept, CannotBeHandled, InboundMessage, nothing_to_keep
from deskwire_intake.channels.web.answers import clean_text, is_mail_address
from deskwire_intake.customers import Customers
from deskwire_intake.figures import Figures
from deskwire_intake.matching import TicketToken
from deskwire_intake.wishes import said_under
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.ids import derived_id, new_id
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.ticket.chats import CHAT, is_mailable, is_of_somebody_else, visitor_address
from deskwire_shared.ticket.commands import ChangeRequester, TicketCommand
from deskwire_shared.ticket.state import Message, Ticket

SHOWN_OF_ID: Final = 4
"""What tells agents the visitors apart that have told no name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """The customer of a chat, as far as they have told who they are."""

    chat_id: str
    channel_id: str
    channel: Channel
    name: str = ""
    address: str = ""

    @property
    def person(self) -> Address:
        """How the customer is named on the ticket."""
        if self.address:
            return Address(address=self.address, name=self.name)
        name = self.name or f"Visitor {self.chat_id[:SHOWN_OF_ID].upper()}"
        return Address(address=visitor_address(self.chat_id), name=name)

    def introduced(self, frame: Introduce) -> Self | None:
        """The customer with what they have told of themselves; None when that is no mail address."""
        name, address = (" ".join(clean_text(text).split()) for text in (frame.name, frame.address))
        if address and not is_mail_address(address):
            return None
        return replace(self, name=name or self.name, address=address or self.address)


class AddressIsOfSomebodyElse(CannotBeHandled):
    """The customer claims the address of another who takes part in the ticket."""

    def __init__(self) -> None:
        super().__init__("the address is that of somebody else on the ticket")


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that is kept for good, and where in the log."""

    message: Message
    sequence: int


@dataclass(frozen=True, kw_only=True)
class ChatMessages:
    """Puts what customers say on their tickets."""

    accept: Accept
    recorder: Recorder
    customers: Customers
    figures: Figures
    clock: Clock

    async def keep(self, message: InboundMessage) -> Kept:
        """Keep a message. Raises CannotBeHandled, or an error of the moment that a later try may not meet."""
        with self.figures.seconds.labels(CHAT).time(), self.figures.under_way.labels(CHAT).track_inprogress():
            accepted = await self.accept(message, nothing_to_keep())
        self.figures.count(CHAT, "repeated" if accepted.repeated else "accepted")
        entered = await self.recorder.ticket(accepted.ticket_id, at_least=accepted.sequence)
        said = entered.message(said_under(message, accepted.ticket_id))
        assert said is not None
        return Kept(said, accepted.sequence)

    async def introduce(self, ticket: Ticket, visitor: Visitor) -> None:
        """Let a ticket belong to the customer with the address they have told, unless it ends at that moment.

        Raises AddressIsOfSomebodyElse: nobody has proved anything.
        """
        if not visitor.address:
            return
        _require_free(ticket, visitor.person)
        person, customer_id = visitor.person, self.customers.id_of(visitor.address)
        if await self.customers.find(customer_id) is None:
            await self.customers.enter(customer_id, person)

        def wish(now: Ticket) -> TicketCommand | None:
            _require_free(now, person)
            is_settled = has_ended(now) or now.requester == person
            return None if is_settled else ChangeRequester(requester_id=customer_id, requester=person)

        cause = Cause(new_id(), Actor(kind="customer", id=customer_id), self.clock.now())
        await self.recorder.record(ticket.id, wish, cause)


def _require_free(ticket: Ticket, person: Address) -> None:
    if is_of_somebody_else(ticket, person):
        raise AddressIsOfSomebodyElse


def _author(ticket: Ticket, visitor: Visitor) -> Address:
    """The customer as the ticket knows them, else as they have told who they are."""
    if ticket.requester is None:
        return visitor.person
    is_known = is_mailable(ticket.requester) or is_of_somebody_else(ticket, visitor.person)
    return ticket.requester if is_known else visitor.person


def inbound_message(frame: Say, ticket: Ticket, visitor: Visitor) -> InboundMessage:
    """Turn what a customer says into a message on the ticket of their chat, which the first one opens."""
    text = clean_text(frame.text).strip()
    return InboundMessage(
        medium=CHAT,
        mailbox=visitor.channel_id,
        channel_id=visitor.channel_id,
        follow_up_days=visitor.channel.follow_up_days,
        fingerprint=derived_id("chat", ticket.id, frame.id),
        content_digest=frame.id,
        thread_key=None,
        raw_key=None,
        author=_author(ticket, visitor),
        subject="" if ticket.exists else subject_of(text),
        text=text,
        new_text=text,
        ticket_id=ticket.id,
        candidates=(TicketToken(ticket.id),),
    )
