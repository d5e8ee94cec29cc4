"""Figures of messages, whose number does not grow with the desk."""

import pytest
from faststream.nats import NatsBroker, TestNatsBroker
from prometheus_client import CollectorRegistry

from deskwire_shared.contracts.subjects import ticket_subject, timer_due_subject
from deskwire_shared.runtime.message_figures import kind_of, message_figures


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        (ticket_subject("t1"), "ticket"),
        (timer_due_subject("sla", "t1", "next"), "timer.due.sla"),
        ("directory.agent.ada", "directory.agent"),
        ("deskwire.chat.t1.reply", "deskwire.chat"),
        ("parked.sla", "parked.sla"),
        ("odd", "odd"),
    ],
)
def test_a_kind_of_message_names_nobody(subject: str, kind: str) -> None:
    assert kind_of(subject) == kind


async def test_messages_about_many_tickets_are_counted_as_one_kind() -> None:
    registry = CollectorRegistry()
    broker = NatsBroker(middlewares=[message_figures(registry)])

    @broker.subscriber("ticket.>")
    async def hear(message: str) -> None:
        assert message

    async with TestNatsBroker(broker) as bus:
        for number in range(20):
            await bus.publish("news", ticket_subject(f"t{number}"))
    samples = [sample for family in registry.collect() for sample in family.samples]
    heard = [one for one in samples if one.name == "faststream_received_messages_total"]
    assert [(one.labels["handler"], one.value) for one in heard] == [("ticket", 20.0)]
    destinations = {one.labels["destination"] for one in samples if "destination" in one.labels}
    assert destinations == {"ticket"}
