"""What becomes of the mails that wait in a mailbox."""

import asyncio

import pytest

from deskwire_intake.channels.imap import intake as imap_intake
from deskwire_intake.channels.imap.intake import TRIES, HeldUp, ImapLimits, MailboxIntake
from deskwire_intake.channels.imap.session import MailboxUnreachable
from deskwire_intake.channels.imap.states import ImapFigures, MailboxState
from deskwire_intake.channels.port import TicketKeepsMoving
from deskwire_intake.replaying import MailReplays, StillCannotBeHandled
from deskwire_intake.threads import opened_by
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.runtime.parking import Parked
from unit.intake.inbound import a_mail
from unit.intake.mail_desk import ADA, SUPPORT, MailDesk
from unit.intake.memory_folder import MemoryFolder


def an_intake(desk: MailDesk, *, mail_bytes: int = 100_000) -> MailboxIntake:
    return MailboxIntake(
        channel_id="support",
        address=SUPPORT,
        host="imap.example.com",
        channel=desk.channel,
        limits=ImapLimits(mail_bytes=mail_bytes),
        state=MailboxState(channel_id="support", figures=ImapFigures(desk.registry), clock=desk.clock),
        room=asyncio.Semaphore(1),
    )


def numbered(count: int) -> dict[int, bytes]:
    return {uid: a_mail(b"Hello\n", message_id=f"<{uid}@example.net>") for uid in range(1, count + 1)}


async def has(desk: MailDesk, uid: int) -> bool:
    return (await desk.ticket(opened_by(SUPPORT, f"{uid}@example.net"))).exists


def failing(desk: MailDesk, error: Exception, *, subject: str | None = None) -> None:
    """Let the entry of mails fail, all of them or those with a subject."""
    accept = desk.channel.accept

    async def moody(message, keeping):  # type: ignore[no-untyped-def]
        await keeping
        if subject in {None, message.subject}:
            raise error
        return await accept(message, keeping)

    object.__setattr__(desk.channel, "accept", moody)


async def test_what_waits_is_entered_and_marked() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(150))
    assert await an_intake(desk).take_in(folder) == 150
    assert sorted(folder.finished) == list(range(1, 151))
    assert all([await has(desk, uid) for uid in range(1, 151)])


async def test_no_more_is_fetched_at_once_than_fits() -> None:
    folder = MemoryFolder(numbered(150))
    await an_intake(MailDesk()).take_in(folder)
    assert max(map(len, folder.fetched)) == ImapLimits(mail_bytes=1).batch_mails


async def test_a_mail_that_vanishes_before_it_is_fetched_is_no_trouble() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(3), vanishing={2})
    await an_intake(desk).take_in(folder)
    assert sorted(folder.finished) == [1, 3]


async def test_nothing_is_marked_while_the_log_takes_nothing() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(150))
    failing(desk, EventStoreError("away"))
    with pytest.raises(HeldUp, match="away"):
        await an_intake(desk).take_in(folder)
    assert folder.finished == []
    assert len(folder.fetched) == 1


async def test_one_mail_that_is_held_up_holds_up_no_other() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(200))
    folder.mails[5] = a_mail(b"Hello\n", message_id="<5@example.net>", subject="Moody")
    failing(desk, TicketKeepsMoving("moving"), subject="Moody")
    with pytest.raises(HeldUp):
        await an_intake(desk).take_in(folder)
    assert sorted(folder.finished) == [uid for uid in range(1, 201) if uid != 5]


async def test_an_answer_waits_for_the_mail_it_answers_to_be_entered() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(100))
    folder.mails[1] = a_mail(b"Hello\n", message_id="<1@example.net>", subject="Moody")
    for uid, parent in ((2, 1), (90, 2)):  # the second one in another batch
        folder.mails[uid] = a_mail(b"Well?\n", message_id=f"<{uid}@example.net>", in_reply_to=f"<{parent}@example.net>")
    failing(desk, TicketKeepsMoving("moving"), subject="Moody")
    with pytest.raises(HeldUp):
        await an_intake(desk).take_in(folder)
    assert sorted({1, 2, 90} & set(folder.finished)) == []


async def test_an_error_of_ours_leaves_the_mail_on_the_server_and_parks_it() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(3))

    async def broken(delivery):  # type: ignore[no-untyped-def]
        raise KeyError("oops")

    object.__setattr__(desk.channel, "receive", broken)
    await an_intake(desk).take_in(folder)
    assert (folder.finished, sorted(folder.left)) == ([], [1, 2, 3])
    assert ("imap:support:1:1", "KeyError: 'oops'") in desk.parking.parked


async def test_a_mail_the_server_does_not_give_out_is_left_after_some_tries() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(3), broken={2})
    intake = an_intake(desk)
    for _ in range(TRIES):
        with pytest.raises(MailboxUnreachable):
            await intake.take_in(folder)
    await intake.take_in(folder)
    assert (sorted(folder.finished), folder.left) == ([1, 3], [2])
    ((reference, reason),) = desk.parking.parked
    assert (reference, reason) == ("imap:support:1:2", f"the mail server did not give the mail out in {TRIES} tries")


async def test_a_mail_fetched_at_last_is_suspicious_no_more() -> None:
    folder, intake = MemoryFolder(numbered(3), broken={2}), an_intake(MailDesk())
    with pytest.raises(MailboxUnreachable):
        await intake.take_in(folder)
    folder.broken.clear()
    assert await intake.take_in(folder) == 3
    assert folder.fetched[1:] == [[1], [2], [3]]
    assert await intake.take_in(folder) == 0
    folder.finished.clear()
    await intake.take_in(folder)
    assert folder.fetched[4:] == [[1, 2, 3]]


async def test_a_mail_that_is_too_large_is_never_fetched() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(3))
    folder.mails[2] = a_mail(b"x" * 5_000)
    await an_intake(desk, mail_bytes=4_000).take_in(folder)
    assert [uid for batch in folder.fetched for uid in batch] == [1, 3]
    assert (sorted(folder.finished), folder.left) == ([1, 3], [2])


async def test_a_mail_left_in_its_mailbox_is_not_replayed_but_said_where_it_is() -> None:
    desk = MailDesk()
    parked = Parked(service="intake", at=desk.clock.now(), reason="too large", reference="imap:support:1:2")
    with pytest.raises(StillCannotBeHandled, match=r"take its flag \$Deskwire off"):
        await MailReplays(desk.channel, js=None).replay(parked)  # type: ignore[arg-type]


async def test_a_server_without_marks_is_not_asked_for_a_mail_left_there_again() -> None:
    desk, folder = MailDesk(), MemoryFolder({1: a_mail(b"x" * 5_000)}, keeps_marks=False)
    intake = an_intake(desk, mail_bytes=4_000)
    assert [await intake.take_in(folder), await intake.take_in(folder)] == [1, 0]
    assert len(desk.parking.parked) == 1


async def test_a_server_that_forgets_its_marks_is_not_asked_for_the_same_mails_for_ever() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(2), forgets_marks=True)
    intake = an_intake(desk)
    assert [await intake.take_in(folder), await intake.take_in(folder)] == [2, 0]
    assert len(folder.fetched) == 1


async def test_mails_that_are_listed_and_never_there_are_looked_for_at_the_next_look() -> None:
    folder, intake = MemoryFolder(numbered(2), vanishing={1, 2}), an_intake(MailDesk())
    assert await intake.take_in(folder) == 0
    folder.vanishing.clear()
    assert await intake.take_in(folder) == 2


async def test_a_mail_whose_mark_is_taken_off_is_taken_in_again() -> None:
    desk, folder = MailDesk(), MemoryFolder({1: a_mail(b"x" * 5_000)})
    intake = an_intake(desk, mail_bytes=4_000)
    assert [await intake.take_in(folder), await intake.take_in(folder)] == [1, 0]
    folder.left.clear()
    intake.limits = ImapLimits(mail_bytes=100_000)
    assert await intake.take_in(folder) == 1
    assert folder.finished == [1]


async def test_numbers_that_name_other_mails_now_are_looked_at_anew() -> None:
    desk, folder = MailDesk(), MemoryFolder({1: a_mail(b"x" * 5_000)}, keeps_marks=False)
    intake = an_intake(desk, mail_bytes=4_000)
    await intake.take_in(folder)
    folder.mails, folder.uid_validity = numbered(1), 2
    assert await intake.take_in(folder) == 1
    assert await has(desk, 1)


async def test_mails_for_a_closed_channel_stay_in_the_mailbox() -> None:
    desk, folder = MailDesk(), MemoryFolder(numbered(1))
    closed = Channel(name="Support", medium="email", address=SUPPORT, active=False)
    await desk.directory.put("support", closed, actor=ADA)
    with pytest.raises(HeldUp, match="ChannelIsClosed"):
        await an_intake(desk).take_in(folder)
    assert folder.finished == []


async def test_operators_see_how_many_mails_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_intake, "SIZED", 2)
    desk, folder = MailDesk(), MemoryFolder(numbered(5), broken={5})
    intake = an_intake(desk)
    with pytest.raises(MailboxUnreachable):
        await intake.take_in(folder)
    assert str(intake.state) == "connecting, 1 mails waiting"
    folder.broken.clear()
    await intake.take_in(folder)
    assert str(intake.state) == "connecting, 0 mails waiting"
