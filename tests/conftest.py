"""What every test may ask for."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from browser import ADVICE, browsers_are_required, find_browser
from servers import forget_durability, nats_server, new_database, postgres_server


@pytest.fixture(autouse=True)
def _without_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("DESKWIRE_") and not name.startswith("DESKWIRE_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logs_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget where a command that a test ran has sent the logs: that stream is closed for the next one."""
    configure, root = structlog.configure, logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # A logger that keeps its first configuration would keep it in all tests that follow.
    monkeypatch.setattr(
        structlog, "configure", lambda **asked: configure(**asked | {"cache_logger_on_first_use": False})
    )
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats_url() -> AsyncIterator[str]:
    """A NATS server that the tests of this worker share."""
    if named := os.environ.get("DESKWIRE_TEST_NATS_URL"):
        yield named
        return
    async with nats_server() as url:
        yield url


@pytest_asyncio.fixture
async def fresh_nats() -> AsyncIterator[str]:
    """An empty NATS server for this test alone."""
    async with nats_server() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_url() -> AsyncIterator[str]:
    """A PostgreSQL server that the tests of this worker share, as an SQLAlchemy address."""
    if named := os.environ.get("DESKWIRE_TEST_POSTGRES_URL"):
        yield named
        return
    with postgres_server() as url:
        await forget_durability(url)
        yield url


@pytest_asyncio.fixture
async def fresh_postgres(postgres_url: str) -> AsyncIterator[str]:
    """An empty PostgreSQL database for this test alone, as an SQLAlchemy address."""
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """The browser to drive; without one the test is skipped, or fails in continuous integration."""
    browser = find_browser()
    if browser is None and browsers_are_required():
        pytest.fail(ADVICE)
    if browser is None:
        pytest.skip(ADVICE)
    return browser
