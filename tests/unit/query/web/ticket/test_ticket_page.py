"""The page of a ticket: its story, and what may be done there."""

import re

from deskwire_shared.contracts.directory import ApiToken
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    Assigned,
    NoteAdded,
    ReplyBounced,
    Routed,
    StatusChanged,
    TagsChanged,
)
from query_desk import ADA
from web_desk import WebDesk


def rows(page: str) -> list[str]:
    return re.findall(r'<li class="row[^"]*" id="[^"]+" data-ticket="[^"]+" data-number="(\d+)"', page)


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
