"""From what a message says to the tickets that are really there, and to those on which they live on."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from deskwire_intake.matching import (
    Candidate,
    Expected,
    ForeignReference,
    OwnReference,
    ResolvedTicket,
    SubjectNumber,
    TicketToken,
)
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.eventstore.numbers import Numbers
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.ticket.state import Ticket

CANDIDATES: Final = 20
"""More are not looked up: the nearest messages of a thread come first."""
STEPS: Final = 10
"""More merges and follow-ups are not followed."""


def opened_by(mailbox: str, thread_key: str) -> str:
    """The id of the ticket of the thread that begins with this Message-ID, in a mailbox.

    What belongs to the thread finds the ticket without any index, whichever message comes first (decision records
    0002 and 0011).
    """
    return derived_id("opened by", mailbox, thread_key)


def opened_by_fingerprint(fingerprint: str) -> str:
    """The id of the ticket that a message opens which has no Message-ID, or that of another message."""
    return derived_id("opened by", fingerprint)


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket that a message points at, then those it was merged into or followed up by, one after the other."""

    tickets: tuple[Ticket, ...]

    @property
    def ticket(self) -> Ticket:
        """The ticket on which the matter lives on."""
        return self.tickets[-1]

    def holder_of(self, command_id: str) -> Ticket | None:
        """The ticket that has accepted a command already, be it before a merge."""
        return next((ticket for ticket in self.tickets if command_id in ticket.command_ids), None)

    @property
    def resolved(self) -> ResolvedTicket:
        """What the choice between candidates needs to know."""
        addresses = (ticket.participant_addresses for ticket in self.tickets)
        return ResolvedTicket(
            self.ticket.id,
            participants=frozenset().union(*addresses),
            requesters=frozenset(ticket.requester.address for ticket in self.tickets if ticket.requester),
            first_message_id=self.tickets[0].messages[0].internet_message_id,
        )


class Threads:
    """Looks tickets up for messages."""

    def __init__(self, recorder: Recorder, numbers: Numbers) -> None:
        self._recorder = recorder
        self._numbers = numbers

    async def resolve(self, candidates: Iterable[Candidate], mailbox: str) -> Mapping[Candidate, Thread]:
        """The threads of those candidates that lead to a ticket."""
        asked = _nearest(tuple(candidates))
        ids = await asyncio.gather(*(self._ticket_id(candidate, mailbox) for candidate in asked))
        distinct = tuple({ticket_id for ticket_id in ids if ticket_id is not None})
        threads = dict(zip(distinct, await asyncio.gather(*map(self._thread, distinct)), strict=True))
        found = {one: threads.get(ticket_id or "") for one, ticket_id in zip(asked, ids, strict=True)}
        return {one: thread for one, thread in found.items() if thread is not None and _is_named_rightly(one, thread)}

    async def holder_of(self, command_id: str, ticket_ids: Iterable[str]) -> Ticket | None:
        """The one of some tickets that has accepted a command already."""
        tickets = await asyncio.gather(*map(self._recorder.ticket, ticket_ids))
        return next((ticket for ticket in tickets if command_id in ticket.command_ids), None)

    async def _ticket_id(self, candidate: Candidate, mailbox: str) -> str | None:
        match candidate:
            case TicketToken(ticket_id) | OwnReference(ticket_id):
                return ticket_id
            case ForeignReference(message_id) | Expected(message_id):
                return opened_by(mailbox, message_id)
            case SubjectNumber(number):
                return await self._numbers.ticket_of(number)

    async def _thread(self, ticket_id: str) -> Thread | None:
        tickets: list[Ticket] = []
        following: Ticket | None = await self._recorder.ticket(ticket_id)
        while following is not None:
            if not following.exists or len(tickets) > STEPS or any(known.id == following.id for known in tickets):
                return None
            tickets.append(following)
            following = await self._next(following)
        return Thread(tuple(tickets))

    async def _next(self, ticket: Ticket) -> Ticket | None:
        """The ticket on which the matter went on: after a merge, or after the end."""
        if ticket.merged_into is not None:
            return await self._recorder.ticket(ticket.merged_into)
        if not ticket.is_closed:
            return None
        latest = next((link for link in reversed(ticket.links) if link.kind == "follow_up"), None)
        follow_up = await self._recorder.ticket(latest.ticket_id) if latest else None
        return follow_up if follow_up is not None and follow_up.follow_up_of == ticket.id else None


def _nearest(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Leave out the middle of a long thread; its first message and the number in the subject stand last."""
    if len(candidates) <= CANDIDATES:
        return candidates
    return (*candidates[: CANDIDATES - 2], *candidates[-2:])


def _is_named_rightly(candidate: Candidate, thread: Thread) -> bool:
    """A number may have been asked for by a ticket that keeps another one."""
    return not isinstance(candidate, SubjectNumber) or thread.tickets[0].number == candidate.number
