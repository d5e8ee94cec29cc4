"""The clocks of senders and of the desk's own hosts differ; what is said keeps its order and is there once."""

from datetime import timedelta

from deskwire_shared.ticket.commands import ChangeStatus
from unit.intake.inbound import a_mail
from unit.intake.mail_desk import NOW, MailDesk, texts, token_of


async def test_a_mail_that_hosts_with_different_clocks_take_is_there_once() -> None:
    desk = MailDesk()
    first = await desk.accept(a_mail())
    desk.clock.set(NOW - timedelta(days=2))
    again = await desk.accept(a_mail())
    assert (again.ticket_id, again.repeated) == (first.ticket_id, True)
    assert len(await desk.history(first.ticket_id)) == 1


async def test_a_reply_taken_by_a_host_whose_clock_is_behind_stands_behind_what_it_answers() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    desk.clock.set(NOW - timedelta(hours=3))
    await desk.accept(a_mail(b"And another thing\n", to=token_of(ticket), message_id="<b@example.net>"))
    assert texts(await desk.ticket(ticket.id)) == ["Hello", "And another thing"]


async def test_a_reply_to_a_ticket_that_was_closed_in_the_future_is_a_follow_up() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    desk.clock.set(NOW + timedelta(days=1))
    await desk.do(ticket.id, ChangeStatus(status="closed"))
    desk.clock.set(NOW)
    accepted = await desk.accept(a_mail(b"Not yet\n", to=token_of(ticket), message_id="<b@example.net>"))
    assert (await desk.ticket(accepted.ticket_id)).follow_up_of == ticket.id


async def test_a_mail_from_the_future_is_dated_by_the_desk() -> None:
    desk = MailDesk()
    for number, date in enumerate(("Fri, 01 Jan 2100 00:00:00 +0000", "Thu, 01 Jan 1970 00:00:00 +0000")):
        ticket = await desk.opened(date=date, message_id=f"<{number}@example.net>")
        assert ticket.opened_at == NOW
