"""What is told of the ledger of intake, on every database it runs on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from deskwire_query.arrivals.reading import ArrivalFilter, ArrivalNotFound, ArrivalReader, Replayed
from deskwire_query.arrivals.tables import create_arrivals
from deskwire_query.database import Database, open_database
from deskwire_query.reading.read_models import InvalidCursor
from deskwire_shared.contracts.intake_ledger import MOST_ENTRIES, message_digest
from ledger_entries import MONDAY, a_parked_entry, an_entry, enter


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    await create_arrivals(opened)
    yield opened
    await opened.close()


async def sources(database: Database, **wanted: object) -> list[str]:
    page = await ArrivalReader(database).page(ArrivalFilter(**wanted))  # type: ignore[arg-type]  # as the test names them
    return [row.source for row in page.items]


async def test_the_latest_message_comes_first_and_pages_follow_each_other_without_gaps(database: Database) -> None:
    await enter(database, *(an_entry(source=str(n)) for n in range(MOST_ENTRIES)), sequence=1)
    await enter(database, an_entry(source="last"), sequence=2)
    reader, seen, cursor = ArrivalReader(database), [], None
    while True:
        page = await reader.page(ArrivalFilter(), after=cursor, limit=100)
        seen += [row.source for row in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["last", *map(str, reversed(range(MOST_ENTRIES)))]


async def test_messages_are_found_by_channel_decision_time_and_message_id(database: Database) -> None:
    await enter(
        database,
        an_entry(source="a", message_digest=message_digest("one@example.org")),
        an_entry(source="b", channel_id="sales", at=MONDAY + timedelta(hours=1)),
        a_parked_entry(source="c", via="smtp", at=MONDAY + timedelta(hours=2)),
    )
    assert await sources(database, channel_id="sales") == ["b"]
    assert await sources(database, decision="parked") == ["c"]
    assert await sources(database, via="imap") == ["b", "a"]
    assert await sources(database, since=MONDAY + timedelta(hours=1)) == ["c", "b"]
    assert await sources(database, until=MONDAY + timedelta(hours=1)) == ["a"]
    assert await sources(database, message_id=" <one@example.org> ") == ["a"]
    assert await sources(database, message_id="two@example.org") == []


async def test_messages_are_counted_by_channel_way_and_what_became_of_them(database: Database) -> None:
    await enter(
        database, an_entry(), an_entry(source="7:2"), a_parked_entry(), an_entry(channel_id="sales", via="smtp")
    )
    counts = await ArrivalReader(database).counts(ArrivalFilter())
    assert [(one.channel_id, one.via, one.decision, one.count) for one in counts] == [
        ("sales", "smtp", "opened", 1), ("support", "imap", "opened", 2), ("support", "imap", "parked", 1),
    ]  # fmt: skip


async def test_a_parked_message_tells_which_ticket_it_is_on_since_a_second_try(database: Database) -> None:
    await enter(database, a_parked_entry(), a_parked_entry(raw_key="raw/ef/efef", source="7:2"))
    await enter(database, an_entry(via="replay", source="", ticket_id="t9", number=9), sequence=2)
    page = await ArrivalReader(database).page(ArrivalFilter(decision="parked"))
    assert [row.replayed for row in page.items] == [None, Replayed(ticket_id="t9", number=9)]


async def test_a_second_try_for_one_mailbox_says_nothing_of_another(database: Database) -> None:
    await enter(database, a_parked_entry(), an_entry(via="replay", mailbox="sales@example.com", channel_id="sales"))
    page = await ArrivalReader(database).page(ArrivalFilter(decision="parked"))
    assert [row.replayed for row in page.items] == [None]


@pytest.mark.parametrize("asked", ["0", "12", "x", "²", "9" * 30, "-1"])
async def test_an_entry_that_is_not_there_is_told_plainly(database: Database, asked: str) -> None:
    with pytest.raises(ArrivalNotFound):
        await ArrivalReader(database).one(asked)


async def test_a_cursor_of_another_list_is_refused(database: Database) -> None:
    with pytest.raises(InvalidCursor):
        await ArrivalReader(database).page(ArrivalFilter(), after="bm9uc2Vuc2U")


async def test_a_moment_and_odd_words_come_out_as_they_went_in(database: Database) -> None:
    at = MONDAY.replace(microsecond=123_456)
    await enter(
        database, a_parked_entry(at=at, reason="<b>'; DROP TABLE arrivals; -- \U0001f525 é", size=2**40, number=2**40)
    )
    (row,) = (await ArrivalReader(database).page(ArrivalFilter(since=at, until=at + timedelta(microseconds=1)))).items
    assert (row.at, row.reason, row.size, row.number) == (
        at, "<b>'; DROP TABLE arrivals; -- \U0001f525 é", 2**40, 2**40
    )  # fmt: skip
    assert await ArrivalReader(database).one(row.id) == row


async def test_no_table_is_made_twice_though_two_processes_begin_at_once(database_url: str) -> None:
    opened = open_database(database_url)
    try:
        await asyncio.gather(*(create_arrivals(opened) for _ in range(4)))
        assert (await ArrivalReader(opened).page(ArrivalFilter())).items == ()
    finally:
        await opened.close()
