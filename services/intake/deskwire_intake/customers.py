"""Who asks: a customer is found by their address, or entered in the directory at their first message."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from deskwire_intake.channels.port import SenderIsBlocked
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Customer, Entry, Organisation
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.ids import person_id
from deskwire_shared.directory.port import Directory, RevisionConflict
from deskwire_shared.eventstore.keyring import KeyRing

INTAKE: Final = Actor(kind="system", id="intake")

T = TypeVar("T")


class Customers:
    """The customers of the directory, under ids that tell nobody their address."""

    def __init__(self, directory: Directory, keys: KeyRing, site_key: bytes) -> None:
        self._directory = directory
        self._keys = keys
        self._site_key = site_key
        self._organisations: dict[str, str] | None = None
        directory.on_change(self._forget)

    def id_of(self, address: str) -> str:
        """The id under which a person with that address is known, or will be."""
        return person_id(address, self._site_key)

    async def find(self, customer_id: str) -> Customer | None:
        """The customer with that id.

        The key of somebody new is made ready: what is written next needs it, in more than one place at once.
        """
        customer = await self._directory.fetch(Customer, customer_id)
        if customer is None:
            await self._keys.current(customer_id, expect_new=True)
        return customer

    def require_unblocked(self, person: Address, customer: Customer | None) -> None:
        """Raise SenderIsBlocked unless somebody may write."""
        if customer is not None and customer.blocked:
            raise SenderIsBlocked
        chosen = customer.organisation_id if customer is not None else None
        organisation_id = chosen or self._organisation_of(person)
        organisation = self._directory.get(Organisation, organisation_id) if organisation_id is not None else None
        if organisation is not None and organisation.blocked:
            raise SenderIsBlocked("the sender's organisation")

    async def enter(self, customer_id: str, person: Address) -> None:
        """Enter somebody who is not in the directory; another process may do the same at this moment."""
        customer = self._new(person)
        try:
            await self._directory.put(customer_id, customer, actor=INTAKE, expected_revision=0)
        except RevisionConflict:
            if await self._directory.fetch(Customer, customer_id) is None:  # they were there once, and were deleted
                await self._directory.put(customer_id, customer, actor=INTAKE)

    async def enter_while(self, recording: Awaitable[T], customer_id: str, person: Address) -> T:
        """Enter somebody new while the log is written."""
        recorded, _ = await asyncio.gather(recording, self.enter(customer_id, person))
        return recorded

    def _new(self, person: Address) -> Customer:
        return Customer(address=person.address, name=person.name, organisation_id=self._organisation_of(person))

    def _organisation_of(self, person: Address) -> str | None:
        """The organisation that the domain of an address belongs to."""
        return self._by_domain().get(person.address.rpartition("@")[2].lower())

    def _by_domain(self) -> dict[str, str]:
        if self._organisations is None:
            found = self._directory.all(Organisation)
            self._organisations = {domain.lower(): key for key, one in found.items() for domain in one.domains}
        return self._organisations

    def _forget(self, changed: Entry) -> None:
        if changed.kind == "organisation":
            self._organisations = None
