"""How much a ticket takes."""

from collections.abc import Callable

import pytest

from deskwire_shared.contracts.facts import (
    Address,
    AssignmentDecision,
    Attachment,
    Considered,
    FieldChanged,
    Linked,
    TaskAdded,
)
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, a_ticket, given, opened
from deskwire_shared.ticket import limits
from deskwire_shared.ticket.commands import (
    AddNote,
    AddTask,
    AssignTicket,
    ChangeField,
    ChangeFollowers,
    ChangePriority,
    ChangeSubject,
    ChangeTags,
    LinkTicket,
    OpenTicket,
    ReceiveMerge,
    ReceiveReply,
    SendReply,
    Several,
    SingleCommand,
)
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.refusals import TooLarge, TooMany, UnreadableText

A = Address(address="a@example.org")
FILE = Attachment(key="k", filename="f", content_type="text/plain", size=1, sha256="0")


def reply(text: str = "x", html: str | None = None, to: int = 0, files: int = 0) -> SendReply:
    return SendReply(message_id="r1", agent_id="a", text=text, html=html, to=(A,) * to, attachments=(FILE,) * files)


def mail(subject: str = "s", references: int = 0, quoted: str | None = None) -> ReceiveReply:
    return ReceiveReply(
        message_id="m2",
        channel="email",
        author=CUSTOMER,
        author_id=CUSTOMER_ID,
        text="x",
        subject=subject,
        references=("<1@x>",) * references,
        quoted=quoted,
    )


def assign(considered: int) -> AssignTicket:
    one = Considered(agent_id="a", open_tickets=1, verdict="able")
    decision = AssignmentDecision(team_id="t", reason="r", candidates=considered, considered=(one,) * considered)
    return AssignTicket(agent_id="a", decision=decision)


@pytest.mark.parametrize(
    ("sized", "limit"),
    [
        (lambda size: reply(text="x" * size), limits.TEXT_SIZE),
        (lambda size: reply(html="x" * size), limits.HTML_SIZE),
        (lambda size: mail(quoted="x" * size), limits.TEXT_SIZE),
        (lambda size: mail(subject="x" * size), limits.SUBJECT_LENGTH),
        (lambda size: AddNote(message_id="n", agent_id="a", text="x" * size), limits.TEXT_SIZE),
        (lambda size: ChangeSubject(subject="ß" * size), limits.SUBJECT_LENGTH),
        (lambda size: ChangeField(name="f", value="x" * size), limits.FIELD_VALUE_SIZE),
        (lambda size: ChangeField(name="f", value=("x" * size,)), limits.LINE_SIZE),
    ],
)
def test_text_is_taken_up_to_its_limit(sized: Callable[[int], SingleCommand], limit: int) -> None:
    assert decide(sized(limit), a_ticket())
    given(opened()).when(sized(limit + 1)).refuses(TooLarge)


@pytest.mark.parametrize(
    ("counted", "limit"),
    [
        (lambda count: reply(to=count), limits.RECIPIENTS),
        (lambda count: reply(files=count), limits.ATTACHMENTS),
        (lambda count: mail(references=count), limits.REFERENCES),
        (lambda count: ChangeTags(add=tuple(f"t{n}" for n in range(count))), limits.TAGS),
        (lambda count: assign(considered=count), limits.CONSIDERED),
        (lambda count: ChangeFollowers(add=tuple(f"a{n}" for n in range(count))), limits.FOLLOWERS),
        (lambda count: ChangeField(name="f", value=("x",) * count), limits.FIELD_CHOICES),
        (lambda count: AddNote(message_id="n", agent_id="a", text="x", mentions=("b",) * count), limits.MENTIONS),
        (
            lambda count: ReceiveMerge(source="t2", source_number=2, participants=("p",) * count),
            limits.PARTICIPANTS,
        ),
    ],
)
def test_things_are_taken_up_to_their_limit(counted: Callable[[int], SingleCommand], limit: int) -> None:
    assert decide(counted(limit), a_ticket())
    given(opened()).when(counted(limit + 1)).refuses(TooMany)


def test_a_ticket_has_so_many_fields_links_and_tasks() -> None:
    fields = (FieldChanged(name=f"f{n}", after=n) for n in range(limits.FIELDS))
    given(opened(), *fields).when(ChangeField(name="one_more", value=1)).refuses(TooMany)
    links = (Linked(ticket_id=f"t{n}", number=n, kind="related") for n in range(limits.LINKS))
    given(opened(), *links).when(LinkTicket(ticket_id="x", number=0)).refuses(TooMany)
    tasks = (TaskAdded(person_id=CUSTOMER_ID, task_id=f"k{n}", title="x") for n in range(limits.TASKS))
    given(opened(), *tasks).when(AddTask(task_id="x", title="x")).refuses(TooMany)


def test_a_conversation_ends_some_day() -> None:
    ticket = a_ticket()
    full = a_ticket(messages=ticket.messages * limits.MESSAGES)
    with pytest.raises(TooMany):
        decide(reply(), full)


def test_a_commit_fits_in_one_message_of_the_log() -> None:
    big = reply(text="x" * limits.TEXT_SIZE, html="y" * limits.HTML_SIZE)
    given(opened()).when(big).refuses(TooLarge)


def test_what_grows_in_json_is_measured_as_json() -> None:
    given(opened()).when(reply(text="\x01" * (limits.TEXT_SIZE // 2))).refuses(TooLarge)


def test_several_small_wishes_can_be_one_too_large() -> None:
    note = "x" * limits.TEXT_SIZE
    notes = tuple(AddNote(message_id=f"n{n}", agent_id="a", text=note) for n in range(3))
    assert decide(notes[0], a_ticket())
    given(opened()).when(Several(commands=notes)).refuses(TooLarge)


def test_so_many_wishes_are_taken_at_once() -> None:
    too_many = (ChangePriority(priority="high"),) * (limits.COMMANDS + 1)
    given(opened()).when(Several(commands=too_many)).refuses(TooMany)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800"])
def test_what_no_database_stores_is_refused(text: str) -> None:
    for command in (reply(text=text), ChangeSubject(subject=text), ChangeTags(add=(text,)), mail(subject=text)):
        given(opened()).when(command).refuses(UnreadableText)


def test_an_address_that_is_too_long_opens_no_ticket() -> None:
    author = Address(address="a" * (limits.LINE_SIZE + 1))
    given().when(
        OpenTicket(message_id="m", channel="email", author=author, text="x", number=1, requester_id="p")
    ).refuses(TooLarge)
