"""Carries one mail out: claim it, look at the ticket again, write, send, record.

A crash between sending and recording lets the mail be sent again, with the same Message-ID; see
docs/decisions/0004-delivery-is-at-least-once.md.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from structlog import get_logger

from deskwire_notify.channels.port import Answer, Parcel
from deskwire_notify.claims import Busy, Claim, Claims
from deskwire_notify.errands import Errand, Refusal, Settled
from deskwire_notify.figures import Figures
from deskwire_notify.recording import caused_by
from deskwire_notify.retries import lot
from deskwire_notify.undeliverable import NotReady, Undeliverable
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.subjects import ticket_subject
from deskwire_shared.eventstore.port import EventStore, EventStoreError
from deskwire_shared.eventstore.recorder import Recorder, VersionConflict
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.parking import ParkingLot
from deskwire_shared.ticket.commands import TicketCommand
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.refusals import Refusal as TicketRefusal
from deskwire_shared.ticket.refusals import ReplyWasWithdrawn
from deskwire_shared.ticket.state import Ticket

WRITE_SECONDS: Final = 30.0
SEND_SECONDS: Final = 60.0
LEASE: Final = timedelta(seconds=120)
"""Longer than it takes to write, send and record, so that a claim outlasts whoever holds it."""
LATE_AFTER: Final = timedelta(hours=1)
RECORD_TRIES: Final = 6
RECORD_PAUSE_SECONDS: Final = 0.25

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of an errand on a ticket as it is now."""

    errand: Errand
    claim: Claim
    ticket: Ticket
    origin: Commit


class Deliveries:
    """Carries mails out, a few at a time; without a parking lot what could not be sent stands on the ticket only."""

    def __init__(
        self,
        *,
        store: EventStore,
        recorder: Recorder,
        claims: Claims,
        parking: ParkingLot | None,
        clock: Clock,
        figures: Figures,
        at_once: int,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._claims = claims
        self._parking = parking
        self._clock = clock
        self._figures = figures
        self._slots = asyncio.Semaphore(at_once)

    async def carry(self, ticket_id: str, errand: Errand) -> datetime | None:
        """Attempt a mail unless somebody else does; the moment to look at it again, if there is one.

        Raises EventStoreError when the log or the claims cannot be reached.
        """
        async with self._slots:  # before the claim, which must not run out in a queue
            claim = await self._claims.take(errand.mail_id, self._clock.now())
            if isinstance(claim, Busy):
                return claim.until
            with self._figures.duration.labels(errand.kind).time():
                return await self._attempt(ticket_id, errand, claim)

    async def _attempt(self, ticket_id: str, errand: Errand, claim: Claim) -> datetime | None:
        """Only under the claim is it certain that nobody else has sent the mail meanwhile."""
        history = await self._store.load(ticket_id, fresh=True)
        ticket = fold(ticket_id, history.commits)
        if not errand.is_due(ticket):
            return None
        attempt = Attempt(errand, claim, ticket, errand.origin(history))
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                parcel = await errand.write(ticket, history)
        except Undeliverable as error:
            await self._undeliverable(attempt, error)
            return None
        except NotReady as error:
            return await self._judge(attempt, {"": Answer("not_now", str(error), "not ready")})
        except Exception as error:  # whatever it is, the mail is tried again, and parked in the end
            log.exception("cannot be written", kind=errand.kind, mail_id=errand.mail_id)
            return await self._judge(
                attempt, {"": Answer("not_now", f"the {errand.kind} cannot be written", type(error).__name__)}
            )
        answers = await self._send(attempt, parcel)
        return await self._judge(attempt, {**parcel.refused, **answers}, template_id=parcel.template_id)

    async def _send(self, attempt: Attempt, parcel: Parcel) -> Mapping[str, Answer]:
        """Send to those whom no earlier attempt reached."""
        mail_id, reached = attempt.errand.mail_id, attempt.claim.accepted
        waiting = tuple(to for to in parcel.recipients if _fingerprint(mail_id, to) not in reached)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await parcel.send(waiting)
        except TimeoutError:
            answer = Answer("not_now", f"the other side did not answer within {SEND_SECONDS:g} seconds", "timeout")
            return dict.fromkeys(waiting, answer)

    async def _judge(
        self, attempt: Attempt, answers: Mapping[str, Answer], *, template_id: str = ""
    ) -> datetime | None:
        """Settle the mail when every recipient has an answer for good or patience is at its end, else put it off."""
        errand, claim = attempt.errand, attempt.claim
        accepted = frozenset(_fingerprint(errand.mail_id, to) for to, a in answers.items() if a.verdict == "accepted")
        if any(answer.verdict == "not_now" for answer in answers.values()):
            next_try = errand.patience.next_try(
                claim.attempts, claim.first_at, self._clock.now(), lot=lot(errand.mail_id, claim.attempts)
            )
            if next_try is not None:
                await self._put_off(attempt, answers, next_try, accepted)
                return next_try
            await self._park(attempt, f"given up after {claim.attempts} attempts: {_codes(answers)}")
        refusals = tuple(Refusal(to, a.reason, a.code) for to, a in answers.items() if a.verdict != "accepted")
        await self._settle(
            attempt,
            Settled(
                delivered=bool(accepted or claim.accepted),
                refusals=refusals,
                channel=errand.channel,
                attempts=claim.attempts,
                template_id=template_id,
                status=next((answer.status for answer in answers.values() if answer.status is not None), None),
            ),
        )
        return None

    async def _put_off(
        self, attempt: Attempt, answers: Mapping[str, Answer], next_try: datetime, accepted: frozenset[str]
    ) -> None:
        errand, claim = attempt.errand, attempt.claim
        await self._claims.put_off(errand.mail_id, claim, next_try, accepted)
        self._figures.attempts.labels(errand.kind, "retried").inc()
        log.warning("delivery put off", kind=errand.kind, mail_id=errand.mail_id, attempts=claim.attempts,
                    codes=_codes(answers), next_try=next_try.isoformat())  # fmt: skip
        if self._clock.now() - claim.first_at >= LATE_AFTER:
            reason = "; ".join(dict.fromkeys(a.reason for a in answers.values() if a.verdict == "not_now"))
            late = errand.late(reason)
            if late is not None:
                await self._record(attempt, late, "late")

    async def _undeliverable(self, attempt: Attempt, error: Undeliverable) -> None:
        await self._park(attempt, "it cannot be sent; the ticket tells why")
        blamed = error.recipients or ("",)
        refusals = tuple(Refusal(address, str(error), "undeliverable") for address in blamed)
        await self._settle(
            attempt,
            Settled(
                delivered=bool(attempt.claim.accepted),
                refusals=refusals,
                channel=attempt.errand.channel,
                attempts=attempt.claim.attempts,
            ),
        )

    async def _settle(self, attempt: Attempt, outcome: Settled) -> None:
        errand = attempt.errand
        await self._record(attempt, errand.settled(outcome), "settled")
        told = "delivered" if outcome.delivered else "bounced"
        self._figures.attempts.labels(errand.kind, told).inc()
        log.info("delivery settled", kind=errand.kind, mail_id=errand.mail_id, outcome=told, channel=outcome.channel,
                 attempts=outcome.attempts, codes=[refusal.code for refusal in outcome.refusals])  # fmt: skip

    async def _record(self, attempt: Attempt, command: TicketCommand, what: str) -> None:
        """Record what became of a mail, patiently: what is not recorded is sent again."""
        cause = caused_by(attempt.origin, attempt.errand.mail_id, what, self._clock.now())
        for tries in range(1, RECORD_TRIES + 1):
            try:
                await self._recorder.record(attempt.ticket.id, command, cause)
            except ReplyWasWithdrawn:
                await self._park(attempt, "it left the desk in the moment it was withdrawn")
                return
            except TicketRefusal as refusal:  # it always will: to try again would be to send again
                log.exception("ticket refuses the outcome", kind=attempt.errand.kind, mail_id=attempt.errand.mail_id)
                await self._park(attempt, f"the ticket does not take what became of it: {refusal.code}")
                return
            except (EventStoreError, VersionConflict):
                if tries == RECORD_TRIES:
                    raise
                await asyncio.sleep(RECORD_PAUSE_SECONDS * 2**tries)
            else:
                return

    async def _park(self, attempt: Attempt, reason: str) -> None:
        """Show an operator what nobody could send; the reason names no person, since what is parked is not sealed."""
        errand = attempt.errand
        if self._parking is None:
            return
        self._figures.parked.labels(errand.kind).inc()
        sentence = f"{errand.kind} {errand.mail_id}: {reason}"
        await self._parking.park(ticket_subject(attempt.ticket.id), b"", {}, reason=sentence, once=(sentence,))


def _fingerprint(mail_id: str, address: str) -> str:
    """Name a recipient of a mail without naming the person."""
    return derived_id(mail_id, address)


def _codes(answers: Mapping[str, Answer]) -> str:
    return ", ".join(dict.fromkeys(answer.code for answer in answers.values() if answer.verdict != "accepted"))
