"""One mail through the whole desk, as its agent lives it."""

import re

from playwright.sync_api import Page, expect

from up_desk import UpDesk, wait_until

expect.set_options(timeout=15_000)


def test_a_mail_becomes_a_ticket_in_the_open_list_is_answered_and_the_answer_stands_in_the_outbox(
    desk: UpDesk, page: Page
) -> None:
    page.goto("/?view=open")
    desk.send("Where is my order?", "Order 1042 has not arrived yet.")
    row = page.locator(".row", has_text="Where is my order?")
    expect(row).to_be_visible()
    expect(row).to_contain_text("Ann Lee")

    row.click()
    expect(page.locator(".message-customer")).to_contain_text("Order 1042 has not arrived yet.")
    page.get_by_label("Message", exact=True).fill("It leaves tomorrow.")
    page.keyboard.press("Control+Enter")
    reply = page.locator(".message-reply", has_text="It leaves tomorrow.")
    expect(reply).to_be_visible()
    expect(reply).to_contain_text("Delivered", timeout=25_000)

    page.goto("/outbox")
    page.get_by_role("link", name=re.compile("Where is my order")).first.click()
    expect(page.frame_locator(".mail-frame").locator("body")).to_contain_text("It leaves tomorrow.")


def test_an_answer_can_be_taken_back_before_it_leaves(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "Please call me")
    page.get_by_label("Message", exact=True).fill("We will never call you.")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".message-reply")).to_contain_text("Withdrawn")
    expect(page.get_by_label("Message", exact=True)).to_have_value("We will never call you.")


def test_sending_as_solved_sets_the_status_along(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "Thank you")
    page.get_by_label("Message", exact=True).fill("You are welcome.")
    page.get_by_role("button", name="Send as solved").click()
    expect(page.locator(".ticket")).to_have_attribute("data-status", "solved")


def test_what_a_customer_writes_appears_while_the_agent_writes_and_the_draft_stays(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "Two minds")
    draft = page.get_by_label("Message", exact=True)
    draft.fill("Half a sentence")
    number = page.locator(".ticket").get_attribute("data-number")
    desk.send(f"Re: Two minds [#{number}]", "One more thing.")
    expect(page.locator(".message-customer", has_text="One more thing.")).to_be_visible()
    expect(draft).to_have_value("Half a sentence")
    expect(draft).to_be_focused()


def test_an_answer_to_a_ticket_that_changed_unseen_is_held_back_until_the_agent_has_seen_it(
    desk: UpDesk, page: Page
) -> None:
    page.route("**/live?*", lambda route: route.abort())
    _open_ticket(desk, page, "Two at once", live=False)
    ticket = page.locator(".ticket").get_attribute("data-ticket")
    colleague = page.request.post(
        f"/intake/v1/tickets/{ticket}/notes",
        data={"text": "I am on it already."},
        headers={"X-CSRF-Token": page.locator("meta[name=csrf]").get_attribute("content") or ""},
    )
    assert colleague.ok
    draft = page.get_by_label("Message", exact=True)
    draft.fill("Me too.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The ticket changed while you were writing.")).to_be_visible()
    expect(page.locator(".message-note")).to_contain_text("I am on it already.")
    expect(page.locator(".message-reply")).to_have_count(0)
    expect(draft).to_have_value("Me too.")
    draft.press("Control+Enter")
    expect(page.locator(".message-reply")).to_contain_text("Me too.")


def test_a_draft_survives_the_page(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "A long answer")
    page.get_by_label("Message", exact=True).fill("Dear Ann,")
    expect(page.get_by_text("Draft kept")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Dear Ann,")


def test_a_note_is_seen_by_colleagues_only(desk: UpDesk, page: Page) -> None:
    _open_ticket(desk, page, "A difficult one")
    page.keyboard.press("n")
    page.get_by_label("Message", exact=True).fill("Careful, a big customer.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message-note")).to_contain_text("Careful, a big customer.")
    page.goto("/outbox")
    expect(page.get_by_text("Careful, a big customer.")).to_have_count(0)


def test_new_tickets_wait_behind_a_pill_while_the_list_is_scrolled(desk: UpDesk, page: Page) -> None:
    for number in range(30):
        desk.send(f"Bulk {number}", "One of many.")
    page.goto("/?view=open")
    wait_until(lambda: page.locator(".row").count() >= 30 or not page.reload(), "thirty tickets are listed")
    page.locator("#list-scroll").evaluate("list => { list.scrollTop = 200; }")
    wait_until(lambda: page.locator("#list-scroll").evaluate("list => list.scrollTop") > 100, "the list is scrolled")
    desk.send("Newest of all", "Hello")
    pill = page.get_by_role("button", name=re.compile(r"\d new ticket"))
    expect(pill).to_be_visible()
    assert page.locator("#list-scroll").evaluate("list => list.scrollTop") > 100
    pill.click()
    expect(page.locator(".row", has_text="Newest of all")).to_be_visible()


def _open_ticket(desk: UpDesk, page: Page, subject: str, *, live: bool = True) -> None:
    page.goto("/?view=open")
    desk.send(subject, "Hello.")
    row = page.locator(".row", has_text=subject)
    if not live:
        wait_until(lambda: row.count() == 1 or not page.reload(), "the ticket is listed")
    row.click()
    expect(page.locator(".ticket-title")).to_contain_text(subject)
