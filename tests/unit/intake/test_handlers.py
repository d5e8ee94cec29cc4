"""How messages find their ticket, and how each gets there once."""

import asyncio

import pytest

from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.eventstore.port import EventStoreError
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import ChangeStatus, LinkTicket
from unit.intake.inbound import a_mail
from unit.intake.mail_desk import ADA, SUPPORT, MailDesk, texts, token_of

OTHER = "sales@example.com"
BOB = "Bob <bob@example.org>"


def a_link(number: int) -> LinkTicket:
    return LinkTicket(ticket_id=f"{number:016}", number=number)


def a_reply(text: str = "Still burning.", **fields: str) -> bytes:
    fields = {"subject": "Re: Printer", "message_id": "<b@example.net>", **fields}
    return a_mail(text.encode(), **fields)


async def test_a_first_mail_opens_a_ticket_of_its_sender() -> None:
    desk = MailDesk()
    accepted = await desk.accept(a_mail(b"It burns.\n"))
    ticket = await desk.ticket(accepted.ticket_id)
    assert (ticket.number, ticket.subject, texts(ticket)) == (accepted.number, "Printer", ["It burns."])
    assert ticket.requester is not None
    assert (ticket.requester.address, ticket.requester.name) == ("ann@example.net", "Ann")
    assert ticket.messages[0].author == desk.customers.id_of("ann@example.net")


async def test_the_sender_of_a_first_mail_is_entered_in_the_directory() -> None:
    desk = MailDesk()
    await desk.directory.put("acme", Organisation(name="Acme", domains=("example.net",)), actor=ADA)
    await desk.accept(a_mail())
    customer = desk.directory.get(Customer, desk.customers.id_of("ann@example.net"))
    assert customer == Customer(address="ann@example.net", name="Ann", organisation_id="acme")


async def test_a_known_customer_is_left_as_they_are() -> None:
    desk = MailDesk()
    known = Customer(address="ann@example.net", name="Dr. Ann", notes="kind")
    await desk.directory.put(desk.customers.id_of(known.address), known, actor=ADA)
    await desk.accept(a_mail())
    assert desk.directory.get(Customer, desk.customers.id_of(known.address)) == known


async def test_a_mail_delivered_twice_is_there_once() -> None:
    desk = MailDesk()
    first = await desk.accept(a_mail())
    again = await desk.accept(a_mail())
    assert (again.ticket_id, again.number, again.sequence) == (first.ticket_id, first.number, first.sequence)
    assert again.repeated
    assert len((await desk.ticket(first.ticket_id)).messages) == 1


async def test_a_mail_delivered_twice_at_the_same_time_is_there_once() -> None:
    desk = MailDesk()
    accepted = await asyncio.gather(*(desk.accept(a_mail()) for _ in range(5)))
    assert len({one.ticket_id for one in accepted}) == 1
    assert len((await desk.ticket(accepted[0].ticket_id)).messages) == 1


async def test_one_message_id_with_other_content_is_another_ticket() -> None:
    desk = MailDesk()
    first, second = await desk.accept(a_mail(b"one\n")), await desk.accept(a_mail(b"two\n"))
    assert first.ticket_id != second.ticket_id
    assert (await desk.accept(a_mail(b"two\n"))).ticket_id == second.ticket_id
    assert texts(await desk.ticket(second.ticket_id)) == ["two"]


async def test_a_mail_without_a_message_id_is_there_once() -> None:
    desk = MailDesk()
    raw = a_mail().replace(b"message-id: <a@example.net>\n", b"")
    assert (await desk.accept(raw)).ticket_id == (await desk.accept(raw)).ticket_id


async def test_a_mail_to_two_mailboxes_is_a_ticket_in_each() -> None:
    desk = MailDesk()
    await desk.open_mailbox(SUPPORT)
    await desk.open_mailbox(OTHER)
    accepted = await desk.accept_each(a_mail(), to=(SUPPORT, OTHER, "support+x@example.com"))
    assert len(accepted) == 2
    assert len({one.ticket_id for one in accepted}) == 2


async def test_a_reply_that_comes_through_two_mailboxes_is_said_once() -> None:
    desk = MailDesk()
    await desk.open_mailbox(SUPPORT)
    await desk.open_mailbox(OTHER)
    ticket = await desk.opened()
    accepted = await desk.accept_each(a_reply(to=token_of(ticket), cc=OTHER), to=(token_of(ticket), OTHER))
    assert {one.ticket_id for one in accepted} == {ticket.id}
    assert texts(await desk.ticket(ticket.id)) == ["Hello", "Still burning."]


@pytest.mark.parametrize("field", ["to", "in_reply_to", "references", "own_message_id", "subject"])
async def test_a_reply_finds_its_ticket(field: str) -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    reply = {
        "to": {"to": token_of(ticket)},
        "in_reply_to": {"in_reply_to": "<a@example.net>"},
        "references": {"references": "<x@example.net> <a@example.net> <y@example.net>"},
        "own_message_id": {"in_reply_to": f"<{await desk.answer(ticket.id)}>"},
        "subject": {"subject": f"Re: [#{ticket.number}] Printer"},
    }[field]
    accepted = await desk.accept(a_reply(**reply))
    assert (accepted.ticket_id, accepted.number) == (ticket.id, ticket.number)
    assert texts(await desk.ticket(ticket.id))[-1] == "Still burning."


async def test_a_token_among_the_recipients_alone_is_enough() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    reply = a_reply(to="somebody@example.net", from_=BOB)
    assert (await desk.accept(reply, to=(token_of(ticket),))).ticket_id == ticket.id


async def test_a_forged_token_opens_a_ticket_of_its_own() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    forged = token_of(ticket).replace(ticket.id, "a" * 16)
    assert (await desk.accept(a_reply(to=forged), to=(forged,))).ticket_id != ticket.id


@pytest.mark.parametrize("guess", [{"subject": "[#1] mine"}, {"in_reply_to": "<a@example.net>"}])
async def test_a_stranger_who_guesses_opens_a_ticket_that_is_linked_to_the_one_they_named(
    guess: dict[str, str],
) -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    accepted = await desk.accept(a_reply(from_=BOB, **guess))
    strange = await desk.ticket(accepted.ticket_id)
    assert [(link.ticket_id, link.kind) for link in strange.links] == [(ticket.id, "related")]
    assert (await desk.ticket(ticket.id)).version == ticket.version


async def test_somebody_copied_in_may_reply_by_number() -> None:
    desk = MailDesk()
    ticket = await desk.opened(cc="bob@example.org")
    assert (await desk.accept(a_reply(from_=BOB, subject="[#1]"))).ticket_id == ticket.id


async def test_a_number_that_a_ticket_did_not_keep_names_no_ticket() -> None:
    desk = MailDesk()
    await desk.opened()
    await desk.opened()  # a repeat takes number 2, and does not keep it
    accepted = await desk.accept(a_reply(subject="[#2] mine"))
    assert (accepted.number, (await desk.ticket(accepted.ticket_id)).links) == (3, ())


async def test_a_reply_on_a_merged_ticket_lands_where_it_lives_on() -> None:
    desk = MailDesk()
    first, second = await desk.opened(), await desk.opened(message_id="<c@example.net>")
    third = await desk.opened(message_id="<d@example.net>")
    await desk.merge(first, second)
    await desk.merge(second, third)
    accepted = await desk.accept(a_reply(to=token_of(first)))
    assert (accepted.ticket_id, accepted.number) == (third.id, third.number)


async def test_a_merge_in_between_does_not_double_a_mail() -> None:
    desk = MailDesk()
    first, second = await desk.opened(), await desk.opened(message_id="<c@example.net>")
    before = await desk.accept(a_reply(to=token_of(first)))
    await desk.merge(first, second)
    again = await desk.accept(a_reply(to=token_of(first)))
    assert (again.repeated, again.sequence) == (True, before.sequence)
    assert len((await desk.ticket(second.id)).messages) == 1


async def test_a_second_merge_does_not_double_a_mail_that_came_after_the_first() -> None:
    desk = MailDesk()
    first, second = await desk.opened(), await desk.opened(message_id="<c@example.net>")
    third = await desk.opened(message_id="<d@example.net>")
    await desk.merge(first, second)
    await desk.accept(a_reply(to=token_of(first)))
    await desk.merge(second, third)
    assert (await desk.accept(a_reply(to=token_of(first)))).repeated
    assert len((await desk.ticket(third.id)).messages) == 1


async def test_a_mail_whose_reference_arrives_later_is_not_doubled() -> None:
    desk = MailDesk()
    reply = a_reply(in_reply_to="<a@example.net>")
    before = await desk.accept(reply)
    await desk.opened()
    again = await desk.accept(reply)
    assert (again.ticket_id, again.repeated) == (before.ticket_id, True)


async def test_a_reply_takes_a_solved_ticket_up_again() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    await desk.do(ticket.id, ChangeStatus(status="solved"))
    await desk.accept(a_reply(to=token_of(ticket)))
    assert (await desk.ticket(ticket.id)).status == "open"


async def test_a_reply_soon_after_the_end_opens_a_follow_up_and_both_know() -> None:
    desk = MailDesk()
    closed = await desk.opened()
    await desk.do(closed.id, ChangeStatus(status="closed"))
    desk.later(days=30)
    accepted = await desk.accept(a_reply(to=token_of(closed)))
    follow_up, closed = await desk.ticket(accepted.ticket_id), await desk.ticket(closed.id)
    assert follow_up.follow_up_of == closed.id
    assert [(link.ticket_id, link.kind) for link in follow_up.links] == [(closed.id, "follow_up")]
    assert [(link.ticket_id, link.kind) for link in closed.links] == [(follow_up.id, "follow_up")]
    assert (await desk.accept(a_reply(to=token_of(closed)))).repeated


async def test_a_second_reply_after_the_end_goes_to_the_follow_up() -> None:
    desk = MailDesk()
    closed = await desk.opened()
    await desk.do(closed.id, ChangeStatus(status="closed"))
    first = await desk.accept(a_reply(to=token_of(closed)))
    second = await desk.accept(a_reply("And again.", to=token_of(closed), message_id="<e@example.net>"))
    assert second.ticket_id == first.ticket_id


async def test_a_reply_long_after_the_end_is_a_matter_of_its_own() -> None:
    desk = MailDesk()
    await desk.open_mailbox(SUPPORT, follow_up_days=10)
    closed = await desk.opened()
    await desk.do(closed.id, ChangeStatus(status="closed"))
    desk.later(days=11)
    new = await desk.ticket((await desk.accept(a_reply(to=token_of(closed)))).ticket_id)
    assert (new.follow_up_of, [link.kind for link in new.links]) == (None, ["related"])
    assert (await desk.ticket(closed.id)).links == ()


async def test_a_closed_ticket_with_all_the_links_it_can_bear_is_still_followed_up() -> None:
    desk = MailDesk()
    closed = await desk.opened()
    for number in range(limits.LINKS):
        await desk.do(closed.id, a_link(number))
    await desk.do(closed.id, ChangeStatus(status="closed"))
    follow_up = await desk.ticket((await desk.accept(a_reply(to=token_of(closed)))).ticket_id)
    assert follow_up.follow_up_of == closed.id


@pytest.mark.parametrize("sign", [{"auto_submitted": "auto-replied"}, {"precedence": "list"}])
async def test_a_machines_mail_is_kept_and_takes_nothing_up_again(sign: dict[str, str]) -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    await desk.do(ticket.id, ChangeStatus(status="solved"))
    await desk.accept(a_reply(to=token_of(ticket), **sign))
    ticket = await desk.ticket(ticket.id)
    assert (ticket.status, texts(ticket)[-1]) == ("solved", "Still burning.")
    assert ticket.messages[-1].machine is not None


async def test_a_machines_answer_to_a_closed_ticket_is_noted_on_it_and_opens_nothing() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    await desk.do(ticket.id, ChangeStatus(status="closed"))
    accepted = await desk.accept(a_reply(to=token_of(ticket), auto_submitted="auto-replied"))
    ticket = await desk.ticket(ticket.id)
    assert (accepted.ticket_id, ticket.status, texts(ticket)) == (ticket.id, "closed", ["Hello", "Still burning."])


async def test_a_report_of_a_machine_about_nothing_of_ours_opens_a_ticket() -> None:
    desk = MailDesk()
    accepted = await desk.accept(a_mail(subject="Disk full", auto_submitted="auto-generated"))
    assert (await desk.ticket(accepted.ticket_id)).messages[0].machine == "auto_reply"


def a_bounce(of: str, **fields: str) -> bytes:
    body = (
        "--b\nContent-Type: text/plain\n\nSorry.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
        "Final-Recipient: rfc822; ann@example.net\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 no such user\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: <{of}>\n\nTry again.\n--b--\n"
    )
    fields = {"from_": "MAILER-DAEMON@mx.example.net", "message_id": "<bounce@mx>", **fields}
    return a_mail(body.encode(), content_type='multipart/report; report-type=delivery-status; boundary="b"', **fields)


async def test_a_bounce_is_noted_on_the_reply_it_is_about() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    accepted = await desk.accept(a_bounce(await desk.answer(ticket.id)))
    ticket = await desk.ticket(ticket.id)
    assert (accepted.ticket_id, len(ticket.messages)) == (ticket.id, 2)
    assert ticket.messages[-1].delivery == "bounced"


async def test_a_bounce_on_a_merged_ticket_is_noted_where_the_reply_stands() -> None:
    desk = MailDesk()
    ticket, other = await desk.opened(), await desk.opened(message_id="<c@example.net>")
    bounced = a_bounce(await desk.answer(ticket.id))
    await desk.merge(ticket, other)
    await desk.accept(bounced)
    assert (await desk.ticket(ticket.id)).messages[-1].delivery == "bounced"


async def test_a_bounce_of_a_foreign_mail_is_parked() -> None:
    desk = MailDesk()
    assert "did not send" in await desk.refuse(a_bounce("foreign@example.org"))


async def test_a_bounce_that_names_only_the_ticket_is_kept_on_it() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    await desk.accept(a_bounce("foreign@example.org", to=token_of(ticket)))
    assert (await desk.ticket(ticket.id)).messages[-1].machine == "bounce"


async def test_our_own_mail_that_comes_back_is_parked() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    own = await desk.answer(ticket.id)
    assert "came back" in await desk.refuse(a_mail(message_id=f"<{own}>"))
    assert "came back" in await desk.refuse(a_mail(from_=SUPPORT))
    assert len((await desk.ticket(ticket.id)).messages) == 2


async def test_a_blocked_customers_mail_is_parked() -> None:
    desk = MailDesk()
    await desk.block("ann@example.net")
    assert await desk.refuse(a_mail()) == "the sender is blocked"


@pytest.mark.parametrize("author", ["ann@example.net", "Bob <BOB@Example.Net>"])
async def test_nobody_of_a_blocked_organisation_opens_a_ticket(author: str) -> None:
    desk = MailDesk()
    blocked = Organisation(name="Nuisance", domains=("Example.net",), blocked=True)
    await desk.directory.put("nuisance", blocked, actor=ADA)
    assert await desk.refuse(a_mail(from_=author)) == "the sender's organisation is blocked"
    assert (await desk.accept(a_mail(from_="cora@mail.example.net"))).decision == "opened"
    await desk.directory.put("nuisance", blocked.model_copy(update={"blocked": False}), actor=ADA)
    assert (await desk.accept(a_mail(from_=author, message_id="<later@example.net>"))).decision == "opened"


async def test_a_customer_belongs_to_the_organisation_that_was_chosen_for_them_whatever_their_domain() -> None:
    desk = MailDesk()
    await desk.directory.put("nuisance", Organisation(name="N", domains=("example.net",), blocked=True), actor=ADA)
    await desk.directory.put("friends", Organisation(name="Friends"), actor=ADA)
    ann = Customer(address="ann@example.net", organisation_id="friends")
    await desk.directory.put(desk.customers.id_of("ann@example.net"), ann, actor=ADA)
    assert (await desk.accept(a_mail())).decision == "opened"


async def test_a_mail_without_a_sender_is_parked() -> None:
    desk = MailDesk()
    (parked,) = await desk.deliver(a_mail(from_="nobody"), sender="")
    assert parked.reason == "the message names no sender"  # type: ignore[union-attr]


async def test_a_ticket_that_is_closed_while_a_reply_is_entered_gets_a_follow_up() -> None:
    desk = MailDesk()
    ticket = await desk.opened()
    resolve = desk.threads.resolve

    async def close_after_resolving(*asked: object) -> object:
        desk.threads.resolve = resolve  # type: ignore[method-assign]
        found = await resolve(*asked)  # type: ignore[arg-type]
        await desk.do(ticket.id, ChangeStatus(status="closed"))
        return found

    desk.threads.resolve = close_after_resolving  # type: ignore[method-assign,assignment]
    accepted = await desk.accept(a_reply(to=token_of(ticket)))
    assert (await desk.ticket(accepted.ticket_id)).follow_up_of == ticket.id


async def test_trouble_that_passes_is_told_and_leaves_nothing_behind_but_the_raw_mail() -> None:
    desk = MailDesk()

    async def away(ticket_id: str) -> int:
        raise EventStoreError("away")

    take, desk.numbers.take = desk.numbers.take, away  # type: ignore[method-assign]
    with pytest.raises(EventStoreError):
        await desk.deliver(a_mail())
    desk.numbers.take = take  # type: ignore[method-assign]
    assert not (await desk.accept(a_mail())).repeated
    assert desk.parking.parked == []
