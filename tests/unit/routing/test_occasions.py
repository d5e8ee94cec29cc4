"""What may set rules off."""

from typing import get_args

from deskwire_routing.rules.occasions import TRIGGERS, Occasion, occasions_in, stay_of, topic_of
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import (
    AnyFact,
    CustomerReplied,
    FieldChanged,
    Reopened,
    RuleApplied,
    SlaBreached,
    SlaWarned,
    StatusChanged,
    UnknownFact,
)
from deskwire_shared.contracts.rules import Trigger, Wait
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.eventstore.plain_facts import plain_commit
from deskwire_shared.eventstore.port import UNWRITTEN
from deskwire_shared.testing.ticket import AGENT, CUSTOMER, CUSTOMER_ID, NOON, a_commit, a_ticket, opened

REPLIED = CustomerReplied(
    person_id=CUSTOMER_ID, author_id=CUSTOMER_ID, message_id="m2", channel="email", author=CUSTOMER, text="Hello?"
)
REOPENED = Reopened(before="solved", reason="customer_reply")
PENDING = Wait(status="pending", after_minutes=60)
IS_OPEN = StatusChanged(before="solved", after="open")


async def occasions(*facts: AnyFact, actor: Actor = AGENT) -> tuple[Occasion, ...]:
    commit = a_commit(*facts, actor=actor)
    _, raw = await Codec(MemoryKeyRing()).encode(commit, after=UNWRITTEN)
    return occasions_in(plain_commit(raw))


async def test_a_ticket_is_opened_once() -> None:
    assert await occasions(opened()) == (Occasion(trigger="opened", name="opened", message_id="m1"),)


async def test_every_reply_is_an_occasion_of_its_own() -> None:
    assert await occasions(REPLIED) == (
        Occasion(trigger="customer_replied", name="customer_replied:m2", message_id="m2"),
    )


async def test_a_reply_that_reopens_is_an_occasion_for_rules_on_each_of_that() -> None:
    assert await occasions(REPLIED, REOPENED, IS_OPEN) == (
        Occasion(trigger="customer_replied", name="customer_replied:m2", message_id="m2"),
        Occasion(trigger="reopened", name="reopened:m2", message_id="m2"),
        Occasion(trigger="status_changed", name="status_changed:c3"),
    )


async def test_an_agents_reopening_is_named_by_its_commit() -> None:
    by_agent = Reopened(before="solved", reason="agent")
    assert names(await occasions(by_agent, IS_OPEN)) == ["reopened:c2", "status_changed:c2"]


async def test_what_rules_did_is_an_occasion_like_any_other() -> None:
    by_rule = Actor(kind="rule", id="routing")
    assert names(await occasions(REOPENED, IS_OPEN, actor=by_rule)) == ["reopened:c2", "status_changed:c2"]


async def test_several_changes_of_one_kind_in_a_commit_are_one_occasion() -> None:
    assert names(await occasions(FieldChanged(name="a"), FieldChanged(name="b"))) == ["field_changed:c2"]


async def test_every_promise_is_missed_on_an_occasion_of_its_own() -> None:
    missed = {"cycle": 1, "policy_id": "gold", "target": 60, "due_at": NOON}
    warned = SlaWarned(metric="resolution", cycle=2, stage=2, policy_id="gold", used=50, target=60)
    facts = (SlaBreached(metric="first_response", **missed), SlaBreached(metric="resolution", **missed), warned)
    assert names(await occasions(*facts)) == [
        "sla_breached:first_response:1",
        "sla_breached:resolution:1",
        "sla_warned:resolution:2:2",
    ]


def test_another_run_of_a_promise_is_about_the_same_and_another_promise_is_not() -> None:
    assert topic_of("sla_breached:resolution:1") == topic_of("sla_breached:resolution:7")
    assert topic_of("sla_breached:resolution:1") != topic_of("sla_breached:first_response:1")
    assert topic_of("sla_warned:resolution:1:1") != topic_of("sla_warned:resolution:1:2")
    assert topic_of("customer_replied:m2") == topic_of("customer_replied:m3") == "customer_replied"


async def test_every_trigger_but_time_is_a_fact() -> None:
    assert set(TRIGGERS.values()) == set(get_args(Trigger)) - {"waited"}


async def test_what_rules_noted_and_what_nobody_knows_is_no_occasion() -> None:
    noted = RuleApplied(rule_id="r1", rule_name="R", rule_revision=1, trigger="opened")
    assert await occasions(noted, UnknownFact(type="ticket.sung.v1")) == ()


def test_a_stay_in_a_status_has_a_name_of_its_own_each_time() -> None:
    pending = StatusChanged(before="open", after="pending")
    first = stay_of(a_ticket(pending), PENDING)
    again = stay_of(a_ticket(pending, StatusChanged(before="pending", after="open"), pending), PENDING)
    assert first == Occasion(trigger="waited", name="waited:pending:2", status_since=NOON)
    assert again is not None
    assert again.name == "waited:pending:4"
    assert stay_of(a_ticket(), PENDING) is None


def names(found: tuple[Occasion, ...]) -> list[str]:
    return [occasion.name for occasion in found]
