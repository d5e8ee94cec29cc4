"""Builders of tickets and their histories, and given/when/then for their rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import Address, AnyFact, Opened, TicketFact
from deskwire_shared.ticket.commands import TicketCommand
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket

TICKET_ID: Final = "t000000000000001"
CUSTOMER_ID: Final = "p000000000000001"
CUSTOMER: Final = Address(address="cora@example.org", name="Cora Customer")
AGENT: Final = Actor(kind="agent", id="ada")
NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def opened(**changes: Any) -> Opened:
    """Say that a customer's mail opened a ticket."""
    usual: Mapping[str, Any] = {
        "person_id": CUSTOMER_ID,
        "requester_id": CUSTOMER_ID,
        "message_id": "m1",
        "number": 1,
        "channel": "email",
        "author": CUSTOMER,
        "subject": "The printer is on fire",
        "text": "Please help.",
    }
    return Opened(**{**usual, **changes})


def a_ticket(*facts: AnyFact, at: datetime = NOON, **changes: Any) -> Ticket:
    """Make an open ticket that has seen these facts, with these values in its state."""
    return replace(_folded((opened(), *facts), at=at), **changes)


def a_commit(*facts: AnyFact, after: int = 0, at: datetime = NOON, **changes: Any) -> Commit:
    """Make a commit of facts that follows on a version."""
    version = after + len(facts)
    usual: Mapping[str, Any] = {
        "commit_id": f"c{version}",
        "command_id": f"k{version}",
        "ticket_id": TICKET_ID,
        "version": version,
        "at": at,
        "actor": AGENT,
        "correlation_id": "r1",
        "facts": facts,
    }
    return Commit(**{**usual, **changes})


@dataclass(frozen=True)
class Given:
    """A history to which a wish is put."""

    ticket: Ticket

    def when(self, command: TicketCommand) -> "When":
        """Put a wish to it."""
        return When(self.ticket, command)


@dataclass(frozen=True)
class When:
    """A wish and the ticket it is for."""

    ticket: Ticket
    command: TicketCommand

    def then(self, *facts: TicketFact) -> None:
        """Demand exactly these facts."""
        decided = tuple(decide(self.command, self.ticket))
        if decided != facts:
            raise AssertionError(f"expected {facts}, got {decided}")

    def refuses(self, refusal: type[Refusal]) -> Refusal:
        """Demand this refusal, and give it back for a closer look."""
        try:
            decided = decide(self.command, self.ticket)
        except refusal as refused:
            return refused
        raise AssertionError(f"expected {refusal.__name__}, got {decided}")

    def leads_to(self) -> Ticket:
        """Give the ticket after the facts that follow."""
        return _carried(self.ticket, decide(self.command, self.ticket), at=NOON)


def given(*facts: AnyFact) -> Given:
    """Start from a history; from a ticket that was never opened when there is none."""
    return Given(_folded(facts, at=NOON))


def _folded(facts: Iterable[AnyFact], *, at: datetime) -> Ticket:
    return _carried(Ticket.unborn(TICKET_ID), facts, at=at)


def _carried(ticket: Ticket, facts: Iterable[AnyFact], *, at: datetime) -> Ticket:
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=at, actor=AGENT), facts, ticket)
