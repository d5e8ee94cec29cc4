"""Lists change line by line while agents look at them: in order, without moving what is pointed at, without loading again."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from up_desk import UpDesk

expect.set_options(timeout=15_000)


@pytest.fixture
def loads(page: Page) -> list[str]:
    """Lists that were loaded whole."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if _is_list(request) else None)
    return asked


def test_a_row_changes_in_place_keeps_the_focus_and_moves_to_where_it_belongs(
    desk: UpDesk, page: Page, loads: list[str]
) -> None:
    _mails(desk, page, "Order of rows", 3)
    rows = page.locator(".row", has_text="Order of rows")
    expect(rows).to_have_count(3)
    page.mouse.move(5, 5)
    first = rows.last.get_attribute("data-ticket") or ""
    link = page.locator(f"#t-{first} .row-link")
    link.focus()
    page.locator(f"#t-{first}").evaluate("row => { row.marked = true; }")
    loads.clear()
    _command(page, "patch", f"/tickets/{first}", {"subject": "Order of rows, changed"})
    expect(page.locator(".row").first).to_have_attribute("data-ticket", first)
    expect(page.locator(".row").first).to_contain_text("Order of rows, changed")
    expect(link).to_be_focused()
    assert page.locator(f"#t-{first}").evaluate("row => row.marked")
    assert loads == []


def test_a_solved_ticket_leaves_the_open_list_and_comes_back_when_it_is_reopened(
    desk: UpDesk, page: Page, loads: list[str]
) -> None:
    _mails(desk, page, "Coming and going", 2)
    row = page.locator(".row", has_text="Coming and going 0")
    ticket = row.get_attribute("data-ticket") or ""
    page.mouse.move(5, 5)
    loads.clear()
    _command(page, "post", f"/tickets/{ticket}/status", {"status": "solved"})
    expect(row).to_have_count(0)
    _command(page, "post", f"/tickets/{ticket}/status", {"status": "open"})
    expect(row).to_have_count(1)
    assert loads == []


def test_rows_hold_still_under_the_pointer_and_new_ones_wait(desk: UpDesk, page: Page) -> None:
    _mails(desk, page, "Hold still", 3)
    rows = page.locator(".row", has_text="Hold still")
    expect(rows).to_have_count(3)
    order = rows.evaluate_all("rows => rows.map((row) => row.dataset.ticket)")
    rows.nth(1).hover()
    _command(page, "patch", f"/tickets/{order[-1]}", {"subject": "Hold still, changed"})
    desk.send("Hold still, new", "Hello.")
    expect(page.locator(".row", has_text="Hold still, changed")).to_have_count(1)
    expect(page.locator(".pill")).to_have_text("1 new ticket")
    assert rows.evaluate_all("rows => rows.map((row) => row.dataset.ticket)") == order
    page.mouse.move(5, 5)
    expect(page.locator(".row").first).to_contain_text(re.compile("Hold still, (new|changed)"))
    expect(page.locator(".pill")).to_be_hidden()


def test_counts_of_the_rail_follow_by_themselves(desk: UpDesk, page: Page) -> None:
    page.goto("/?view=solved")
    before = int(page.locator("[data-count=open]").text_content() or 0)
    desk.send("To be counted", "Hello.")
    expect(page.locator("[data-count=open]")).to_have_text(str(before + 1))


def test_a_page_that_was_offline_catches_up(desk: UpDesk, page: Page) -> None:
    _mails(desk, page, "Through a tunnel", 1)
    page.context.set_offline(True)
    desk.send("Sent meanwhile", "Hello.")
    page.context.set_offline(False)
    expect(page.locator(".row", has_text="Sent meanwhile")).to_have_count(1, timeout=30_000)


def _mails(desk: UpDesk, page: Page, subject: str, count: int) -> None:
    page.goto("/?view=open")
    for number in range(count):
        desk.send(f"{subject} {number}", "Hello.")
        expect(page.locator(".row", has_text=f"{subject} {number}")).to_have_count(1)


def _is_list(request: Any) -> bool:
    return request.headers.get("deskwire-part") in {"list", "main", "rows"}


def _command(page: Page, method: str, path: str, body: dict[str, Any]) -> None:
    token = page.locator("meta[name=csrf]").get_attribute("content") or ""
    answer = getattr(page.request, method)(f"/intake/v1{path}", data=body, headers={"X-CSRF-Token": token})
    assert answer.ok, answer.text()
