"""`deskwire verify` and `deskwire rebuild`, as operators run them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from sqlalchemy import update

from deskwire_query.tables import desk_tables
from query_log import World, a_world

DESKWIRE = Path(sys.executable).with_name("deskwire")


@dataclass(frozen=True)
class Shell:
    """A shell in which Deskwire finds a world's log and database."""

    world: World
    settings: dict[str, str]

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; its exit code and all it has said."""
        process = await asyncio.create_subprocess_exec(
            DESKWIRE, *arguments, env={**os.environ, **self.settings},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()


@pytest_asyncio.fixture
async def shell(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Shell]:
    database = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    settings = {
        "DESKWIRE_NATS_URL": fresh_nats,
        "DESKWIRE_DATABASE_URL": database,
        "DESKWIRE_DATA_DIR": str(tmp_path),
        "DESKWIRE_DURABILITY": "dev",
    }
    async with a_world(fresh_nats, database) as world:
        yield Shell(world, settings)


async def test_verify_says_what_is_wrong_and_rebuild_mends_it(shell: Shell) -> None:
    for number in (1, 2, 3):
        await shell.world.write(number)
    generation = await shell.world.living()

    code, said = await shell.run("verify")
    assert (code, "3 commits, 3 tickets, 0 commits not projected yet" in said) == (0, True), said

    async with shell.world.database.writing() as connection:
        await connection.execute(update(desk_tables(generation.number).tickets).values(status="closed"))
    code, said = await shell.run("verify", "--most", "2")
    assert code == 1
    assert said.count("status is 'closed' in the read models, 'new' by its history") == 2
    assert "3 differences; `deskwire rebuild` makes the read models anew" in said

    code, said = await shell.run("rebuild")
    assert (code, "rebuilt up to commit 3" in said) == (0, True), said
    assert (await shell.run("verify"))[0] == 0


async def test_verify_says_when_there_is_nothing_to_verify(shell: Shell) -> None:
    code, said = await shell.run("verify")
    assert (code, "is a projector running?" in said) == (1, True), said
