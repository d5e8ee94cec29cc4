"""A running desk and a browser in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from up_desk import Person, UpDesk, up_desk

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PASSWORD = "correct horse battery"
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpDesk]:
    """The whole desk in one process, without people at first."""
    with up_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(browser_path: Path) -> Iterator[Browser]:
    """A browser for the tests of a module; Playwright's loop must end before others use asyncio."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def administrator(desk: UpDesk, chromium: Browser) -> Person:
    """The first administrator, made through the printed link."""
    context = chromium.new_context(base_url=desk.url)
    page = context.new_page()
    page.goto(desk.setup_link)
    page.get_by_label("Your name").fill("Mara Lind")
    page.get_by_label("E-mail").fill("mara@desk.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open the desk").click()
    page.get_by_role("heading", name="My open").wait_for()
    session = context.storage_state()
    context.close()
    return Person("Mara Lind", "mara@desk.example", PASSWORD, session)


@pytest.fixture
def stranger(desk: UpDesk, chromium: Browser) -> Iterator[Page]:
    """A page of somebody without a session."""
    context = chromium.new_context(base_url=desk.url)
    yield _watched(context)
    context.close()


@pytest.fixture
def page(desk: UpDesk, chromium: Browser, administrator: Person) -> Iterator[Page]:
    """A page of the administrator; a script's error fails the test."""
    context = chromium.new_context(
        base_url=desk.url, storage_state=administrator.session, viewport={"width": 1440, "height": 900}
    )
    page = _watched(context)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def _watched(context: BrowserContext) -> Page:
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()
