"""Nothing on the pages that axe finds fault with, in both colour schemes, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from up_desk import Person, UpDesk

expect.set_options(timeout=15_000)

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["desk", "phone"])
def eyes(
    request: pytest.FixtureRequest, scheme: str, desk: UpDesk, chromium: Browser, administrator: Person
) -> Iterator[Page]:
    """A page in one of four looks; scripts of the checker are let past the policy."""
    context = chromium.new_context(
        base_url=desk.url,
        storage_state=administrator.session,
        viewport=DESK if request.param == "desk" else PHONE,
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    "address",
    [
        "/?view=solved",
        "/outbox",
        "/admin/agents",
        "/admin/agents/new",
        "/admin/policies",
        "/admin/rules/new",
        "/admin/calendars/new",
        "/admin/policies/new",
        "/admin/channels/new",
        "/admin/channels/new?medium=email",
        "/admin/organisations",
        "/admin/tokens/new",
        "/tickets/99999",
        "/signin",
    ],
)
def test_a_page_has_no_fault(eyes: Page, address: str) -> None:
    eyes.goto(address)
    _expect_no_fault(eyes)


def test_list_ticket_palette_and_picker_have_no_fault(desk: UpDesk, eyes: Page) -> None:
    eyes.goto("/?view=open")
    desk.send("Accessible", "Hello.", html="<p>Hello <b>there</b></p>")
    expect(eyes.locator(".row", has_text="Accessible").first).to_be_visible()
    _expect_no_fault(eyes)
    eyes.locator(".row", has_text="Accessible").first.click()
    expect(eyes.locator(".composer")).to_be_visible()
    _expect_no_fault(eyes)
    eyes.keyboard.press("n")
    _expect_no_fault(eyes)
    eyes.locator("[data-pick=status]").click()
    expect(eyes.locator(".option").first).to_be_visible()
    _expect_no_fault(eyes)
    eyes.keyboard.press("Escape")
    eyes.keyboard.press("Control+k")
    expect(eyes.locator(".option").first).to_be_visible()
    _expect_no_fault(eyes)


def _expect_no_fault(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
