"""A web form, from the browser's request to the ticket, on a real log."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from deskwire_intake.attachments import attachment_key
from deskwire_intake.channels.visitor_tokens import new_token
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.contracts.facts import Opened
from deskwire_shared.contracts.ids import person_id
from deskwire_shared.runtime.objects import Objects
from ticket_desk import ADMIN
from visitor_desk import FORM, SHOP, VisitorDesk, visitor_desk

WRITTEN = {"name": "Ann Lee", "address": "ann@example.com", "subject": "Where is it?", "message": "Order 7 is late."}
JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}


@pytest_asyncio.fixture
async def desk(fresh_nats: str, tmp_path: Path) -> AsyncIterator[VisitorDesk]:
    async with visitor_desk(fresh_nats, tmp_path) as running:
        yield running


async def _token(desk: VisitorDesk, *, age: float = 10, channel: str = FORM) -> str:
    runtime = desk.desk.runtime
    at = runtime.clock.now() - timedelta(seconds=age)
    return new_token("form", channel, at, await runtime.secrets.site_key())


async def _send(desk: VisitorDesk, token: str, headers: dict[str, str] = JSON, **sent: Any) -> httpx2.Response:
    files = sent.pop("files", None) or [("none", b"")]
    fields = {**WRITTEN, "token": token, **sent}
    return await desk.client.post(
        f"/intake/v1/forms/{FORM}", data=fields, files=files if files != [("none", b"")] else None, headers=headers
    )


async def test_a_form_becomes_a_ticket(desk: VisitorDesk) -> None:
    answer = await _send(desk, await _token(desk))
    assert answer.status_code == 201
    ticket = await desk.only_ticket()
    assert answer.json() == {"number": ticket.number}
    (opened,) = await desk.desk.facts(ticket.id, Opened)
    assert (opened.channel, opened.channel_id, opened.raw_key) == ("web", FORM, None)
    assert (opened.subject, opened.text) == ("Where is it?", "Order 7 is late.")
    assert (opened.author.name, opened.author.address) == ("Ann Lee", "ann@example.com")
    customer = await desk.desk.runtime.directory.fetch(Customer, ticket.requester_id)
    assert customer is not None
    assert customer.address == "ann@example.com"


async def test_the_page_works_without_any_script(desk: VisitorDesk) -> None:
    page = await desk.client.get(f"/intake/v1/forms/{FORM}", headers=HTML)
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None
    quick = await _send(desk, token[1], HTML)
    assert "That was quick" in quick.text
    assert token[1] in quick.text
    thanks = await _send(desk, await _token(desk), HTML)
    assert thanks.status_code == 200
    assert "Thank you" in thanks.text
    assert f"number {(await desk.only_ticket()).number}" in thanks.text


async def test_many_clicks_at_once_are_one_ticket(desk: VisitorDesk) -> None:
    token = await _token(desk)
    answers = await asyncio.gather(*(_send(desk, token) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["number"] for answer in answers}) == 1
    ticket = await desk.only_ticket()
    assert [message.text for message in ticket.messages] == ["Order 7 is late."]


async def test_other_words_in_the_same_form_are_not_lost(desk: VisitorDesk) -> None:
    token = await _token(desk)
    await _send(desk, token)
    await _send(desk, token, message="It was order 8.")
    ticket = await desk.only_ticket()
    assert [message.text for message in ticket.messages] == ["Order 7 is late.", "It was order 8."]


async def test_files_are_kept_and_stand_on_the_ticket(desk: VisitorDesk) -> None:
    files = [("files", ("../../a.png", b"picture", "image/png")), ("files", ("log.txt", b"words", "text/plain"))]
    assert (await _send(desk, await _token(desk), files=files)).status_code == 201
    (message,) = (await desk.only_ticket()).messages
    assert [(file.filename, file.content_type, file.size) for file in message.attachments] == [
        ("a.png", "image/png", 7),
        ("log.txt", "text/plain", 5),
    ]
    kept = Objects(desk.desk.runtime.objects)
    assert await kept.get(attachment_key(message.attachments[0].sha256)) == b"picture"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"website": "http://spam.example"}, "form-trapped"),
        ({"address": "nobody"}, "form-check"),
        ({"message": ""}, "form-check"),
        ({"message": "x" * 20_001}, "form-check"),
    ],
)
async def test_what_cannot_be_taken_is_told_and_opens_nothing(desk: VisitorDesk, changed: Any, code: str) -> None:
    answer = await _send(desk, await _token(desk), **changed)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith(code)
    assert await desk.tickets() == []


async def test_a_form_that_is_filled_in_by_a_program_is_refused(desk: VisitorDesk) -> None:
    assert (await _send(desk, await _token(desk, age=0))).json()["type"].endswith("form-too-quick")
    assert (await _send(desk, await _token(desk, age=90_000))).json()["type"].endswith("form-too-old")
    assert (await _send(desk, await _token(desk, channel="other"))).json()["type"].endswith("form-too-old")
    assert (await _send(desk, "forged")).json()["type"].endswith("form-too-old")
    assert await desk.tickets() == []


async def test_a_refused_form_keeps_what_was_written_and_shows_it_as_text(desk: VisitorDesk) -> None:
    answer = await _send(desk, await _token(desk), HTML, address="nobody", subject='"><script>alert(1)</script>')
    assert answer.status_code == 422
    assert "Order 7 is late." in answer.text
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert 'aria-describedby="problem-address"' in answer.text


async def test_too_many_and_too_large_files_are_refused(fresh_nats: str, tmp_path: Path) -> None:
    async with visitor_desk(fresh_nats, tmp_path, web_files=2, web_file_bytes=1_000_000) as desk:
        many = [("files", (f"{n}.txt", b"x", "text/plain")) for n in range(3)]
        assert (await _send(desk, await _token(desk), files=many)).json()["fields"].keys() == {"files"}
        large = [("files", ("a.bin", b"x" * 1_000_001, "text/plain"))]
        assert (await _send(desk, await _token(desk), files=large)).json()["fields"].keys() == {"files"}
        larger = [("files", ("a.bin", b"x" * 2_000_000, "text/plain"))]
        answer = await _send(desk, await _token(desk), files=larger)
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:deskwire:problem:body-too-large")
        assert await desk.tickets() == []


async def test_who_sends_too_often_is_asked_to_wait(fresh_nats: str, tmp_path: Path) -> None:
    async with visitor_desk(fresh_nats, tmp_path, web_client_rate=3) as desk:
        codes = [(await _send(desk, await _token(desk))).status_code for _ in range(4)]
        assert codes == [201, 201, 201, 429]
        refused = await _send(desk, await _token(desk))
        assert 1 <= int(refused.headers["Retry-After"]) <= 20
        assert refused.json()["type"].endswith("form-slow-down")
        assert len(await desk.tickets()) == 3


async def test_only_the_sites_of_the_channel_may_use_a_form(desk: VisitorDesk) -> None:
    for origin, allowed in ((SHOP, True), ("https://evil.example", False), ("null", False)):
        answer = await _send(desk, await _token(desk), {**JSON, "Origin": origin})
        assert answer.status_code == (201 if allowed else 403)
        assert answer.headers.get("Access-Control-Allow-Origin") == (SHOP if allowed else None)
        page = await desk.client.get(f"/intake/v1/forms/{FORM}", headers={"Origin": origin})
        assert page.headers.get("Access-Control-Allow-Origin") == (SHOP if allowed else None)
        assert page.headers["Vary"] == "Origin"
    assert len(await desk.tickets()) == 1


async def test_a_site_may_read_why_its_form_was_refused(desk: VisitorDesk) -> None:
    answer = await _send(desk, "forged", {**JSON, "Origin": SHOP})
    assert answer.status_code == 422
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP


async def test_only_the_sites_of_the_channel_may_frame_a_form(desk: VisitorDesk) -> None:
    page = await desk.client.get(f"/intake/v1/forms/{FORM}")
    assert f"frame-ancestors 'self' {SHOP}" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


async def test_there_is_no_form_where_none_was_made(desk: VisitorDesk) -> None:
    await desk.desk.put("mail", Channel(name="Mail", medium="email", address="a@example.com"))
    for channel in ("unknown", "mail", "help"):
        assert (await desk.client.get(f"/intake/v1/forms/{channel}")).status_code == 404
        assert (await desk.client.post(f"/intake/v1/forms/{channel}", data=WRITTEN)).status_code == 404


async def test_a_blocked_customer_is_told_and_opens_nothing(desk: VisitorDesk) -> None:
    runtime = desk.desk.runtime
    ann = person_id("ann@example.com", await runtime.secrets.site_key())
    await runtime.directory.put(ann, Customer(address="ann@example.com", blocked=True), actor=ADMIN)
    answer = await _send(desk, await _token(desk))
    assert (answer.status_code, answer.json()["title"]) == (403, "The form is not taken")
    assert await desk.tickets() == []


async def test_the_own_fields_of_a_form_stand_on_the_ticket(desk: VisitorDesk) -> None:
    form = {"fields": [{"name": "order", "label": "Order", "required": True}], "title": "Ask <us>"}
    await desk.desk.put(FORM, Channel.model_validate({"name": "Contact", "medium": "web", "form": form}))
    page = await desk.client.get(f"/intake/v1/forms/{FORM}")
    assert 'name="field_order"' in page.text
    assert "Ask &lt;us&gt;" in page.text
    assert (await _send(desk, await _token(desk))).json()["fields"].keys() == {"field_order"}
    assert (await _send(desk, await _token(desk), field_order="A-7")).status_code == 201
    assert (await desk.only_ticket()).fields == {"order": "A-7"}


async def test_what_was_taken_and_refused_is_counted(desk: VisitorDesk) -> None:
    token = await _token(desk)
    for _ in range(2):
        await _send(desk, token)
    await _send(desk, "forged")
    counted = desk.desk.runtime.registry.get_sample_value
    outcomes = {
        outcome: counted("deskwire_intake_messages_total", {"channel": "web", "outcome": outcome})
        for outcome in ("accepted", "repeated", "refused")
    }
    assert outcomes == {"accepted": 1, "repeated": 1, "refused": 1}


@pytest.mark.parametrize(
    "body",
    [b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n" + b"y" * 1000, b"\x00\xff" * 500],
)
async def test_a_broken_body_is_refused_clearly(desk: VisitorDesk, body: bytes) -> None:
    headers = {**JSON, "Content-Type": "multipart/form-data; boundary=x"}
    answer = await desk.client.post(f"/intake/v1/forms/{FORM}", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"
