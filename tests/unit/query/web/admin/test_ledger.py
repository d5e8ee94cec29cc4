"""The page of the ledger: who sees it, what stands on it, and a second try for what was parked."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import obstore
import pytest
import pytest_asyncio

from deskwire_query.arrivals.following import PLACES
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.intake_ledger import Via, message_digest
from ledger_entries import MONDAY, a_parked_entry, an_entry, enter
from query_desk import ADA
from web_desk import CSRF, WebDesk, web_desk


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebDesk]:
    async with web_desk(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}") as web:
        await web.hire()
        web.sign_in()
        channel = Channel(name="Help", medium="email", address="support@example.com")
        await web.desk.directory.put("support", channel, actor=ADA)
        yield web


def entry_id() -> str:
    """The id of the entry that was put in first."""
    return str(PLACES)


async def test_a_message_stands_with_its_ticket_and_its_totals(web: WebDesk) -> None:
    await enter(web.desk.database, an_entry(number=12), an_entry(source="7:2", decision="replied", number=12))
    shown = await web.page("/admin/ledger")
    assert '<a href="/tickets/12">Opened #12</a>' in shown
    assert '<th scope="row">Help</th><td>IMAP</td>' in shown
    assert "<strong>2</strong>" in shown


@pytest.mark.parametrize("via", get_args(Via))
async def test_every_way_that_a_message_may_come_has_its_words(web: WebDesk, via: Via) -> None:
    await enter(web.desk.database, an_entry(via=via, channel_id=None, mailbox="", source="s1"))
    assert re.search(r'<th scope="row">no channel</th><td>[A-Za-z][A-Za-z ]+</td>', await web.page("/admin/ledger"))


async def test_an_empty_ledger_says_so(web: WebDesk) -> None:
    assert "Nothing came in" in await web.page("/admin/ledger")


async def test_a_mail_is_found_by_its_message_id_however_old_it_is(web: WebDesk) -> None:
    await enter(
        web.desk.database, an_entry(at=MONDAY.replace(year=2025), message_digest=message_digest("m1@example.org"))
    )
    assert "Opened #1" not in await web.page("/admin/ledger?span=day")
    assert "Opened #1" in await web.page("/admin/ledger?span=day&message=%3Cm1@example.org%3E")
    assert "never reached this desk" in await web.page("/admin/ledger?message=m2@example.org")


@pytest.mark.parametrize("role", ["lead", "agent", "light_agent"])
async def test_only_administrators_see_the_ledger(web: WebDesk, role: str) -> None:
    await enter(web.desk.database, an_entry())
    await web.hire("bob", role=role, name="Bob")  # type: ignore[arg-type]  # one of the roles
    web.sign_in("bob")
    await web.page("/admin/ledger", status=403)
    await web.page(f"/admin/ledger/{entry_id()}/raw", status=403)


async def test_a_message_can_be_saved_as_it_came_and_never_acts_as_a_page(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "raw/ab/abcd", b"Subject: <script>\r\n\r\nHello")
    await enter(web.desk.database, an_entry())
    answer = await web.browser.get(f"/admin/ledger/{entry_id()}/raw")
    assert answer.content == b"Subject: <script>\r\n\r\nHello"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{entry_id()}.eml"'


async def test_a_message_that_is_no_longer_in_the_store_is_told_plainly(web: WebDesk) -> None:
    await enter(web.desk.database, an_entry())
    assert "no longer in the store" in await web.page(f"/admin/ledger/{entry_id()}/raw", status=404)
    await web.page("/admin/ledger/99/raw", status=404)


async def test_a_parked_message_is_tried_again_as_long_as_it_waits(web: WebDesk) -> None:
    await enter(web.desk.database, a_parked_entry(parked=4))
    replay = f"/admin/ledger/{entry_id()}/replay"
    assert replay not in await web.page("/admin/ledger")
    web.parked.reasons[4] = ""
    shown = await web.page("/admin/ledger")
    assert replay in shown
    assert "the sender is blocked" in shown
    answer = await web.browser.post(replay, data={"csrf_token": CSRF})
    assert (answer.status_code, web.parked.reasons) == (303, {})


async def test_a_second_try_that_fails_says_why(web: WebDesk) -> None:
    await enter(web.desk.database, a_parked_entry(parked=4))
    web.parked.reasons[4] = "<still> blocked"
    answer = await web.browser.post(f"/admin/ledger/{entry_id()}/replay", data={"csrf_token": CSRF})
    assert answer.status_code == 422
    assert "&lt;still&gt; blocked" in answer.text


async def test_what_is_no_longer_parked_is_not_tried_again(web: WebDesk) -> None:
    await enter(web.desk.database, a_parked_entry(parked=4))
    answer = await web.browser.post(f"/admin/ledger/{entry_id()}/replay", data={"csrf_token": CSRF})
    assert "no longer parked" in answer.text


async def test_nobody_tries_again_by_a_link_of_another_site(web: WebDesk) -> None:
    await enter(web.desk.database, a_parked_entry(parked=4))
    web.parked.reasons[4] = ""
    answer = await web.browser.post(f"/admin/ledger/{entry_id()}/replay", data={})
    assert (answer.status_code, web.parked.reasons) == (403, {4: ""})
