"""Webhooks that are told of a ticket: who is to be, and what came of it."""

from typing import assert_never

from deskwire_shared.contracts.facts import TicketFact, WebhookDelivered, WebhookFailed, WebhookRequested
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    RecordWebhookDelivery,
    RecordWebhookFailure,
    RequestWebhook,
    WebhookCommand,
)
from deskwire_shared.ticket.refusals import TooMany, UnknownWebhookCall
from deskwire_shared.ticket.state import Ticket, WebhookCall


def decide_webhooks(command: WebhookCommand, ticket: Ticket) -> list[TicketFact]:
    """Turn a wish about webhooks into facts, once each."""
    match command:
        case RequestWebhook():
            return _request(command, ticket)
        case RecordWebhookDelivery():
            return _delivered(command, _call(ticket, command.request_id))
        case RecordWebhookFailure():
            return _failed(command, _call(ticket, command.request_id))
        case _:
            assert_never(command)


def _request(command: RequestWebhook, ticket: Ticket) -> list[TicketFact]:
    if ticket.webhook_call(command.request_id) is not None:
        return []
    if len(ticket.webhook_calls) >= limits.WEBHOOK_CALLS:
        raise TooMany("webhook calls", len(ticket.webhook_calls) + 1, limits.WEBHOOK_CALLS)
    return [
        WebhookRequested(
            request_id=command.request_id,
            webhook_id=command.webhook_id,
            webhook_name=command.webhook_name,
            asked_by=command.asked_by,
            asker_id=command.asker_id,
            asker_name=command.asker_name,
        )
    ]


def _delivered(command: RecordWebhookDelivery, call: WebhookCall) -> list[TicketFact]:
    if call.outcome != "waiting":
        return []
    return [
        WebhookDelivered(
            request_id=call.request_id,
            webhook_id=call.webhook_id,
            webhook_name=call.webhook_name,
            status=command.status,
            attempts=command.attempts,
        )
    ]


def _failed(command: RecordWebhookFailure, call: WebhookCall) -> list[TicketFact]:
    if call.outcome != "waiting":
        return []
    limits.require_text("reason", command.reason, limits.COMMENT_SIZE)
    return [
        WebhookFailed(
            request_id=call.request_id,
            webhook_id=call.webhook_id,
            webhook_name=call.webhook_name,
            status=command.status,
            reason=command.reason,
            attempts=command.attempts,
        )
    ]


def _call(ticket: Ticket, request_id: str) -> WebhookCall:
    call = ticket.webhook_call(request_id)
    if call is None:
        raise UnknownWebhookCall(request_id)
    return call
