"""A ticket keeps which webhooks were to be told of it, and what came of that, once each."""

from datetime import timedelta
from typing import Any

import pytest

from deskwire_shared.contracts.actions import CallWebhook
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Merged, StatusChanged, WebhookDelivered, WebhookFailed, WebhookRequested
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.testing.ticket import AGENT, NOON, a_ticket
from deskwire_shared.ticket.acting import Acting, Staff
from deskwire_shared.ticket.actions import deeds
from deskwire_shared.ticket.commands import RecordWebhookDelivery, RecordWebhookFailure, RequestWebhook
from deskwire_shared.ticket.decider import decide, evolve
from deskwire_shared.ticket.hindrances import CALLS_WITHIN, MOST_CALLS
from deskwire_shared.ticket.refusals import TicketIsMerged, TooMany, UnknownWebhookCall
from deskwire_shared.ticket.state import Ticket, WebhookCall

STAFF = Staff(
    webhooks={
        "shop": Webhook(name="Shop", url="https://shop.example/hook"),
        "off": Webhook(name="Off", url="https://off.example", active=False),
    }
)
SOON = NOON + timedelta(minutes=1)
INTEGRATION = Actor(kind="integration", id="shop")
ACTING = Acting(agent_id="routing", strategy="rule", key=("r1",), asked_by="rule", asker_id="r1", asker_name="VIP")


def requested(number: int = 1, **changes: Any) -> WebhookRequested:
    usual = {"webhook_id": "shop", "webhook_name": "Shop", "asked_by": "rule", "asker_id": "r1", "asker_name": "VIP"}
    return WebhookRequested.model_validate({"request_id": f"c{number}", **usual, **changes})


def calling(*webhook_ids: str, ticket: Ticket | None = None, acting: Acting = ACTING) -> Any:
    return deeds([CallWebhook(webhook_id=one) for one in webhook_ids], ticket or a_ticket(), STAFF, acting)


def a_called_ticket(calls: int, *, at: Any = SOON) -> Ticket:
    ticket = a_ticket()
    for number in range(calls):
        ticket = evolve(ticket, requested(number), at=at, actor=INTEGRATION)
    return ticket


def test_an_action_asks_for_a_webhook_on_behalf_of_its_rule() -> None:
    (command,) = calling("shop").commands
    assert decide(command, a_ticket()) == [requested(request_id=command.request_id)]


def test_two_calls_of_one_rule_are_two_and_a_repeat_makes_none_more() -> None:
    first, second = calling("shop", "shop").commands
    assert first.request_id != second.request_id
    assert calling("shop", "shop").commands == (first, second)


def test_a_webhook_is_asked_for_once_under_an_id() -> None:
    command = RequestWebhook(
        request_id="c1", webhook_id="shop", webhook_name="Shop", asked_by="rule", asker_id="r1", asker_name="VIP"
    )
    assert decide(command, a_ticket(requested())) == []


@pytest.mark.parametrize("webhook_id", ["gone", "off"])
def test_a_webhook_that_is_not_there_is_told_of_nothing(webhook_id: str) -> None:
    found = calling(webhook_id)
    assert found.commands == ()
    assert found.troubles == (f"webhook {webhook_id} does not exist or is switched off",)


def test_what_came_of_a_call_is_noted_once() -> None:
    ticket = a_ticket(requested())
    delivered = RecordWebhookDelivery(request_id="c1", status=204, attempts=2)
    (fact,) = decide(delivered, ticket)
    assert fact == WebhookDelivered(request_id="c1", webhook_id="shop", webhook_name="Shop", status=204, attempts=2)
    told = a_ticket(requested(), fact)
    assert [call.outcome for call in told.webhook_calls] == ["delivered"]
    assert decide(delivered, told) == []
    assert decide(RecordWebhookFailure(request_id="c1", reason="late"), told) == []


def test_a_failure_says_why() -> None:
    (fact,) = decide(RecordWebhookFailure(request_id="c1", status=410, reason="410 Gone"), a_ticket(requested()))
    assert isinstance(fact, WebhookFailed)
    assert (fact.status, fact.reason, fact.webhook_name) == (410, "410 Gone", "Shop")
    assert a_ticket(requested(), fact).webhook_calls[0].outcome == "failed"


def test_nothing_comes_of_a_call_that_nobody_asked_for() -> None:
    with pytest.raises(UnknownWebhookCall):
        decide(RecordWebhookDelivery(request_id="c1", status=200), a_ticket())


def test_a_ticket_that_is_closed_meanwhile_is_still_told_of_and_keeps_what_came_of_it() -> None:
    closed = a_ticket(requested(), StatusChanged(before="new", after="closed"))
    assert decide(RecordWebhookDelivery(request_id="c1", status=200), closed)
    assert decide(calling("shop").commands[0], closed)


def test_a_ticket_that_was_merged_keeps_what_came_of_a_call_but_asks_for_none() -> None:
    merged = a_ticket(requested(), Merged(into="other", into_number=2))
    assert decide(RecordWebhookFailure(request_id="c1", reason="gone"), merged)
    with pytest.raises(TicketIsMerged):
        decide(calling("shop").commands[0], merged)


def test_a_webhook_that_changes_the_ticket_it_is_told_of_is_called_so_often_and_no_more() -> None:
    assert not calling("shop", ticket=a_called_ticket(MOST_CALLS - 1)).troubles
    found = calling("shop", ticket=a_called_ticket(MOST_CALLS))
    assert found.commands == ()
    assert found.troubles == (
        f"webhook Shop was called {MOST_CALLS} times within an hour, in which no agent did anything",
    )


def test_an_agent_or_the_time_ends_the_suspicion_of_a_circle() -> None:
    circling = a_called_ticket(MOST_CALLS)
    handled = evolve(circling, StatusChanged(before="new", after="open"), at=SOON + timedelta(minutes=1), actor=AGENT)
    later = Acting(
        agent_id="routing", strategy="rule", key=("r1",), asked_by="rule", asker_id="r1", at=SOON + CALLS_WITHIN
    )
    by_hand = Acting(agent_id="ada", strategy="manual", key=("k",), asked_by="macro", asker_id="m1", automated=False)
    assert not calling("shop", ticket=handled).troubles
    assert not calling("shop", ticket=circling, acting=later).troubles
    assert not calling("shop", ticket=circling, acting=by_hand).troubles


def test_a_ticket_does_not_grow_by_calls_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deskwire_shared.ticket.limits.WEBHOOK_CALLS", 1)
    with pytest.raises(TooMany):
        decide(calling("shop").commands[0], a_ticket(requested()))


def test_the_calls_of_a_ticket_are_known_by_their_id() -> None:
    call = WebhookCall(request_id="c1", webhook_id="shop", webhook_name="Shop", at=NOON)
    assert a_ticket(requested()).webhook_call("c1") == call
    assert a_ticket().webhook_call("c1") is None
