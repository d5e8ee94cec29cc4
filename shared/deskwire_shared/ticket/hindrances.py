"""What keeps an action from being done, whatever the ticket takes: nothing is there by that name, or it never ends."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from deskwire_shared.contracts.actions import (
    Action,
    AddFollowers,
    CallWebhook,
    OpenFollowUp,
    SetAssignee,
    SetTeam,
    WriteReply,
)
from deskwire_shared.contracts.directory import Template
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.ticket.acting import Acting, Staff
from deskwire_shared.ticket.state import Ticket

AUTOMATIC: Final = "rule"
"""The channel of tickets that nobody wrote."""
MOST_REPLIES: Final = 5
"""Automatic replies on a ticket before a human has to answer: two machines could talk for ever."""
MOST_CALLS: Final = 50
"""Calls of a webhook for a ticket within CALLS_WITHIN unless an agent acts: perhaps it is what changes the ticket."""
CALLS_WITHIN: Final = timedelta(hours=1)


def hindrance(action: Action, ticket: Ticket, staff: Staff, acting: Acting) -> str | None:  # noqa: PLR0911 - one case per action
    """Say why an action cannot be done; None when it can."""
    match action:
        case SetTeam(team_id=team_id) if team_id not in staff.teams:
            return f"there is no team {team_id}"
        case SetAssignee(agent_id=agent_id) if agent_id not in staff.agents:
            return f"agent {agent_id} does not exist or is not active"
        case AddFollowers(agent_ids=agent_ids) if not staff.active(agent_ids):
            return f"no agent of {', '.join(agent_ids)} exists and is active"
        case WriteReply(template_id=str(template_id)) if not _is_answer(staff.templates.get(template_id)):
            return f"there is no template {template_id} for answers"
        case WriteReply() if acting.automated:
            return _talk_of_machines(ticket)
        case OpenFollowUp(team_id=str(team_id)) if team_id not in staff.teams:
            return f"there is no team {team_id}"
        case OpenFollowUp() if acting.automated and ticket.channel == AUTOMATIC:
            return "a ticket that nobody wrote has no follow-up"
        case CallWebhook(webhook_id=webhook_id):
            webhook = staff.webhooks.get(webhook_id)
            if webhook is None or not webhook.active:
                return f"webhook {webhook_id} does not exist or is switched off"
            return _too_many_calls(webhook_id, webhook, ticket, acting.at) if acting.automated else None
        case _:
            return None


def _is_answer(template: Template | None) -> bool:
    return template is not None and template.active and template.purpose == "answer"


def _talk_of_machines(ticket: Ticket) -> str | None:
    """Say why an automatic reply could begin a conversation of machines."""
    spoken = next((said for said in reversed(ticket.messages) if said.kind == "customer"), None)
    if spoken is not None and not spoken.is_by_the_customer:
        return "the customer's last message is spam, or was written by a machine"
    if sum(1 for _ in _automatic_replies(ticket)) >= MOST_REPLIES:
        return f"{MOST_REPLIES} automatic replies were sent since a human answered"
    return None


def _automatic_replies(ticket: Ticket) -> Iterator[str]:
    for message in reversed(ticket.messages):
        if message.answers_the_customer:
            return
        if message.kind == "agent" and message.automated:
            yield message.id


def _too_many_calls(webhook_id: str, webhook: Webhook, ticket: Ticket, at: datetime | None) -> str | None:
    """Say why a call could be one of a circle: who is told changes the ticket, and is told of that."""
    now = at or ticket.updated_at
    assert now is not None
    since = max(filter(None, (now - CALLS_WITHIN, ticket.handled_at)))
    calls = [call for call in ticket.webhook_calls if call.webhook_id == webhook_id and call.at > since]
    if len(calls) < MOST_CALLS:
        return None
    return f"webhook {webhook.name} was called {MOST_CALLS} times within an hour, in which no agent did anything"
