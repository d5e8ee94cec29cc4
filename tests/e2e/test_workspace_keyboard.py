"""Everything an agent does all day goes by the keyboard, and single keys can be switched off."""

import re

from playwright.sync_api import Page, expect

from up_desk import UpDesk, wait_until

expect.set_options(timeout=15_000)


def test_a_ticket_is_found_opened_changed_answered_and_left_without_a_mouse(desk: UpDesk, page: Page) -> None:
    for subject in ("First", "Second"):
        desk.send(f"{subject} question", "Hello.")
    page.goto("/")
    _press(page, "g", "o")
    expect(page.get_by_role("heading", name="All open")).to_be_visible()
    expect(page.locator(".row", has_text="question")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".row").nth(1).locator(".row-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".ticket")).to_be_visible()

    page.keyboard.press("p")
    page.keyboard.type("urg")
    page.keyboard.press("Enter")
    expect(page.locator(".ticket")).to_have_attribute("data-priority", "urgent")
    page.keyboard.press("l")
    page.keyboard.type("vip")
    page.keyboard.press("Enter")
    expect(page.locator(".ticket")).to_have_attribute("data-tags", "vip")
    page.keyboard.press("t")
    page.keyboard.type("no team")
    page.keyboard.press("Enter")
    expect(page.locator(".ticket")).to_have_attribute("data-team", "")
    expect(page.locator(".ticket")).to_have_attribute("data-assignee", "")
    page.keyboard.press("i")
    expect(page.locator(".ticket")).to_have_attribute("data-assignee", re.compile(".+"))

    page.keyboard.press("r")
    page.keyboard.type("Done by hand.")
    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator(".message-reply")).to_contain_text("Done by hand.")
    expect(page.locator(".ticket")).to_have_attribute("data-status", "solved")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".ticket")).to_have_count(0)
    expect(page.locator(".row-link").first).to_be_visible()


def test_the_palette_finds_commands_and_tickets(desk: UpDesk, page: Page) -> None:
    desk.send("Zeppelin rides", "How much is one?")
    page.goto("/?view=open")
    expect(page.locator(".row", has_text="Zeppelin")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("zeppelin")
    expect(page.get_by_role("option", name=re.compile("Zeppelin rides"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".ticket-title")).to_contain_text("Zeppelin rides")
    page.keyboard.press("Control+k")
    page.keyboard.type("solved")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Solved", exact=True)).to_be_visible()


def test_slash_searches_and_the_sheet_of_keys_opens_and_closes(desk: UpDesk, page: Page) -> None:
    desk.send("Umbrella lost", "In the train.")
    page.goto("/?view=open")
    expect(page.locator(".row", has_text="Umbrella")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("umbrella")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search", exact=True)).to_be_visible()
    expect(page.locator(".row")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_single_keys_do_nothing_in_text_fields_and_when_switched_off(desk: UpDesk, page: Page) -> None:
    desk.send("Quiet keys", "Hello.")
    page.goto("/?view=open")
    page.locator(".row", has_text="Quiet keys").click()
    expect(page.locator(".composer")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("s p a t")
    expect(page.get_by_label("Message", exact=True)).to_have_value("s p a t")
    expect(page.locator("#picker")).to_be_hidden()
    page.locator(".account summary").click()
    page.get_by_label("Single-key shortcuts").uncheck()
    page.locator(".conversation-scroll").focus()
    page.keyboard.press("s")
    expect(page.locator("#picker")).to_be_hidden()
    page.reload()
    page.locator(".conversation-scroll").focus()
    page.keyboard.press("s")
    expect(page.locator("#picker")).to_be_hidden()


def test_the_list_is_one_stop_of_tab(desk: UpDesk, page: Page) -> None:
    for number in range(3):
        desk.send(f"Tab {number}", "Hello.")
    page.goto("/?view=open")
    wait_until(lambda: page.locator(".row").count() >= 3, "three tickets are listed")
    expect(page.locator(".row-link[tabindex='0']")).to_have_count(1)


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
