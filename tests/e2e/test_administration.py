"""The whole desk configured by its pages, as somebody does who never saw a file, and what comes of it."""

import pytest
from playwright.sync_api import Locator, Page, expect

from up_desk import UpDesk

expect.set_options(timeout=15_000)


def save(page: Page, heading: str) -> None:
    """Save a form and wait for the list."""
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def choose(control: Locator, value: str) -> None:
    """Choose in a field that makes another form, and wait for that form."""
    with control.page.expect_response(lambda answer: answer.request.method == "POST"):
        control.select_option(value)


def press(page: Page, name: str) -> None:
    """Press a button that makes another form, and wait for that form."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name=name, exact=True).click()


def test_calendar_policy_rule_and_macro_made_by_the_pages_work_on_the_next_mail(desk: UpDesk, page: Page) -> None:
    page.goto("/admin/teams/new")
    page.get_by_label("Name", exact=True).fill("Fire brigade")
    page.get_by_label("New tickets").select_option("manual")
    save(page, "Teams")

    page.goto("/admin/calendars/new")
    page.get_by_label("Name", exact=True).fill("Berlin")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    press(page, "Add hours on Saturday")
    expect(page.get_by_label("From").last).to_be_focused()
    press(page, "Add hours on Sunday")
    choose(page.get_by_label("Public holidays of"), "DE")
    choose(page.locator("[name='holidays.region']"), "BE")
    expect(page.locator(".beside")).to_contain_text("Christmas")
    save(page, "Calendars")
    expect(page.get_by_text("Holidays of DE-BE")).to_be_visible()

    page.goto("/admin/policies/new")
    page.get_by_label("Name", exact=True).fill("Fires")
    press(page, "Add a condition")
    page.get_by_label("Value", exact=True).fill("fire")
    page.get_by_label("First response, Urgent").fill("soon")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write an amount of time such as 30m")).to_be_visible()
    page.get_by_label("First response, Urgent").fill("20m")
    save(page, "SLA policies")
    press_and_load(page, "Move Fires up")

    page.goto("/admin/rules/new")
    page.get_by_label("Name", exact=True).fill("Fires first")
    press(page, "Add a condition")
    choose(page.get_by_label("Comparison"), "matches_any_word")
    page.get_by_label("Values, one a line").fill("fire\nsmoke")
    page.get_by_label("Team", exact=True).select_option(label="Fire brigade")
    press(page, "Add an action")
    choose(page.locator("[name='actions.1.do']"), "set_priority")
    page.locator("[name='actions.1.set_priority.priority']").select_option("urgent")
    save(page, "Rules")

    page.goto("/admin/macros/new")
    page.get_by_label("Name", exact=True).fill("Call them")
    page.get_by_label("Reply").fill("Hello {{ customer.name }}, we call you.")
    save(page, "Macros")

    desk.send("There is smoke and fire", "Please come.")
    page.goto("/?view=open")
    page.locator(".row", has_text="smoke and fire").click()
    expect(page.locator(".ticket")).to_contain_text("Fire brigade")
    expect(page.locator(".ticket")).to_contain_text("Urgent")


def press_and_load(page: Page, name: str) -> None:
    """Press a button that loads the page again."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def test_a_mailbox_is_connected_and_its_password_comes_out_nowhere(desk: UpDesk, page: Page) -> None:
    page.goto("/admin/channels/new")
    page.get_by_role("link", name="E-mail").click()
    page.get_by_label("Name", exact=True).fill("Post")
    page.get_by_label("Mail address").fill("post@desk.example")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_label("Fetch mails from a mailbox").check()
    page.get_by_label("Server").fill("127.0.0.1")
    page.get_by_label("Port").fill("1")
    page.get_by_label("User name").fill("post")
    page.locator("[name=password]").fill("hush hush")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Kept now: Password.")).to_be_visible()
    page.get_by_role("button", name="Check connection").click()
    expect(page.locator("#checked")).to_contain_text("It cannot be fetched from")
    assert "hush hush" not in page.content()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="Revision 1")).to_be_visible()
    assert "hush hush" not in page.content()


def test_a_rule_is_rehearsed_on_what_happened(desk: UpDesk, page: Page) -> None:
    desk.send("A lamp is broken", "It does not light.")
    page.goto("/admin/rules/new")
    page.get_by_label("Name", exact=True).fill("Lamps")
    press(page, "Add a condition")
    page.get_by_label("Value", exact=True).fill("lamp")
    choose(page.locator("[name='actions.0.do']"), "set_priority")
    page.locator("[name='actions.0.set_priority.priority']").select_option("low")
    press(page, "Add an action")
    choose(page.locator("[name='actions.1.do']"), "set_assignee")
    page.locator("[name='actions.1.set_assignee.agent_id']").select_option(label="Mara Lind")
    page.get_by_role("button", name="Rehearse on 30 days").click()
    report = page.locator("#rehearsal")
    expect(report).to_contain_text("would have ended otherwise")
    expect(report.get_by_role("row", name="priority")).to_contain_text("low")
    expect(report.get_by_role("row", name="assignee")).to_contain_text("Mara Lind")
    assert page.url.endswith("/admin/rules/new")


def test_forms_are_filled_in_by_keyboard_alone(page: Page) -> None:
    page.goto("/admin/rules/new")
    page.get_by_role("button", name="Add an action").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name='actions.1.do']")).to_be_focused()
    page.get_by_role("button", name="Remove action 2").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add an action")).to_be_focused()
    page.get_by_label("Name", exact=True).fill("By Enter")
    page.locator("[name='actions.0.do']").select_option("unassign")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Rules", exact=True)).to_be_visible()


def test_forms_work_without_scripts(desk: UpDesk, page: Page) -> None:
    context = page.context.browser.new_context(  # type: ignore[union-attr]
        base_url=desk.url, storage_state=page.context.storage_state(), java_script_enabled=False
    )
    plain = context.new_page()
    plain.goto("/admin/rules/new")
    plain.get_by_label("Name", exact=True).fill("Plain")
    plain.get_by_role("button", name="Add a condition").click()
    plain.get_by_label("Value", exact=True).fill("plain")
    plain.get_by_label("Team", exact=True).select_option(label="Support")
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_role("link", name="Plain")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_no_form_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("rules/new", "policies/new", "calendars/new", "channels/new", "channels", "policies", "tokens/new"):
        page.goto(f"/admin/{path}")
        assert page.evaluate("document.querySelector('#main').scrollWidth") <= width, path
