"""The servers that tests run against."""

import asyncio

import nats
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from servers import docker_answers


async def answer_of(database_url: str, question: str) -> object:
    engine = create_async_engine(database_url)
    try:
        async with engine.connect() as connection:
            return await connection.scalar(text(question))
    finally:
        await engine.dispose()


async def streams_of(url: str) -> int:
    client = await nats.connect(url)
    try:
        return (await client.jetstream().account_info()).streams
    finally:
        await client.close()


async def test_a_fresh_nats_server_is_empty(fresh_nats: str) -> None:
    assert await streams_of(fresh_nats) == 0


async def test_the_shared_nats_server_outlives_a_test(nats_url: str, fresh_nats: str) -> None:
    assert nats_url != fresh_nats
    assert await streams_of(nats_url) >= 0


async def test_postgresql_has_what_search_needs(fresh_postgres: str) -> None:
    wanted = "SELECT count(*) FROM pg_available_extensions WHERE name IN ('pg_trgm', 'unaccent')"
    assert await answer_of(fresh_postgres, wanted) == 2


async def test_every_test_has_a_database_of_its_own(fresh_postgres: str, postgres_url: str) -> None:
    mine, shared = await asyncio.gather(
        answer_of(fresh_postgres, "SELECT current_database()"),
        answer_of(postgres_url, "SELECT current_database()"),
    )
    assert str(mine).startswith("test_")
    assert mine != shared


def test_a_docker_engine_is_not_seen_where_none_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    assert not docker_answers()
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    assert not docker_answers()
