"""Every message is in the ledger before its sender is told that it was taken."""

from typing import Any

import pytest

from deskwire_intake.channels.imap.intake import HeldUp
from deskwire_intake.channels.port import Accepted, CannotBeHandled, InboundMessage, Parked, nothing_to_keep
from deskwire_intake.ledger.entering import LedgeredAccept, LedgerUnavailable, became
from deskwire_intake.replaying import MailReplays
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.intake_ledger import message_digest
from deskwire_shared.runtime.parking import Parked as ParkedBefore
from unit.intake.hook_desk import HookDesk, a_payload
from unit.intake.inbound import a_mail
from unit.intake.mail_desk import NOW, SUPPORT, MailDesk, token_of
from unit.intake.memory_folder import MemoryFolder
from unit.intake.test_imap_intake import an_intake


def a_message(**changes: Any) -> InboundMessage:
    usual: dict[str, Any] = {
        "medium": "web", "mailbox": "form", "channel_id": "form", "follow_up_days": 30, "fingerprint": "f1",
        "content_digest": "d1", "thread_key": None, "raw_key": None, "author": Address(address="ann@example.net"),
        "subject": "Printer", "text": "It burns.", "new_text": "It burns.",
    }  # fmt: skip
    return InboundMessage(**{**usual, **changes})


async def test_a_mail_that_opens_a_ticket_is_entered_with_where_it_is_and_who_it_is_not() -> None:
    desk = MailDesk()
    accepted = await desk.accept(a_mail(b"Hello\n", message_id="<a@example.net>", subject="Secret plans"))
    (entry,) = desk.ledger.entries
    assert (entry.decision, entry.ticket_id, entry.number) == ("opened", accepted.ticket_id, accepted.number)
    assert (entry.at, entry.via, entry.mailbox) == (NOW, "smtp", SUPPORT)
    assert entry.message_digest == message_digest("a@example.net")
    assert entry.raw_key is not None
    assert await desk.objects.get(entry.raw_key)
    written = entry.model_dump_json()
    assert not [word for word in ("ann@", "Ann", "Secret", "Hello") if word in written]


async def test_what_became_of_each_mail_is_told_apart() -> None:
    desk = MailDesk()
    opening = a_mail(b"Hello\n")
    ticket = await desk.ticket((await desk.accept(opening)).ticket_id)
    await desk.accept(a_mail(b"And more\n", message_id="<b@example.net>"), to=[token_of(ticket)])
    await desk.accept(opening)
    await desk.block("ann@example.net")
    await desk.refuse(a_mail(b"Again\n", message_id="<c@example.net>"))
    told = [(entry.decision, entry.ticket_id, entry.parked, entry.reason) for entry in desk.ledger.entries]
    assert told == [
        ("opened", ticket.id, None, ""),
        ("replied", ticket.id, None, ""),
        ("repeated", ticket.id, None, ""),
        ("parked", None, 1, "the sender is blocked"),
    ]


async def test_a_mail_to_two_mailboxes_is_entered_for_each() -> None:
    desk = MailDesk()
    await desk.open_mailbox(SUPPORT)
    await desk.open_mailbox("sales@example.com")
    await desk.accept_each(a_mail(b"Hello\n"), to=[SUPPORT, "sales@example.com"])
    assert [entry.mailbox for entry in desk.ledger.entries] == [SUPPORT, "sales@example.com"]
    assert len({entry.source for entry in desk.ledger.entries}) == 1


async def test_a_mail_that_cannot_be_entered_in_the_ledger_is_not_taken_and_comes_again_as_a_repeat() -> None:
    desk = MailDesk()
    desk.ledger.is_available = False
    with pytest.raises(LedgerUnavailable):
        await desk.deliver(a_mail(b"Hello\n"))
    desk.ledger.is_available = True
    accepted = await desk.accept(a_mail(b"Hello\n"))
    (entry,) = desk.ledger.entries
    assert (entry.decision, entry.ticket_id) == ("repeated", accepted.ticket_id)
    assert len((await desk.ticket(accepted.ticket_id)).messages) == 1


async def test_a_mail_that_is_parked_but_not_in_the_ledger_comes_again_and_is_parked_once() -> None:
    desk = MailDesk()
    await desk.block("ann@example.net")
    desk.ledger.is_available = False
    with pytest.raises(LedgerUnavailable):
        await desk.deliver(a_mail(b"Hello\n"))
    desk.ledger.is_available = True
    await desk.refuse(a_mail(b"Hello\n"))
    assert [(entry.decision, entry.parked) for entry in desk.ledger.entries] == [("parked", 1)]
    assert len(desk.parking.parked) == 1


async def test_a_payload_that_is_parked_but_not_in_the_ledger_comes_again_and_is_parked_once() -> None:
    desk = HookDesk()
    await desk.listen("whatsapp")
    payload = a_payload("whatsapp_batch")
    del payload["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
    desk.ledger.is_available = False
    with pytest.raises(LedgerUnavailable):
        await desk.hear("whatsapp", payload)
    desk.ledger.is_available = True
    await desk.hear("whatsapp", payload)
    assert next((entry.decision, entry.parked) for entry in desk.ledger.entries) == ("parked", 1)
    assert len(desk.parking.parked) == 1


async def test_messages_of_one_payload_that_cannot_be_handled_are_each_parked() -> None:
    desk = HookDesk()
    await desk.listen("whatsapp")
    await desk.block("tel:+16505551234")
    results = await desk.hear("whatsapp", a_payload("whatsapp_batch"))
    assert [type(result) for result in results] == [Parked] * len(results)
    assert len(desk.parking.parked) == len(results) > 1


async def test_a_second_try_of_a_parked_mail_is_entered_beside_the_first() -> None:
    desk = HookDesk()
    await desk.block("ann@example.net")
    await desk.refuse(a_mail(b"Hello\n"))
    await desk.unblock("ann@example.net")
    reference, reason = desk.parking.parked[0]
    parked = ParkedBefore(number=1, service="intake", at=NOW, reason=reason, reference=reference)
    await MailReplays(desk.channel, None).replay(parked)  # type: ignore[arg-type]  # nothing is dismissed
    first, second = desk.ledger.entries
    assert (first.decision, second.decision, second.via) == ("parked", "opened", "replay")
    assert (first.raw_key, first.mailbox) == (second.raw_key, second.mailbox)


async def test_an_unreadable_mail_is_still_found_by_its_message_id(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = MailDesk()

    async def cannot(_raw: bytes) -> None:
        raise CannotBeHandled("it took too long to read")

    monkeypatch.setattr(desk.channel.reader, "read", cannot)
    await desk.refuse(a_mail(b"Hello\n", message_id="<odd@example.net>"))
    (entry,) = desk.ledger.entries
    assert (entry.message_digest, entry.reason) == (message_digest("odd@example.net"), "it took too long to read")


def test_the_words_of_an_error_nobody_foresaw_stay_out_of_the_ledger() -> None:
    told = became(Parked(3, "ValueError: cannot read 'ann@example.net'", is_expected=False))
    assert told == {"decision": "parked", "parked": 3, "reason": "ValueError"}


async def test_a_message_without_raw_input_is_entered_with_its_outcome() -> None:
    desk = MailDesk()

    async def accept(_message: InboundMessage, _safe: object) -> Accepted:
        return Accepted("t1", 7, 1, "opened")

    entering = LedgeredAccept(accept=accept, ledger=desk.ledger, clock=desk.clock, via="web")
    await entering(a_message(), nothing_to_keep())
    (entry,) = desk.ledger.entries
    assert (entry.via, entry.decision, entry.number, entry.source, entry.size) == ("web", "opened", 7, "f1", 9)


async def test_a_message_that_is_refused_is_entered_with_the_reason() -> None:
    desk = MailDesk()

    async def accept(_message: InboundMessage, _safe: object) -> Accepted:
        raise CannotBeHandled("the sender is blocked")

    entering = LedgeredAccept(accept=accept, ledger=desk.ledger, clock=desk.clock, via="chat")
    with pytest.raises(CannotBeHandled):
        await entering(a_message(), nothing_to_keep())
    (entry,) = desk.ledger.entries
    assert (entry.via, entry.decision, entry.reason) == ("chat", "refused", "the sender is blocked")


async def test_each_message_of_a_webhook_is_entered_also_one_that_cannot_be_read() -> None:
    desk = HookDesk()
    await desk.listen("whatsapp")
    payload = a_payload("whatsapp_batch")
    del payload["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
    await desk.hear("whatsapp", payload)
    told = [(entry.via, entry.channel_id, entry.decision) for entry in desk.ledger.entries]
    assert told[0] == ("webhook", "whatsapp", "parked")
    assert [decision for _, _, decision in told[1:]] == ["opened", "replied"]
    assert len({entry.raw_key for entry in desk.ledger.entries}) == 1
    assert "4915" not in "".join(entry.model_dump_json() for entry in desk.ledger.entries)


async def test_a_message_of_a_webhook_that_needs_no_entry_on_a_ticket_is_in_the_ledger_as_ignored() -> None:
    desk = HookDesk()
    await desk.listen("alertmanager")
    await desk.hear("alertmanager", a_payload("alertmanager_resolved"))
    (entry,) = desk.ledger.entries
    assert (entry.decision, entry.ticket_id, bool(entry.reason)) == ("ignored", None, True)


async def test_a_mail_left_in_its_mailbox_is_entered_by_its_number_there() -> None:
    desk, folder = MailDesk(), MemoryFolder({5: a_mail(b"x" * 5_000), 6: a_mail(b"Hello\n")}, uid_validity=9)
    await an_intake(desk, mail_bytes=1_000).take_in(folder)
    told = {entry.source: (entry.via, entry.decision) for entry in desk.ledger.entries}
    assert told == {"9:5": ("imap", "parked"), "9:6": ("imap", "opened")}


async def test_a_mail_that_the_ledger_does_not_take_stays_unmarked_in_its_mailbox() -> None:
    desk, folder = MailDesk(), MemoryFolder({6: a_mail(b"Hello\n")})
    desk.ledger.is_available = False
    intake = an_intake(desk)
    with pytest.raises(HeldUp):
        await intake.take_in(folder)
    assert folder.finished == []
    desk.ledger.is_available = True
    await intake.take_in(folder)
    assert [entry.decision for entry in desk.ledger.entries] == ["repeated"]
