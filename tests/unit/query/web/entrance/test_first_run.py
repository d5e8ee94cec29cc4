"""The first run: who becomes the first administrator, and with what a desk begins."""

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.staff import Agent, Team
from web_desk import PASSWORD, SETUP_TOKEN, WebDesk


async def test_the_first_administrator_gets_a_desk_to_start_with(web: WebDesk) -> None:
    web.browser.cookies.clear()
    form = {"token": SETUP_TOKEN, "name": "Mara", "email": "mara@desk.example", "password": PASSWORD,
            "time_zone": "Europe/Berlin"}  # fmt: skip
    answer = await web.browser.post("/setup", data=form)
    assert answer.status_code == 303
    directory = web.desk.directory
    mara = next(agent for agent in directory.all(Agent).values() if agent.name == "Mara")
    assert mara.role == "admin"
    assert [team.name for team in directory.all(Team).values()] == ["Support"]
    assert set(mara.team_ids) == set(directory.all(Team))
    assert [channel.address for channel in directory.all(Channel).values()] == ["support@localhost"]
    assert len(directory.all(SlaPolicy)) == 1
    assert (await web.browser.get("/")).status_code == 200


async def test_the_link_of_the_first_run_is_spent_by_its_use_and_not_by_a_mistake(web: WebDesk) -> None:
    form = {"token": SETUP_TOKEN, "name": "Mara", "email": "mara@desk.example", "password": "short"}
    assert "10 to 200 characters" in (await web.browser.post("/setup", data=form)).text
    good = {**form, "password": PASSWORD}
    assert (await web.browser.post("/setup", data=good)).status_code == 303
    assert (await web.browser.post("/setup", data=good)).status_code == 403


async def test_without_the_link_nobody_becomes_an_administrator(web: WebDesk) -> None:
    form = {"token": "guess", "name": "Eve", "email": "eve@desk.example", "password": PASSWORD}
    assert (await web.browser.post("/setup", data=form)).status_code == 403
    assert "This link is spent" in await web.page("/setup?token=guess", status=403)
    assert all(agent.name != "Eve" for agent in web.desk.directory.all(Agent).values())
