"""Lists of tickets: what their rows show, in which order, and what a search finds."""

import re

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import (
    Address,
    PriorityChanged,
    TagsChanged,
)
from query_desk import ADA
from web_desk import WebDesk


def rows(page: str) -> list[str]:
    return re.findall(r'<li class="row[^"]*" id="[^"]+" data-ticket="[^"]+" data-number="(\d+)"', page)


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
