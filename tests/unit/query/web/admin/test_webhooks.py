"""What a ticket's page says of webhooks."""

from datetime import UTC, datetime

from deskwire_query.web.people import People
from deskwire_query.web.ticket.sentences import words_of
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.memory import MemoryKeyRing

CALL = {"webhook_name": "Shop", "asked_by": "rule", "asker_name": "VIP first"}


def said(fact: str, **data: object) -> str:
    people = People(MemoryDirectory(MemoryKeyRing(), lambda: datetime(2026, 3, 2, tzinfo=UTC)))
    return words_of(fact, {**CALL, **data}, people, "Ada")


def test_a_call_names_who_made_it() -> None:
    assert said("webhook_requested") == "Rule “VIP first” called the webhook “Shop”"
    assert said("webhook_requested", asked_by="policy", asker_name="Gold") == "Policy “Gold” called the webhook “Shop”"
    assert said("webhook_requested", asked_by="macro") == "Ada called the webhook “Shop”"


def test_what_came_of_a_call_is_told() -> None:
    assert said("webhook_delivered", status=204) == "The webhook “Shop” took it"
    assert said("webhook_failed", reason="410 Gone") == "The webhook “Shop” could not be told: 410 Gone"
