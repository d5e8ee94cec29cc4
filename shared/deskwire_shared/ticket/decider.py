"""The ticket's decisions, by topic: what may be wished, and which facts follow."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import reduce
from typing import Final

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import TicketFact
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    ApplySla,
    BreachSla,
    ConversationCommand,
    FieldCommand,
    LifecycleCommand,
    LinkTicket,
    LogTime,
    MeetSla,
    MergeTicket,
    OpenTicket,
    RateTicket,
    ReceiveReply,
    RecordAcknowledgement,
    RecordBounce,
    RecordDelivery,
    RecordWebhookDelivery,
    RecordWebhookFailure,
    RedactMessage,
    RequestWebhook,
    Several,
    SingleCommand,
    TicketCommand,
    WebhookCommand,
)
from deskwire_shared.ticket.conversation import decide_conversation
from deskwire_shared.ticket.evolving import evolve, evolve_commit, fold
from deskwire_shared.ticket.fields import decide_fields
from deskwire_shared.ticket.lifecycle import decide_lifecycle
from deskwire_shared.ticket.refusals import TicketDoesNotExist, TicketIsClosed, TicketIsMerged
from deskwire_shared.ticket.service_levels import decide_policies
from deskwire_shared.ticket.state import Ticket
from deskwire_shared.ticket.webhooks import decide_webhooks

__all__ = ["decide", "evolve", "evolve_commit", "fold"]

AFTERMATH: Final = (
    RecordDelivery, RecordBounce, RecordAcknowledgement, RecordWebhookDelivery, RecordWebhookFailure, RedactMessage,
)  # fmt: skip
"""What happens in the outside world, or must be hidden from it, however the ticket ended."""
AFTER_CLOSING: Final = (*AFTERMATH, LinkTicket, LogTime, RateTicket, BreachSla, MeetSla, RequestWebhook)
SUPPOSED_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)
SUPPOSED_BY: Final = Actor(kind="system", id="supposed")


def decide(command: TicketCommand, ticket: Ticket) -> list[TicketFact]:
    """Turn a wish into facts; none when it changes nothing.

    Raises a `Refusal` when the wish is not granted.
    """
    facts = _decide_all(command, ticket) if isinstance(command, Several) else _decide_one(command, ticket)
    limits.require_commit_size(facts)
    return facts


def _decide_all(several: Several, ticket: Ticket) -> list[TicketFact]:
    limits.require_count("commands", several.commands, limits.COMMANDS)
    facts: list[TicketFact] = []
    decided: list[TicketFact] = []
    for command in several.commands:
        ticket = _supposing(ticket, decided)
        decided = _decide_one(command, ticket)
        facts += decided
    return facts


def _supposing(ticket: Ticket, facts: Iterable[TicketFact]) -> Ticket:
    """Fold facts that are not in the history yet; no decision depends on their time or actor."""
    return reduce(lambda so_far, fact: evolve(so_far, fact, at=SUPPOSED_AT, actor=SUPPOSED_BY), facts, ticket)


def _decide_one(command: SingleCommand, ticket: Ticket) -> list[TicketFact]:
    _require_open_to(command, ticket)
    if isinstance(command, ConversationCommand):
        return decide_conversation(command, ticket)
    if isinstance(command, FieldCommand):
        return decide_fields(command, ticket)
    if isinstance(command, LifecycleCommand):
        return decide_lifecycle(command, ticket)
    if isinstance(command, WebhookCommand):
        return decide_webhooks(command, ticket)
    return decide_policies(command, ticket)


def _require_open_to(command: SingleCommand, ticket: Ticket) -> None:
    """Refuse what a ticket that does not exist, is merged or is closed takes no more."""
    if isinstance(command, OpenTicket):
        return
    if not ticket.exists:
        raise TicketDoesNotExist(ticket.id)
    if ticket.merged_into is not None and not _is_open_after_merging(command, ticket.merged_into):
        raise TicketIsMerged(ticket.merged_into)
    if ticket.is_closed and not ticket.is_merged and not _is_open_after_closing(command):
        raise TicketIsClosed


def _is_open_after_merging(command: SingleCommand, into: str) -> bool:
    match command:
        case ApplySla(clocks=clocks):
            return not clocks
        case MergeTicket(into=again):
            return again == into
        case _:
            return isinstance(command, AFTERMATH)


def _is_open_after_closing(command: SingleCommand) -> bool:
    match command:
        case ApplySla(clocks=clocks):
            return all(clock.state != "running" for clock in clocks)
        case ReceiveReply(machine=machine, spam=spam):
            return machine is not None or spam
        case _:
            return isinstance(command, AFTER_CLOSING)
