"""What is written about channels is true: every example can be used, every mapping is described and proved."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deskwire_intake.api.calls import Call
from deskwire_intake.mappings import shipped_names
from deskwire_shared.contracts.actions import SetStatus
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.rules import Rule
from unit.intake.hook_desk import HOOKS, HookDesk

DOCS = Path(__file__).parents[3] / "docs"
PAGES = sorted((DOCS / "how-to").glob("*.md"))
_JSON = re.compile(r"```json\n(.*?)```", re.DOTALL)


def examples(page: Path) -> list[dict[str, Any]]:
    return [json.loads(found) for found in _JSON.findall(page.read_text())]


def channels() -> list[tuple[str, dict[str, Any]]]:
    return [
        (page.stem, example)
        for page in PAGES
        for example in examples(page)
        if example.get("medium") == "webhook"
    ]  # fmt: skip


@pytest.mark.parametrize(("page", "example"), channels())
def test_every_channel_that_is_shown_can_be_opened(page: str, example: dict[str, Any]) -> None:
    assert Channel.model_validate(example).webhook is not None


def test_the_rule_that_is_shown_closes_spam() -> None:
    (spam,) = (one for one in examples(DOCS / "how-to" / "trust-a-mail-server.md") if "trigger" in one)
    rule = Rule.model_validate(spam)
    assert [condition.field for condition in rule.conditions.all] == ["message.spam"]
    assert rule.actions == (SetStatus(status="closed"),)


def test_the_call_that_is_shown_can_be_told() -> None:
    (call,) = examples(DOCS / "how-to" / "log-phone-calls.md")
    assert Call.model_validate(call).seconds == 245


async def test_the_message_that_is_shown_opens_a_ticket() -> None:
    desk = HookDesk()
    await desk.listen("standard")
    (message,) = [example for example in examples(DOCS / "how-to" / "add-a-channel.md") if "text" in example]
    assert (await desk.heard("standard", message)).subject == "Order 77"


async def test_the_mapping_that_is_shown_reads_what_it_describes() -> None:
    (channel,) = [one for _, one in channels() if one["name"] == "Tracker"]
    desk = HookDesk()
    await desk.listen("tracker", channel["webhook"])
    author = {"id": 7, "name": "Ann", "bot": False}
    links = [{"url": "https://a.example"}, {"url": "https://b.example"}]
    comments = [{"id": 1, "text": "Broken", "author": author, "links": links}, {"id": 2, "author": {"bot": True}}]
    ticket = await desk.heard(
        "tracker", {"project": "p/1", "issue": 9, "title": "Crash", "severity": 2, "comments": comments}
    )
    assert (ticket.channel, ticket.subject, ticket.priority) == ("tracker", "Crash", "high")
    assert ticket.messages[0].text == "Broken\nLink: https://a.example\nLink: https://b.example"
    assert ticket.messages[0].conversation == "p%2F1/9"
    assert await desk.hear("tracker", {"event": "ping"}) == ()


@pytest.mark.parametrize("name", shipped_names())
def test_every_mapping_has_payloads_and_a_row(name: str) -> None:
    assert list(HOOKS.glob(f"{name.partition('_')[0]}_*.json"))
    rows = (DOCS / "reference" / "channels.md").read_text()
    assert f"| `{name}` |" in rows


def test_links_between_pages_lead_somewhere() -> None:
    for page in (*PAGES, DOCS / "reference" / "channels.md"):
        for link in re.findall(r"\]\(([^)#]+\.md)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
