"""The layout of mails and their files, as harmless as they are shown."""

import obstore
import pytest

from deskwire_shared.contracts.facts import (
    Assigned,
    Attachment,
    CustomerReplied,
)
from query_desk import ADA, CORA, ticket_id
from web_desk import WebDesk


def a_file(key: str, filename: str, content_type: str) -> Attachment:
    return Attachment(key=key, filename=filename, content_type=content_type, size=7, sha256="0" * 64)


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
