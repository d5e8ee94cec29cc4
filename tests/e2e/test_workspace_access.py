"""Who gets in, and what hostile mails and lost sessions can do: nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from up_desk import UpDesk

expect.set_options(timeout=15_000)

HOSTILE = """\
<p id="greeting">Good day</p>
<script>top.location = "https://evil.example/"; top.hacked = 1</script>
<img src="x" onerror="top.hacked = 1">
<img src="https://tracker.example/pixel.gif?who=me">
<a href="javascript:top.hacked=1" id="lure">Click</a>
<form action="/admin/agents/new" method="post"><input name="email"><button>Win</button></form>
<iframe src="/admin/agents"></iframe>
<svg onload="top.hacked = 1"></svg>
<button hx-get="/signout" hx-trigger="load">Load</button>
<div style="position:fixed;inset:0;background:url(https://tracker.example/bg.png)">cover</div>
<style>body{display:none}</style>
<meta http-equiv="refresh" content="0;url=https://evil.example/">
"""


def test_the_link_of_the_first_run_opens_once(desk: UpDesk, page: Page, stranger: Page) -> None:
    stranger.goto(desk.setup_link)
    expect(stranger.get_by_role("heading", name="This link is spent")).to_be_visible()


def test_an_agent_signs_in_with_address_and_password_and_lands_where_they_wanted(stranger: Page, page: Page) -> None:
    stranger.goto("/?view=pending")
    stranger.get_by_label("E-mail").fill("mara@desk.example")
    stranger.get_by_label("Password").fill("correct horse battery")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("heading", name="Pending")).to_be_visible()


def test_a_wrong_password_and_an_unknown_address_are_refused_alike(stranger: Page, page: Page) -> None:
    words = []
    for email in ("mara@desk.example", "nobody@desk.example"):
        stranger.goto("/signin")
        stranger.get_by_label("E-mail").fill(email)
        stranger.get_by_label("Password").fill("not the password")
        stranger.get_by_role("button", name="Sign in").click()
        words.append(stranger.get_by_role("alert").inner_text())
    assert words[0] == words[1] == "The address or the password is wrong."


def test_a_session_that_ended_keeps_what_was_written_and_asks_to_sign_in(desk: UpDesk, page: Page) -> None:
    page.goto("/?view=open")
    desk.send("Slow writer", "Hello.")
    page.locator(".row", has_text="Slow writer").click()
    page.get_by_label("Message", exact=True).fill("Dear Ann,")
    expect(page.get_by_text("Draft kept")).to_be_visible()
    page.context.clear_cookies()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("Your session has ended")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Dear Ann,")
    page.get_by_role("status").get_by_role("link", name="Sign in").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_html_of_a_hostile_mail_does_nothing(desk: UpDesk, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/?view=open")
    desk.send("Congratulations", "Good day", html=HOSTILE)
    page.locator(".row", has_text="Congratulations").click()
    mail = page.frame_locator(".mail-frame")
    expect(mail.locator("body")).to_contain_text("Good day")
    expect(mail.locator("body")).to_contain_text("remote image was not loaded")
    mail.locator("a", has_text="Click").click()
    assert page.evaluate("window.hacked") is None
    assert mail.locator("script, form, iframe, svg, meta[http-equiv], [onerror], [style*=url], [hx-get]").count() == 0
    assert page.url.startswith(desk.url)
    assert [url for url in asked if not url.startswith(desk.url)] == []


@pytest.fixture
def light_agent(desk: UpDesk, chromium: Browser, page: Page) -> Iterator[Page]:
    """A page of somebody who may read and leave notes."""
    page.goto("/admin/agents/new")
    page.get_by_label("Name", exact=True).fill("Lou Light")
    page.get_by_label("E-mail").fill("lou@desk.example")
    page.get_by_label("Role").select_option("light_agent")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Lou Light")).to_be_visible()
    context = chromium.new_context(base_url=desk.url)
    lou = context.new_page()
    lou.goto("/signin")
    lou.get_by_label("E-mail").fill("lou@desk.example")
    lou.get_by_label("Password").fill("a long password")
    lou.get_by_role("button", name="Sign in").click()
    lou.get_by_role("heading", name="My open").wait_for()
    yield lou
    context.close()


def test_who_may_only_leave_notes_sees_no_way_to_answer_or_to_administer(desk: UpDesk, light_agent: Page) -> None:
    lou = light_agent
    lou.goto("/?view=open")
    desk.send("For Lou", "Hello.")
    lou.locator(".row", has_text="For Lou").click()
    expect(lou.get_by_role("button", name="Add note")).to_be_visible()
    expect(lou.get_by_role("button", name="Send")).to_have_count(0)
    expect(lou.locator(".property:not(:disabled)")).to_have_count(0)
    answer = lou.goto("/admin/agents")
    assert answer is not None
    assert answer.status == 403
    expect(lou.get_by_role("heading", name="This is not yours to see")).to_be_visible()
