"""What is said on a ticket."""

from datetime import timedelta
from typing import Any

import pytest

from deskwire_shared.contracts.facts import (
    Acknowledged,
    Address,
    AgentReplied,
    Attachment,
    CustomerReplied,
    MachineKind,
    Merged,
    NoteAdded,
    Redacted,
    Reopened,
    ReplyBounced,
    ReplyDelivered,
    ReplyWithdrawn,
    Snoozed,
    Status,
    StatusChanged,
    Woken,
)
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, NOON, a_ticket, given, opened
from deskwire_shared.ticket.commands import (
    AddNote,
    OpenTicket,
    ReceiveReply,
    RecordAcknowledgement,
    RecordBounce,
    RecordDelivery,
    RedactMessage,
    SendReply,
    WithdrawReply,
)
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.refusals import (
    EmptyMessage,
    IllegalStatusMove,
    MessageIdIsTaken,
    ReplyAlreadyDelivered,
    ReplyIsLeaving,
    ReplyWasWithdrawn,
    TicketAlreadyExists,
    TicketDoesNotExist,
    TicketIsClosed,
    TicketIsMerged,
    UnknownMessage,
)

LATER = NOON + timedelta(minutes=1)
OPEN = StatusChanged(before="new", after="open")
SOLVED = StatusChanged(before="open", after="solved")
CLOSED = StatusChanged(before="open", after="closed")


def open_ticket(**changes: Any) -> OpenTicket:
    usual = {
        "message_id": "m1",
        "channel": "email",
        "author": CUSTOMER,
        "subject": "The printer is on fire",
        "text": "Please help.",
        "number": 1,
        "requester_id": CUSTOMER_ID,
    }
    return OpenTicket(**{**usual, **changes})


def receive_reply(**changes: Any) -> ReceiveReply:
    usual = {
        "message_id": "m2",
        "channel": "email",
        "author": CUSTOMER,
        "text": "It still burns.",
        "author_id": CUSTOMER_ID,
    }
    return ReceiveReply(**{**usual, **changes})


def customer_replied(**changes: Any) -> CustomerReplied:
    usual = {
        "person_id": CUSTOMER_ID,
        "message_id": "m2",
        "channel": "email",
        "author": CUSTOMER,
        "text": "It still burns.",
        "author_id": CUSTOMER_ID,
    }
    return CustomerReplied(**{**usual, **changes})


def agent_replied(**changes: Any) -> AgentReplied:
    usual = {
        "person_id": CUSTOMER_ID,
        "message_id": "r1",
        "agent_id": "ada",
        "text": "Use water.",
        "to": (CUSTOMER,),
    }
    return AgentReplied(**{**usual, **changes})


REPLY = SendReply(message_id="r1", agent_id="ada", text="Use water.")


def test_a_first_message_opens_a_ticket() -> None:
    given().when(open_ticket()).then(opened())


def test_opening_is_the_only_wish_for_a_ticket_that_does_not_exist() -> None:
    given().when(REPLY).refuses(TicketDoesNotExist)


def test_a_ticket_is_opened_once() -> None:
    given(opened()).when(open_ticket()).then()
    given(opened()).when(open_ticket(message_id="m9")).refuses(TicketAlreadyExists)


def test_a_subject_cannot_break_out_of_its_line() -> None:
    given().when(open_ticket(subject=" Fire\r\nBcc: all@example.org ")).then(
        opened(subject="Fire Bcc: all@example.org")
    )


def test_an_empty_mail_is_kept_because_its_raw_bytes_are() -> None:
    given().when(open_ticket(text="", subject="", raw_key="raw/1")).then(opened(text="", subject="", raw_key="raw/1"))
    given().when(open_ticket(text=" ", subject=" ")).refuses(EmptyMessage)


@pytest.mark.parametrize("waiting", ["pending", "on_hold"])
def test_a_customers_reply_ends_the_waiting(waiting: Status) -> None:
    given(opened(), StatusChanged(before="new", after=waiting)).when(receive_reply()).then(
        customer_replied(), StatusChanged(before=waiting, after="open")
    )


@pytest.mark.parametrize("history", [(), (OPEN,)])
def test_a_customers_reply_leaves_a_ticket_in_work_where_it_is(history: tuple[StatusChanged, ...]) -> None:
    given(opened(), *history).when(receive_reply()).then(customer_replied())


def test_a_customers_reply_reopens_a_solved_ticket() -> None:
    given(opened(), OPEN, SOLVED).when(receive_reply()).then(
        customer_replied(),
        Reopened(before="solved", reason="customer_reply"),
        StatusChanged(before="solved", after="open"),
    )


def test_a_customers_reply_wakes_a_snoozed_ticket() -> None:
    given(opened(), OPEN, StatusChanged(before="open", after="pending"), Snoozed(until=LATER)).when(
        receive_reply()
    ).then(customer_replied(), Woken(reason="reply"), StatusChanged(before="pending", after="open"))


@pytest.mark.parametrize("machine", ["auto_reply", "bounce", "list"])
@pytest.mark.parametrize("history", [(OPEN, SOLVED), (OPEN, Snoozed(until=LATER)), ()])
def test_a_machine_is_heard_but_moves_nothing(machine: MachineKind, history: tuple[Any, ...]) -> None:
    given(opened(), *history).when(receive_reply(machine=machine)).then(customer_replied(machine=machine))


def test_a_machine_does_not_become_somebody_who_may_write() -> None:
    robot = Address(address="mailer-daemon@example.net")
    ticket = a_ticket(customer_replied(machine="bounce", author=robot, author_id="robot"))
    assert ticket.participants == {CUSTOMER_ID}
    assert ticket.participant_addresses == {CUSTOMER.address}


def test_whoever_wrote_or_was_written_to_may_write() -> None:
    boss = Address(address=" Boss@Example.ORG ")
    ticket = a_ticket(customer_replied(cc=(boss,), author_id="p2"), agent_replied(to=(Address(address="x@y.z"),)))
    assert ticket.participants == {CUSTOMER_ID, "p2"}
    assert ticket.participant_addresses == {CUSTOMER.address, "boss@example.org", "x@y.z"}


def test_a_closed_ticket_takes_no_more_replies() -> None:
    given(opened(), OPEN, CLOSED).when(receive_reply()).refuses(TicketIsClosed)
    given(opened(), OPEN, CLOSED).when(REPLY).refuses(TicketIsClosed)


def test_a_reply_to_a_merged_ticket_is_sent_on_to_where_it_lives() -> None:
    merged = given(opened(), Merged(into="t2", into_number=2), StatusChanged(before="new", after="closed"))
    refusal = merged.when(receive_reply()).refuses(TicketIsMerged)
    assert isinstance(refusal, TicketIsMerged)
    assert refusal.into == "t2"


def test_a_repeated_message_changes_nothing() -> None:
    given(opened(), customer_replied()).when(receive_reply()).then()
    given(opened(), agent_replied()).when(REPLY).then()


def test_other_words_under_a_known_id_are_refused_rather_than_lost() -> None:
    given(opened(), customer_replied()).when(receive_reply(text="Something else.")).refuses(MessageIdIsTaken)
    given(opened(), customer_replied(message_id="r1")).when(REPLY).refuses(MessageIdIsTaken)


def test_the_first_answer_opens_a_new_ticket() -> None:
    given(opened()).when(REPLY).then(agent_replied(), OPEN)


def test_an_answer_sets_the_status_it_names() -> None:
    given(opened()).when(SendReply(message_id="r1", agent_id="ada", text="Use water.", status="solved")).then(
        agent_replied(), StatusChanged(before="new", after="solved")
    )
    given(opened(), OPEN).when(SendReply(message_id="r1", agent_id="ada", text="Use water.", status="new")).refuses(
        IllegalStatusMove
    )


def test_an_automated_answer_is_no_first_response() -> None:
    automated = SendReply(message_id="r1", agent_id="rule", text="We are on it.", automated=True)
    ticket = given(opened()).when(automated).leads_to()
    assert (ticket.status, ticket.first_response_at) == ("new", None)


def test_an_answer_goes_to_the_named_recipients_or_to_the_requester() -> None:
    boss = Address(address="boss@example.org")
    to_boss = SendReply(message_id="r1", agent_id="ada", text="Use water.", to=(boss,))
    assert given(opened()).when(to_boss).leads_to().messages[-1].to == (boss,)
    assert given(opened()).when(REPLY).leads_to().messages[-1].to == (CUSTOMER,)


def test_an_answer_says_something() -> None:
    given(opened()).when(SendReply(message_id="r1", agent_id="ada", text=" \n ")).refuses(EmptyMessage)


def test_a_file_alone_is_an_answer() -> None:
    file = Attachment(key="k", filename="plan.pdf", content_type="application/pdf", size=1, sha256="0")
    reply = SendReply(message_id="r1", agent_id="ada", text="", attachments=(file,))
    given(opened(), OPEN).when(reply).then(agent_replied(text="", attachments=(file,)))


def test_a_reply_can_be_taken_back_until_it_leaves() -> None:
    waiting = given(opened(), agent_replied(deliver_after=LATER))
    waiting.when(WithdrawReply(message_id="r1", at=NOON)).then(ReplyWithdrawn(message_id="r1"))
    waiting.when(WithdrawReply(message_id="r1", at=LATER)).refuses(ReplyIsLeaving)


def test_a_reply_that_leaves_at_once_cannot_be_taken_back() -> None:
    given(opened(), agent_replied()).when(WithdrawReply(message_id="r1", at=NOON)).refuses(ReplyIsLeaving)


def test_a_delivered_reply_cannot_be_taken_back() -> None:
    given(opened(), agent_replied(deliver_after=LATER), ReplyDelivered(message_id="r1")).when(
        WithdrawReply(message_id="r1", at=NOON)
    ).refuses(ReplyAlreadyDelivered)


def test_only_an_agents_reply_can_be_taken_back() -> None:
    given(opened()).when(WithdrawReply(message_id="m1", at=NOON)).refuses(UnknownMessage)
    given(opened()).when(WithdrawReply(message_id="r1", at=NOON)).refuses(UnknownMessage)


def test_a_withdrawn_answer_was_no_first_response() -> None:
    withdrawn = a_ticket(agent_replied(), ReplyWithdrawn(message_id="r1"))
    assert withdrawn.first_response_at is None
    answered = a_ticket(agent_replied(), agent_replied(message_id="r2"), ReplyWithdrawn(message_id="r1"))
    assert answered.first_response_at == NOON


def test_a_delivery_is_recorded_once_and_never_after_a_withdrawal() -> None:
    given(opened(), agent_replied()).when(RecordDelivery(message_id="r1", attempts=2)).then(
        ReplyDelivered(message_id="r1", attempts=2)
    )
    given(opened(), agent_replied(), ReplyDelivered(message_id="r1")).when(RecordDelivery(message_id="r1")).then()
    given(opened(), agent_replied(), ReplyWithdrawn(message_id="r1")).when(RecordDelivery(message_id="r1")).refuses(
        ReplyWasWithdrawn
    )


def test_a_bounce_outlives_a_delivery() -> None:
    bounced = ReplyBounced(person_id=CUSTOMER_ID, message_id="r1", reason="unknown user")
    given(opened(), agent_replied(), ReplyDelivered(message_id="r1")).when(
        RecordBounce(message_id="r1", reason="unknown user")
    ).then(bounced)
    given(opened(), agent_replied(), bounced).when(RecordDelivery(message_id="r1")).then()
    given(opened(), agent_replied(), bounced).when(RecordBounce(message_id="r1")).then()


def test_a_late_reply_is_not_a_bounced_one() -> None:
    late = ReplyBounced(person_id=CUSTOMER_ID, message_id="r1", permanent=False)
    reply = a_ticket(agent_replied(), late).message("r1")
    assert reply is not None
    assert reply.delivery == "waiting"


def test_the_outside_world_is_recorded_however_the_ticket_ended() -> None:
    for end in ((CLOSED,), (Merged(into="t2", into_number=2), CLOSED)):
        over = given(opened(), OPEN, agent_replied(), *end)
        over.when(RecordDelivery(message_id="r1")).then(ReplyDelivered(message_id="r1"))
        assert over.when(RecordBounce(message_id="r1")).leads_to().messages[-1].delivery == "bounced"


def test_a_customer_is_told_once_that_the_ticket_exists() -> None:
    told = Acknowledged(message_id="m1", template_id="hello")
    given(opened()).when(RecordAcknowledgement(message_id="m1", template_id="hello")).then(told)
    given(opened(), told).when(RecordAcknowledgement(message_id="m1", template_id="hello")).then()


def test_a_note_moves_nothing() -> None:
    given(opened()).when(AddNote(message_id="n1", agent_id="ada", text="Call them.", mentions=("bob",))).then(
        NoteAdded(person_id=CUSTOMER_ID, message_id="n1", agent_id="ada", text="Call them.", mentions=("bob",))
    )


def test_a_note_says_something_once() -> None:
    given(opened()).when(AddNote(message_id="n1", agent_id="ada", text="")).refuses(EmptyMessage)
    noted = NoteAdded(person_id=CUSTOMER_ID, message_id="n1", agent_id="ada", text="Call them.")
    given(opened(), noted).when(AddNote(message_id="n1", agent_id="ada", text="Call them.")).then()


def test_redacted_words_are_gone_for_good() -> None:
    hidden = Redacted(message_id="m1", agent_id="ada", reason="card number")
    given(opened(), OPEN, CLOSED).when(RedactMessage(message_id="m1", agent_id="ada", reason="card number")).then(
        hidden
    )
    message = a_ticket(hidden).messages[0]
    assert (message.text, message.subject, message.redacted) == ("", "", True)
    given(opened(), hidden).when(RedactMessage(message_id="m1", agent_id="ada")).then()


def test_redacted_words_never_leave_the_desk() -> None:
    given(opened(), agent_replied()).when(RedactMessage(message_id="r1", agent_id="ada")).then(
        ReplyWithdrawn(message_id="r1"), Redacted(message_id="r1", agent_id="ada")
    )


def test_only_what_was_said_can_be_redacted() -> None:
    given(opened()).when(RedactMessage(message_id="m9", agent_id="ada")).refuses(UnknownMessage)


def test_an_erased_message_is_still_known_when_it_is_repeated() -> None:
    assert decide(receive_reply(), a_ticket(customer_replied(text="[erased]"))) == []
