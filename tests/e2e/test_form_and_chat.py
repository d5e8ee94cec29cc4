"""A form and a chat on somebody else's site, and the agent who answers, each in a browser of their own."""

import json
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from deskwire_shared.contracts.ids import derived_id
from foreign_site import ForeignSite, foreign_site
from up_desk import UpDesk, up_desk, wait_until

expect.set_options(timeout=15_000)

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 860}
HOSTILE = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script> & 'quotes'"
TEAM = derived_id("starter", "team")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpDesk]:
    """A desk whose chat customers may be away for two seconds before answers are mailed."""
    settings = {"DESKWIRE_NOTIFY_CHAT_GRACE_SECONDS": "2", "DESKWIRE_INTAKE_WEB_CLIENT_RATE": "1000"}
    with up_desk(tmp_path_factory.mktemp("desk"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def shop(desk: UpDesk, administrator: object) -> Iterator[ForeignSite]:
    """A shop that embeds the form and the chat."""
    token = desk.command("token", "create", "--name", "shop", "--scopes", "directory:write")
    with foreign_site() as site:
        form = {
            "origins": [site.origin],
            "title": "Ask the shop",
            "fields": [{"name": "order", "label": "Order number"}],
        }
        _put_channel(desk, token, "contact", {"name": "Contact", "medium": "web", "form": form})
        _put_channel(
            desk, token, "help", {"name": "Help", "medium": "chat", "chat": {"origins": [site.origin]}, "team_id": TEAM}
        )
        site.embed(
            "/form", f'<script type="module" src="{desk.url}/intake/v1/forms/form.js" data-channel="contact"></script>'
        )
        site.embed(
            "/chat", f'<script type="module" src="{desk.url}/intake/v1/chat/chat.js" data-channel="help"></script>'
        )
        site.embed("/frame", f'<iframe src="{desk.url}/intake/v1/forms/contact" width="100%" height="900"></iframe>')
        yield site


def _put_channel(desk: UpDesk, token: str, channel_id: str, document: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{desk.url}/intake/v1/directory/channel/{channel_id}",
        data=json.dumps(document).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


@contextmanager
def _browsing(chromium: Browser, **options: Any) -> Iterator[BrowserContext]:
    context = chromium.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(15_000)
    try:
        yield context
    finally:
        context.close()


@pytest.fixture
def customer(chromium: Browser) -> Iterator[Page]:
    """A customer's browser; a script's error fails the test."""
    with _browsing(chromium) as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []


def _fill(page: Page | Locator, subject: str) -> None:
    page.get_by_label("Your name").fill("Cora Customer")
    page.get_by_label("E-mail").fill("cora@example.com")
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("Message").fill("Order 1042 has not arrived.")


def _send_slowly(page: Page) -> None:
    """Send a form as people do; who is too quick is asked to look again."""
    page.get_by_role("button", name="Send", exact=True).click()
    quick = page.get_by_text("That was quick")
    expect(quick.or_(page.get_by_role("heading", name="Thank you"))).to_be_visible()
    if quick.is_visible():
        page.wait_for_timeout(2_100)
        page.get_by_role("button", name="Send", exact=True).click()


def _tickets(agent: Page, subject: str) -> Locator:
    agent.goto("/?view=open")
    return agent.locator(".row", has_text=subject)


def test_a_form_on_a_foreign_page_becomes_a_ticket(shop: ForeignSite, customer: Page, page: Page) -> None:
    customer.goto(f"{shop.origin}/form")
    expect(customer.get_by_role("heading", name="Ask the shop")).to_be_visible()
    assert customer.get_by_label("Subject").evaluate("field => getComputedStyle(field).color") != "rgb(255, 0, 0)"
    _fill(customer, "From the shop")
    customer.get_by_label("Order number").fill("1042")
    customer.get_by_label("Files").set_input_files({"name": "bill.txt", "mimeType": "text/plain", "buffer": b"12.50"})
    _send_slowly(customer)
    expect(customer.get_by_role("heading", name="Thank you")).to_be_focused()
    expect(customer.get_by_text(re.compile(r"has the number \d+"))).to_be_visible()
    row = _tickets(page, "From the shop")
    expect(row).to_have_count(1)
    row.click()
    expect(page.locator(".message-customer")).to_contain_text("Order 1042 has not arrived.")
    expect(page.locator(".message-customer")).to_contain_text("bill.txt")


def test_clicking_twice_and_a_lost_answer_make_one_ticket(shop: ForeignSite, customer: Page, page: Page) -> None:
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            route.fetch()
            lost.append("lost")
            route.abort()
        else:
            route.continue_()

    customer.goto(f"{shop.origin}/form")
    _fill(customer, "Sent more than once")
    customer.wait_for_timeout(2_100)
    customer.route("**/forms/contact", lose_the_first_answer)
    customer.get_by_role("button", name="Send", exact=True).dblclick()
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    assert lost == ["lost"]
    expect(_tickets(page, "Sent more than once")).to_have_count(1)


def test_the_form_works_without_scripts_and_in_a_frame(desk: UpDesk, shop: ForeignSite, chromium: Browser) -> None:
    with _browsing(chromium, java_script_enabled=False, base_url=desk.url) as context:
        plain = context.new_page()
        plain.goto("/intake/v1/forms/contact")
        _fill(plain, "Without scripts")
        plain.wait_for_timeout(2_100)
        plain.get_by_role("button", name="Send", exact=True).click()
        expect(plain.get_by_role("heading", name="Thank you")).to_be_visible()
        plain.goto(f"{shop.origin}/frame")
        expect(plain.frame_locator("iframe").get_by_role("heading", name="Ask the shop")).to_be_visible()


def test_what_is_wrong_is_said_beside_the_field_and_nothing_written_is_lost(shop: ForeignSite, customer: Page) -> None:
    customer.goto(f"{shop.origin}/form")
    _fill(customer, HOSTILE)
    customer.get_by_label("E-mail").fill("cora@a@b")
    customer.locator("form").evaluate("form => { form.noValidate = true; }")
    customer.wait_for_timeout(2_100)
    customer.get_by_role("button", name="Send", exact=True).click()
    address = customer.get_by_label("E-mail")
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_be_focused()
    expect(address).to_have_accessible_description("This is not an e-mail address.")
    expect(customer.get_by_label("Subject")).to_have_value(HOSTILE)
    assert customer.evaluate("window.hacked") is None


def test_another_site_may_not_use_the_form_or_the_chat(desk: UpDesk, shop: ForeignSite, chromium: Browser) -> None:
    with foreign_site() as thief, _browsing(chromium) as context:
        thief.embed("/", shop.pages["/form"] + shop.pages["/chat"])
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        page.goto(f"{thief.origin}/")
        wait_until(lambda: page.evaluate("1") and len(refused) >= 2, "both are refused")
        expect(page.get_by_label("Subject")).to_have_count(0)
        expect(page.get_by_role("button", name="Open the chat")).to_have_count(0)
        thief.embed("/frame", f'<iframe src="{desk.url}/intake/v1/forms/contact"></iframe>')
        page.goto(f"{thief.origin}/frame")
        expect(page.frame_locator("iframe").get_by_label("Subject")).to_have_count(0)


def _chat(page: Page, shop: ForeignSite) -> None:
    page.goto(f"{shop.origin}/chat")
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_role("dialog", name="Chat with us")).to_be_visible()


def _say(page: Page, text: str) -> None:
    page.get_by_label("Write a message").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".message.customer", has_text=text)).to_have_attribute("data-delivery", "sent")


def _answer(agent: Page, subject: str, text: str) -> None:
    _tickets(agent, subject).click()
    agent.get_by_label("Message", exact=True).fill(text)
    agent.keyboard.press("Control+Enter")


def test_a_customer_and_an_agent_talk(shop: ForeignSite, customer: Page, page: Page) -> None:
    _chat(customer, shop)
    _say(customer, "My lamp is broken")
    expect(customer.get_by_role("status")).to_contain_text("Mara Lind is with you")
    _answer(page, "My lamp is broken", "Which one is it?")
    answer = customer.locator(".message.agent", has_text="Which one is it?")
    expect(answer).to_contain_text("Mara Lind")
    expect(page.locator(".message-reply")).to_contain_text("Delivered")
    page.get_by_label("Message", exact=True).press_sequentially("Ah, that")
    expect(customer.get_by_text("Mara Lind is writing")).to_be_visible()
    customer.get_by_label("Write a message").press_sequentially("The re")
    expect(page.get_by_text(re.compile("is writing"))).to_be_visible()
    _say(customer, "The red one")
    expect(page.locator(".message-customer", has_text="The red one")).to_be_visible()


def test_the_chat_has_a_page_of_its_own(desk: UpDesk, shop: ForeignSite, customer: Page) -> None:
    customer.goto(f"{desk.url}/intake/v1/chat/help")
    _say(customer, "From the page of the desk")
    expect(customer.get_by_role("status")).to_contain_text("Mara Lind is with you")


def test_a_reload_in_the_middle_loses_nothing(shop: ForeignSite, customer: Page) -> None:
    _chat(customer, shop)
    _say(customer, "Before the reload")
    customer.reload()
    customer.get_by_role("button", name="Open the chat").click()
    expect(customer.locator(".message.customer", has_text="Before the reload")).to_have_count(1)
    _say(customer, "After the reload")
    expect(customer.locator(".message.customer")).to_have_count(2)


def test_what_is_written_without_a_connection_arrives_once_when_it_is_back(
    shop: ForeignSite, customer: Page, page: Page
) -> None:
    _chat(customer, shop)
    _say(customer, "On the train")
    customer.context.set_offline(True)
    customer.get_by_label("Write a message").fill("In the tunnel")
    customer.keyboard.press("Enter")
    pending = customer.locator(".message.customer", has_text="In the tunnel")
    expect(customer.get_by_role("status")).to_contain_text("Connection lost")
    expect(pending).to_have_attribute("data-delivery", "sending")
    customer.context.set_offline(False)
    expect(pending).to_have_attribute("data-delivery", "sent", timeout=30_000)
    _tickets(page, "On the train").click()
    expect(page.locator(".message-customer", has_text="In the tunnel")).to_have_count(1)


def test_what_is_written_while_the_log_is_away_arrives_once_when_it_is_back(
    desk: UpDesk, shop: ForeignSite, customer: Page, page: Page
) -> None:
    _chat(customer, shop)
    _say(customer, "Before the crash")
    for child in desk.children("nats-server"):
        os.kill(child, signal.SIGKILL)
    customer.get_by_label("Write a message").fill("During the crash")
    customer.keyboard.press("Enter")
    during = customer.locator(".message.customer", has_text="During the crash")
    expect(during).to_have_attribute("data-delivery", "sent", timeout=45_000)
    _answer(page, "Before the crash", "We are back.")
    expect(customer.locator(".message.agent", has_text="We are back.")).to_be_visible(timeout=30_000)
    expect(page.locator(".message-customer", has_text="During the crash")).to_have_count(1)


def test_an_answer_to_a_customer_who_has_left_goes_by_mail(shop: ForeignSite, customer: Page, page: Page) -> None:
    _chat(customer, shop)
    _say(customer, "I have to go soon")
    customer.get_by_role("button", name="End the chat").click()
    customer.get_by_label("E-mail").fill("cora.leaves@example.com")
    customer.get_by_role("button", name="Send me the answer").click()
    expect(customer.get_by_role("dialog", name="Chat with us")).to_be_hidden()
    _answer(page, "I have to go soon", "Here it is, by mail.")
    expect(page.locator(".message-reply")).to_contain_text("Delivered", timeout=30_000)
    page.goto("/outbox")
    expect(page.get_by_text("cora.leaves@example.com")).to_be_visible()


def test_what_customers_and_agents_write_is_text(shop: ForeignSite, customer: Page, page: Page) -> None:
    _chat(customer, shop)
    _say(customer, f"Look: {HOSTILE}")
    _answer(page, "Look:", f"See https://example.com/a?b=c. {HOSTILE}")
    answer = customer.locator(".message.agent", has_text="See")
    expect(answer.locator(".text")).to_contain_text(HOSTILE)
    link = answer.get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.com/a?b=c")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    assert customer.locator(".log img, .log script").count() == 0
    assert customer.evaluate("window.hacked") is None
    assert page.evaluate("window.hacked") is None


def test_an_answer_behind_a_closed_panel_is_announced(shop: ForeignSite, customer: Page, page: Page) -> None:
    _chat(customer, shop)
    _say(customer, "I will wait")
    customer.keyboard.press("Escape")
    launcher = customer.get_by_role("button", name="Open the chat")
    expect(launcher).to_be_focused()
    _answer(page, "I will wait", "Thank you for waiting.")
    expect(customer.get_by_role("button", name="New message from Mara Lind")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_form_and_chat_have_no_fault_that_axe_knows(
    shop: ForeignSite, chromium: Browser, scheme: str, size: dict[str, int]
) -> None:
    options: dict[str, Any] = {"viewport": size, "color_scheme": scheme, "reduced_motion": "reduce"}
    with _browsing(chromium, **options) as context:
        page = context.new_page()
        page.goto(f"{shop.origin}/form")
        expect(page.get_by_label("Subject")).to_be_visible()
        _expect_no_fault(page, "deskwire-form")
        _chat(page, shop)
        _say(page, f"Seen in {scheme} on {size['width']}")
        _expect_no_fault(page, "deskwire-chat")
        page.get_by_role("button", name="End the chat").click()
        _expect_no_fault(page, "deskwire-chat")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _expect_no_fault(page: Page, part: str) -> None:
    found = Axe().run(page, context=part, options=RULES)
    faults = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
    assert faults == []
