"""What every directory promises. A test class inherits it and gives the fixture `known`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Customer, Entry
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.personal import ERASED
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory, RevisionConflict, UnknownDocument
from deskwire_shared.eventstore.keyring import KeyRing

ADMIN = Actor(kind="agent", id="admin")
ADA = Agent(email="ada@example.org", name="Ada Lovelace", team_ids=("billing",))


@dataclass(frozen=True)
class DirectoryUnderTest:
    """A directory with its keys, and a way around it to the bytes it keeps."""

    directory: Directory
    keys: KeyRing
    stored: Callable[[str, str], Awaitable[list[bytes]]]
    """The bytes that are kept of a document, by kind and id, oldest first."""


class DirectoryContract:
    """The promises of a directory."""

    async def test_an_unknown_document_is_none(self, known: DirectoryUnderTest) -> None:
        assert known.directory.get(Team, nobody := new_id()) is None
        assert await known.directory.fetch(Team, nobody) is None
        assert known.directory.revision(Team, nobody) == 0
        assert await known.directory.history(Team, nobody) == []

    async def test_an_id_names_one_document(self, known: DirectoryUnderTest) -> None:
        await known.directory.put("cora", Customer(address="cora@example.org"), actor=ADMIN)
        for pattern in ("*", ">", "", "cora.x", "c o"):
            assert await known.directory.fetch(Customer, pattern) is None
            assert await known.directory.history(Customer, pattern) == []

    async def test_what_was_put_is_seen_at_once(self, known: DirectoryUnderTest) -> None:
        entry = await known.directory.put(team_id := new_id(), Team(name="Billing"), actor=ADMIN)
        assert (entry.kind, entry.id, entry.revision, entry.deleted) == ("team", team_id, 1, False)
        assert known.directory.get(Team, team_id) == Team(name="Billing")
        assert known.directory.all(Team)[team_id] == Team(name="Billing")
        assert await known.directory.fetch(Team, team_id) == Team(name="Billing")

    async def test_a_document_is_found_under_its_own_kind_only(self, known: DirectoryUnderTest) -> None:
        await known.directory.put(shared_id := new_id(), Team(name="Billing"), actor=ADMIN)
        assert known.directory.get(Agent, shared_id) is None
        await known.directory.put(shared_id, ADA, actor=ADMIN)
        assert known.directory.get(Team, shared_id) == Team(name="Billing")
        assert known.directory.get(Agent, shared_id) == ADA

    async def test_the_last_change_holds_and_every_change_is_kept(self, known: DirectoryUnderTest) -> None:
        team_id = new_id()
        for name in ("Billing", "Accounts", "Money"):
            await known.directory.put(team_id, Team(name=name), actor=ADMIN)
        history = await known.directory.history(Team, team_id)
        assert known.directory.get(Team, team_id) == Team(name="Money")
        assert known.directory.revision(Team, team_id) == 3
        assert [team.name for _, team in history if team] == ["Billing", "Accounts", "Money"]
        assert [entry.revision for entry, _ in history] == [1, 2, 3]
        assert {entry.actor for entry, _ in history} == {ADMIN}

    async def test_a_change_of_another_revision_is_refused(self, known: DirectoryUnderTest) -> None:
        await known.directory.put(team_id := new_id(), Team(name="Billing"), actor=ADMIN, expected_revision=0)
        await known.directory.put(team_id, Team(name="Accounts"), actor=ADMIN, expected_revision=1)
        for stale in (0, 1, 3):
            with pytest.raises(RevisionConflict):
                await known.directory.put(team_id, Team(name="Lost"), actor=ADMIN, expected_revision=stale)
        assert known.directory.get(Team, team_id) == Team(name="Accounts")

    async def test_of_two_changes_of_one_revision_one_is_refused(self, known: DirectoryUnderTest) -> None:
        await known.directory.put(team_id := new_id(), Team(name="Billing"), actor=ADMIN)
        changes = (
            known.directory.put(team_id, Team(name=name), actor=ADMIN, expected_revision=1) for name in ("One", "Two")
        )
        outcomes = await asyncio.gather(*changes, return_exceptions=True)
        assert sum(isinstance(outcome, Entry) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, RevisionConflict) for outcome in outcomes) == 1

    async def test_a_deleted_document_is_gone_and_its_history_stays(self, known: DirectoryUnderTest) -> None:
        await known.directory.put(team_id := new_id(), Team(name="Billing"), actor=ADMIN)
        assert (await known.directory.delete(Team, team_id, actor=ADMIN)).deleted
        assert known.directory.get(Team, team_id) is None
        assert team_id not in known.directory.all(Team)
        assert [entry.deleted for entry, _ in await known.directory.history(Team, team_id)] == [False, True]

    async def test_a_deleted_document_can_be_put_again(self, known: DirectoryUnderTest) -> None:
        await known.directory.put(team_id := new_id(), Team(name="Billing"), actor=ADMIN)
        await known.directory.delete(Team, team_id, actor=ADMIN)
        assert (await known.directory.put(team_id, Team(name="Billing"), actor=ADMIN)).revision == 3
        assert known.directory.get(Team, team_id) == Team(name="Billing")

    async def test_what_is_not_there_cannot_be_deleted(self, known: DirectoryUnderTest) -> None:
        with pytest.raises(UnknownDocument):
            await known.directory.delete(Team, new_id(), actor=ADMIN)

    async def test_what_is_said_of_a_person_is_not_kept_in_plain(self, known: DirectoryUnderTest) -> None:
        await known.directory.put(agent_id := new_id(), ADA, actor=ADMIN)
        (raw,) = await known.stored("agent", agent_id)
        assert b"ada@example.org" not in raw
        assert b"Lovelace" not in raw
        assert b"billing" in raw

    async def test_destroying_a_key_erases_the_person_from_every_revision(self, known: DirectoryUnderTest) -> None:
        customer = Customer(address="cora@example.org", name="Cora Customer", notes="called twice")
        await known.directory.put(person := new_id(), customer, actor=ADMIN)
        await known.directory.put(person, customer.model_copy(update={"blocked": True}), actor=ADMIN)
        await known.keys.destroy(person)
        erased = Customer(address=ERASED)
        assert [document for _, document in await known.directory.history(Customer, person)] == [
            erased,
            erased.model_copy(update={"blocked": True}),
        ]

    async def test_customers_are_fetched_as_they_are_now(self, known: DirectoryUnderTest) -> None:
        await known.directory.put(person := new_id(), Customer(address="cora@example.org"), actor=ADMIN)
        await known.directory.put(person, Customer(address="cora@example.net"), actor=ADMIN)
        assert await known.directory.fetch(Customer, person) == Customer(address="cora@example.net")
        await known.directory.delete(Customer, person, actor=ADMIN)
        assert await known.directory.fetch(Customer, person) is None

    async def test_a_listener_hears_of_each_change(self, known: DirectoryUnderTest) -> None:
        heard: list[Entry] = []
        known.directory.on_change(heard.append)
        await known.directory.put(team_id := new_id(), Team(name="Billing"), actor=ADMIN)
        await known.directory.delete(Team, team_id, actor=ADMIN)
        assert [(entry.revision, entry.deleted) for entry in heard if entry.id == team_id] == [(1, False), (2, True)]
