"""What is read from the read models, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import pytest_asyncio

from deskwire_query import catalogue, generations
from deskwire_query.catalogue import NothingLives
from deskwire_query.database import open_database
from deskwire_query.reading.history import HIDDEN, HistoryTooLong, events_after, ticket_as_of
from deskwire_query.reading.read_models import (
    NOBODY,
    CustomerNotFound,
    InvalidCursor,
    Sort,
    TicketFilter,
    TicketNotFound,
    UnsupportedCondition,
)
from deskwire_query.reading.reader import Reader
from deskwire_shared.contracts.conditions import Condition, Conditions
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    Assigned,
    CustomerReplied,
    FieldChanged,
    FollowersChanged,
    Merged,
    NoteAdded,
    PriorityChanged,
    Redacted,
    ReplyDelivered,
    Routed,
    SlaApplied,
    SlaBreached,
    SlaClock,
    Snoozed,
    Split,
    StatusChanged,
    TagsChanged,
)
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.ticket.conditions import holding, ticket_context
from deskwire_shared.ticket.decider import fold
from query_desk import ADA, MONDAY, QueryDesk, query_desk, ticket_id

BOB = Address(address="bob@example.org", name="Bob")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest_asyncio.fixture
async def desk(database_url: str) -> AsyncIterator[QueryDesk]:
    async with query_desk(database_url) as desk:
        yield desk


async def a_busy_desk(desk: QueryDesk) -> None:
    """Fill a desk with ten tickets of all kinds."""
    for number in range(1, 11):
        await desk.open(number, subject=f"Subject {number}")
    await desk.add(1, StatusChanged(before="new", after="open"), Assigned(agent_id="ada"), Routed(team_id="t1"))
    await desk.add(2, StatusChanged(before="new", after="solved"), Assigned(agent_id="bob"))
    await desk.add(3, TagsChanged(tags=("a b", "vip")), PriorityChanged(before="normal", after="urgent"))
    await desk.add(4, Snoozed(until=MONDAY + timedelta(days=9)), FollowersChanged(followers=("ada", "bob")))
    await desk.add(5, Merged(into=ticket_id(6), into_number=6))
    due = MONDAY + timedelta(hours=4)
    clock = SlaClock(metric="resolution", cycle=1, state="running", target=1, used=0, due_at=due)
    await desk.add(6, SlaApplied(policy_id="p", clocks=(clock,)), TagsChanged(tags=("vip",)))
    await desk.add(7, SlaBreached(metric="resolution", cycle=1, policy_id="p", target=1, due_at=due))
    await desk.add(8, FieldChanged(name="region", after="North"), FieldChanged(name="count", after=7))
    await desk.add(9, FieldChanged(name="region", after=("north", "south")), FieldChanged(name="paid", after=True))


async def listed(desk: QueryDesk, **wanted: Any) -> list[int]:
    page = await desk.reader.list_tickets(TicketFilter(**wanted), sort="number", descending=False, limit=200)
    return [row.number for row in page.items]


async def test_filters_narrow_a_list(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    everything = [1, 2, 3, 4, 6, 7, 8, 9, 10]
    for wanted, numbers in (
        ({}, everything),
        ({"merged": True}, [*range(1, 11)]),
        ({"statuses": ("open", "solved")}, [1, 2]),
        ({"assignee_id": "ada"}, [1]),
        ({"assignee_id": NOBODY, "statuses": ("new",)}, [3, 4, 6, 7, 8, 9, 10]),
        ({"team_id": "t1"}, [1]),
        ({"tags": ("vip",)}, [3, 6]),
        ({"tags": ("vip", "a b")}, [3]),
        ({"priorities": ("urgent",)}, [3]),
        ({"snoozed": True}, [4]),
        ({"snoozed": False}, [1, 2, 3, 6, 7, 8, 9, 10]),
        ({"follower_id": "bob"}, [4]),
        ({"follower_id": "bo"}, []),
        ({"breached": True}, [7]),
        ({"due_before": MONDAY + timedelta(days=1)}, [6]),
        ({"requester_id": "cora", "statuses": ("solved",)}, [2]),
        ({"channel": "chat"}, []),
        ({"opened_after": MONDAY + timedelta(minutes=9)}, [9, 10]),
        ({"opened_before": MONDAY + timedelta(minutes=2)}, [1]),
        ({"updated_after": MONDAY + timedelta(minutes=19)}, [9]),
        ({"tags": ("\0",)}, []),
    ):
        assert await listed(desk, **wanted) == numbers, wanted


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", get_args(Sort))
async def test_pages_follow_each_other_without_gap_or_repeat(desk: QueryDesk, sort: Sort, descending: bool) -> None:
    await a_busy_desk(desk)
    whole = await desk.reader.list_tickets(TicketFilter(), sort=sort, descending=descending, limit=200)
    paged: list[int] = []
    cursor = None
    while True:
        page = await desk.reader.list_tickets(TicketFilter(), sort=sort, descending=descending, after=cursor, limit=2)
        paged += [row.number for row in page.items]
        if (cursor := page.next) is None:
            break
    assert paged == [row.number for row in whole.items]
    assert len(paged) == 9


async def test_a_cursor_of_another_order_is_refused(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    page = await desk.reader.list_tickets(TicketFilter(), sort="updated", limit=1)
    with pytest.raises(InvalidCursor):
        await desk.reader.list_tickets(TicketFilter(), sort="opened", after=page.next)


async def test_the_ticket_that_is_due_first_comes_first(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    page = await desk.reader.list_tickets(TicketFilter(), sort="due", descending=False, limit=1)
    assert page.items[0].number == 6
    assert page.items[0].due_at == MONDAY + timedelta(hours=4)
    assert page.items[0].clocks[0].due_at == MONDAY + timedelta(hours=4)
    assert (page.items[0].clocks[0].remaining, page.items[0].clocks[0].used) == (1, 0)


async def test_a_page_goes_on_where_it_ended_though_tickets_move_up(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    first = await desk.reader.list_tickets(TicketFilter(), limit=4)
    await desk.add(first.items[0].number, StatusChanged(before="new", after="open"), at=MONDAY + timedelta(days=1))
    second = await desk.reader.list_tickets(TicketFilter(), after=first.next, limit=200)
    assert not {row.id for row in first.items} & {row.id for row in second.items}


CONDITIONS = [
    ("ticket.subject", "is", "subject 3"), ("ticket.subject", "is_not", "SUBJECT 3"),
    ("ticket.subject", "contains", "JECT 1"), ("ticket.subject", "not_contains", "1"),
    ("ticket.subject", "starts_with", "sub"), ("ticket.subject", "starts_with", "%"),
    ("ticket.subject", "matches_any_word", "7 4 absent"), ("ticket.subject", "matches_any_word", ("Subject 8", "x")),
    ("ticket.subject", "matches_any_word", "."), ("ticket.subject", "in", ("Subject 1", "subject 2")),
    ("ticket.subject", "not_in", ("Subject 1",)), ("ticket.subject", "not_in", ()), ("ticket.subject", "in", ()),
    ("ticket.subject", "is", 3), ("ticket.subject", "is_not", 3), ("ticket.subject", "is_set", None),
    ("ticket.subject", "greater", 3), ("ticket.subject", "before", "2026-01-01"),
    ("ticket.status", "is", "open"), ("ticket.status", "in", ("OPEN", "solved")), ("ticket.status", "is_not", "new"),
    ("ticket.priority", "is", "urgent"), ("ticket.type", "is_not_set", None), ("ticket.type", "is_not", "task"),
    ("ticket.number", "is", 3), ("ticket.number", "greater", 8), ("ticket.number", "less", 2.5),
    ("ticket.number", "is", "3"), ("ticket.number", "is_not", 3), ("ticket.number", "is", True),
    ("ticket.tags", "is", "vip"), ("ticket.tags", "contains", "VIP"), ("ticket.tags", "contains", "vi"),
    ("ticket.tags", "not_contains", "vip"), ("ticket.tags", "in", ("a b", "x")), ("ticket.tags", "is_set", None),
    ("ticket.tags", "is_not_set", None), ("ticket.tags", "starts_with", "a"), ("ticket.tags", "is_not", "vip"),
    ("ticket.tags", "matches_any_word", "b"),
    ("ticket.team", "is", "t1"), ("ticket.team", "is_not", "t1"), ("ticket.team", "is_not_set", None),
    ("ticket.assignee", "in", ("ada", "bob")), ("ticket.assignee", "is_set", None),
    ("ticket.followers", "contains", "ada"), ("ticket.followers", "is_not_set", None),
    ("ticket.requester", "is", "CORA@example.org"), ("ticket.requester", "contains", "@example"),
    ("ticket.opened_at", "before", "2026-03-02T09:05:00Z"), ("ticket.opened_at", "after", "2026-03-02T09:05:00"),
    ("ticket.opened_at", "before", "no time"), ("ticket.solved_at", "is_set", None),
    ("ticket.snoozed_until", "after", "2026-03-03T00:00:00+02:00"), ("ticket.closed_at", "before", "2030-01-01"),
    ("ticket.rating", "is_not_set", None), ("ticket.rating", "greater", 1), ("ticket.rating", "less", 4.5),
    ("ticket.rating", "less", 2**31), ("ticket.number", "less", 10**30), ("ticket.rating", "is", -(10**30)),
    ("ticket.number", "greater", -1e300), ("ticket.field.count", "is", 10**30), ("ticket.subject", "contains", "\0"),
    ("ticket.field.region", "contains", "\0"), ("ticket.subject", "matches_any_word", "\0 7"),
    ("ticket.field.region", "is", "north"), ("ticket.field.region", "is_set", None),
    ("ticket.field.region", "is_not_set", None), ("ticket.field.region", "contains", "nor"),
    ("ticket.field.region", "contains", "south"), ("ticket.field.region", "starts_with", "NO"),
    ("ticket.field.region", "matches_any_word", "south x"), ("ticket.field.count", "is", 7),
    ("ticket.field.paid", "is", True), ("ticket.field.absent", "is", "x"), ("ticket.field.region", "in", ("NORTH",)),
]  # fmt: skip


async def test_a_view_lists_the_tickets_that_its_conditions_hold_for(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    by_ticket: dict[str, list[Any]] = {}
    for logged in desk.history.logged:
        by_ticket.setdefault(logged.ticket_id, []).append(logged.commit)
    tickets = [fold(ticket, commits) for ticket, commits in by_ticket.items()]
    for field, op, value in CONDITIONS:
        conditions = Conditions(all=(Condition(field=field, op=op, value=value),))
        expected = sorted(t.number for t in tickets if holding(conditions, ticket_context(t)) is not None)
        assert await listed(desk, conditions=conditions, merged=True) == expected, (field, op, value)


async def test_alternatives_of_a_view_hold_one_by_one(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    is_new = Condition(field="ticket.status", op="is", value="new")
    either = tuple(Condition(field="ticket.tags", op="is", value=tag) for tag in ("a b", "absent"))
    assert await listed(desk, conditions=Conditions(all=(is_new,), any=either)) == [3]


@pytest.mark.parametrize(
    ("field", "op"), [("message.text", "contains"), ("customer.name", "is"), ("ticket.unheard_of", "is")]
)
async def test_a_view_cannot_ask_what_lists_do_not_know(desk: QueryDesk, field: str, op: Any) -> None:
    with pytest.raises(UnsupportedCondition):
        await listed(desk, conditions=Conditions(all=(Condition(field=field, op=op, value="x"),)))


async def test_a_ticket_is_read_by_its_id_or_number(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    for asked in (ticket_id(3), "3", "#3"):
        assert (await desk.reader.ticket(asked)).number == 3
    detail = await desk.reader.ticket("9")
    assert detail.fields == {"region": ("north", "south"), "paid": True}
    for asked in ("99", "nobody", "", "#", "9" * 19, "9" * 40, "\0", "٣"):
        with pytest.raises(TicketNotFound):
            await desk.reader.ticket(asked)


async def test_a_timeline_shows_what_became_of_its_messages(desk: QueryDesk) -> None:
    await desk.open(1)
    await desk.add(1, AgentReplied(person_id="cora", message_id="r1", agent_id="ada", text="Use water."))
    await desk.add(1, NoteAdded(person_id="cora", message_id="n1", agent_id="ada", text="The PIN is 1234"))
    await desk.add(1, ReplyDelivered(message_id="r1"))
    await desk.add(1, Redacted(message_id="n1", agent_id="ada"), Split(into="t2", into_number=2, message_ids=("m1",)))
    opened, reply, note, *changes = await desk.reader.timeline(ticket_id(1))
    assert (opened.moved_to, opened.author_name, opened.to) == ("t2", "Cora Customer", ())
    assert (reply.delivery, reply.actor) == ("delivered", ADA)
    assert (note.redacted, note.text) == (True, "")
    assert [change.fact for change in changes] == ["reply_delivered", "redacted", "split"]
    assert [entry.version for entry in await desk.reader.timeline(ticket_id(1), after_version=3)] == [4, 5, 6]
    assert len(await desk.reader.timeline(ticket_id(1), limit=2)) == 2


async def test_views_are_counted_together(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    views = {
        "mine": TicketFilter(assignee_id="ada"),
        "bob's": TicketFilter(assignee_id="bob"),
        "nobody's": TicketFilter(assignee_id="eve"),
        "bob's new": TicketFilter(assignee_id="bob", statuses=("new",)),
        "vip": TicketFilter(tags=("vip",)),
        "none": TicketFilter(team_id="x"),
    }
    assert await desk.reader.counts(views) == {
        "mine": 1, "bob's": 1, "nobody's": 0, "bob's new": 0, "vip": 2, "none": 0,
    }  # fmt: skip
    assert await desk.reader.counts({}) == {}
    many = {str(number): TicketFilter(tags=("vip",), opened_after=MONDAY - timedelta(number)) for number in range(120)}
    assert await desk.reader.counts(many) == dict.fromkeys(many, 2)


async def test_a_customer_is_who_the_desk_has_met_and_what_the_directory_knows(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    met = await desk.reader.customer("cora")
    assert (met.name, met.address, met.ticket_count, met.open_count) == ("Cora Customer", "cora@example.org", 9, 8)
    assert len(met.tickets) == 9
    await desk.directory.put("cora", Customer(address="cora@example.org", name="Cora C.", notes="Kind"), actor=ADA)
    await desk.directory.put("new", Customer(address="new@example.org"), actor=ADA)
    known = await desk.reader.customer("cora")
    assert (known.name, known.notes, known.last_seen_at) == ("Cora C.", "Kind", met.last_seen_at)
    assert (await desk.reader.customer("new")).tickets == ()
    with pytest.raises(CustomerNotFound):
        await desk.reader.customer("nobody")


async def test_customers_are_listed_by_when_they_were_seen(desk: QueryDesk) -> None:
    await desk.open(1)
    await desk.open(2, requester_id="bob", person_id="bob", author=BOB)
    await desk.add(1, CustomerReplied(person_id="cora", author_id="cora", message_id="x", channel="email", text="?",
                                      author=Address(address="cora@example.org")))  # fmt: skip
    first = await desk.reader.customers(limit=1)
    second = await desk.reader.customers(limit=1, after=first.next)
    assert [row.id for row in (*first.items, *second.items)] == ["cora", "bob"]
    assert second.next is None
    assert first.items[0].name == "Cora Customer"
    assert [row.id for row in (await desk.reader.customers("BOB@ex")).items] == ["bob"]
    assert (await desk.reader.customers("%")).items == ()


async def test_reports_count_and_time(desk: QueryDesk) -> None:
    await a_busy_desk(desk)
    counts = await desk.reader.count_by(TicketFilter())
    assert counts.by_status == {"new": 7, "open": 1, "solved": 1}
    assert counts.by_team == {"t1": 1, NOBODY: 7}
    assert counts.by_agent == {"ada": 1, NOBODY: 7}
    assert counts.by_priority == {"normal": 8, "urgent": 1}
    span = {"since": MONDAY, "until": MONDAY + timedelta(days=1)}
    assert (await desk.reader.response_times(**span)).median_seconds is None
    for number, minutes in ((1, 30), (2, 60), (3, 90)):
        reply = AgentReplied(person_id="cora", message_id="r", agent_id="ada", text="Hi")
        await desk.add(number, reply, at=MONDAY + timedelta(minutes=number + minutes))
    times = await desk.reader.response_times(**span)
    assert (times.opened, times.answered, times.median_seconds, times.p90_seconds) == (9, 3, 3600.0, 5400.0)


async def test_a_ticket_can_be_seen_as_of_any_moment(desk: QueryDesk) -> None:
    await desk.open(1)
    await desk.add(1, StatusChanged(before="new", after="open"), at=MONDAY + timedelta(hours=1))
    await desk.add(1, StatusChanged(before="open", after="solved"), at=MONDAY + timedelta(hours=2))
    codec = Codec(desk.history.keys)

    async def status(hours: float) -> str:
        return (await ticket_as_of(desk.reader, codec, ticket_id(1), MONDAY + timedelta(hours=hours))).status

    assert [await status(0.5), await status(1), await status(1.5), await status(9)] == ["new", "open", "open", "solved"]
    with pytest.raises(TicketNotFound):
        await status(-1)
    with pytest.raises(TicketNotFound):
        await ticket_as_of(desk.reader, codec, "nobody", None)


async def test_redacted_words_are_hidden_at_every_moment(desk: QueryDesk) -> None:
    await desk.open(1, text="My password is swordfish")
    await desk.add(1, Redacted(message_id="m1", agent_id="ada"), at=MONDAY + timedelta(hours=5))
    codec = Codec(desk.history.keys)
    before = await ticket_as_of(desk.reader, codec, ticket_id(1), MONDAY + timedelta(hours=1))
    assert before.messages[0].text == ""
    (event, _) = await events_after(desk.reader, codec, after=0, limit=10)
    assert {name: event["facts"][0][name] for name in HIDDEN} == HIDDEN


async def test_the_words_of_an_erased_person_are_gone_from_the_ledger_too(desk: QueryDesk) -> None:
    await desk.open(1)
    await desk.history.keys.destroy("cora")
    ticket = await ticket_as_of(desk.reader, Codec(desk.history.keys), ticket_id(1), None)
    assert (ticket.messages[0].text, ticket.number) == ("[erased]", 1)


async def test_a_history_without_end_is_refused(desk: QueryDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_busy_desk(desk)
    monkeypatch.setattr("deskwire_query.reading.history.MOST_COMMITS", 1)
    with pytest.raises(HistoryTooLong):
        await ticket_as_of(desk.reader, Codec(desk.history.keys), ticket_id(1), None)


async def test_nothing_is_answered_while_the_first_tables_are_built(database_url: str) -> None:
    database = open_database(database_url)
    await catalogue.create_catalogue(database)
    with pytest.raises(NothingLives):
        await Reader(database, None).list_tickets(TicketFilter())  # type: ignore[arg-type]  # it is not asked
    await database.close()


async def test_a_reader_moves_on_to_new_tables_within_a_moment(desk: QueryDesk) -> None:
    await desk.open(1)
    reader = desk.reader
    await reader.ticket("1")
    async with desk.database.writing() as connection:
        other = await catalogue.create_generation(connection, desk.generation.position)
    await generations.complete(desk.database, other)
    async with desk.database.writing() as connection:
        await catalogue.set_state(connection, other, "living")

    async def has_moved() -> bool:
        try:
            await reader.ticket("1")
        except TicketNotFound:
            return True
        return False

    async with asyncio.timeout(5):
        while not await has_moved():
            await asyncio.sleep(0.05)
