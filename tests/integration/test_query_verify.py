"""What verify finds, on both databases: it is quiet about a sound desk and loud about every kind of damage."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, insert, select, update

from deskwire_query import generations
from deskwire_query.catalogue import NothingLives
from deskwire_query.projections.runner import Runner
from deskwire_query.tables import DeskTables, desk_tables
from deskwire_query.verifying import Verified, verify
from deskwire_shared.contracts.facts import (
    AgentReplied,
    Attachment,
    FieldChanged,
    Redacted,
    ReplyDelivered,
    Split,
    StatusChanged,
    TagsChanged,
)
from deskwire_shared.contracts.subjects import TICKETS, ticket_subject
from deskwire_shared.runtime.streams import migrate
from query_desk import opening, ticket_id
from query_log import World, a_world


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest_asyncio.fixture
async def world(fresh_nats: str, database_url: str) -> AsyncIterator[World]:
    async with a_world(fresh_nats, database_url) as world:
        yield world


async def a_sound_desk(world: World) -> DeskTables:
    """A desk with two tickets on which all sorts of things happen."""
    file = Attachment(key="k", filename="a\0.png", content_type="image/png", size=1, sha256="0")
    await world.write(1, opening(1, subject="nul\0 and é", attachments=(file,), tags=("vip",)))
    await world.living()
    await world.write(1, AgentReplied(person_id="cora", message_id="r1", agent_id="ada", text="Hi\0"))
    await world.write(1, ReplyDelivered(message_id="r1"), StatusChanged(before="new", after="solved"))
    await world.write(2)
    await world.write(2, TagsChanged(tags=("a", "b")), FieldChanged(name="region", after="n\0rth"))
    await world.write(
        2, Redacted(message_id="m2", agent_id="ada"), Split(into="t3", into_number=3, message_ids=("m2",))
    )
    runner = Runner(world.sources, await world.living())
    await runner.catch_up()
    return desk_tables(runner.generation.number)


async def damaged(world: World, *statements: Any) -> Verified:
    """Do damage, then verify."""
    async with world.database.writing() as connection:
        for statement in statements:
            assert (await connection.execute(statement)).rowcount
    return await verify(world.sources)


async def test_a_sound_desk_has_no_differences(world: World) -> None:
    await a_sound_desk(world)
    stages = set()

    async def progress(stage: str, done: int, total: int) -> None:
        stages.add((stage, done, total))

    found = await verify(world.sources, progress=progress)
    assert (found.differences, found.commits, found.tickets, found.lag) == ([], 6, 2, 0)
    assert stages == {("log", 6, 6), ("tickets", 2, 2)}


async def test_a_rebuilt_desk_has_no_differences(world: World) -> None:
    await a_sound_desk(world)
    await generations.rebuild(world.sources, grace_seconds=0)
    assert (await verify(world.sources)).differences == []


async def test_what_is_not_projected_yet_is_a_lag_and_no_difference(world: World) -> None:
    await a_sound_desk(world)
    await world.write(3)
    found = await verify(world.sources)
    assert (found.differences, found.lag, found.commits) == ([], 1, 6)


Damage = Callable[[DeskTables], Any]
KINDS: dict[str, tuple[Damage, str]] = {
    "a wrong status": (lambda t: update(t.tickets).where(t.tickets.c.number == 1).values(status="open"),
                       "status is 'open' in the read models, 'solved' by its history"),
    "a lost ticket": (lambda t: delete(t.tickets).where(t.tickets.c.number == 1), "is missing in the read models"),
    "a lost entry": (lambda t: delete(t.timeline).where(t.timeline.c.message_id == "r1", t.timeline.c.kind == "reply"),
                     "timeline at version 2, is missing"),
    "a wrong word": (lambda t: update(t.timeline).where(t.timeline.c.kind == "reply").values(text="No"),
                     "timeline at version 2, text is 'No'"),
    "a redacted word": (lambda t: update(t.timeline).where(t.timeline.c.redacted).values(text="secret"), "text is 'secret'"),
    "a lost tag": (lambda t: delete(t.tags).where(t.tags.c.tag == "a"), "tags are ['b']"),
    "a wrong document": (lambda t: update(t.documents).where(t.documents.c.number == 2).values(subject="x"),
                         "search document, subject is 'x'"),
    "a lost commit": (lambda t: delete(t.ledger).where(t.ledger.c.sequence == 3), "commit 3 of the log is not in the ledger"),
    "a changed commit": (lambda t: update(t.ledger).where(t.ledger.c.sequence == 2).values(stored=b"{}"),
                         "commit 2 is another one in the ledger than in the log"),
    "a commit too many": (
        lambda t: insert(t.ledger).values(sequence=7, commit_id="x", ticket_id=ticket_id(1), version=9, facts="",
                                          chain="", stored=b"{}"), "that the log does not"),
    "a ticket too many": (
        lambda t: insert(t.documents).values(opening=99, ticket_id="x", number=9, subject="", people=[], tags=[],
                                             messages=[]), "holds 1 tickets that the ledger does not"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_damage_is_found(world: World, kind: str) -> None:
    tables = await a_sound_desk(world)
    damage, message = KINDS[kind]
    found = await damaged(world, damage(tables))
    assert any(message in difference for difference in found.differences), found.differences


async def test_a_commit_that_was_changed_in_log_and_ledger_breaks_the_chain(world: World) -> None:
    """Neither the log nor the ledger can tell: they agree."""
    tables = await a_sound_desk(world)
    async with world.database.reading() as connection:
        stored = (
            await connection.execute(select(tables.ledger.c.stored).where(tables.ledger.c.sequence == 3))
        ).scalar_one()
    forged = stored.replace(b'"after":"solved"', b'"after":"closed"')
    assert forged != stored
    found = await damaged(world, update(tables.ledger).where(tables.ledger.c.sequence == 3).values(stored=forged))
    assert any("the chain breaks at commit 3" in difference for difference in found.differences)


async def test_a_commit_that_cannot_be_read_is_found(world: World) -> None:
    await a_sound_desk(world)
    await world.connection.jetstream().publish(ticket_subject(ticket_id(1)), b"no commit", stream=TICKETS)
    await Runner(world.sources, await world.living()).catch_up()
    found = await verify(world.sources)
    assert [difference for difference in found.differences if "commit 7 cannot be read" in difference]


async def test_a_log_that_has_lost_its_tail_is_found(world: World) -> None:
    await a_sound_desk(world)
    await world.connection.jetstream().delete_stream(TICKETS)
    await migrate(world.connection.jetstream())
    found = await verify(world.sources)
    assert "was made anew" in found.differences[0]
    assert any("the ledger holds 6 commits behind 0" in difference for difference in found.differences)


async def test_nothing_can_be_verified_before_something_lives(world: World) -> None:
    with pytest.raises(NothingLives):
        await verify(world.sources)


async def test_a_desk_that_is_wrong_everywhere_is_not_listed_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = await a_sound_desk(world)
    monkeypatch.setattr("deskwire_query.verifying.MOST_DIFFERENCES", 2)
    monkeypatch.setattr("deskwire_query.verifying.TICKETS_AT_ONCE", 1)
    found = await damaged(world, update(tables.timeline).values(text="wrong"))
    assert found.is_full
    assert found.tickets == 1
