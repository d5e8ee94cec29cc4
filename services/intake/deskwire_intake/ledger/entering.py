"""Enters in the ledger what became of each message, before whoever sent it is told that it was taken."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol

from deskwire_intake.channels.port import Accept, Accepted, CannotBeHandled, InboundMessage, Parked
from deskwire_shared.contracts.facts import CustomerReplied, Opened
from deskwire_shared.contracts.intake_ledger import LONGEST_REASON, Decision, LedgerEntry, Via
from deskwire_shared.eventstore.recorder import Outcome
from deskwire_shared.runtime.clock import Clock


class Ledger(Protocol):
    """Where is written what came in."""

    async def enter(self, entry: LedgerEntry) -> None:
        """Keep an entry for good. Raises LedgerUnavailable: the message is not ours yet then, and comes again."""
        ...


class LedgerUnavailable(Exception):
    """The ledger takes no entry at the moment."""


@dataclass(frozen=True, kw_only=True)
class LedgeredAccept:
    """Accepts the messages of a channel that keeps nothing but what stands on the ticket, and enters them."""

    accept: Accept
    ledger: Ledger
    clock: Clock
    via: Via

    async def __call__(self, message: InboundMessage, raw_is_safe: Awaitable[object]) -> Accepted:
        """Enter a message on its ticket and in the ledger; see `channels.port.Accept`."""
        try:
            accepted = await self.accept(message, raw_is_safe)
        except CannotBeHandled as refusal:
            await self.ledger.enter(self._entry(message, decision="refused", reason=str(refusal)))
            raise
        await self.ledger.enter(self._entry(message, **became(accepted)))
        return accepted

    def _entry(self, message: InboundMessage, **became: Any) -> LedgerEntry:
        return LedgerEntry(
            at=self.clock.now(),
            via=self.via,
            channel_id=message.channel_id,
            source=message.fingerprint,
            size=len(message.text.encode("utf-8", "surrogatepass")) + sum(file.size for file in message.kept_files),
            content_digest=message.content_digest,
            **became,
        )


def became(result: Accepted | Parked) -> dict[str, Any]:
    """What an entry tells of the outcome.

    An unforeseen error is named without its words, which may be those of the message; they stand with what is parked.
    """
    match result:
        case Accepted():
            return {"decision": result.decision, "ticket_id": result.ticket_id, "number": result.number}
        case Parked():
            reason = result.reason if result.is_expected else result.reason.partition(":")[0]
            return {"decision": "parked", "parked": result.number, "reason": reason[:LONGEST_REASON]}


def decision_of(outcome: Outcome) -> Decision:
    """What a message did to its ticket."""
    if outcome.repeated:
        return "repeated"
    for fact in outcome.recorded.commit.facts if outcome.recorded else ():
        if isinstance(fact, Opened):
            return "followed_up" if fact.follow_up_of else "opened"
        if isinstance(fact, CustomerReplied):
            return "replied"
    return "noted"
