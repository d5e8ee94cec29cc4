import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
import pytest_asyncio

from deskwire_query.web.entrance.pages import FAILURES_PER_ADDRESS
from deskwire_query.web.pages import FORM_BYTES
from deskwire_shared.contracts.access import Principal
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import ApiToken
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    Assigned,
    Attachment,
    CustomerReplied,
    NoteAdded,
    PriorityChanged,
    ReplyBounced,
    Routed,
    StatusChanged,
    TagsChanged,
)
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.identity import SESSION_COOKIE
from query_desk import ADA, CORA, MONDAY, ticket_id
from web_desk import CSRF, PASSWORD, SETUP_TOKEN, WebDesk, web_desk


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebDesk]:
    """A workspace with one administrator, signed in."""
    async with web_desk(f"sqlite+aiosqlite:///{tmp_path}/desk.db") as built:
        await built.hire()
        built.sign_in()
        yield built


def rows(page: str) -> list[str]:
    return re.findall(r'<li class="row[^"]*" id="[^"]+" data-ticket="[^"]+" data-number="(\d+)"', page)


# The frame and who may see it


async def test_a_page_trusts_scripts_with_its_own_nonce_only(web: WebDesk) -> None:
    first, second = [await web.browser.get("/") for _ in range(2)]
    policies = [answer.headers["Content-Security-Policy"] for answer in (first, second)]
    nonces = [re.findall(r"script-src 'nonce-([^']+)'", policy)[0] for policy in policies]
    assert nonces[0] != nonces[1]
    scripts = re.findall(r"<script[^>]*>", first.text)
    assert all(nonces[0] in script or "application/json" in script for script in scripts)
    assert "unsafe" not in policies[0]
    assert not re.search(r"\son\w+=", first.text)


async def test_somebody_without_a_session_is_sent_to_sign_in_and_back(web: WebDesk) -> None:
    web.browser.cookies.clear()
    answer = await web.browser.get("/tickets/7?view=open")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/signin?next=%2Ftickets%2F7%3Fview%3Dopen"


async def test_a_part_of_a_page_without_a_session_says_so(web: WebDesk) -> None:
    web.browser.cookies.clear()
    assert "Your session has ended" in await web.page("/", part="list", status=401)


async def test_an_agent_who_is_no_administrator_sees_no_settings(web: WebDesk) -> None:
    await web.hire("bob", role="agent", name="Bob")
    web.sign_in("bob")
    assert "Administration" not in await web.page("/")
    assert "This is not yours to see" in await web.page("/admin/agents", status=403)


async def test_a_change_that_another_site_sends_is_refused(web: WebDesk) -> None:
    answer = await web.browser.post("/signin", data={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/\r\nX: y"]
)
async def test_nobody_is_sent_to_another_site_after_signing_in(web: WebDesk, next_page: str) -> None:
    form = {"email": "ada@desk.example", "password": PASSWORD, "next": next_page}
    answer = await web.browser.post("/signin", data=form)
    assert answer.headers["Location"] == "/"


async def test_the_cookie_of_a_session_is_out_of_reach_of_scripts(web: WebDesk) -> None:
    answer = await web.browser.post("/signin", data={"email": "ADA@desk.example ", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=ada")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_guessing_a_password_is_slowed_down_even_with_the_right_one(web: WebDesk) -> None:
    for _ in range(FAILURES_PER_ADDRESS):
        answer = await web.browser.post("/signin", data={"email": "ada@desk.example", "password": "guess"})
        assert answer.status_code == 401
    form = {"email": "ada@desk.example", "password": PASSWORD}
    assert (await web.browser.post("/signin", data=form)).status_code == 429
    web.clock.advance(timedelta(minutes=16))
    assert (await web.browser.post("/signin", data=form)).status_code == 303


async def test_passwords_are_not_guessed_all_at_once(web: WebDesk) -> None:
    form = {"email": "ada@desk.example", "password": "guess"}
    answers = await asyncio.gather(*(web.browser.post("/signin", data=form) for _ in range(3 * FAILURES_PER_ADDRESS)))
    assert [answer.status_code for answer in answers].count(401) == FAILURES_PER_ADDRESS


async def test_signing_out_needs_the_token_of_the_session_and_ends_it(web: WebDesk) -> None:
    assert (await web.browser.post("/signout", data={})).status_code == 403
    assert (await web.browser.post("/signout", data={"csrf_token": CSRF})).status_code == 303
    web.sign_in()
    assert (await web.browser.get("/")).status_code == 303


async def test_a_form_that_is_too_large_is_refused_before_it_is_read(web: WebDesk) -> None:
    answer = await web.browser.post("/signin", data={"email": "x" * FORM_BYTES})
    assert answer.status_code == 413


async def test_a_page_says_when_a_part_of_the_desk_is_away(web: WebDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_cookie: str) -> Principal:
        raise EventStoreError("bucket SESSIONS does not answer")

    monkeypatch.setattr(web.sessions, "by_cookie", away)
    assert "A part of it does not answer" in await web.page("/", status=503)


# The first run


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


# The list


async def test_an_empty_desk_tells_how_to_send_the_first_mail(web: WebDesk) -> None:
    mailbox = Channel(name="Mail", medium="email", address="help@desk.example")
    await web.desk.directory.put("c1", mailbox, actor=ADA)
    page = await web.page("/")
    assert "127.0.0.1:2525" in page
    assert "help@desk.example" in page


async def test_an_empty_desk_without_a_mailbox_names_no_address_but_says_where_to_make_one(web: WebDesk) -> None:
    page = await web.page("/")
    assert "This desk has no mailbox yet" in page
    assert 'href="/admin/channels/new"' in page
    assert "support@localhost" not in page


async def test_an_empty_view_of_a_desk_with_tickets_says_what_it_means(web: WebDesk) -> None:
    await web.desk.open(1)
    assert "Nothing waits for you" in await web.page("/?view=mine")


async def test_a_row_shows_what_an_agent_chooses_by(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.desk.add(1, TagsChanged(added=("vip",), tags=("vip",)), PriorityChanged(before="normal", after="urgent"))
    row = await web.page("/?view=open", part="rows")
    for shown in (
        "#1",
        "The printer is on fire",
        "Please help.",
        "Cora Customer",
        "Urgent",
        "New",
        "vip",
        "Unassigned",
    ):
        assert shown in row


async def test_what_customers_write_is_text_and_never_mark_up(web: WebDesk) -> None:
    await web.desk.open(
        1, subject="<script>1</script>", text="<b hx-get='/x'>", author=Address(address="c@x", name="<i>")
    )
    page = await web.page("/tickets/1?view=open")
    for trap in ("<script>1", "<b hx-get", "<i>"):
        assert trap not in page
    assert "&lt;script&gt;1&lt;/script&gt;" in page


async def test_a_long_list_comes_in_pieces_without_a_gap(web: WebDesk) -> None:
    for number in range(1, 61):
        await web.desk.open(number)
    page = await web.page("/?view=open")
    cursor = re.search(r'data-cursor="([^"]+)"', page)
    assert cursor is not None
    more = await web.page(f"/?view=open&cursor={cursor[1]}", part="rows")
    assert sorted(map(int, rows(page) + rows(more))) == list(range(1, 61))
    assert "data-cursor" not in more


async def test_a_list_is_sorted_as_asked(web: WebDesk) -> None:
    for number in (1, 2, 3):
        await web.desk.open(number)
    assert rows(await web.page("/?view=open&sort=number&descending=false")) == ["1", "2", "3"]
    assert rows(await web.page("/?view=open&sort=number")) == ["3", "2", "1"]


async def test_a_search_lists_what_matches(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.desk.open(2, subject="Where is my umbrella?")
    assert rows(await web.page("/?q=umbrella")) == ["2"]
    assert "Nothing matches" in await web.page("/?q=submarine")
    assert [found["number"] for found in (await web.browser.get("/palette?q=umbrella")).json()] == [2]


async def test_a_search_marks_what_matched_and_escapes_the_rest(web: WebDesk) -> None:
    await web.desk.open(1, text="The <b>blue</b> umbrella, please.")
    page = await web.page("/?q=umbrella")
    assert "<mark>umbrella</mark>, please." in page
    assert "<b>blue" not in page


@pytest.mark.parametrize(
    ("address", "status"),
    [("/?view=nowhere", 404), ("/?cursor=made-up", 400), ("/?rows=100000", 422), ("/tickets/99", 404), ("/nothing", 404),
     (f"/?q={'x' * 500}", 422), ("/admin/secrets", 404), ("/outbox/aaaaaaaaaaaaaaaa", 404)],
)  # fmt: skip
async def test_what_cannot_be_shown_has_a_page_in_style(web: WebDesk, address: str, status: int) -> None:
    assert "Go to the workspace" in await web.page(address, status=status)


# The ticket


async def test_a_ticket_tells_its_story_in_order(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.desk.add(1, NoteAdded(person_id="cora", message_id="n1", agent_id=ADA.id, text="A big customer"))
    reply = AgentReplied(person_id="cora", message_id="r1", agent_id=ADA.id, text="We are on our way")
    await web.desk.add(1, reply, StatusChanged(before="new", after="pending"))
    page = await web.page("/tickets/1", part="ticket")
    places = [
        page.index(words)
        for words in ("Please help.", "A big customer", "We are on our way", "set the status to Pending")
    ]
    assert places == sorted(places)
    assert "Internal note" in page


async def test_what_a_program_wrote_bears_its_name(web: WebDesk) -> None:
    await web.desk.directory.put("shop", ApiToken(name="Web shop", secret_sha256="0" * 64, scopes=()), actor=ADA)
    await web.desk.open(1)
    await web.desk.add(1, NoteAdded(person_id="cora", message_id="n1", agent_id="shop", text="Order 1042"))
    assert "Web shop" in await web.page("/tickets/1", part="ticket")


async def test_an_answer_that_bounced_says_why(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.desk.add(1, AgentReplied(person_id="cora", message_id="r1", agent_id=ADA.id, text="Hello"))
    await web.desk.add(1, ReplyBounced(person_id="cora", message_id="r1", reason="mailbox full"))
    page = await web.page("/tickets/1", part="ticket")
    assert "Not delivered" in page
    assert "mailbox full" in page


async def test_many_changes_are_folded(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.desk.add(1, Routed(team_id="t1"), Assigned(agent_id=ADA.id), TagsChanged(added=("a",), tags=("a",)))
    assert "3 changes" in await web.page("/tickets/1", part="ticket")


async def test_the_other_tickets_of_a_customer_stand_beside(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.desk.open(2, subject="The scanner, too")
    assert "The scanner, too" in await web.page("/tickets/1", part="ticket")


async def test_a_customers_tickets_are_found_by_an_address_with_a_plus(web: WebDesk) -> None:
    await web.desk.open(1, author=Address(address="cora+shop@example.com"))
    found = await web.browser.get("/customers/cora")
    assert found.status_code == 303
    assert rows(await web.page(found.headers["Location"])) == ["1"]


async def test_a_light_agent_may_leave_a_note_and_nothing_else(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.hire("lou", role="light_agent", name="Lou")
    web.sign_in("lou")
    page = await web.page("/tickets/1", part="ticket")
    assert 'data-mode-choice="note"' in page
    assert 'data-mode-choice="reply"' not in page
    assert page.count("disabled>") == 5


async def test_a_closed_ticket_takes_no_answer(web: WebDesk) -> None:
    await web.desk.open(1)
    await web.desk.add(1, StatusChanged(before="new", after="closed"))
    page = await web.page("/tickets/1", part="ticket")
    assert "This ticket is closed" in page
    assert 'data-mode-choice="reply"' not in page


# Mails and files


async def test_the_layout_of_a_mail_is_shown_in_a_frame_that_can_do_nothing(web: WebDesk) -> None:
    html = '<p>Hello<script>1</script><img src="https://t.example/x.gif"></p>'
    await web.desk.open(1, html=html)
    assert f'src="/tickets/{ticket_id(1)}/messages/1"' in await web.page("/tickets/1", part="ticket")
    answer = await web.browser.get(f"/tickets/{ticket_id(1)}/messages/1")
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "https:" not in policy
    assert "<script" not in answer.text
    assert "1 remote image was not loaded" in answer.text


async def test_remote_images_are_loaded_for_the_agent_who_asks(web: WebDesk) -> None:
    await web.desk.open(1, html='<img src="https://t.example/x.gif">')
    answer = await web.browser.get(f"/tickets/{ticket_id(1)}/messages/1?images=1")
    assert "https://t.example/x.gif" in answer.text
    assert "img-src 'self' data: https:" in answer.headers["Content-Security-Policy"]


async def test_an_answer_is_shown_as_the_words_above_its_quotes(web: WebDesk) -> None:
    await web.desk.open(1)
    reply = CustomerReplied(person_id="cora", author_id="cora", message_id="m9", channel="email", author=CORA,
                            text="Yes, please", html="<p>Yes, please</p>", quoted="> Shall we?",
                            signature="-- \nCora")  # fmt: skip
    await web.desk.add(1, reply)
    page = await web.page("/tickets/1", part="ticket")
    assert "Yes, please" in page
    assert "Show the signature" in page
    assert "Show the quoted text" in page
    assert "Original layout" in page


async def test_a_picture_is_shown_and_everything_else_is_saved(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "k1", b"picture")
    await obstore.put_async(web.objects, "k2", b"<script>1</script>")
    await web.desk.open(1, attachments=(a_file("k1", "cat.png", "image/png"), a_file("k2", "page.html", "text/html")))
    picture = await web.browser.get(f"/attachments/{ticket_id(1)}/1/0/cat.png", follow_redirects=True)
    assert (picture.content, picture.headers["Content-Type"]) == (b"picture", "image/png")
    page = await web.browser.get(f"/attachments/{ticket_id(1)}/1/1/page.html", follow_redirects=True)
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in page.headers["Content-Security-Policy"]


async def test_a_name_of_a_file_cannot_break_out_of_its_header(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "k1", b"x")
    await web.desk.open(1, attachments=(a_file("k1", 'ü"\r\nSet-Cookie: a=b;.txt', "text/plain"),))
    answer = await web.browser.get(f"/attachments/{ticket_id(1)}/1/0/x", follow_redirects=True)
    assert "Set-Cookie" not in answer.headers
    assert "%22" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("place", ["1/5/x", "2/0/x", "9/0/x"])
async def test_there_are_no_files_beyond_those_of_messages(web: WebDesk, place: str) -> None:
    await web.desk.open(1)
    await web.desk.add(1, Assigned(agent_id=ADA.id))
    assert (await web.browser.get(f"/attachments/{ticket_id(1)}/{place}")).status_code == 404


def a_file(key: str, filename: str, content_type: str) -> Attachment:
    return Attachment(key=key, filename=filename, content_type=content_type, size=7, sha256="0" * 64)


# Outbox and administration


async def test_the_outbox_shows_what_would_have_been_sent(web: WebDesk) -> None:
    assert "No mail has left the desk yet" in await web.page("/outbox")
    mail = b"From: desk@x\nTo: =?utf-8?q?Z=C3=B6e?= <zoe@x>\nSubject: Hello\n\nWords for <b>Z</b>\n"
    await obstore.put_async(web.objects, "outbox/aaaaaaaaaaaaaaaa.eml", mail)
    assert "Hello" in await web.page("/outbox")
    page = await web.page("/outbox/aaaaaaaaaaaaaaaa")
    assert "Zöe" in page
    assert "Words for &lt;b&gt;" in page


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


async def test_every_section_of_the_administration_has_words_for_when_it_is_empty(web: WebDesk) -> None:
    for section in ("teams", "channels", "policies", "calendars", "rules", "templates"):
        assert 'class="nothing"' in await web.page(f"/admin/{section}")


async def test_after_a_change_a_page_shows_it(web: WebDesk) -> None:
    await web.desk.open(1)
    assert rows(await web.page("/?view=open&after=1")) == ["1"]
    assert web.clock.now() == MONDAY
