"""What conditions can ask about the people behind a ticket."""

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.conditions import Condition, Conditions
from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.directory.surroundings import Surroundings, surroundings_of
from deskwire_shared.eventstore.memory import MemoryKeyRing
from deskwire_shared.testing.ticket import CUSTOMER_ID, NOON, a_ticket
from deskwire_shared.ticket.conditions import holding

ADMIN = Actor(kind="agent", id="root")
FROM_ACME = Conditions(all=(Condition(field="organisation.name", op="is", value="Acme"),))
URGENT = Conditions(all=(Condition(field="ticket.priority", op="is", value="urgent"),))


async def a_directory(organisation_id: str | None) -> MemoryDirectory:
    directory = MemoryDirectory(MemoryKeyRing(), lambda: NOON)
    customer = Customer(address="cora@example.org", organisation_id=organisation_id)
    await directory.put(CUSTOMER_ID, customer, actor=ADMIN)
    await directory.put("acme", Organisation(name="Acme"), actor=ADMIN)
    return directory


async def test_a_condition_can_ask_about_the_customers_organisation() -> None:
    surroundings = await surroundings_of(a_ticket(), await a_directory("acme"), [URGENT, FROM_ACME])
    assert holding(FROM_ACME, surroundings.context(a_ticket())) is not None


async def test_a_customer_without_an_organisation_meets_no_condition_on_one() -> None:
    for organisation_id in (None, "gone"):
        surroundings = await surroundings_of(a_ticket(), await a_directory(organisation_id), [FROM_ACME])
        assert surroundings.customer is not None
        assert holding(FROM_ACME, surroundings.context(a_ticket())) is None


async def test_nobody_is_looked_up_when_no_condition_asks() -> None:
    assert await surroundings_of(a_ticket(), await a_directory("acme"), [URGENT]) == Surroundings()


async def test_a_customer_whom_the_directory_does_not_know_is_no_obstacle() -> None:
    stranger = a_ticket(requester_id="p999")
    assert await surroundings_of(stranger, await a_directory("acme"), [FROM_ACME]) == Surroundings()
