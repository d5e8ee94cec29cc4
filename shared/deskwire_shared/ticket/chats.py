"""What intake and notify both have to know of a ticket that is a chat: its customer, and what is meant for them."""

from typing import Final

from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.personal import ERASED
from deskwire_shared.ticket.state import Message, Ticket
from deskwire_shared.ticket.transcript import addresses_of

CHAT: Final = "chat"
_VISITOR: Final = "chat:"


def visitor_address(chat_id: str) -> str:
    """What stands for the address of a customer who has told none."""
    return f"{_VISITOR}{chat_id}"


def is_visitor(person: Address) -> bool:
    """Whether somebody is known by their chat alone."""
    return person.address.startswith(_VISITOR)


def is_mailable(person: Address | None) -> bool:
    """Whether answers can reach somebody outside the chat."""
    return person is not None and person.address != ERASED and not is_visitor(person)


def is_for_customer(ticket: Ticket, reply: Message) -> bool:
    """Whether an answer is meant for the customer of a chat, and not for somebody else on the ticket."""
    return bool(_customer_addresses(ticket) & addresses_of(*reply.to, *reply.cc))


def is_for_customer_alone(ticket: Ticket, reply: Message) -> bool:
    """Whether an answer is meant for the customer of a chat and for nobody else."""
    meant_for = addresses_of(*reply.to, *reply.cc)
    return bool(meant_for) and meant_for <= _customer_addresses(ticket)


def is_of_somebody_else(ticket: Ticket, person: Address) -> bool:
    """Whether an address is that of another who takes part: by claiming it a customer would read their words."""
    return bool(addresses_of(person) & (ticket.participant_addresses - _customer_addresses(ticket)))


def is_answered_by_chat(ticket: Ticket, reply: Message) -> bool:
    """Whether the customer spoke in the chat when they last did before an answer."""
    before = ticket.messages[: ticket.messages.index(reply)]
    last = next((said for said in reversed(before) if said.is_by_the_customer), None)
    return last is not None and last.channel == CHAT


def _customer_addresses(ticket: Ticket) -> frozenset[str]:
    """The addresses the customer has had; they may have told theirs in the middle of the chat."""
    spoken = [said.address for said in ticket.messages if said.kind == "customer" and said.channel == CHAT]
    return addresses_of(*filter(None, (ticket.requester, *spoken)))
