"""What sla does when it hears a commit or a timer: it looks at the ticket, notes what is due, sets the next timer.

Whatever wakes it, the question is the same and the answer follows from the history alone. So a reaction that died
half-way is repaired by the next one, and the message that caused it is only acknowledged when the timer stands.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import DOCUMENTS
from deskwire_shared.contracts.facts import (
    FACTS,
    Acknowledged,
    Assigned,
    Fact,
    FieldChanged,
    FollowersChanged,
    Linked,
    NoteAdded,
    Rated,
    ReplyBounced,
    ReplyDelivered,
    RequesterChanged,
    Routed,
    RuleApplied,
    SlaApplied,
    SlaBreached,
    SlaMet,
    SlaWarned,
    Snoozed,
    SubjectChanged,
    TagsChanged,
    TaskAdded,
    TaskCompleted,
    TimeLogged,
    TypeChanged,
    Unassigned,
    WebhookDelivered,
    WebhookFailed,
    WebhookRequested,
)
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.directory.port import Directory
from deskwire_shared.directory.surroundings import fields_of
from deskwire_shared.eventstore.port import EventStore, History
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.runtime.timers import tick_after
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import Several
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.hints import NEXT_LOOK, SERVICE, Hint
from deskwire_sla.policy_book import PolicyBook
from deskwire_sla.rechecks import DirectoryLags
from deskwire_sla.review import next_look, noted_look
from deskwire_sla.wishing import wish_for

OWN: Final[tuple[type[Fact], ...]] = (SlaApplied, SlaWarned, SlaBreached, SlaMet)
WITHOUT_CONSEQUENCE: Final[tuple[type[Fact], ...]] = (
    NoteAdded, TimeLogged, TaskAdded, TaskCompleted, Linked, ReplyDelivered, ReplyBounced, Acknowledged, RuleApplied,
    WebhookRequested, WebhookDelivered, WebhookFailed,
)  # fmt: skip
HEARD: Final = frozenset(name for name, model in FACTS.items() if model not in {*OWN, *WITHOUT_CONSEQUENCE})
"""The facts that sla reacts to, by stored name."""

ASKED_BY_CONDITIONS: Final = frozenset(
    str(fact.model_fields["type"].default)
    for fact in (
        Assigned, FieldChanged, FollowersChanged, Rated, RequesterChanged, Routed, SubjectChanged, TagsChanged,
        TypeChanged, Unassigned,
    )
)  # fmt: skip
"""What changes no clock by itself, only by the choice of the policy that holds."""

MOST_COMMITS: Final = 20
"""On one look at a ticket; the next one goes on."""

BY_SLA: Final = Actor(kind="system", id=SERVICE)


class TicketTimers(Protocol):
    """Wakes us when something is due on a ticket; timers are told apart by the moments they were set for."""

    async def set(self, ticket_id: str, name: str, at: datetime) -> None:
        """Set a timer for a moment."""
        ...

    async def stands(self, ticket_id: str, name: str, at: datetime) -> bool:
        """Say whether a timer waits for a moment."""
        ...

    async def cancel(self, ticket_id: str, name: str, at: datetime) -> None:
        """Forget a timer that was set for a moment."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLevels:
    """Watches the promises made for tickets."""

    recorder: Recorder
    store: EventStore
    directory: Directory
    book: PolicyBook
    timers: TicketTimers
    clock: Clock

    async def on_commits(self, heard: Heard) -> None:
        """Look at a ticket because something happened to it."""
        if heard.facts and heard.facts <= ASKED_BY_CONDITIONS and not await self._are_conditions_asked():
            return
        ticket = await self.recorder.ticket(heard.ticket_id, at_least=heard.sequence)
        await self._look_at(ticket, _hint(heard) or Hint(), self._now(heard))

    async def on_timers(self, heard: Heard) -> None:
        """Look at a ticket because its time has come, or because a policy or a calendar changed."""
        hint = _hint(heard)
        if hint is not None:
            self._require_known(hint)
        ticket, history = await self.recorder.history(heard.ticket_id)
        await self._look_at(ticket, hint or _reason(history), self._now(heard))

    def _now(self, heard: Heard) -> datetime:
        """The moment by this machine's clock, but not before the server let this message happen."""
        return max(self.clock.now(), heard.stored_at)

    async def _are_conditions_asked(self) -> bool:
        terms = await self.book.terms()
        return any(one.policy.active and fields_of([one.policy.conditions]) for one in terms.values())

    def _require_known(self, hint: Hint) -> None:
        for wanted in hint.revisions:
            if self.directory.revision(DOCUMENTS[wanted.kind], wanted.id) < wanted.revision:
                raise DirectoryLags(f"{wanted.kind} {wanted.id} is not known yet at revision {wanted.revision}")

    async def _look_at(self, ticket: Ticket, hint: Hint, now: datetime) -> None:
        if not ticket.exists:
            return
        stood = noted_look(ticket, now)
        wish = await wish_for(ticket, now, self.book, self.directory)
        for _ in range(MOST_COMMITS):
            wished = wish(ticket)
            if not (facts := decide(wished, ticket)):
                break
            # Idempotent by what the ticket says, not by the command: told again later, more may be due.
            cause = Cause(new_id(), BY_SLA, now, hint.correlation_id, hint.commit_id)
            ticket = await self._record(ticket, wished, wish, cause)
            if not _leaves_more(facts):
                break
        await self._set_timer(ticket, now, stood)

    async def _record(self, ticket: Ticket, wished: Several, wish: Callable[[Ticket], Several], cause: Cause) -> Ticket:
        """Record what is wished for a ticket; what it has become meanwhile is asked about anew."""
        outcome = await self.recorder.record(ticket.id, lambda found: wished if found is ticket else wish(found), cause)
        return outcome.ticket

    async def _set_timer(self, ticket: Ticket, now: datetime, stood: datetime | None) -> None:
        """Set the timer for what is due next, and take away the one that stood for what is not due any more."""
        due = next_look(ticket, now)
        if due is not None and (not _same(due, stood) or not await self.timers.stands(ticket.id, NEXT_LOOK, due)):
            await self.timers.set(ticket.id, NEXT_LOOK, due)
        if stood is None or _same(due, stood):
            return
        await self.timers.cancel(ticket.id, NEXT_LOOK, stood)
        # Another reaction to the ticket may have set in the meantime what was taken away here.
        tip = await self.store.tip(ticket.id)
        if tip.version != ticket.version:
            changed = await self.recorder.ticket(ticket.id, at_least=tip.sequence)
            await self._set_timer(changed, now, noted_look(changed, now))


def _same(due: datetime | None, stood: datetime | None) -> bool:
    """Whether two moments are heard of by the same tick."""
    return due is not None and stood is not None and tick_after(due) == tick_after(stood)


def _leaves_more(facts: Collection[Fact]) -> bool:
    """Whether what was done may have changed the clocks, or more was due than fits in a commit."""
    return len(facts) >= limits.COMMANDS or not all(isinstance(fact, OWN) for fact in facts)


def _hint(heard: Heard) -> Hint | None:
    """What a message says about why it came; the timers of tickets say nothing."""
    said = heard.messages[-1].data if heard.messages else b""
    return Hint.model_validate_json(said) if said else None


def _reason(history: History) -> Hint:
    """Go on from what set the clocks, or let the ticket sleep, and so set its timer."""
    settings = (c for c in reversed(history.commits) if any(isinstance(fact, SlaApplied | Snoozed) for fact in c.facts))
    commit = next(settings, None)
    if commit is None:
        return Hint()
    return Hint(commit_id=commit.commit_id, correlation_id=commit.correlation_id)
