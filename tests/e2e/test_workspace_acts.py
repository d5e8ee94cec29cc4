"""What agents do with tickets beside answering them: macros, snoozing, merging, splitting, many at once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from up_desk import Person, UpDesk

expect.set_options(timeout=15_000)

PHONE = {"width": 390, "height": 844}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def test_a_macro_is_found_by_key_looked_at_and_used(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "A broken fan")
    _put_macro(page, "warranty", name="Warranty", reply="A new one is on its way, {{ customer.name }}.",
               actions=[{"do": "add_tags", "tags": ["warranty"]}, {"do": "set_status", "status": "pending"}])  # fmt: skip
    page.reload()
    page.keyboard.press("m")
    page.keyboard.type("warr")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Warranty")
    expect(sheet).to_contain_text("A new one is on its way, Ann Lee.")
    expect(sheet).to_contain_text("Tags are now: warranty")
    expect(page.locator(".message-reply")).to_have_count(0)
    sheet.get_by_role("button", name="Send and apply").click()
    expect(page.locator(".message-reply")).to_contain_text("A new one is on its way, Ann Lee.")
    expect(page.locator(".ticket")).to_have_attribute("data-tags", "warranty")
    expect(page.locator(".ticket")).to_have_attribute("data-status", "pending")


def test_the_words_of_a_macro_can_be_taken_into_the_answer_instead(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "Another fan")
    _put_macro(page, "greeting", name="Greeting", reply="Hello {{ customer.name }},")
    page.reload()
    page.keyboard.press("m")
    page.keyboard.type("greet")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Only take the words").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hello Ann Lee,")
    expect(page.locator(".message-reply")).to_have_count(0)


def test_a_macro_that_meets_a_changed_ticket_shows_what_changed_and_asks_again(desk: UpDesk, page: Page) -> None:
    ticket = _open_ticket(desk, page, "Two hands on it")
    _put_macro(page, "vip", name="Make it VIP", actions=[{"do": "add_tags", "tags": ["vip"]}])
    page.reload()
    page.keyboard.press("m")
    page.keyboard.type("make it")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Make it VIP")
    expect(sheet).to_be_visible()
    _command(page, "post", f"/tickets/{ticket}/notes", {"text": "Wait."})
    sheet.get_by_role("button", name="Apply").click()
    expect(sheet).to_contain_text("A note was left.")
    expect(page.locator(".ticket")).to_have_attribute("data-tags", "")
    sheet.get_by_role("button", name="Apply").click()
    expect(page.locator(".ticket")).to_have_attribute("data-tags", "vip")


def test_a_macro_that_names_what_is_gone_says_so(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "A macro of yesterday")
    _put_macro(page, "stale", name="Stale", actions=[{"do": "set_team", "team_id": "gone"}])
    page.reload()
    page.keyboard.press("m")
    page.keyboard.type("stale")
    page.keyboard.press("Enter")
    expect(page.locator(".toast-bad")).to_contain_text("there is no team gone")


def test_a_ticket_is_snoozed_until_a_typed_moment_and_woken(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "Not today")
    page.keyboard.press("z")
    page.keyboard.type("3d")
    expect(page.locator("#picker [role=option]").first).to_contain_text("Until")
    page.keyboard.press("Enter")
    expect(page.locator(".banner")).to_contain_text("Snoozed until")
    expect(page.locator(".row:not(.row-gone)", has_text="Not today")).to_have_count(0)
    page.get_by_role("button", name="Wake it now").click()
    expect(page.locator(".banner")).to_have_count(0)


def test_a_moment_is_chosen_in_a_calendar(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "Next year")
    page.keyboard.press("z")
    page.keyboard.type("choose")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Snooze until")
    moment = datetime.now(tz=UTC) + timedelta(days=40)  # noqa: TID251 - the browser asks the clock of the host too
    sheet.get_by_label("Date and time").fill(f"{moment:%Y-%m-%d}T08:30")
    sheet.get_by_role("button", name="Snooze").click()
    expect(page.locator(".banner time")).to_have_attribute("datetime", re.compile(f"{moment:%Y-%m}"))


def test_a_ticket_is_merged_in_two_steps_after_a_look_at_the_other(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "The first of both")
    number = page.locator(".ticket").get_attribute("data-number")
    _open_ticket(desk, page, "The same again")
    _more(page, "merge")
    page.keyboard.type(f"#{number}")
    expect(page.get_by_role("option", name=re.compile("The first of both"))).to_be_visible()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name=re.compile(f"into #{number}"))
    expect(sheet).to_contain_text("The first of both")
    expect(sheet).to_contain_text("Ann Lee")
    sheet.get_by_role("button", name="Merge").click()
    expect(page.locator(".ticket-title")).to_contain_text("The first of both")
    expect(page.locator(".side")).to_contain_text("merged from")


def test_messages_are_split_off_to_a_new_ticket(desk: UpDesk, page: Page) -> None:
    ticket = _open_ticket(desk, page, "Two things")
    number = page.locator(".ticket").get_attribute("data-number")
    desk.send(f"Re: Two things [#{number}]", "And my second thing.")
    expect(page.locator(".message-customer")).to_have_count(2)
    _more(page, "split")
    sheet = page.get_by_role("dialog", name=re.compile("Split messages off"))
    sheet.get_by_role("button", name="Split").click()
    expect(sheet.get_by_role("alert")).to_contain_text("Choose the messages")
    sheet.get_by_role("checkbox").nth(1).check()
    sheet.get_by_label("Subject of the new ticket").fill("The second thing")
    sheet.get_by_role("button", name="Split").click()
    expect(page.locator(".ticket-title")).to_contain_text("The second thing")
    expect(page.locator(".ticket")).not_to_have_attribute("data-ticket", ticket)
    expect(page.locator(".message-customer")).to_contain_text("And my second thing.")


def test_tickets_are_linked(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "The cause")
    number = page.locator(".ticket").get_attribute("data-number")
    _open_ticket(desk, page, "The effect")
    _more(page, "link")
    page.keyboard.type(f"#{number}")
    expect(page.get_by_role("option", name=re.compile("The cause"))).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("related")
    page.keyboard.press("Enter")
    expect(page.locator(".side")).to_contain_text(f"#{number} related")


def test_tasks_time_and_followers_stand_beside_the_conversation(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "Some work")
    _more(page, "task")
    page.keyboard.type("Call the carrier")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Done: Call the carrier").click()
    expect(page.locator(".task-done")).to_contain_text("Call the carrier")
    _more(page, "time")
    page.keyboard.type("1:30")
    page.keyboard.press("Enter")
    expect(page.locator(".details")).to_contain_text("1 h 30 min")
    _more(page, "follow")
    expect(page.locator(".details")).to_contain_text("Followed by")


def test_many_tickets_are_changed_at_once_and_each_refusal_is_told(desk: UpDesk, page: Page) -> None:
    tickets = [_open_ticket(desk, page, f"Many {number}") for number in range(3)]
    page.goto("/?view=open")
    expect(page.locator(".row", has_text="Many")).to_have_count(3)
    page.locator(".row", has_text="Many 0").hover()
    for number in range(3):
        page.locator(".row", has_text=f"Many {number}").locator("[data-select]").check()
    expect(page.locator("[data-selected]")).to_have_text("3 selected")
    page.get_by_role("toolbar").get_by_role("button", name="Priority").click()
    page.keyboard.type("urgent")
    page.keyboard.press("Enter")
    expect(page.locator(".row .priority-urgent")).to_have_count(3)
    expect(page.get_by_text("3 tickets changed")).to_be_visible()

    for number in range(3):
        page.locator(".row", has_text=f"Many {number}").locator("[data-select]").check()
    page.route("**/intake/v1/bulk", lambda route: _with_one_closed(page, route, tickets[0]))
    page.get_by_role("toolbar").get_by_role("button", name="Tags").click()
    page.keyboard.type("swept")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="1 ticket was not changed")
    expect(sheet).to_contain_text("Many 0")
    expect(sheet).to_contain_text("closed")
    expect(page.locator(".row .tag", has_text="swept")).to_have_count(2)


def test_rows_are_selected_by_keys_and_by_a_range(desk: UpDesk, page: Page) -> None:
    for number in range(4):
        desk.send(f"Range {number}", "Hello.")
    page.goto("/?view=open")
    expect(page.locator(".row", has_text="Range")).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected]")).to_have_text("1 selected")
    page.locator(".row").nth(2).locator("[data-select]").click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("3 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()


def test_an_agent_says_whether_they_are_there(page: Page) -> None:
    page.goto("/")
    switch = page.locator(".attendance")
    expect(switch).to_contain_text("Online")
    switch.click()
    page.keyboard.type("away")
    page.keyboard.press("Enter")
    expect(switch).to_contain_text("Away")
    switch.click()
    page.keyboard.type("out")
    page.keyboard.press("Enter")
    page.keyboard.type("2099-01-07")
    expect(page.locator("#picker [role=option]").first).to_contain_text("Until")
    page.keyboard.press("Escape")
    switch.click()
    page.keyboard.type("out")
    page.keyboard.press("Enter")
    page.keyboard.type("in a week")
    page.keyboard.press("Enter")
    expect(switch).to_contain_text("Out until")
    page.reload()
    expect(switch).to_contain_text("Out until")
    switch.click()
    page.keyboard.type("online")
    page.keyboard.press("Enter")
    expect(switch).to_contain_text("Online")


def test_two_agents_on_one_ticket_see_each_other(desk: UpDesk, page: Page, colleague: Page) -> None:
    _open_ticket(desk, page, "A ticket for two")
    colleague.goto(page.url)
    expect(page.locator("[data-presence]")).to_have_text("Ben Ray is looking at this ticket")
    expect(colleague.locator("[data-presence]")).to_have_text("Mara Lind is looking at this ticket")
    colleague.get_by_label("Message", exact=True).fill("I take it.")
    expect(page.locator("[data-presence]")).to_have_text("Ben Ray is writing on this ticket")
    colleague.keyboard.press("Escape")
    colleague.goto("/?view=open")
    expect(page.locator("[data-presence]")).to_be_hidden()


def test_who_may_only_note_is_offered_nothing_else(desk: UpDesk, page: Page, chromium: Browser) -> None:
    _open_ticket(desk, page, "Only to read")
    desk.command("user", "add", "lia@desk.example", "--name", "Lia", "--role", "light_agent", "--password-stdin",
                 typed="correct horse battery")  # fmt: skip
    context = chromium.new_context(base_url=desk.url)
    reader = _signed_in(context.new_page(), "lia@desk.example")
    reader.goto(page.url)
    expect(reader.locator(".composer")).to_be_visible()
    for act in ("macro", "snooze"):
        expect(reader.locator(f"[data-act={act}]")).to_have_count(0)
    expect(reader.locator(".attendance")).to_have_count(0)
    expect(reader.locator("[data-new-task]")).to_have_count(0)
    reader.keyboard.press("m")
    reader.keyboard.press("z")
    expect(reader.locator("dialog[open]")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1440, "height": 900}, PHONE], ids=["desk", "phone"])
def test_sheets_and_the_bar_of_many_have_no_fault(
    desk: UpDesk, chromium: Browser, administrator: Person, scheme: Any, size: Any
) -> None:
    context = chromium.new_context(
        base_url=desk.url, storage_state=administrator.session, viewport=size, color_scheme=scheme, bypass_csp=True,
        reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    _open_ticket(desk, page, f"Faultless {scheme} {size['width']}")
    page.keyboard.press("z")
    page.keyboard.type("choose")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Snooze until")).to_be_visible()
    _expect_no_fault(page)
    page.keyboard.press("Escape")
    page.keyboard.press("+")
    expect(page.locator("#picker [role=option]").first).to_be_visible()
    _expect_no_fault(page)
    page.keyboard.press("Escape")
    page.goto("/?view=open")
    page.locator(".row").first.wait_for()
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_be_visible()
    _expect_no_fault(page)
    context.close()


def test_what_is_known_of_a_ticket_is_a_touch_away_on_a_phone(
    desk: UpDesk, chromium: Browser, administrator: Person
) -> None:
    context = chromium.new_context(base_url=desk.url, storage_state=administrator.session, viewport=PHONE)  # type: ignore[arg-type]  # a size
    page = context.new_page()
    _open_ticket(desk, page, "In the pocket")
    expect(page.locator(".side")).to_be_hidden()
    page.get_by_role("button", name="About this ticket").click()
    expect(page.locator(".side")).to_contain_text("Ann Lee")
    page.get_by_role("button", name="About this ticket").click()
    expect(page.locator(".composer")).to_be_visible()
    context.close()


@pytest.fixture
def colleague(desk: UpDesk, administrator: Person, chromium: Browser) -> Any:
    """Another agent in a browser of their own."""
    del administrator
    desk.command("user", "add", "ben@desk.example", "--name", "Ben Ray", "--password-stdin",
                 typed="correct horse battery")  # fmt: skip
    context = chromium.new_context(base_url=desk.url, viewport={"width": 1440, "height": 900})
    yield _signed_in(context.new_page(), "ben@desk.example")
    context.close()


def _signed_in(page: Page, email: str) -> Page:
    page.goto("/signin")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.locator("#list").wait_for()
    return page


def _open_ticket(desk: UpDesk, page: Page, subject: str) -> str:
    page.goto("/?view=open")
    desk.send(subject, "Hello.")
    page.locator(".row", has_text=subject).first.click()
    expect(page.locator(".ticket-title")).to_contain_text(subject)
    return page.locator(".ticket").get_attribute("data-ticket") or ""


def _more(page: Page, words: str) -> None:
    page.keyboard.press("+")
    page.keyboard.type(words)
    page.keyboard.press("Enter")


def _command(page: Page, method: str, path: str, body: dict[str, Any]) -> None:
    token = page.locator("meta[name=csrf]").get_attribute("content") or ""
    answer = getattr(page.request, method)(f"/intake/v1{path}", data=body, headers={"X-CSRF-Token": token})
    assert answer.ok, answer.text()


def _put_macro(page: Page, key: str, **macro: Any) -> None:
    _command(page, "put", f"/directory/macro/{key}", {"kind": "macro", **macro})


def _with_one_closed(page: Page, route: Any, ticket: str) -> None:
    """Close a ticket between the agent's wish and its arrival."""
    _command(page, "post", f"/tickets/{ticket}/status", {"status": "closed"})
    route.continue_()


def _expect_no_fault(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
