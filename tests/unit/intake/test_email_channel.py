"""What becomes of a mail before and around its entry on a ticket."""

import hashlib

import pytest

from deskwire_intake.channels.email.deliveries import Delivery, delivery_of, raw_mail_key, with_trace
from deskwire_intake.channels.email.mailboxes import Mailboxes
from deskwire_intake.mail import parse_mail
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Opened
from deskwire_shared.contracts.threading_tokens import without_detail
from deskwire_shared.runtime.objects import Content, ObjectStoreUnavailable
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.state import Ticket
from unit.intake.inbound import a_mail, nested
from unit.intake.mail_desk import ADA, SUPPORT, MailDesk, texts

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def a_mail_with_files(*files: tuple[str, str, bytes]) -> bytes:
    """A mail with an HTML body and files, each with its headers."""
    parts = [b'Content-Type: text/html\n\n<p>Look: <img src="cid:logo"></p>']
    parts += [f"Content-Type: {kind}\n{head}\n\n".encode() + content for kind, head, content in files]
    body = b"".join(b"--b\n" + part + b"\n" for part in parts) + b"--b--\n"
    return a_mail(body, content_type='multipart/mixed; boundary="b"')


async def first_message(desk: MailDesk, raw: bytes) -> Ticket:
    return await desk.ticket((await desk.accept(raw)).ticket_id)


async def test_the_raw_mail_is_kept_with_its_envelope_and_named_by_the_fact() -> None:
    desk = MailDesk()
    raw = a_mail()
    accepted = await desk.accept(raw)
    (opened,) = (await desk.history(accepted.ticket_id))[0].facts
    assert isinstance(opened, Opened)
    assert opened.raw_key is not None
    kept = await desk.objects.get(opened.raw_key)
    assert kept.endswith(raw)
    assert kept.startswith(b"Return-Path: <ann@example.net>\r\nDelivered-To: support@example.com\r\nReceived: ")


async def test_a_mail_can_be_taken_in_again_from_its_raw_bytes() -> None:
    desk = MailDesk()
    accepted = await desk.accept(a_mail())
    (opened,) = (await desk.history(accepted.ticket_id))[0].facts
    assert isinstance(opened, Opened)
    (again,) = await desk.channel.take_in_again(opened.raw_key or "")
    assert (again.ticket_id, again.repeated) == (accepted.ticket_id, True)  # type: ignore[union-attr]


def test_an_envelope_written_by_the_sender_is_not_believed() -> None:
    delivery = Delivery(
        sender="ann@example.net", recipients=(SUPPORT,), content=a_mail(delivered_to="sales@example.com")
    )
    read = delivery_of(with_trace(delivery, MailDesk().clock.now()))
    assert (read.sender, read.recipients) == ("ann@example.net", (SUPPORT,))


def test_the_same_delivery_is_kept_under_the_same_key() -> None:
    delivery = Delivery(sender="a@b", recipients=("c@d",), content=b"x")
    assert raw_mail_key(delivery) == raw_mail_key(Delivery(sender="a@b", recipients=("c@d",), content=b"x", client="z"))
    assert raw_mail_key(delivery) != raw_mail_key(Delivery(sender="a@b", recipients=("e@f",), content=b"x"))


def test_the_null_sender_is_seen_by_the_reader() -> None:
    bounce = Delivery(sender="", recipients=(SUPPORT,), content=a_mail())
    assert parse_mail(with_trace(bounce, MailDesk().clock.now())).machine.declines_answers


async def test_nothing_is_entered_while_the_raw_mail_is_not_safe() -> None:
    desk = MailDesk()

    async def full(key: str, data: Content) -> bool:
        raise ObjectStoreUnavailable("no space left")

    put, desk.objects.put = desk.objects.put, full  # type: ignore[method-assign]
    with pytest.raises(ObjectStoreUnavailable):
        await desk.deliver(a_mail())
    desk.objects.put = put  # type: ignore[method-assign]
    assert not (await desk.accept(a_mail())).repeated


async def test_files_are_kept_once_under_their_digest() -> None:
    desk = MailDesk()
    image = ("image/png", "Content-ID: <logo>\nContent-Disposition: inline; filename=logo.png", PNG)
    copy = ("application/x-odd", "Content-Disposition: attachment; filename=copy.bin", PNG)
    ticket = await first_message(desk, a_mail_with_files(image, copy))
    inline, attached = ticket.messages[0].attachments
    digest = hashlib.sha256(PNG).hexdigest()
    assert inline.key == attached.key == f"attachments/{digest[:2]}/{digest}"
    assert await desk.objects.get(inline.key) == PNG
    assert (inline.filename, inline.content_id, inline.inline) == ("logo.png", "logo", True)
    assert (attached.filename, attached.inline) == ("copy.bin", False)


async def test_more_files_than_a_ticket_takes_stay_in_the_raw_mail() -> None:
    files = [("text/x-odd", f"Content-Disposition: attachment; filename={n}", b"%d" % n) for n in range(150)]
    ticket = await first_message(MailDesk(), a_mail_with_files(*files))
    assert len(ticket.messages[0].attachments) == limits.ATTACHMENTS


async def test_text_beyond_the_limit_is_cut_with_a_mark() -> None:
    ticket = await first_message(MailDesk(), a_mail(("ä" * 400_000).encode()))
    text = texts(ticket)[0]
    assert len(text.encode()) <= limits.TEXT_SIZE
    assert text.endswith("the whole message is kept as it arrived]")


async def test_a_mail_of_control_characters_fits_in_a_commit() -> None:
    body = b"<p>" + b"\x01\x02" * 200_000 + b"</p>"
    ticket = await first_message(MailDesk(), a_mail(body, content_type="text/html"))
    assert ticket.exists


async def test_a_mail_that_is_too_much_in_every_field_is_still_a_ticket() -> None:
    many = ", ".join(f"{'Ä' * 200} <person{n}@example.org>" for n in range(500))
    references = " ".join(f"<{'r' * 200}{n}@example.org>" for n in range(500))
    raw = a_mail(to=many, cc=many, references=references, subject="S" * 5_000, from_=f"{'Ö' * 400} <ann@example.net>")
    ticket = await first_message(MailDesk(), raw)
    assert (len(ticket.subject), len(ticket.messages[0].to)) == (limits.SUBJECT_LENGTH, limits.RECIPIENTS)


@pytest.mark.parametrize("body", [b"", b"\0\0\0", b"\xff\xfe\xfd"])
async def test_odd_bytes_are_a_ticket(body: bytes) -> None:
    assert (await first_message(MailDesk(), a_mail(body))).exists


async def test_a_mail_nested_two_hundred_levels_is_a_ticket() -> None:
    assert (await first_message(MailDesk(), nested(200))).exists


async def test_html_that_is_nested_deeply_is_kept_for_whoever_shows_it_within_bounds() -> None:
    body = b"<div>" * 5_000 + b"help"
    ticket = await first_message(MailDesk(), a_mail(body, content_type="text/html"))
    assert (ticket.messages[0].html, texts(ticket)) == (body.decode(), ["help"])


async def test_an_error_of_ours_parks_the_mail_and_keeps_it() -> None:
    desk = MailDesk()

    async def broken(*_: object) -> None:
        raise KeyError("oops")

    object.__setattr__(desk.channel, "accept", broken)
    assert await desk.refuse(a_mail()) == "KeyError: 'oops'"
    ((reference, _),) = desk.parking.parked
    assert (await desk.objects.get(reference)).endswith(a_mail())


def test_a_desk_without_mailboxes_takes_every_mail() -> None:
    desk = MailDesk()
    box = desk.channel.mailboxes.find("Anything+x@Example.com")
    assert box is not None
    assert (box.address, box.channel_id) == ("anything@example.com", None)
    assert desk.channel.mailboxes.find("no-address") is None


async def test_a_desk_with_mailboxes_takes_mail_for_them_alone() -> None:
    desk = MailDesk()
    mailboxes = Mailboxes(desk.directory)
    assert mailboxes.find(SUPPORT) is not None
    await desk.open_mailbox("Help@example.com")
    assert mailboxes.find(SUPPORT) is None
    for recipient in ("help@example.com", "HELP+t123@EXAMPLE.COM"):
        box = mailboxes.find(recipient)
        assert box is not None
        assert box.address == "help@example.com"


async def test_a_closed_mailbox_takes_no_mail_and_does_not_open_the_desk_to_all() -> None:
    desk = MailDesk()
    channel = Channel(name="Old", medium="email", address=SUPPORT, active=False)
    await desk.directory.put("old", channel, actor=ADA)
    assert Mailboxes(desk.directory).find(SUPPORT) is None


def test_a_detail_is_what_stands_behind_the_plus_sign() -> None:
    assert without_detail("a+b+c@d.e") == "a@d.e"


async def test_what_becomes_of_mails_is_counted() -> None:
    desk = MailDesk()
    await desk.accept(a_mail())
    await desk.accept(a_mail())
    await desk.refuse(a_mail(from_=SUPPORT))
    counted = {
        outcome: desk.registry.get_sample_value(
            "deskwire_intake_messages_total", {"channel": "email", "outcome": outcome}
        )
        for outcome in ("accepted", "repeated", "parked")
    }
    assert counted == {"accepted": 1, "repeated": 1, "parked": 1}
    assert desk.registry.get_sample_value("deskwire_intake_accept_seconds_count", {"channel": "email"}) == 3
