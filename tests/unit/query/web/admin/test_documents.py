"""The pages of the administration: making, changing, bringing back, deleting."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from pydantic import JsonValue

from deskwire_intake.mappings import shipped_mapping as inbound
from deskwire_notify.mappings import shipped_mapping as outbound
from deskwire_query.web.admin.forms.channels import MAPPING_SECRETS, MAPPING_VALUES, MAPPINGS, SECRET
from deskwire_query.web.admin.forms.condition_fields import AREAS
from deskwire_query.web.admin.forms.form import LONGEST_SECRET
from deskwire_query.web.admin.sections import SECTIONS
from deskwire_query.web.admin.uses import references
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import ApiToken, Calendar, Customer, Organisation, Template
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Macro, Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.ticket.conditions import ticket_context
from deskwire_shared.ticket.state import Ticket
from query_desk import ADA, MONDAY
from web_desk import CSRF, WebDesk, web_desk

BOB = Actor(kind="agent", id="bob")
D = TypeVar("D", bound=Document)

OFFICE = Calendar(name="Office", time_zone="UTC", hours={"mon": (("09:00", "17:00"),)})


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebDesk]:
    """A workspace with one administrator, signed in."""
    async with web_desk(f"sqlite+aiosqlite:///{tmp_path}/desk.db") as desk:
        await desk.hire()
        desk.sign_in()
        yield desk


async def post(web: WebDesk, path: str, *, status: int = 303, **form: str) -> str:
    named = {name.replace("__", "."): value for name, value in form.items()}
    answer = await web.browser.post(f"/admin/{path}", data={"csrf_token": CSRF, "revision": "0", **named})
    assert answer.status_code == status, answer.text
    return answer.headers.get("location", "") or answer.text


def only(web: WebDesk, model: type[D]) -> tuple[str, D]:
    ((key, document),) = web.desk.directory.all(model).items()
    return key, document


@pytest.mark.parametrize("section", SECTIONS)
async def test_every_section_can_be_looked_at_empty_and_anew(web: WebDesk, section: str) -> None:
    assert SECTIONS[section].lead in await web.page(f"/admin/{section}")
    if not SECTIONS[section].grows_by_itself:
        assert "Add" in await web.page(f"/admin/{section}/new")


async def test_a_new_webhook_leads_to_its_signing_secret(web: WebDesk) -> None:
    place = await post(web, "webhooks/new", name="Shop", url="https://shop.example/hook", active="on")
    key, _ = only(web, Webhook)
    assert place == f"/admin/webhooks/{key}?saved=1"
    assert "nothing is called without one" in await web.page(place)
    await web.sessions.set_webhook(key, b'{"signing": "whsec_"}')
    assert "nothing is called without one" not in await web.page(place)


async def test_a_calendar_is_made_from_its_week(web: WebDesk) -> None:
    await post(
        web, "calendars/new", name="Berlin", time_zone="Europe/Berlin", hours__mon__0__from="9", hours__mon__0__to="12:00",
        hours__mon__1__from="13:00", hours__mon__1__to="24:00", holidays__country="DE", holidays__region="BE",
        holidays__yearly="12-24\r\n12-31", holidays__dates="", exceptions__0__key="2026-12-30",
    )  # fmt: skip
    _, calendar = only(web, Calendar)
    assert calendar.hours == {"mon": (("09:00", "12:00"), ("13:00", "24:00"))}
    assert (calendar.holidays.region, calendar.holidays.yearly) == ("BE", ("12-24", "12-31"))
    assert list(calendar.exceptions.values()) == [()]


async def test_a_policy_promises_amounts_of_time_as_people_write_them(web: WebDesk) -> None:
    await post(
        web, "policies/new", name="Gold", active="on", targets__first_response__urgent="30m",
        targets__resolution__low="2d", warn_at="50 %, 75 %", calendar_id="", pause_on="pending",
    )  # fmt: skip
    _, policy = only(web, SlaPolicy)
    assert [(target.metric, target.seconds) for target in policy.targets] == [
        ("first_response", {"urgent": 1800}),
        ("resolution", {"low": 172_800}),
    ]
    assert (policy.warn_at, policy.pause_on) == ((0.5, 0.75), ("pending",))


async def test_a_form_grows_by_a_button_without_any_script(web: WebDesk) -> None:
    shown = await post(web, "rules/new", status=200, name="Fires", edit="add:conditions.all")
    assert 'name="conditions.all.0.value"' in shown
    assert 'value="Fires"' in shown
    assert web.desk.directory.all(Rule) == {}


async def test_what_is_wrong_stands_at_its_field(web: WebDesk) -> None:
    shown = await post(web, "rules/new", status=422, name="Fires", actions__0__do="set_team")
    assert 'id="f-actions-0-set_team-team_id-wrong"' in shown
    assert "Nothing was saved: one field needs another look." in shown


@pytest.mark.parametrize("edit", ["explode:actions", "add:name", "up:" + "a." * 30])
async def test_an_edit_that_no_button_asks_for_is_refused(web: WebDesk, edit: str) -> None:
    await post(web, "rules/new", status=400, name="Fires", edit=edit)


async def test_the_order_of_rules_is_changed_one_place_at_a_time(web: WebDesk) -> None:
    for key, order in (("a", 5), ("b", 5), ("c", 70)):
        rule = Rule.model_validate({"name": key, "order": order, "actions": [{"do": "unassign"}]})
        await web.desk.directory.put(key, rule, actor=ADA)
    await post(web, "rules/c/move", direction="up")
    rules = web.desk.directory.all(Rule)
    assert sorted(rules, key=lambda key: rules[key].order) == ["a", "c", "b"]
    await post(web, "rules/a/move", direction="up")
    assert web.desk.directory.revision(Rule, "a") == 2


async def test_a_new_rule_comes_last(web: WebDesk) -> None:
    rule = Rule.model_validate({"name": "R", "order": 70, "actions": [{"do": "unassign"}]})
    await web.desk.directory.put("r", rule, actor=ADA)
    assert 'name="order" type="number" value="80"' in await web.page("/admin/rules/new")


async def test_a_rule_is_switched_off_and_on_in_the_list(web: WebDesk) -> None:
    await web.desk.directory.put("r", Rule.model_validate({"name": "R", "actions": [{"do": "unassign"}]}), actor=ADA)
    await post(web, "rules/r/active", revision="1")
    assert not web.desk.directory.all(Rule)["r"].active
    await post(web, "rules/r/active", status=409, revision="1")
    await post(web, "rules/r/active", revision="2")
    assert web.desk.directory.all(Rule)["r"].active


async def test_history_tells_who_changed_what(web: WebDesk) -> None:
    await web.hire("bob", "agent", "Bob Mason")
    await web.desk.directory.put("t1", Team(name="Support", calendar_id="c1"), actor=ADA)
    await web.desk.directory.put("c1", OFFICE, actor=ADA)
    await web.desk.directory.put("t1", Team(name="Care", calendar_id="c1"), actor=BOB)
    page = await web.page("/admin/teams/t1/history")
    assert "Bob Mason" in page
    assert "<del>Support</del>" in page
    assert "<ins>Care</ins>" in page
    assert "<ins>Office</ins>" in page


async def test_an_older_revision_is_brought_back_as_the_newest_one(web: WebDesk) -> None:
    await web.desk.directory.put("t1", Team(name="Support"), actor=ADA)
    await web.desk.directory.put("t1", Team(name="Care"), actor=BOB)
    await post(web, "teams/t1/restore", revision="1", seen="2")
    assert web.desk.directory.all(Team)["t1"].name == "Support"
    assert web.desk.directory.revision(Team, "t1") == 3
    await post(web, "teams/t1/restore", status=409, revision="2", seen="2")
    await post(web, "teams/t1/restore", status=404, revision="9", seen="3")


async def test_a_deleted_document_can_be_brought_back(web: WebDesk) -> None:
    await web.desk.directory.put("m1", Macro(name="Ask"), actor=ADA)
    listed = await web.page(await post(web, "macros/m1/delete", revision="1"))
    assert 'href="/admin/macros/m1/history"' in listed
    assert "Restore" in await web.page("/admin/macros/m1/history")
    await post(web, "macros/m1/restore", revision="1", seen="2")
    assert web.desk.directory.all(Macro)["m1"].name == "Ask"


async def test_what_is_in_use_is_not_deleted(web: WebDesk) -> None:
    await web.desk.directory.put("c1", OFFICE, actor=ADA)
    asked = {"all": [{"field": "calendar.c1.open", "op": "is", "value": False}]}
    rule = {"name": "At night", "conditions": asked, "actions": [{"do": "set_team", "team_id": "t1"}]}
    await web.desk.directory.put("r1", Rule.model_validate(rule), actor=ADA)
    await web.desk.directory.put("t1", Team(name="Night", calendar_id="c1"), actor=ADA)
    page = await web.page("/admin/calendars/c1/delete")
    assert 'href="/admin/rules/r1"' in page
    assert 'href="/admin/teams/t1"' in page
    await post(web, "calendars/c1/delete", status=200, revision="1")
    assert "c1" in web.desk.directory.all(Calendar)
    assert 'href="/admin/rules/r1"' in await web.page("/admin/teams/t1/delete")


async def test_a_word_that_happens_to_be_an_id_is_no_use_of_it(web: WebDesk) -> None:
    document: JsonValue = {"tags": ["t1"], "name": "t1", "actions": [{"do": "add_followers", "agent_ids": ["a1"]}]}
    assert references(document) == {("agent", "a1")}


async def test_the_last_administrator_is_not_deleted(web: WebDesk) -> None:
    shown = await post(web, "agents/ada/delete", status=409, revision="1")
    assert "Somebody must stay an administrator" in shown


async def test_a_change_that_came_too_late_is_told_with_what_was_not_saved(web: WebDesk) -> None:
    await web.desk.directory.put("t1", Team(name="Support"), actor=ADA)
    await web.desk.directory.put("t1", Team(name="Care"), actor=BOB)
    shown = await post(web, "teams/t1", status=422, revision="1", name="Help", assignment="manual")
    assert "Somebody changed this in between" in shown
    assert "<strong>Name</strong> Help" in shown
    assert 'value="Care"' in shown
    await post(web, "teams/t1", revision="2", name="Help", assignment="manual")


# Secrets


async def test_the_password_of_a_mailbox_is_kept_and_never_shown(web: WebDesk) -> None:
    location = await post(
        web, "channels/new", medium="email", name="Mail", address="a@x.example", imap__used="on", imap__host="imap.x.example",
        imap__port="993", imap__tls="implicit", imap__username="a", imap__folder="INBOX", imap__after="keep_flagged",
        imap__poll_seconds="60", imap__move_to="", imap__since="", password="hush hush",
    )  # fmt: skip
    key, channel = only(web, Channel)
    assert "hush" not in channel.model_dump_json()
    assert json.loads(web.sessions.secrets[key].value) == {"password": "hush hush"}
    page = await web.page(location)
    assert "Kept now: Password." in page
    assert "hush" not in page


async def test_a_secret_that_is_left_empty_stays(web: WebDesk) -> None:
    await web.desk.directory.put("h", Channel.model_validate({
        "name": "Slack", "medium": "webhook", "webhook": {"mapping": "slack"}}), actor=ADA)  # fmt: skip
    await web.sessions.set_channel("h", b'{"signing": "one", "bot_token": "two"}')
    await post(web, "channels/h", revision="1", name="Slack", webhook__mapping="slack", signing="", bot_token="three")
    assert json.loads(web.sessions.secrets["h"].value) == {"signing": "one", "bot_token": "three"}


async def test_a_secret_is_kept_whole_or_refused(web: WebDesk) -> None:
    await web.desk.directory.put("h", Channel.model_validate({
        "name": "Slack", "medium": "webhook", "webhook": {"mapping": "slack"}}), actor=ADA)  # fmt: skip
    form = {"revision": "1", "name": "Slack", "webhook__mapping": "slack", "signing": "s" * (LONGEST_SECRET + 1)}
    page = await post(web, "channels/h", status=422, **form)
    assert f"At most {LONGEST_SECRET} characters fit." in page
    assert "sss" not in page
    assert not web.sessions.secrets


async def test_a_secret_of_a_form_that_comes_too_late_is_not_kept(web: WebDesk) -> None:
    for name in ("Slack", "Chatter"):
        await web.desk.directory.put("h", Channel.model_validate({
            "name": name, "medium": "webhook", "webhook": {"mapping": "slack"}}), actor=ADA)  # fmt: skip
    await post(web, "channels/h", status=422, revision="1", name="Slack", webhook__mapping="slack", signing="one")
    assert not web.sessions.secrets


async def test_nobody_gives_a_token_more_than_they_may_themselves(
    web: WebDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def a_narrow_administrator(cookie: str) -> Principal:
        return Principal("agent", cookie, "Ada", frozenset({"directory:write", "admin"}), csrf=CSRF)

    monkeypatch.setattr(web.sessions, "by_cookie", a_narrow_administrator)
    await web.desk.directory.put("k", ApiToken(name="K", secret_sha256="7" * 64, scopes=()), actor=ADA)
    await post(web, "tokens/k", status=403, revision="1", name="K", scopes="feed:internal", active="on")
    assert web.desk.directory.all(ApiToken)["k"].scopes == ()


async def test_an_api_token_is_shown_once(web: WebDesk) -> None:
    shown = await post(web, "tokens/new", status=200, name="Shop", scopes="tickets:read", expires_at="", active="on")
    assert "dw_token_secret" in shown
    assert "dw_token_secret" not in await web.page("/admin/tokens")
    assert "dw_token_secret" not in await web.page("/admin/tokens/token/history")


async def test_changing_a_token_keeps_its_secret(web: WebDesk) -> None:
    await web.desk.directory.put("k", ApiToken(name="K", secret_sha256="7" * 64, scopes=("tickets:read",)), actor=ADA)
    await post(web, "tokens/k", revision="1", name="Kiosk", scopes="tickets:read", active="on")
    assert web.desk.directory.all(ApiToken)["k"].secret_sha256 == "7" * 64
    assert "777777" not in await web.page("/admin/tokens/k/history")


# Beside the form


async def test_a_form_channel_says_how_it_is_embedded(web: WebDesk) -> None:
    await web.desk.directory.put("contact", Channel(name="Form", medium="web"), actor=ADA)
    page = await web.page("/admin/channels/contact")
    assert "/intake/v1/forms/form.js" in page
    assert "data-channel=&#34;contact&#34;" in page


async def test_a_template_is_previewed_and_says_why_it_cannot_be_used(web: WebDesk) -> None:
    await web.desk.directory.put("t", Template(name="T", purpose="acknowledgement", subject="S", body="x"), actor=ADA)
    form = {"revision": "1", "name": "T", "purpose": "acknowledgement", "locale": "en", "subject": "S"}
    assert "Dear Ann Lee" in await post(
        web, "templates/t", status=200, **form, body="Dear {{ customer.name }}", edit="shape:"
    )
    loop = "{% for n in [1] %}{{ n }}{% endfor %}"
    assert "a template cannot use for" in await post(web, "templates/t", status=200, **form, body=loop, edit="shape:")


async def test_a_draft_is_rehearsed_on_the_last_thirty_days(web: WebDesk) -> None:
    sent = {"csrf_token": CSRF, "name": "Fires", "actions.0.do": "unassign", "trigger": "opened"}
    asked = (await web.browser.post("/admin/rules/new/draft", data=sent)).json()
    assert asked["since"] == (MONDAY - timedelta(days=30)).isoformat()
    assert Rule.model_validate(asked["rules"]["draft"]).name == "Fires"
    refused = await web.browser.post("/admin/rules/new/draft", data={**sent, "name": ""})
    assert refused.status_code == 422
    assert "Name is missing" in refused.json()["detail"]
    assert web.desk.directory.all(Rule) == {}


async def test_a_customer_whom_nobody_wrote_down_yet_can_be_blocked(web: WebDesk) -> None:
    ticket_id = await web.desk.open(1)
    requester = (await web.desk.reader.ticket(str(ticket_id or 1))).requester_id
    assert requester is not None
    await web.page(f"/admin/customers/{requester}")
    await post(web, f"customers/{requester}", name="Ann", notes="Rude.", blocked="on", locale="", organisation_id="")
    stored = await web.desk.directory.fetch(Customer, requester)
    assert stored is not None
    assert (stored.blocked, stored.notes) == (True, "Rude.")


async def test_an_organisation_has_its_domains(web: WebDesk) -> None:
    await post(web, "organisations/new", name="Lamp Inc", domains="lamp.example\r\nlamp.test", tags="gold, big")
    _, organisation = only(web, Organisation)
    assert (organisation.domains, organisation.tags) == (("lamp.example", "lamp.test"), ("gold", "big"))


async def test_settings_without_people_are_closed_to_who_may_change_settings_only(web: WebDesk) -> None:
    await web.hire("eve", "lead", "Eve")
    web.sign_in("eve")
    for section in SECTIONS:
        await web.page(f"/admin/{section}", status=403)


async def test_people_are_found_who_share_an_address_only_when_they_may_sign_in(web: WebDesk) -> None:
    await web.desk.directory.put("old", Agent(email="bo@x.example", name="Bo", active=False), actor=ADA)
    await post(web, "agents/new", name="Bo", email="bo@x.example", role="agent", active="on", password="long enough pw")


# Against what other parts of the desk say


def test_what_conditions_can_ask_about_is_offered() -> None:
    offered = {asked.path for fields in AREAS.values() for asked in fields}
    known = set(ticket_context(Ticket(id="t"), Customer(address="a@x.example"), Organisation(name="O")))
    missing = {path for path in known if not path.endswith(".kind")} - offered
    assert missing == set()


def test_the_mappings_that_come_along_ask_for_what_they_name() -> None:
    for name in MAPPINGS:
        there, back = inbound(name), outbound(name)
        named = set(SECRET.findall(back.model_dump_json())) if back else set()
        verified = {"verify"} if there and there.challenge and there.challenge.kind == "hub" else set()
        assert set(MAPPING_SECRETS[name]) == {"signing", *named, *verified}, name
        values = set(re.findall(r"\{channel\.([a-z_]+)\}", back.model_dump_json())) if back else set()
        assert set(MAPPING_VALUES.get(name, {})) == values, name
