"""The mails that leave, read back."""

import hashlib
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwire_notify.mails.composing import OutgoingMail, compose
from deskwire_notify.mails.letters import MOST_QUOTED_LINES, Letter, Stationery, acknowledgement_letter, reply_letter
from deskwire_notify.mails.senders import Sender
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Customer, Template
from deskwire_shared.contracts.facts import Address, AgentReplied, Attachment
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.threading_tokens import (
    REPLY_DELIMITER,
    is_loop_token,
    ticket_of,
    ticket_of_message_id,
)
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, NOON, opened
from deskwire_shared.ticket.evolving import evolve
from deskwire_shared.ticket.state import Ticket

KEY = b"k" * 32
TICKET = "abcdefghijklmnop"
REPLY = "qrstuvwxyz234567"
STATIONERY = Stationery(
    sender=Sender("support@acme.example", "Acme Support"), mailboxes={"support@acme.example"}, templates={}
)
ADA = Agent(email="ada@acme.example", name="Ada Agent", signature="Ada\nAcme")


def a_ticket(reply: dict[str, Any] | None = None, **changes: Any) -> Ticket:
    first = opened(
        **{"number": 42, "internet_message_id": "c1@mail.example", "references": ("c0@mail.example",), **changes}
    )
    said = {"person_id": CUSTOMER_ID, "message_id": REPLY, "agent_id": "ada", "text": "Use water.", "to": (CUSTOMER,)}
    ticket = Ticket.unborn(TICKET)
    for fact in (first, AgentReplied(**{**said, **(reply or {})})):
        ticket = evolve(ticket, fact, at=NOON, actor=Actor(kind="agent", id="ada"))
    return ticket


def a_letter(ticket: Ticket, *, stationery: Stationery = STATIONERY, agent: Agent | None = ADA) -> Letter:
    return reply_letter(ticket, ticket.messages[1], agent=agent, customer=None, stationery=stationery)


def read(mail: OutgoingMail) -> EmailMessage:
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def a_reply(**reply: Any) -> EmailMessage:
    return read(compose(a_letter(a_ticket(reply)), {}, KEY))


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def test_a_reply_comes_from_the_desk_and_joins_the_thread() -> None:
    mail = a_reply(cc=(Address(address="bob@example.org"),))
    assert mail["From"] == "Acme Support <support@acme.example>"
    assert mail["To"] == "Cora Customer <cora@example.org>"
    assert mail["Cc"] == "bob@example.org"
    assert mail["Subject"] == "Re: The printer is on fire [#42]"
    assert mail["In-Reply-To"] == "<c1@mail.example>"
    assert mail["References"].split() == ["<c0@mail.example>", "<c1@mail.example>"]
    assert mail["Date"].datetime == NOON


def test_an_answer_to_our_mail_finds_its_ticket_by_address_and_by_id() -> None:
    mail = a_reply()
    assert ticket_of(mail["Reply-To"].addresses[0].addr_spec, KEY) == TICKET
    assert ticket_of_message_id(mail["Message-ID"].strip("<>"), KEY) == TICKET
    assert mail["Message-ID"].startswith(f"<{REPLY}.")
    assert is_loop_token(mail["X-Deskwire-Loop"], KEY)


def test_every_attempt_has_the_same_message_id() -> None:
    assert a_reply()["Message-ID"] == a_reply()["Message-ID"]


def test_a_reply_holds_the_words_the_signature_and_what_it_answers() -> None:
    assert body(a_reply(), "plain") == (
        f"{REPLY_DELIMITER}\n\nUse water.\n\nAda\nAcme\n\n"
        "On 2026-03-02 12:00 UTC, Cora Customer wrote:\n> Please help.\n"
    )


def test_the_html_says_the_same_and_styles_each_element() -> None:
    html = body(a_reply(text="Use <water> & sand.\nNow."), "html")
    assert "Use &lt;water&gt; &amp; sand.<br>" in html
    assert "Ada<br>" in html
    assert REPLY_DELIMITER in html
    assert "<style" not in html
    assert '<blockquote class="quote" style="' in html


def test_an_agents_html_is_kept_and_made_harmless() -> None:
    html = body(a_reply(html='<p onclick="x()">Use <b>water</b></p><script>evil()</script><img src="cid:i1">'), "html")
    assert "<b>water</b>" in html
    assert 'src="cid:i1"' in html
    assert "onclick" not in html
    assert "evil" not in html


def test_html_that_would_end_its_reader_gives_way_to_the_text() -> None:
    assert "Use water." in body(a_reply(text="Use water.", html="<div>" * 100_000), "html")


def test_without_a_signature_the_agents_name_stands_below() -> None:
    ticket = a_ticket()
    letter = a_letter(ticket, agent=ADA.model_copy(update={"signature": " "}))
    assert "Use water.\n\nAda Agent\n" in letter.text
    assert "Use water.\n\nAcme Support\n" in a_letter(ticket, agent=None).text


def test_only_what_no_human_wrote_says_that_a_machine_did() -> None:
    human, machine = a_reply(), a_reply(automated=True)
    for name in ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence"):
        assert human[name] is None
    assert machine["Auto-Submitted"] == "auto-generated"
    assert machine["X-Auto-Response-Suppress"] == "All"


def test_an_acknowledgement_names_the_ticket_and_asks_machines_for_silence() -> None:
    letter = acknowledgement_letter(a_ticket(), customer=None, stationery=STATIONERY)
    mail = read(compose(letter, {}, KEY))
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Subject"] == "Re: The printer is on fire [#42]"
    assert mail["In-Reply-To"] == "<c1@mail.example>"
    assert "its number is 42" in body(mail, "plain")
    assert mail["Message-ID"] != a_reply()["Message-ID"]


def test_an_acknowledgement_carries_no_words_and_no_advertising_name_to_a_forged_sender() -> None:
    ticket = a_ticket(author=Address(address="v@example.org", name="Win at https://spam.example"), text="BUY")
    letter = acknowledgement_letter(ticket, customer=None, stationery=STATIONERY)
    assert "BUY" not in letter.text + letter.html
    assert "spam.example" not in letter.text + letter.html


def test_the_customers_language_is_spoken() -> None:
    customer = Customer(address="cora@example.org", locale="de")
    ticket = a_ticket()
    assert "Guten Tag" in acknowledgement_letter(ticket, customer=customer, stationery=STATIONERY).text
    letter = reply_letter(ticket, ticket.messages[1], agent=ADA, customer=customer, stationery=STATIONERY)
    assert "Am 2026-03-02 12:00 UTC schrieb Cora Customer:" in letter.text
    assert '<html lang="de">' in letter.html


def test_a_desk_may_word_its_replies() -> None:
    template = Template(
        name="Letter",
        purpose="reply",
        subject="Your request",
        body="Dear {{ customer.name }},\n\n{{ answer }}\n\nBye <3",
    )
    letter = a_letter(a_ticket(), stationery=replace(STATIONERY, templates={"t1": template}))
    assert letter.text.startswith(f"{REPLY_DELIMITER}\n\nDear Cora Customer,\n\nUse water.\n\nBye <3\n")
    assert letter.subject == "Re: Your request [#42]"
    assert "Bye &lt;3" in letter.html


def test_a_long_message_is_quoted_in_part() -> None:
    letter = a_letter(a_ticket(text="\n".join(f"line {number}" for number in range(5_000))))
    assert letter.text.count("\n> ") == MOST_QUOTED_LINES


def a_file(content: bytes, **changes: Any) -> Attachment:
    usual = {"key": "k1", "filename": "Rechnung für Cora.pdf", "content_type": "application/pdf", "size": len(content)}
    return Attachment(**{**usual, "sha256": hashlib.sha256(content).hexdigest(), **changes})


def with_files(*files: Attachment, html: str | None = None) -> EmailMessage:
    contents = {file.key: f"content of {file.key}".encode() for file in files}
    return read(compose(a_letter(a_ticket({"attachments": files, "html": html})), contents, KEY))


def test_files_go_along_under_their_names() -> None:
    (part,) = with_files(a_file(b"")).iter_attachments()
    assert part.get_filename() == "Rechnung für Cora.pdf"
    assert part.get_content_type() == "application/pdf"
    assert part.get_content() == b"content of k1"


def test_an_image_that_the_html_shows_comes_inside_it() -> None:
    image = a_file(b"", content_type="image/png", content_id="i1", inline=True)
    mail = with_files(image, html='<img src="cid:i1">')
    assert list(mail.iter_attachments()) == []
    (part,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert part["Content-ID"] == "<i1>"


def test_an_inline_image_that_nothing_shows_is_attached() -> None:
    image = a_file(b"", content_type="image/png", content_id="i1", inline=True)
    assert len(list(with_files(image).iter_attachments())) == 1


@pytest.mark.parametrize(
    "content_type", ["message/rfc822", "multipart/mixed", "x", "a/b\r\nX: y", "", "text/plain; x=y"]
)
def test_a_file_whose_type_a_mail_cannot_hold_is_sent_as_plain_bytes(content_type: str) -> None:
    (part,) = with_files(a_file(b"", content_type=content_type)).iter_attachments()
    assert part.get_content_type() == "application/octet-stream"


@given(st.text(max_size=300))
def test_any_filename_stays_a_filename(filename: str) -> None:
    (part,) = with_files(a_file(b"", filename=filename)).iter_attachments()
    assert part.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"]
    assert "/" not in (part.get_filename() or "")


@given(subject=st.text(max_size=200), name=st.text(max_size=200), text=st.text(max_size=200))
def test_whatever_people_write_the_mail_has_the_headers_we_gave_it(subject: str, name: str, text: str) -> None:
    ticket = a_ticket(
        {"to": (Address(address="cora@example.org", name=name),), "text": text},
        subject=subject, text=text, author=Address(address="cora@example.org", name=name),
    )  # fmt: skip
    mail = compose(a_letter(ticket), {}, KEY)
    parsed = message_from_bytes(mail.content, policy=policy.compat32)
    assert sorted(parsed.keys()) == [
        "Content-Type", "Date", "From", "In-Reply-To", "MIME-Version", "Message-ID", "References", "Reply-To", "Subject",
        "To", "X-Deskwire-Loop",
    ]  # fmt: skip
    assert mail.recipients == ("cora@example.org",)
    assert parsed.get_content_type() == "multipart/alternative"
    assert "[#42]" in str(read(mail)["Subject"])


def test_an_address_with_foreign_letters_asks_for_a_server_that_takes_it() -> None:
    mail = compose(a_letter(a_ticket({"to": (Address(address="jürgen@example.org", name="Jürgen"),)})), {}, KEY)
    assert mail.needs_utf8
    assert "jürgen@example.org".encode() in mail.content
    assert not compose(a_letter(a_ticket()), {}, KEY).needs_utf8


def test_a_mail_is_seven_bit_unless_an_address_is_not() -> None:
    content = compose(a_letter(a_ticket({"text": "Grüße 😀"}, text="größer")), {}, KEY).content
    assert content.isascii()
