"""What tests of the pages share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from web_desk import WebDesk, web_desk


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebDesk]:
    """A workspace with one administrator, signed in."""
    async with web_desk(f"sqlite+aiosqlite:///{tmp_path}/desk.db") as built:
        await built.hire()
        built.sign_in()
        yield built
