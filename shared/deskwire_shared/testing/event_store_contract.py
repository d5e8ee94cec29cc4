"""What every event store promises. A test class inherits it and gives the fixture `log`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import Opened, PriorityChanged, TagsChanged, TicketFact, UnknownFact
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.personal import ERASED
from deskwire_shared.eventstore.codec import canonical, chain_value, verify_link
from deskwire_shared.eventstore.keyring import KeyRing
from deskwire_shared.eventstore.port import GENESIS, UNWRITTEN, BrokenHistory, Conflict, EventStore, Recorded, Tip
from deskwire_shared.testing.ticket import a_commit, opened
from deskwire_shared.ticket.decider import fold

SECRET = "My card number is 4929 1234"
MANY = 1_200
"""More than two pages of a batch get."""


@dataclass(frozen=True)
class LogUnderTest:
    """An event store with its keys, and a way around it to the bytes it keeps."""

    store: EventStore
    keys: KeyRing
    stored: Callable[[str], Awaitable[list[bytes]]]
    """The bytes that are kept of a ticket, oldest first."""
    write: Callable[[str, bytes], Awaitable[None]]
    """Put bytes behind a ticket's history as they are: what a newer version, or a vandal, would do."""

    async def append(self, ticket_id: str, *facts: TicketFact, after: Tip = UNWRITTEN) -> Recorded:
        """Append facts as one commit."""
        return await self.store.append(commit_on(ticket_id, *facts, after=after), after=after)


def commit_on(ticket_id: str, *facts: TicketFact, after: Tip = UNWRITTEN) -> Commit:
    """Make a commit that follows on a tip."""
    return a_commit(*facts, after=after.version, ticket_id=ticket_id, commit_id=new_id(), command_id=new_id())


def tip_after(recorded: Recorded) -> Tip:
    """Where a history ends with this commit."""
    return Tip(recorded.sequence, recorded.commit.version, recorded.commit.chain)


def a_history(ticket_id: str) -> list[Commit]:
    """Make three commits as somebody else recorded them."""
    facts: list[TicketFact] = [
        opened(),
        PriorityChanged(before="normal", after="high"),
        PriorityChanged(before="high", after="low"),
    ]
    return [
        a_commit(fact, after=version, ticket_id=ticket_id, commit_id=new_id(), command_id=new_id())
        for version, fact in enumerate(facts)
    ]


class EventStoreContract:
    """The promises of an event store."""

    async def test_an_unknown_ticket_has_an_empty_history(self, log: LogUnderTest) -> None:
        history = await log.store.load(new_id())
        assert history.commits == ()
        assert history.tip == UNWRITTEN

    async def test_what_was_appended_is_loaded_as_it_was(self, log: LogUnderTest) -> None:
        first = await log.append(ticket_id := new_id(), opened(text=SECRET))
        second = await log.append(ticket_id, PriorityChanged(before="normal", after="high"), after=tip_after(first))
        history = await log.store.load(ticket_id)
        assert history.recorded == (first, second)
        assert history.tip == await log.store.tip(ticket_id) == tip_after(second)

    async def test_several_facts_of_one_commit_keep_their_order(self, log: LogUnderTest) -> None:
        facts = (opened(), PriorityChanged(before="normal", after="high"), TagsChanged(added=("a",), tags=("a",)))
        await log.append(ticket_id := new_id(), *facts)
        (commit,) = (await log.store.load(ticket_id)).commits
        assert commit.facts == facts
        assert (commit.first_version, commit.version) == (1, 3)

    async def test_a_fresh_load_sees_the_last_commit(self, log: LogUnderTest) -> None:
        first = await log.append(ticket_id := new_id(), opened())
        assert (await log.store.load(ticket_id, fresh=True)).recorded == (first,)
        assert (await log.store.load(ticket_id, at_least=first.sequence)).recorded == (first,)

    async def test_an_append_behind_an_older_tip_is_a_conflict(self, log: LogUnderTest) -> None:
        first = await log.append(ticket_id := new_id(), opened())
        await log.append(ticket_id, PriorityChanged(before="normal", after="high"), after=tip_after(first))
        with pytest.raises(Conflict):
            await log.append(ticket_id, PriorityChanged(before="normal", after="low"), after=tip_after(first))
        assert len((await log.store.load(ticket_id)).commits) == 2

    async def test_a_ticket_is_opened_once(self, log: LogUnderTest) -> None:
        await log.append(ticket_id := new_id(), opened())
        with pytest.raises(Conflict):
            await log.append(ticket_id, opened())

    async def test_of_writers_on_one_tip_exactly_one_is_kept(self, log: LogUnderTest) -> None:
        first = await log.append(ticket_id := new_id(), opened())
        change = PriorityChanged(before="normal", after="high")
        outcomes = await asyncio.gather(
            *(log.append(ticket_id, change, after=tip_after(first)) for _ in range(8)), return_exceptions=True
        )
        assert sum(isinstance(outcome, Recorded) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7
        assert len((await log.store.load(ticket_id)).commits) == 2

    async def test_commits_on_two_tickets_are_kept_together(self, log: LogUnderTest) -> None:
        one, other = new_id(), new_id()
        appended = await log.store.append_together(
            [(commit_on(one, opened()), UNWRITTEN), (commit_on(other, opened(number=2)), UNWRITTEN)]
        )
        assert (await log.store.load(one)).recorded == (appended[0],)
        assert (await log.store.load(other)).recorded == (appended[1],)

    async def test_when_one_of_two_commits_conflicts_neither_is_kept(self, log: LogUnderTest) -> None:
        taken, free = new_id(), new_id()
        await log.append(taken, opened())
        for order in ((taken, free), (free, taken)):
            with pytest.raises(Conflict):
                await log.store.append_together([(commit_on(one, opened()), UNWRITTEN) for one in order])
        assert (await log.store.load(free)).recorded == ()
        assert len((await log.store.load(taken)).commits) == 1

    async def test_a_whole_history_is_imported_at_once(self, log: LogUnderTest) -> None:
        commits = a_history(ticket_id := new_id())
        imported = await log.store.append_history(commits)
        history = await log.store.load(ticket_id)
        assert history.recorded == imported
        assert [commit.facts for commit in history.commits] == [commit.facts for commit in commits]
        assert _is_unbroken(await log.stored(ticket_id))
        change = PriorityChanged(before="low", after="urgent")
        assert (await log.append(ticket_id, change, after=history.tip)).commit.version == len(commits) + 1

    async def test_a_history_is_not_imported_into_a_ticket_that_exists(self, log: LogUnderTest) -> None:
        await log.append(ticket_id := new_id(), opened())
        with pytest.raises(Conflict):
            await log.store.append_history(a_history(ticket_id))
        assert len((await log.store.load(ticket_id)).commits) == 1

    async def test_personal_fields_are_not_kept_in_plain(self, log: LogUnderTest) -> None:
        await log.append(ticket_id := new_id(), opened(text=SECRET, subject="Overdrawn", person_id=new_id()))
        (raw,) = await log.stored(ticket_id)
        for personal in (SECRET, "Overdrawn", "cora@example.org", "Cora Customer"):
            assert personal.encode() not in raw

    async def test_what_is_not_personal_is_readable_without_a_key(self, log: LogUnderTest) -> None:
        await log.append(ticket_id := new_id(), opened(number=17, person_id=new_id()))
        (raw,) = await log.stored(ticket_id)
        (fact,) = json.loads(raw)["facts"]
        assert (fact["type"], fact["number"]) == ("ticket.opened.v1", 17)

    async def test_destroying_the_key_erases_the_words_and_keeps_the_rest(self, log: LogUnderTest) -> None:
        person = new_id()
        await log.append(ticket_id := new_id(), opened(text=SECRET, person_id=person, number=17))
        await log.keys.destroy(person)
        (fact,) = (await log.store.load(ticket_id)).commits[0].facts
        assert isinstance(fact, Opened)
        assert (fact.text, fact.author.address, fact.subject) == (ERASED, ERASED, "")
        assert (fact.number, fact.person_id) == (17, person)

    async def test_the_chain_holds_before_and_after_an_erasure(self, log: LogUnderTest) -> None:
        person = new_id()
        first = await log.append(ticket_id := new_id(), opened(person_id=person))
        await log.append(ticket_id, PriorityChanged(before="normal", after="high"), after=tip_after(first))
        assert _is_unbroken(await log.stored(ticket_id))
        await log.keys.destroy(person)
        assert _is_unbroken(await log.stored(ticket_id))

    async def test_a_changed_byte_breaks_the_chain(self, log: LogUnderTest) -> None:
        await log.append(ticket_id := new_id(), opened(number=17))
        (raw,) = await log.stored(ticket_id)
        assert not verify_link(GENESIS, raw.replace(b'"number":17', b'"number":18'))

    async def test_a_commit_that_is_left_out_breaks_the_chain(self, log: LogUnderTest) -> None:
        tip = tip_after(await log.append(ticket_id := new_id(), opened()))
        for before, after in pairwise(("normal", "high", "low")):
            change = PriorityChanged.model_validate({"before": before, "after": after})
            tip = tip_after(await log.append(ticket_id, change, after=tip))
        first, _, third = await log.stored(ticket_id)
        assert not _is_unbroken([first, third])

    async def test_facts_of_a_newer_version_are_kept_and_skipped(self, log: LogUnderTest) -> None:
        first = await log.append(ticket_id := new_id(), opened())
        newer = {"type": "ticket.blessed.v7", "by": "the archbishop"}
        await log.write(ticket_id, _stored_commit(ticket_id, newer, after=tip_after(first)))
        history = await log.store.load(ticket_id)
        assert history.commits[1].facts == (UnknownFact(type="ticket.blessed.v7", data={"by": "the archbishop"}),)
        assert fold(ticket_id, history.commits).version == 2
        change = PriorityChanged(before="normal", after="high")
        assert (await log.append(ticket_id, change, after=history.tip)).commit.version == 3

    async def test_bytes_that_are_no_commit_are_told(self, log: LogUnderTest) -> None:
        await log.append(ticket_id := new_id(), opened())
        await log.write(ticket_id, b'{"facts": "none"}')
        with pytest.raises(BrokenHistory):
            await log.store.load(ticket_id)

    async def test_sealed_words_that_were_tampered_with_are_told(self, log: LogUnderTest) -> None:
        await log.append(ticket_id := new_id(), opened())
        (raw,) = await log.stored(ticket_id)
        forged = json.loads(raw)
        (fact,) = forged["facts"]
        fact["sealed"] = fact["sealed"][:-8] + ("AAAAAAA=" if fact["sealed"].endswith("=") else "AAAAAAAA")
        await log.write(ticket_id, json.dumps(forged).encode())
        with pytest.raises(BrokenHistory):
            await log.store.load(ticket_id)

    async def test_a_ticket_of_very_many_commits_is_loaded_whole(self, log: LogUnderTest) -> None:
        tip = tip_after(await log.append(ticket_id := new_id(), opened()))
        for number in range(MANY - 1):
            change = TagsChanged(added=(f"t{number}",), tags=(f"t{number}",))
            tip = tip_after(await log.append(ticket_id, change, after=tip))
        history = await log.store.load(ticket_id)
        assert [commit.version for commit in history.commits] == list(range(1, MANY + 1))
        assert history.tip == tip


def _is_unbroken(stored: list[bytes]) -> bool:
    chains = [GENESIS, *(str(json.loads(raw)["chain"]) for raw in stored)]
    return all(verify_link(previous, raw) for previous, raw in zip(chains, stored, strict=False))


def _stored_commit(ticket_id: str, fact: dict[str, Any], *, after: Tip) -> bytes:
    stored = commit_on(ticket_id, PriorityChanged(before="low", after="low"), after=after).model_dump(
        mode="json", exclude={"chain", "facts"}
    )
    stored["facts"] = [fact]
    return canonical({**stored, "chain": chain_value(after.chain, stored)})
