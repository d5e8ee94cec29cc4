"""What may set rules off."""

from deskwire_routing.occasions import Occasion, occasions_in
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import AnyFact, Assigned, CustomerReplied, Reopened, StatusChanged, UnknownFact
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.eventstore.plain_facts import plain_commit
from deskwire_shared.eventstore.port import UNWRITTEN
from deskwire_shared.testing.ticket import AGENT, CUSTOMER, CUSTOMER_ID, a_commit, opened

REPLIED = CustomerReplied(
    person_id=CUSTOMER_ID, author_id=CUSTOMER_ID, message_id="m2", channel="email", author=CUSTOMER, text="Hello?"
)
REOPENED = Reopened(before="solved", reason="customer_reply")
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


async def test_a_reply_that_reopens_is_two_occasions() -> None:
    assert await occasions(REPLIED, REOPENED, IS_OPEN) == (
        Occasion(trigger="customer_replied", name="customer_replied:m2", message_id="m2"),
        Occasion(trigger="reopened", name="reopened:m2", message_id="m2"),
    )


async def test_an_agents_reopening_is_named_by_its_commit() -> None:
    by_agent = Reopened(before="solved", reason="agent")
    assert await occasions(by_agent, IS_OPEN) == (Occasion(trigger="reopened", name="reopened:c2", message_id=None),)


async def test_what_a_rule_reopened_sets_no_rule_off() -> None:
    for kind in ("rule", "system"):
        assert await occasions(REOPENED, IS_OPEN, actor=Actor.model_validate({"kind": kind, "id": "routing"})) == ()


async def test_nothing_else_is_an_occasion() -> None:
    assert await occasions(Assigned(agent_id="ada"), UnknownFact(type="ticket.sung.v1")) == ()
