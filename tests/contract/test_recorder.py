"""What a recorder promises, on every event store: once for life, nothing lost, and a word about what was in between."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
import pytest_asyncio
from nats.aio.client import Client

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import Address, Merged, MergeReceived, NoteAdded
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.jetstream import JetStreamEventStore
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.port import EventStore, History, OutcomeUnknown, Recorded, Tip
from deskwire_shared.eventstore.recorder import ATTEMPTS, Cause, Recorder, VersionConflict
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import (
    AddNote,
    ChangePriority,
    ChangeTags,
    MergeTicket,
    OpenTicket,
    ReceiveMerge,
    TicketCommand,
)
from deskwire_shared.ticket.refusals import Refusal, TicketDoesNotExist
from deskwire_shared.ticket.state import Ticket

ADA = Actor(kind="agent", id="ada")
OPEN = OpenTicket(
    number=1, requester_id="cora", message_id="m1", channel="email", author=Address(address="cora@example.org"),
    text="It burns.", subject="Printer",
)  # fmt: skip


@pytest_asyncio.fixture(params=["memory", "jetstream"])
async def store(request: pytest.FixtureRequest, desk_nats: Client) -> EventStore:
    codec = Codec(MemoryKeyRing())
    return MemoryEventStore(codec) if request.param == "memory" else JetStreamEventStore(desk_nats, codec)


def cause(command_id: str | None = None) -> Cause:
    return Cause(command_id or new_id(), ADA, NOON)


def note(text: str) -> AddNote:
    return AddNote(message_id=new_id(), agent_id="ada", text=text)


async def an_open_ticket(store: EventStore) -> str:
    await Recorder(store).record(ticket_id := new_id(), OPEN, cause())
    return ticket_id


class Rival:
    """An event store where somebody else is faster for the first so many appends."""

    def __init__(self, store: EventStore, times: int) -> None:
        self._store = store
        self._rival = Recorder(store)
        self._left = times

    async def load(self, ticket_id: str, *, at_least: int = 0, fresh: bool = False) -> History:
        return await self._store.load(ticket_id, at_least=at_least, fresh=fresh)

    async def tip(self, ticket_id: str) -> Tip:
        return await self._store.tip(ticket_id)

    async def append(self, commit: Commit, *, after: Tip) -> Recorded:
        await self._be_faster(commit.ticket_id)
        return await self._store.append(commit, after=after)

    async def append_together(self, commits: Sequence[tuple[Commit, Tip]]) -> tuple[Recorded, ...]:
        await self._be_faster(commits[0][0].ticket_id)
        return await self._store.append_together(commits)

    async def append_history(self, commits: Sequence[Commit]) -> tuple[Recorded, ...]:
        return await self._store.append_history(commits)

    async def _be_faster(self, ticket_id: str) -> None:
        if self._left:
            self._left -= 1
            await self._rival.record(ticket_id, note(f"rival {self._left}"), cause())


class LosesAnswers(Rival):
    """An event store that keeps what it is given, and whose answer to the first so many appends is lost."""

    async def append(self, commit: Commit, *, after: Tip) -> Recorded:
        recorded = await self._store.append(commit, after=after)
        self._lose(commit.ticket_id)
        return recorded

    async def append_together(self, commits: Sequence[tuple[Commit, Tip]]) -> tuple[Recorded, ...]:
        recorded = await self._store.append_together(commits)
        self._lose(commits[0][0].ticket_id)
        return recorded

    def _lose(self, ticket_id: str) -> None:
        if self._left:
            self._left -= 1
            raise OutcomeUnknown(ticket_id)


def notes(history: History) -> list[str]:
    return [fact.text for commit in history.commits for fact in commit.facts if isinstance(fact, NoteAdded)]


async def test_a_command_is_carried_out(store: EventStore) -> None:
    recorder = Recorder(store)
    opened = await recorder.record(ticket_id := new_id(), OPEN, cause())
    raised = await recorder.record(ticket_id, ChangePriority(priority="high"), cause())
    assert (opened.ticket.number, raised.ticket.priority, raised.ticket.version) == (1, "high", 2)
    assert raised.recorded is not None
    assert raised.sequence == raised.recorded.sequence > opened.sequence
    assert (await store.load(ticket_id)).recorded == (opened.recorded, raised.recorded)


async def test_what_caused_a_commit_is_kept_with_it(store: EventStore) -> None:
    why = Cause("order-1", ADA, NOON, correlation_id="story-1", causation_id="commit-0")
    recorded = (await Recorder(store).record(new_id(), OPEN, why)).recorded
    assert recorded is not None
    commit = recorded.commit
    assert (commit.command_id, commit.actor, commit.at) == ("order-1", ADA, NOON)
    assert (commit.correlation_id, commit.causation_id) == ("story-1", "commit-0")


async def test_a_command_is_carried_out_once_for_life(store: EventStore) -> None:
    ticket_id, order = await an_open_ticket(store), cause()
    first = await Recorder(store).record(ticket_id, note("once"), order)
    for number in range(20):
        await Recorder(store).record(ticket_id, note(f"later {number}"), cause())
    again = await Recorder(store).record(ticket_id, note("once"), order)
    assert again.repeated
    assert not first.repeated
    assert again.recorded == first.recorded
    assert notes(await store.load(ticket_id)).count("once") == 1


async def test_a_repetition_is_known_to_the_one_who_remembers_the_ticket(store: EventStore) -> None:
    recorder, order = Recorder(store), cause()
    await recorder.record(ticket_id := new_id(), OPEN, order)
    assert (await recorder.record(ticket_id, OPEN, order)).repeated
    assert (await recorder.record(ticket_id, OPEN, order, unwritten=True)).repeated
    assert len((await store.load(ticket_id)).commits) == 1


async def test_a_repetition_does_not_mind_the_version_that_was_expected(store: EventStore) -> None:
    ticket_id, order = await an_open_ticket(store), cause()
    for _ in range(2):
        outcome = await Recorder(store).record(ticket_id, note("once"), order, expected_version=1)
    assert outcome.repeated


async def test_the_same_command_sent_twice_at_the_same_time_is_carried_out_once(store: EventStore) -> None:
    ticket_id, order = await an_open_ticket(store), cause()
    outcomes = await asyncio.gather(
        *(
            recorder.record(ticket_id, note("once"), order)
            for recorder in (Recorder(store), Recorder(store))
            for _ in "ab"
        )
    )
    assert len({outcome.sequence for outcome in outcomes}) == 1
    assert sum(outcome.repeated for outcome in outcomes) == 3
    assert notes(await store.load(ticket_id)) == ["once"]


async def test_a_wish_that_changes_nothing_records_nothing(store: EventStore) -> None:
    ticket_id = await an_open_ticket(store)
    for command in (ChangePriority(priority="normal"), lambda _: None):
        outcome = await Recorder(store).record(ticket_id, command, cause())
        assert outcome.recorded is None
    assert (outcome.ticket.version, outcome.sequence) == (1, (await store.load(ticket_id)).tip.sequence)


async def test_a_wish_is_put_to_the_ticket_as_it_is_now(store: EventStore) -> None:
    ticket_id, here, elsewhere = await an_open_ticket(store), Recorder(store), Recorder(store)
    await here.record(ticket_id, ChangeTags(add=("seen",)), cause())
    await elsewhere.record(ticket_id, ChangePriority(priority="urgent"), cause())
    outcome = await here.record(ticket_id, lambda ticket: ChangeTags(add=(ticket.priority,)), cause())
    assert outcome.ticket.tags == ("seen", "urgent")


async def test_a_refusal_reaches_the_caller_and_records_nothing(store: EventStore) -> None:
    with pytest.raises(TicketDoesNotExist):
        await Recorder(store).record(ticket_id := new_id(), note("into the void"), cause())
    assert (await store.load(ticket_id)).commits == ()


async def test_a_refusal_is_never_given_from_memory_alone(store: EventStore) -> None:
    here, ticket_id = Recorder(store), new_id()
    with pytest.raises(Refusal):
        await here.record(ticket_id, note("too early"), cause())
    await Recorder(store).record(ticket_id, OPEN, cause())
    assert (await here.record(ticket_id, note("now"), cause())).ticket.version == 2


async def test_the_version_a_caller_decided_on_must_hold(store: EventStore) -> None:
    ticket_id, recorder = await an_open_ticket(store), Recorder(store)
    await recorder.record(ticket_id, note("one"), cause(), expected_version=1)
    await recorder.record(ticket_id, note("two"), cause())
    with pytest.raises(VersionConflict) as conflict:
        await recorder.record(ticket_id, note("stale"), cause(), expected_version=2)
    assert (conflict.value.expected, conflict.value.actual) == (2, 3)
    (between,) = conflict.value.since
    (fact,) = between.commit.facts
    assert isinstance(fact, NoteAdded)
    assert fact.text == "two"
    assert notes(await store.load(ticket_id)) == ["one", "two"]


async def test_a_rival_who_is_faster_costs_a_second_try_and_nothing_else(store: EventStore) -> None:
    ticket_id = await an_open_ticket(store)
    outcome = await Recorder(Rival(store, ATTEMPTS - 1)).record(ticket_id, note("mine"), cause())
    assert outcome.ticket.version == 1 + ATTEMPTS
    assert notes(await store.load(ticket_id))[-1] == "mine"


async def test_who_remembers_a_ticket_gets_as_many_tries_from_the_log(store: EventStore) -> None:
    ticket_id = await an_open_ticket(store)
    recorder = Recorder(Rival(store, ATTEMPTS))
    await recorder.ticket(ticket_id)
    await recorder.record(ticket_id, note("mine"), cause())
    assert notes(await store.load(ticket_id))[-1] == "mine"


async def test_rivals_who_keep_being_faster_are_told_to_the_caller(store: EventStore) -> None:
    ticket_id = await an_open_ticket(store)
    with pytest.raises(VersionConflict) as conflict:
        await Recorder(Rival(store, 100)).record(ticket_id, note("mine"), cause())
    assert len(conflict.value.since) == ATTEMPTS
    assert "mine" not in notes(await store.load(ticket_id))


async def test_an_answer_that_was_lost_does_not_double_the_commit(store: EventStore) -> None:
    ticket_id, order = await an_open_ticket(store), cause()
    for losing in (1, ATTEMPTS + 1):
        await Recorder(LosesAnswers(store, losing)).record(ticket_id, note("once"), order)
    assert notes(await store.load(ticket_id)) == ["once"]


async def test_an_answer_lost_while_opening_does_not_double_the_ticket(store: EventStore) -> None:
    outcome = await Recorder(LosesAnswers(store, 1)).record(ticket_id := new_id(), OPEN, cause(), unwritten=True)
    assert outcome.ticket.version == 1
    assert len((await store.load(ticket_id)).commits) == 1


async def test_two_writers_are_both_kept(store: EventStore) -> None:
    ticket_id, writers = await an_open_ticket(store), (Recorder(store), Recorder(store))
    for round_ in range(10):
        await asyncio.gather(
            *(writer.record(ticket_id, note(f"{round_}.{name}"), cause()) for name, writer in enumerate(writers))
        )
    assert sorted(notes(await store.load(ticket_id))) == [f"{round_}.{name}" for round_ in range(10) for name in (0, 1)]


async def test_many_commands_of_one_process_on_one_ticket_take_turns(store: EventStore) -> None:
    ticket_id, recorder = await an_open_ticket(store), Recorder(store)
    await asyncio.gather(*(recorder.record(ticket_id, note(str(number)), cause()) for number in range(50)))
    assert sorted(notes(await store.load(ticket_id)), key=int) == [str(number) for number in range(50)]


async def test_a_recorder_that_remembers_one_ticket_serves_many(store: EventStore) -> None:
    recorder = Recorder(store, remembered=1)
    tickets = [new_id() for _ in range(5)]
    for command in (OPEN, note("seen")):
        for ticket_id in tickets:
            await recorder.record(ticket_id, command, cause())
    assert [(await recorder.ticket(ticket_id)).version for ticket_id in tickets] == [2] * 5


async def test_a_ticket_is_read_as_of_the_sequence_asked_for(store: EventStore) -> None:
    ticket_id, here, elsewhere = await an_open_ticket(store), Recorder(store), Recorder(store)
    assert (await here.ticket(ticket_id)).version == 1
    outcome = await elsewhere.record(ticket_id, note("later"), cause())
    assert (await here.ticket(ticket_id, at_least=1)).version == 1
    assert (await here.ticket(ticket_id, at_least=outcome.sequence)).version == 2


async def test_two_tickets_change_together(store: EventStore) -> None:
    source, target = await an_open_ticket(store), await an_open_ticket(store)
    outcomes = await Recorder(store).record_together(merging(source, target), cause())
    assert outcomes[source].ticket.merged_into == target
    assert outcomes[target].ticket.merged_sources == {source}
    (merged, *_), (received, *_) = [(await store.load(one)).commits[-1].facts for one in (source, target)]
    assert isinstance(merged, Merged)
    assert isinstance(received, MergeReceived)


async def test_two_tickets_change_together_once_for_life(store: EventStore) -> None:
    source, target, order = await an_open_ticket(store), await an_open_ticket(store), cause()
    first = await Recorder(store).record_together(merging(source, target), order)
    again = await Recorder(store).record_together(merging(source, target), order)
    assert all(outcome.repeated for outcome in again.values())
    assert [again[one].sequence for one in (source, target)] == [first[one].sequence for one in (source, target)]


async def test_two_tickets_change_together_in_spite_of_a_rival_or_a_lost_answer(store: EventStore) -> None:
    for trouble in (Rival(store, ATTEMPTS - 1), LosesAnswers(store, 1)):
        source, target = await an_open_ticket(store), await an_open_ticket(store)
        await Recorder(trouble).record_together(merging(source, target), cause())
        kinds = [fact.type for commit in (await store.load(target)).commits for fact in commit.facts]
        assert kinds.count("ticket.merge_received.v1") == 1


async def test_neither_of_two_tickets_changes_when_rivals_keep_being_faster(store: EventStore) -> None:
    source, target = await an_open_ticket(store), await an_open_ticket(store)
    with pytest.raises(VersionConflict):
        await Recorder(Rival(store, 100)).record_together(merging(source, target), cause())
    assert not (await Recorder(store).ticket(source)).is_merged
    assert not (await Recorder(store).ticket(target)).merged_sources


def merging(source: str, target: str) -> dict[str, Callable[[Ticket], TicketCommand | None]]:
    return {
        source: lambda ticket: MergeTicket(into=target, into_number=ticket.number),
        target: lambda ticket: ReceiveMerge(source=source, source_number=ticket.number),
    }
