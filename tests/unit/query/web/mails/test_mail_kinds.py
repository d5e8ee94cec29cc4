"""What a ticket's page says of a mail besides its words, and how its files are given out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import obstore
import pytest

from deskwire_query.web.mails.marks import invitation_cards, sender_mark, when
from deskwire_query.web.ticket.file_addresses import VALID_SECONDS, FileAddresses
from deskwire_shared.contracts.facts import Attachment, Redacted
from deskwire_shared.contracts.mails import Authentication, EnclosedMail, Invitation
from deskwire_shared.runtime.identity import SESSION_COOKIE
from query_desk import ADA, ticket_id
from web_desk import WebDesk, web_desk

CET = timezone(timedelta(hours=1))
CALL = Invitation(
    method="request",
    summary="Call <b>",
    starts_at=datetime(2026, 11, 24, 10, tzinfo=CET),
    ends_at=datetime(2026, 11, 24, 11, 30, tzinfo=CET),
    time_zone="Europe/Berlin",
    location="Room 1",
    organiser="Nora <nora@example.net>",
)
VERIFIED = Authentication(relay="mx.example.com", sender="verified", domain="example.org", dmarc="pass")


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebDesk]:
    async with web_desk(f"sqlite+aiosqlite:///{tmp_path}/desk.db") as desk:
        await desk.hire()
        desk.sign_in()
        yield desk


def a_file(key: str = "k1", **more: Any) -> Attachment:
    usual = {"filename": "plan.txt", "content_type": "text/plain", "size": 7, "sha256": "0" * 64}
    return Attachment(key=key, **{**usual, **more})


async def page_of(web: WebDesk, **mail: Any) -> str:
    await web.desk.open(1, **mail)
    return await web.page("/tickets/1", part="ticket")


async def test_a_sender_whom_a_relay_knows_is_said_to_be_verified(web: WebDesk) -> None:
    page = await page_of(web, authentication=VERIFIED)
    assert "Sender verified" in page
    assert "mx.example.com says that example.org sent this: DMARC pass" in page


async def test_a_sender_who_is_somebody_else_is_warned_of(web: WebDesk) -> None:
    page = await page_of(web, authentication=VERIFIED.model_copy(update={"sender": "failed", "dmarc": "fail"}))
    assert "Failed DMARC" in page


async def test_nothing_is_said_of_a_sender_of_whom_nothing_is_known(web: WebDesk) -> None:
    assert sender_mark(VERIFIED.model_copy(update={"sender": "unverified"})) is None
    page = await page_of(web)
    assert "verified" not in page
    assert "DMARC" not in page


async def test_spam_is_called_so(web: WebDesk) -> None:
    assert ">Spam</span>" in (await page_of(web, spam=True))


async def test_an_encrypted_mail_says_why_it_cannot_be_read_and_where_it_is(web: WebDesk) -> None:
    page = await page_of(web, text="", protection="smime_encrypted", raw_key="raw/1")
    assert "This mail is encrypted (S/MIME) and cannot be read here." in page
    assert f'href="/tickets/{ticket_id(1)}/messages/1/raw"' in page


async def test_a_signed_mail_says_that_nobody_verified_it(web: WebDesk) -> None:
    assert "Signed (PGP), not verified" in (await page_of(web, protection="pgp_signed"))


async def test_an_invitation_is_a_card_with_its_file(web: WebDesk) -> None:
    page = await page_of(web, attachments=(a_file(), a_file("k2", filename="invite.ics", invitation=CALL)))
    assert "Call &lt;b&gt;" in page
    assert "Tue 24 Nov 2026, 10:00 to 11:30 (Europe/Berlin)" in page
    assert "Room 1" in page
    assert f'href="/attachments/{ticket_id(1)}/1/1/invite.ics"' in page


def test_an_invitation_that_came_twice_is_one_card() -> None:
    assert len(invitation_cards((a_file(invitation=CALL), a_file("k2", invitation=CALL)))) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ends_at": None}, "Tue 24 Nov 2026, 10:00 (Europe/Berlin)"),
        ({"time_zone": "", "ends_at": None}, "Tue 24 Nov 2026, 10:00 (+0100)"),
        ({"ends_at": datetime(2026, 11, 25, 9, tzinfo=CET)}, "Tue 24 Nov 2026, 10:00 to Wed 25 Nov 2026, 09:00 (Europe/Berlin)"),
        ({"all_day": True, "time_zone": ""}, "Tue 24 Nov 2026"),
        ({"ends_at": None, "repeats": True}, "Tue 24 Nov 2026, 10:00 (Europe/Berlin), and again later"),
        ({"starts_at": None}, ""),
    ],
)  # fmt: skip
def test_when_an_invitation_is_for(changes: dict[str, Any], words: str) -> None:
    assert when(CALL.model_copy(update=changes)) == words


async def test_a_forwarded_mail_is_listed_by_its_head(web: WebDesk) -> None:
    head = EnclosedMail(subject="Angebot", author="Paula <p@example.org>", sent_at=datetime(2026, 3, 1, tzinfo=UTC))
    page = await page_of(web, attachments=(a_file(filename="x.eml", content_type="message/rfc822", mail=head),))
    assert "Angebot" in page
    assert "Paula &lt;p@example.org&gt;, Sun 1 Mar 2026" in page


async def test_an_infected_file_is_named_and_given_to_nobody(web: WebDesk) -> None:
    page = await page_of(web, attachments=(a_file(infected="Eicar"),), raw_key="raw/1")
    assert "Eicar was found in it" in page
    assert "/attachments/" not in page
    await web.page(f"/attachments/{ticket_id(1)}/1/0/plan.txt", status=403)


async def test_a_mail_with_a_virus_is_given_to_administrators_only(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "raw/1", b"raw mail")
    await web.desk.open(1, attachments=(a_file(infected="Eicar"),), raw_key="raw/1")
    assert await web.page(f"/tickets/{ticket_id(1)}/messages/1/raw") == "raw mail"
    await web.hire("bo", "agent", "Bo")
    web.sign_in("bo")
    await web.page(f"/tickets/{ticket_id(1)}/messages/1/raw", status=403)


async def test_an_unscanned_file_says_so(web: WebDesk) -> None:
    assert "not scanned" in (await page_of(web, attachments=(a_file(unscanned=True),)))


async def test_a_message_can_be_had_as_it_came(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "raw/1", b"raw mail")
    await web.desk.open(1, raw_key="raw/1")
    answer = await web.browser.get(f"/tickets/{ticket_id(1)}/messages/1/raw")
    assert answer.content == b"raw mail"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''message-1.eml"


async def test_a_message_whose_words_were_removed_cannot_be_had_at_all(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "raw/1", b"raw mail")
    await web.desk.open(1, raw_key="raw/1")
    await web.desk.add(1, Redacted(message_id="m1", agent_id=ADA.id))
    await web.page(f"/tickets/{ticket_id(1)}/messages/1/raw", status=404)
    assert "messages/1/raw" not in await web.page("/tickets/1", part="ticket")


async def test_files_are_given_out_at_addresses_that_need_no_cookie(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "k1", b"plan")
    await web.desk.open(1, attachments=(a_file(),))
    led = await web.browser.get(f"/attachments/{ticket_id(1)}/1/0/plan.txt")
    assert (led.status_code, led.headers["Cache-Control"]) == (303, "no-store")
    del web.browser.cookies[SESSION_COOKIE]
    file = await web.browser.get(led.headers["Location"])
    assert file.content == b"plan"
    assert "Set-Cookie" not in file.headers


async def test_an_address_of_a_file_is_valid_for_a_while_and_for_that_file_alone(web: WebDesk) -> None:
    await obstore.put_async(web.objects, "k1", b"plan")
    await web.desk.open(1, attachments=(a_file(), a_file()))
    address = (await web.browser.get(f"/attachments/{ticket_id(1)}/1/0/plan.txt")).headers["Location"]
    assert (await web.browser.get(address.replace("/1/0/", "/1/1/"))).status_code == 404
    web.clock.advance(timedelta(seconds=2 * VALID_SECONDS))
    assert (await web.browser.get(address)).status_code == 404


async def test_without_a_session_nobody_is_led_to_a_file(web: WebDesk) -> None:
    await web.desk.open(1, attachments=(a_file(),))
    del web.browser.cookies[SESSION_COOKIE]
    answer = await web.browser.get(f"/attachments/{ticket_id(1)}/1/0/plan.txt")
    assert answer.headers["Location"].startswith("/signin")


async def test_files_may_stand_at_a_name_of_their_own() -> None:
    async def key() -> bytes:
        return b"site"

    addresses, now = FileAddresses(key, "https://files.example.com"), datetime(2026, 11, 24, tzinfo=UTC)
    address = await addresses.of("t1", 1, 0, "a b.txt", now=now)
    assert address.startswith("https://files.example.com/files/t1/1/0/")
    assert address.endswith("/a%20b.txt")
    assert address == await addresses.of("t1", 1, 0, "a b.txt", now=now + timedelta(seconds=1))
