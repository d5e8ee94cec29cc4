"""Enters what people say to the desk on the right ticket, once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from structlog import get_logger

from deskwire_intake.attachments import keep_files
from deskwire_intake.channels.port import (
    Accepted,
    BelongsToNoTicket,
    InboundMessage,
    TicketKeepsMoving,
    UndeliveredReply,
)
from deskwire_intake.customers import Customers
from deskwire_intake.ledger.entering import Ledger, decision_of
from deskwire_intake.matching import Candidate, Expected, NewTicket, Reply, Writer, choose
from deskwire_intake.scanning import NO_SCANNER, Scanner
from deskwire_intake.threads import Thread, Threads, opened_by, opened_by_fingerprint
from deskwire_intake.wishes import follow_up_link, opening_with_more, reply_with_more, words_of
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.numbers import Numbers
from deskwire_shared.eventstore.recorder import Cause, Outcome, Recorder, Wish
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.objects import Objects
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    OpenTicket,
    ReceiveReply,
    RecordBounce,
)
from deskwire_shared.ticket.refusals import (
    ReplyWasWithdrawn,
    TicketAlreadyExists,
    TicketDoesNotExist,
    TicketIsClosed,
    TicketIsMerged,
    UnknownMessage,
)
from deskwire_shared.ticket.state import Ticket

ATTEMPTS: Final = 6
"""How often a message is matched again because of what happened to its ticket at that very moment."""
SPAM: Final = "spam"
"""The tag of a ticket that spam opened."""

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Accepts inbound messages."""

    recorder: Recorder
    threads: Threads
    numbers: Numbers
    customers: Customers
    objects: Objects
    scanner: Scanner = NO_SCANNER
    clock: Clock
    ledger: Ledger

    async def accept(self, message: InboundMessage, raw_is_safe: Awaitable[object]) -> Accepted:
        """Enter a message on its ticket; see `channels.port.Accept`."""
        entering = _Entering(message, raw_is_safe, self.customers.id_of(message.author.address), new_id())
        for _ in range(ATTEMPTS):
            try:
                outcome = await self._enter(entering)
            except (TicketIsClosed, TicketIsMerged, _OpenedMeanwhile):
                continue
            return _accepted(message, outcome)
        raise TicketKeepsMoving(message.fingerprint)

    async def _enter(self, entering: "_Entering") -> Outcome:
        message = entering.message
        if message.undelivered is not None:
            noted = await self._note_undelivered(entering, message.undelivered)
            if noted is not None:
                return noted
        candidates = entering.candidates
        if not candidates:
            return await self._open(entering)
        found = await self.threads.resolve(candidates, message.mailbox)
        held = await self._holder(message, found)
        if held is not None:
            return await self._repeat(held, entering)
        entering.taken |= {ticket.id for thread in found.values() for ticket in thread.tickets}
        match choose(candidates, {key: one.resolved for key, one in found.items()}, _writer(message)):
            case Reply(_, candidate):
                return await self._continue(entering, found[candidate].ticket)
            case NewTicket(suggested_id):
                suggested = next((one.ticket for one in found.values() if one.ticket.id == suggested_id), None)
                return await self._open(entering, related=suggested)

    async def _holder(self, message: InboundMessage, found: Mapping[Candidate, Thread]) -> Ticket | None:
        """The ticket that has this message already: opened by it, or found before merges are followed."""
        if not found:
            return None
        opened = await self.threads.holder_of(message.fingerprint, _ids_to_open(message))
        holders = (thread.holder_of(message.fingerprint) for thread in found.values())
        return opened or next(filter(None, holders), None)

    async def _repeat(self, ticket: Ticket, entering: "_Entering") -> Outcome:
        """Tell the outcome of the first time, and do what it may have left undone."""
        await self._look_up(entering)
        recording = self.recorder.record(ticket.id, lambda _: None, self._cause(entering))
        return await self._with_customer(entering, recording)

    async def _note_undelivered(self, entering: "_Entering", reply: UndeliveredReply) -> Outcome | None:
        """Note on a reply of ours that it did not arrive; None when it is no reply that can be noted on."""
        bounce = RecordBounce(
            message_id=reply.message_id,
            permanent=reply.permanent,
            reason=reply.reason,
            recipients=reply.recipients[: limits.RECIPIENTS],
        )
        await entering.raw_is_safe
        try:
            return await self.recorder.record(reply.ticket_id, bounce, self._cause(entering))
        except (TicketDoesNotExist, UnknownMessage, ReplyWasWithdrawn):
            return None

    async def _continue(self, entering: "_Entering", ticket: Ticket) -> Outcome:
        if not ticket.is_closed:
            return await self._reply(entering, ticket)
        if entering.message.spam or entering.message.machine in {"auto_reply", "bounce"}:
            return await self._reply(entering, ticket)  # noted, and nothing else
        return await self._follow_up(entering, ticket)

    async def _reply(self, entering: "_Entering", ticket: Ticket) -> Outcome:
        attachments = await self._prepare(entering)
        reply = ReceiveReply(
            **words_of(entering.message, ticket.id, entering.message.new_text, attachments),
            author_id=entering.author_id,
        )
        wish = reply if ticket.is_closed else reply_with_more(entering.message, reply)
        return await self._with_customer(entering, self.recorder.record(ticket.id, wish, self._cause(entering)))

    async def _follow_up(self, entering: "_Entering", closed: Ticket) -> Outcome:
        """Open the successor of a closed ticket; long after the end it is a matter of its own."""
        days = timedelta(days=entering.message.follow_up_days)
        if closed.closed_at is None or self.clock.now() - closed.closed_at > days:
            return await self._open(entering, related=closed)

        async def record(ticket_id: str, number: int, opening: OpenTicket) -> Outcome:
            wishes: dict[str, Wish] = {
                ticket_id: lambda _: opening_with_more(entering.message, opening, closed, "follow_up"),
                closed.id: lambda now: follow_up_link(now, ticket_id, number),
            }
            return (await self.recorder.record_together(wishes, self._cause(entering)))[ticket_id]

        return await self._open_as(entering, record, follow_up_of=closed.id)

    async def _open(self, entering: "_Entering", *, related: Ticket | None = None) -> Outcome:
        async def record(ticket_id: str, _: int, opening: OpenTicket) -> Outcome:
            wish = opening_with_more(entering.message, opening, related)
            return await self.recorder.record(ticket_id, wish, self._cause(entering), unwritten=True)

        if entering.message.machine == "bounce":
            raise BelongsToNoTicket("a report about a mail that this desk did not send")
        return await self._open_as(entering, record)

    async def _open_as(
        self,
        entering: "_Entering",
        record: Callable[[str, int, OpenTicket], Awaitable[Outcome]],
        *,
        follow_up_of: str | None = None,
    ) -> Outcome:
        """Open a ticket under the first id that is free. Raises _OpenedMeanwhile when it is not."""
        message = entering.message
        ticket_id = next(one for one in _ids_to_open(message) if one not in entering.taken)
        number, attachments = await asyncio.gather(self.numbers.take(ticket_id), self._prepare(entering))
        opening = OpenTicket(
            **words_of(message, ticket_id, message.text, attachments),
            number=number,
            requester_id=entering.author_id,
            priority=message.priority,
            tags=(*message.tags, SPAM) if message.spam else message.tags,
            follow_up_of=follow_up_of,
        )
        try:
            return await self._with_customer(entering, record(ticket_id, number, opening))
        except TicketAlreadyExists as error:
            entering.met(ticket_id)
            raise _OpenedMeanwhile from error

    async def _prepare(self, entering: "_Entering") -> tuple[Attachment, ...]:
        """Look the customer up and keep all bytes; they must be there before the log refers to them."""
        customer, attachments, _ = await asyncio.gather(
            self._look_up(entering),
            keep_files(self.objects, entering.message.files, scanner=self.scanner),
            entering.raw_is_safe,
        )
        self.customers.require_unblocked(entering.message.author, customer)
        return (*entering.message.kept_files, *attachments)

    async def _look_up(self, entering: "_Entering") -> Customer | None:
        customer = await self.customers.find(entering.author_id)
        entering.is_known = customer is not None
        return customer

    async def _with_customer(self, entering: "_Entering", recording: Awaitable[Outcome]) -> Outcome:
        """Record while somebody unknown is entered in the directory."""
        if entering.is_known:
            return await recording
        outcome = await self.customers.enter_while(recording, entering.author_id, entering.message.author)
        entering.is_known = True
        return outcome

    def _cause(self, entering: "_Entering") -> Cause:
        return Cause(
            command_id=entering.message.fingerprint,
            actor=Actor(kind="customer", id=entering.author_id),
            at=self.clock.now(),
            correlation_id=entering.correlation_id,
        )


@dataclass(slots=True)
class _Entering:
    """A message on its way into the log."""

    message: InboundMessage
    raw_is_safe: Awaitable[object]
    author_id: str
    correlation_id: str
    is_known: bool = False
    taken: set[str] = field(default_factory=set)
    """The ids of tickets that are there."""
    was_expected: bool = False
    """Whether a ticket was met where the message would have opened one."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What may lead to a ticket: a first message of a thread looks for the answers to it only if there are any."""
        key = self.message.thread_key
        expected = (Expected(key),) if self.was_expected and key else ()
        return tuple(dict.fromkeys((*self.message.candidates, *expected)))

    def met(self, ticket_id: str) -> None:
        """Know that a ticket is there: the message may belong to it, and opens none under its id."""
        self.was_expected = True
        if ticket_id != self.message.ticket_id:
            self.taken.add(ticket_id)


class _OpenedMeanwhile(Exception):
    """Another message has opened the ticket that was chosen for this one, which may be a reply on it."""


def _writer(message: InboundMessage) -> Writer:
    return Writer(message.known_author, frozenset(one.address for one in (*message.to, *message.cc)))


def _ids_to_open(message: InboundMessage) -> tuple[str, ...]:
    """The ids a message may open a ticket under, the preferred one first: that of its thread, its own, a last one."""
    last = opened_by_fingerprint(message.fingerprint)
    if message.ticket_id is not None:
        return message.ticket_id, last
    keys = (message.thread_root, message.thread_key)
    return tuple(dict.fromkeys((*(opened_by(message.mailbox, key) for key in keys if key), last)))


def _accepted(message: InboundMessage, outcome: Outcome) -> Accepted:
    commit = outcome.recorded.commit if outcome.recorded else None
    log.info(
        "message accepted",
        channel=message.medium,
        ticket_id=outcome.ticket.id,
        number=outcome.ticket.number,
        commit_id=commit.commit_id if commit else None,
        correlation_id=commit.correlation_id if commit else None,
        repeated=outcome.repeated,
    )
    return Accepted(outcome.ticket.id, outcome.ticket.number, outcome.sequence, decision_of(outcome))
