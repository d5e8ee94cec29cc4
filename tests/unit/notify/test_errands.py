"""What is recorded of a mail in the end: the ticket takes it, whatever other servers say."""

import pytest

from deskwire_notify.channels.webhook import WebhookWriter, part_name
from deskwire_notify.errands import Refusal, ReplyErrand, Settled
from deskwire_notify.retries import Patience
from deskwire_shared.contracts.conversations import conversation_of
from deskwire_shared.contracts.facts import AgentReplied, ReplyBounced, ReplyDelivered
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, a_ticket
from deskwire_shared.ticket.decider import decide

REPLY = AgentReplied(person_id=CUSTOMER_ID, message_id="m2", agent_id="ada", text="!", to=(CUSTOMER,))
ERRAND = ReplyErrand(
    message_id="m2", mail_id="m2", patience=Patience(),
    writer=WebhookWriter(directory=None, secrets=None, sender=None, clock=None),  # type: ignore[arg-type]  # writes nothing here
)  # fmt: skip


def bounced(address: str, reason: str) -> ReplyBounced:
    outcome = Settled(delivered=True, refusals=(Refusal(address, reason, "550"),), channel="email", attempts=1)
    facts = decide(ERRAND.settled(outcome), a_ticket(REPLY))
    assert isinstance(facts[0], ReplyDelivered)
    assert isinstance(facts[1], ReplyBounced)
    return facts[1]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 unbekannter Empf\udce4nger", "550 unbekannter Empf nger"),
        ("550 no\0body", "550 no body"),
        ("550 a\r\nb", "550 a b"),
        ("550 " + "x" * 5_000, "550 " + "x" * 1_996),
    ],
)
def test_a_refusal_in_whatever_bytes_is_recorded_and_the_mail_is_not_sent_again(said: str, kept: str) -> None:
    assert bounced("bob@example.org", said).reason == kept


@pytest.mark.parametrize("said", ["451 sp\udce4ter", "451 \0"])
def test_a_delay_in_whatever_bytes_is_recorded(said: str) -> None:
    late = ERRAND.late(said)
    assert late is not None
    (fact,) = decide(late, a_ticket(REPLY))
    assert isinstance(fact, ReplyBounced)
    assert not fact.permanent


def test_a_part_of_a_reply_is_named_by_what_a_ticket_takes_however_long_its_conversation_is_called() -> None:
    name = part_name(conversation_of(["ü" * 166]), 10, 10)
    assert name.endswith(" (10 of 10)")
    assert bounced(name, "500").recipients == (name,)
