"""The workspace behind one address while the five services run as five processes."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from processes import DESKWIRE, Desk, running_desk, send_until_accepted

expect.set_options(timeout=20_000)

PASSWORD = "correct horse battery"
MAIL = b"""\
From: Ann Lee <ann@example.com>
To: support@localhost
Subject: Far apart
Message-ID: <far@example.com>

Hello.
"""


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


def test_a_mail_is_answered_through_the_address_of_query_alone(processes: Desk, chromium: Browser) -> None:
    _hire(processes, "mara@desk.example")
    context = chromium.new_context(base_url=processes.url)
    page = context.new_page()
    page.goto("/?view=open")
    page.get_by_label("E-mail").fill("mara@desk.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="All open")).to_be_visible()

    send_until_accepted(
        processes.ports["smtp"], "ann@example.com", "support@localhost", [MAIL], deadline=time.monotonic() + 20
    )
    page.locator(".row", has_text="Far apart").click()
    page.locator("[data-attach]").set_input_files(
        {"name": "map.txt", "mimeType": "text/plain", "buffer": b"turn left" * 50_000}
    )
    page.get_by_label("Message", exact=True).fill("Not so far.")
    expect(page.get_by_text("uploading")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    reply = page.locator(".message-reply")
    expect(reply).to_contain_text("Not so far.")
    expect(reply).to_contain_text("map.txt")
    expect(reply).to_contain_text("Delivered", timeout=30_000)
    context.close()


def test_a_chat_goes_through_the_address_of_query_alone(processes: Desk, chromium: Browser) -> None:
    token = processes.command("token", "create", "--name", "chat", "--scopes", "directory:write").stdout.split()[-1]
    request = urllib.request.Request(
        f"{processes.url}/intake/v1/directory/channel/help",
        data=json.dumps({"name": "Help", "medium": "chat"}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
    _hire(processes, "nils@desk.example")
    customers, agents = chromium.new_context(base_url=processes.url), chromium.new_context(base_url=processes.url)
    customer, agent = customers.new_page(), agents.new_page()
    agent.goto("/?view=open")
    agent.get_by_label("E-mail").fill("nils@desk.example")
    agent.get_by_label("Password").fill(PASSWORD)
    agent.get_by_role("button", name="Sign in").click()
    customer.goto("/intake/v1/chat/help")
    customer.get_by_label("Write a message").fill("Through one door")
    customer.keyboard.press("Enter")
    agent.locator(".row", has_text="Through one door").click()
    expect(agent.locator(".composer")).to_be_visible()
    customer.get_by_label("Write a message").press_sequentially("And")
    expect(agent.locator("[data-typing]")).to_be_visible()
    agent.get_by_label("Message", exact=True).fill("And back again.")
    agent.keyboard.press("Control+Enter")
    expect(customer.locator(".message.agent", has_text="And back again.")).to_be_visible()
    customers.close()
    agents.close()


def _hire(processes: Desk, email: str) -> None:
    subprocess.run(
        [DESKWIRE, "user", "add", email, "--name", "Mara", "--role", "admin", "--password-stdin"],
        env=processes.environment("command"),
        input=PASSWORD.encode(),
        check=True,
        timeout=60,
    )
