"""Answers that come before the mails they answer, and strangers who lie in wait for mails of others."""

import pytest

from deskwire_shared.ticket.commands import ChangeStatus
from unit.intake.inbound import a_mail
from unit.intake.mail_desk import SUPPORT, MailDesk, texts

ANN, BOB, EVE = "Ann <ann@example.net>", "Bob <bob@example.org>", "Eve <eve@example.com>"
RELAY = b"Authentication-Results: mx.example.com; dmarc=fail header.from=example.net\n"


def a_question(text: str = "It burns.", **fields: str) -> bytes:
    """Ann writes to the desk, and copies Bob in."""
    return a_mail(text.encode(), **{"from": ANN, "cc": BOB, "message_id": "<question@example.net>", **fields})


def an_answer(text: str = "It still does.", **fields: str) -> bytes:
    """Bob answers Ann's mail, and copies the desk in."""
    usual = {"from": BOB, "to": ANN, "cc": SUPPORT, "subject": "Re: Printer", "message_id": "<answer@example.org>"}
    return a_mail(text.encode(), **{**usual, "references": "<question@example.net>", **fields})


async def test_a_mail_that_comes_after_the_answer_to_it_stands_on_the_same_ticket() -> None:
    desk = MailDesk()
    answer, question = await desk.accept(an_answer()), await desk.accept(a_question())
    assert question.ticket_id == answer.ticket_id
    assert texts(await desk.ticket(answer.ticket_id)) == ["It still does.", "It burns."]


async def test_ones_own_mails_meet_in_whatever_order_they_come() -> None:
    desk = MailDesk()
    second = await desk.accept(an_answer(from_=ANN, to=SUPPORT, cc=""))
    assert (await desk.accept(a_question(cc=""))).ticket_id == second.ticket_id


async def test_answers_of_two_people_meet_before_the_mail_they_answer() -> None:
    desk = MailDesk()
    first = await desk.accept(an_answer())
    second = an_answer("Not here.", from_=ANN, to=BOB, message_id="<third@example.net>")
    assert (await desk.accept(second)).ticket_id == first.ticket_id
    assert (await desk.accept(a_question())).ticket_id == first.ticket_id


async def test_a_mail_in_the_middle_of_a_thread_finds_the_answer_to_it() -> None:
    desk = MailDesk()
    answer = await desk.accept(an_answer(references="", in_reply_to="<question@example.net>"))
    question = a_question(references="<before@example.net>")
    assert (await desk.accept(question)).ticket_id == answer.ticket_id


@pytest.mark.parametrize("repeated", ["answer", "question"])
async def test_mails_that_come_twice_in_the_wrong_order_are_there_once(repeated: str) -> None:
    desk = MailDesk()
    mails = {"answer": an_answer(), "question": a_question()}
    await desk.accept(mails["answer"])
    ticket_id = (await desk.accept(mails["question"])).ticket_id
    again = await desk.accept(mails[repeated])
    assert (again.ticket_id, again.repeated) == (ticket_id, True)
    assert len((await desk.ticket(ticket_id)).messages) == 2


async def test_a_stranger_cannot_take_a_thread_in_advance_by_copying_its_author_in() -> None:
    desk = MailDesk()
    bait = await desk.accept(an_answer("Let me see", from_=EVE))
    question = await desk.accept(a_question())
    assert question.ticket_id != bait.ticket_id
    assert texts(await desk.ticket(bait.ticket_id)) == ["Let me see"]
    assert (await desk.ticket(question.ticket_id)).links == ()


async def test_a_stranger_cannot_draw_in_those_who_answer_the_same_newsletter() -> None:
    desk = MailDesk()
    newsletter = {"references": "<newsletter@example.com>"}
    bait = await desk.accept(an_answer("Let me see", from_=EVE, to=ANN, **newsletter))
    caught = an_answer("A secret", from_=ANN, to="editor@example.com", message_id="<a@example.net>", **newsletter)
    assert (await desk.accept(caught)).ticket_id != bait.ticket_id


async def test_who_is_kept_out_of_a_taken_thread_is_still_answered_on_their_own_ticket() -> None:
    desk = MailDesk()
    await desk.accept(an_answer("Let me see", from_=EVE))
    question = await desk.accept(a_question(references="<older@example.net>", message_id="<question@example.net>"))
    answer = an_answer(references="<older@example.net> <question@example.net>")
    assert (await desk.accept(answer)).ticket_id == question.ticket_id


async def test_customers_who_answer_one_newsletter_have_a_ticket_each_and_no_links() -> None:
    desk = MailDesk()
    tickets = [
        await desk.accept(a_mail(from_=f"c{number}@example.net", message_id=f"<{number}@x>", in_reply_to="<news@x>"))
        for number in range(3)
    ]
    assert len({one.ticket_id for one in tickets}) == 3
    assert [(await desk.ticket(one.ticket_id)).links for one in tickets] == [(), (), ()]


async def test_a_mail_whose_sender_is_somebody_else_stands_for_no_thread_and_joins_none() -> None:
    desk = MailDesk(trusted=("mx.example.com",))
    forged = await desk.accept(RELAY + an_answer(from_=ANN, to=SUPPORT, cc=EVE))
    question = await desk.accept(a_question())
    assert question.ticket_id != forged.ticket_id
    joined = await desk.accept(RELAY + an_answer("And?", from_=ANN, to=SUPPORT, message_id="<other@example.net>"))
    assert joined.ticket_id != question.ticket_id
    (link,) = (await desk.ticket(joined.ticket_id)).links
    assert (link.ticket_id, link.kind) == (question.ticket_id, "related")


async def test_a_mail_that_follows_an_answer_on_a_closed_ticket_opens_a_follow_up() -> None:
    desk = MailDesk()
    answer = await desk.accept(an_answer())
    await desk.do(answer.ticket_id, ChangeStatus(status="closed"))
    question = await desk.ticket((await desk.accept(a_question())).ticket_id)
    assert question.follow_up_of == answer.ticket_id
