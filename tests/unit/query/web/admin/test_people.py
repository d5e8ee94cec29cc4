"""The forms of the people who work on a desk."""

import pytest

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.staff import Agent, Team
from query_desk import ADA
from web_desk import CSRF, PASSWORD, WebDesk


async def test_an_administrator_hires_somebody_who_can_sign_in(web: WebDesk) -> None:
    form = {"csrf_token": CSRF, "revision": "0", "name": "Bob", "email": "Bob@desk.example", "role": "agent",
            "password": PASSWORD, "active": "on"}  # fmt: skip
    assert (await web.browser.post("/admin/agents/new", data=form)).status_code == 303
    assert "bob@desk.example" in await web.page("/admin/agents")
    answer = await web.browser.post("/signin", data={"email": "bob@desk.example", "password": PASSWORD})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "ada@desk.example"}, "Somebody else has this e-mail address"),
        ({"name": ""}, "Name is missing"),
        ({"role": "emperor"}, "role"),
        ({"password": "short"}, "A password has 10 to 200 characters"),
    ],
)
async def test_a_form_that_cannot_be_stored_says_why_and_keeps_what_was_typed(
    web: WebDesk, change: dict[str, str], words: str
) -> None:
    form = {"csrf_token": CSRF, "revision": "0", "name": "Bob", "email": "bob@desk.example", "role": "agent",
            "password": PASSWORD, "signature": "Yours, Bob", "active": "on"}  # fmt: skip
    answer = await web.browser.post("/admin/agents/new", data=form | change)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Yours, Bob" in answer.text
    assert PASSWORD not in answer.text


async def test_the_last_administrator_stays_one(web: WebDesk) -> None:
    form = {
        "csrf_token": CSRF,
        "revision": "1",
        "name": "Ada",
        "email": "ada@desk.example",
        "role": "agent",
        "active": "on",
    }
    answer = await web.browser.post("/admin/agents/ada", data=form)
    assert "Somebody must stay an administrator" in answer.text
    assert web.desk.directory.all(Agent)["ada"].role == "admin"


async def test_a_change_on_top_of_somebody_elses_change_is_not_stored(web: WebDesk) -> None:
    await web.desk.directory.put("t1", Team(name="Support"), actor=ADA)
    await web.desk.directory.put("t1", Team(name="Care"), actor=Actor(kind="agent", id="bob"))
    form = {"csrf_token": CSRF, "revision": "1", "name": "Help", "assignment": "manual"}
    answer = await web.browser.post("/admin/teams/t1", data=form)
    assert answer.status_code == 422
    assert "Somebody changed this in between" in answer.text
    assert web.desk.directory.all(Team)["t1"].name == "Care"


async def test_what_a_form_does_not_show_stays_as_it_was(web: WebDesk) -> None:
    channel = Channel(name="Mail", medium="email", address="a@x.example", follow_up_days=7, locale="de")
    await web.desk.directory.put("c1", channel, actor=ADA)
    form = {"csrf_token": CSRF, "revision": "1", "name": "Mailbox", "address": "a@x.example", "active": "on"}
    assert (await web.browser.post("/admin/channels/c1", data=form)).status_code == 303
    changed = web.desk.directory.all(Channel)["c1"]
    assert (changed.name, changed.follow_up_days, changed.locale, changed.acknowledge) == ("Mailbox", 7, "de", False)
