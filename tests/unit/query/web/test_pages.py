"""What all pages have in common: who may see them, and what they withstand."""

import asyncio
import re
from datetime import timedelta

import obstore
import pytest

from deskwire_query.web.entrance.pages import FAILURES_PER_ADDRESS
from deskwire_query.web.pages import FORM_BYTES
from deskwire_shared.contracts.access import Principal
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.identity import SESSION_COOKIE
from query_desk import MONDAY
from web_desk import CSRF, PASSWORD, WebDesk


def rows(page: str) -> list[str]:
    return re.findall(r'<li class="row[^"]*" id="[^"]+" data-ticket="[^"]+" data-number="(\d+)"', page)


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


@pytest.mark.parametrize(
    ("address", "status"),
    [("/?view=nowhere", 404), ("/?cursor=made-up", 400), ("/?rows=100000", 422), ("/tickets/99", 404), ("/nothing", 404),
     (f"/?q={'x' * 500}", 422), ("/admin/secrets", 404), ("/outbox/aaaaaaaaaaaaaaaa", 404)],
)  # fmt: skip
async def test_what_cannot_be_shown_has_a_page_in_style(web: WebDesk, address: str, status: int) -> None:
    assert "Go to the workspace" in await web.page(address, status=status)


async def test_the_outbox_shows_what_would_have_been_sent(web: WebDesk) -> None:
    assert "No mail has left the desk yet" in await web.page("/outbox")
    mail = b"From: desk@x\nTo: =?utf-8?q?Z=C3=B6e?= <zoe@x>\nSubject: Hello\n\nWords for <b>Z</b>\n"
    await obstore.put_async(web.objects, "outbox/aaaaaaaaaaaaaaaa.eml", mail)
    assert "Hello" in await web.page("/outbox")
    page = await web.page("/outbox/aaaaaaaaaaaaaaaa")
    assert "Zöe" in page
    assert "Words for &lt;b&gt;" in page


async def test_every_section_of_the_administration_has_words_for_when_it_is_empty(web: WebDesk) -> None:
    for section in ("teams", "channels", "policies", "calendars", "rules", "templates"):
        assert 'class="nothing"' in await web.page(f"/admin/{section}")


async def test_after_a_change_a_page_shows_it(web: WebDesk) -> None:
    await web.desk.open(1)
    assert rows(await web.page("/?view=open&after=1")) == ["1"]
    assert web.clock.now() == MONDAY
