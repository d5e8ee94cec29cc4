"""How a mail joins the customer's thread."""

from dataclasses import replace

import pytest

from deskwire_notify.mails.threads import MOST_REFERENCES, Thread, answered_message, answering_subject, thread_of
from deskwire_shared.contracts.facts import AgentReplied, CustomerReplied, MachineKind
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, a_ticket
from deskwire_shared.ticket.state import Message


def a_message(**changes: object) -> Message:
    return replace(a_ticket().messages[0], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "answering"),
    [
        ("Printer", "Re: Printer [#7]"),
        ("Re: Printer", "Re: Printer [#7]"),
        ("RE: AW: Re[2]: Printer [#7]", "Re: Printer [#7]"),
        ("[#7] Printer [#7]", "Re: Printer [#7]"),
        ("Printer [#8]", "Re: Printer [#8] [#7]"),
        ("Regarding: rest", "Re: Regarding: rest [#7]"),
        ("", "Re: [#7]"),
        ("a\r\nBcc: x", "Re: a Bcc: x [#7]"),
    ],
)
def test_an_answer_says_so_once_and_names_the_ticket_once(subject: str, answering: str) -> None:
    assert answering_subject(subject, 7) == answering
    assert answering_subject(answering, 7) == answering


def test_a_long_subject_is_cut_but_not_its_number() -> None:
    subject = answering_subject("x" * 5_000, 7)
    assert len(subject) < 250
    assert subject.endswith(" [#7]")


def test_an_answer_refers_to_the_customers_mail_and_what_came_before_it() -> None:
    message = a_message(internet_message_id="<c@x>", references=("a@x", "<b@x>", "a@x"))
    assert thread_of(message) == Thread("c@x", ("a@x", "b@x", "c@x"))


def test_of_a_long_thread_the_first_and_the_last_mails_are_named() -> None:
    references = tuple(f"{number}@x" for number in range(200))
    thread = thread_of(a_message(internet_message_id="last@x", references=references))
    assert len(thread.references) == MOST_REFERENCES
    assert thread.references[0] == "0@x"
    assert thread.references[-2:] == ("199@x", "last@x")


@pytest.mark.parametrize("forged", ["a b@x", "a@x>\r\nBcc: <v@y", "ü@x", "", "<>", "x" * 300])
def test_an_id_that_no_header_can_hold_is_left_out(forged: str) -> None:
    assert thread_of(a_message(internet_message_id=forged, references=("a@x",))) == Thread()
    assert thread_of(a_message(internet_message_id="c@x", references=(forged, "a@x"))) == Thread("c@x", ("a@x", "c@x"))


def test_a_ticket_that_no_mail_opened_starts_a_thread() -> None:
    assert thread_of(a_message(internet_message_id=None)) == Thread()
    assert thread_of(None) == Thread()


def customer_replied(message_id: str, machine: MachineKind | None = None) -> CustomerReplied:
    return CustomerReplied(
        person_id=CUSTOMER_ID, author_id=CUSTOMER_ID, message_id=message_id, channel="email", author=CUSTOMER,
        text="and?", machine=machine,
    )  # fmt: skip


def test_a_reply_answers_the_last_thing_a_person_said_before_it() -> None:
    reply = AgentReplied(person_id=CUSTOMER_ID, message_id="r1", agent_id="ada", text="Soon.")
    ticket = a_ticket(customer_replied("m2"), customer_replied("away", "auto_reply"), reply, customer_replied("m3"))
    answered = answered_message(ticket, ticket.messages[3])
    assert answered is not None
    assert answered.id == "m2"
