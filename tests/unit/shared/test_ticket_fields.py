"""What a ticket is about."""

import pytest

from deskwire_shared.contracts.facts import (
    Address,
    FieldChanged,
    FieldValue,
    FollowersChanged,
    Linked,
    PriorityChanged,
    Rated,
    RequesterChanged,
    StatusChanged,
    SubjectChanged,
    TagsChanged,
    TaskAdded,
    TaskCompleted,
    TimeLogged,
    TypeChanged,
)
from deskwire_shared.testing.ticket import CUSTOMER_ID, NOON, TICKET_ID, a_ticket, given, opened
from deskwire_shared.ticket.commands import (
    AddTask,
    ChangeField,
    ChangeFollowers,
    ChangePriority,
    ChangeRequester,
    ChangeSubject,
    ChangeTags,
    ChangeType,
    CompleteTask,
    LinkTicket,
    LogTime,
    OpenTicket,
    RateTicket,
)
from deskwire_shared.ticket.refusals import (
    CannotLinkToItself,
    EmptySubject,
    EmptyTitle,
    InvalidDuration,
    InvalidFieldName,
    InvalidFieldValue,
    InvalidRating,
    InvalidTag,
    RatingNotYet,
    TaskAlreadyCompleted,
    TaskIdIsTaken,
    TaskUnknown,
)

SOLVED = StatusChanged(before="new", after="solved")
CLOSED = StatusChanged(before="new", after="closed")


def test_a_subject_is_changed_once_and_kept_on_one_line() -> None:
    given(opened(subject="Fire")).when(ChangeSubject(subject="  Smoke\n only ")).then(
        SubjectChanged(person_id=CUSTOMER_ID, before="Fire", after="Smoke only")
    )
    given(opened(subject="Fire")).when(ChangeSubject(subject="Fire")).then()
    given(opened()).when(ChangeSubject(subject=" ")).refuses(EmptySubject)


def test_a_priority_is_changed_once() -> None:
    given(opened()).when(ChangePriority(priority="urgent")).then(PriorityChanged(before="normal", after="urgent"))
    given(opened()).when(ChangePriority(priority="normal")).then()


def test_the_history_of_priorities_is_kept() -> None:
    ticket = a_ticket(PriorityChanged(before="normal", after="high"))
    assert ticket.priority_history == ((NOON, "normal"), (NOON, "high"))


def test_a_type_is_changed_once() -> None:
    given(opened()).when(ChangeType(ticket_type="incident")).then(TypeChanged(before=None, after="incident"))
    given(opened()).when(ChangeType(ticket_type=None)).then()


def test_tags_are_kept_small_trimmed_and_sorted() -> None:
    given(opened(tags=("old",))).when(ChangeTags(add=(" VIP ", "Burning  Printer", "vip"), remove=("OLD",))).then(
        TagsChanged(added=("burning printer", "vip"), removed=("old",), tags=("burning printer", "vip"))
    )


def test_tags_that_are_there_already_are_not_added_again() -> None:
    given(opened(tags=("vip",))).when(ChangeTags(add=("VIP",), remove=("unknown",))).then()


@pytest.mark.parametrize("tag", ["", "  ", "x" * 65])
def test_a_tag_is_a_short_word(tag: str) -> None:
    given(opened()).when(ChangeTags(add=(tag,))).refuses(InvalidTag)


def test_the_tags_of_a_new_ticket_are_written_like_all_others() -> None:
    command = OpenTicket(
        message_id="m",
        channel="web",
        author=Address(address="a@b.c"),
        text="x",
        number=1,
        requester_id="p",
        tags=("B", "a "),
    )
    assert given().when(command).leads_to().tags == ("a", "b")


@pytest.mark.parametrize("value", ["north", 7, True, ("a", "b")])
def test_a_custom_field_takes_a_value(value: FieldValue) -> None:
    given(opened()).when(ChangeField(name="region", value=value)).then(FieldChanged(name="region", after=value))
    given(opened(), FieldChanged(name="region", after=value)).when(ChangeField(name="region", value=value)).then()


def test_a_custom_field_tells_one_from_true() -> None:
    given(opened(), FieldChanged(name="count", after=1)).when(ChangeField(name="count", value=True)).then(
        FieldChanged(name="count", before=1, after=True)
    )


def test_an_emptied_field_is_gone() -> None:
    ticket = given(opened(), FieldChanged(name="region", after="north")).when(ChangeField(name="region", value=None))
    assert ticket.leads_to().fields == {}


@pytest.mark.parametrize("name", ["", "Region", "1st", "a-b", "a" * 65, "a\n"])
def test_a_custom_field_has_a_plain_name(name: str) -> None:
    given(opened()).when(ChangeField(name=name, value="x")).refuses(InvalidFieldName)


def test_a_custom_number_survives_json() -> None:
    given(opened()).when(ChangeField(name="n", value=2**53)).refuses(InvalidFieldValue)


def test_a_ticket_can_be_given_to_another_customer_who_may_then_write() -> None:
    dora = Address(address="Dora@example.org")
    given(opened()).when(ChangeRequester(requester_id="p2", requester=dora)).then(
        RequesterChanged(person_id="p2", before=CUSTOMER_ID, after="p2", requester=dora)
    )
    ticket = given(opened()).when(ChangeRequester(requester_id="p2", requester=dora)).leads_to()
    assert ticket.participants == {CUSTOMER_ID, "p2"}
    assert "dora@example.org" in ticket.participant_addresses
    given(opened()).when(ChangeRequester(requester_id=CUSTOMER_ID, requester=dora)).then()


def test_agents_follow_and_leave() -> None:
    given(opened(), FollowersChanged(added=("ada",), followers=("ada",))).when(
        ChangeFollowers(add=("cy", "bob"), remove=("ada",))
    ).then(FollowersChanged(added=("bob", "cy"), removed=("ada",), followers=("bob", "cy")))
    given(opened()).when(ChangeFollowers(remove=("ada",))).then()


def test_tickets_are_linked_once_even_after_closing() -> None:
    linked = Linked(ticket_id="t2", number=2, kind="follow_up")
    link = LinkTicket(ticket_id="t2", number=2, kind="follow_up")
    given(opened(), CLOSED).when(link).then(linked)
    given(opened(), linked).when(link).then()
    given(opened()).when(LinkTicket(ticket_id=TICKET_ID, number=1)).refuses(CannotLinkToItself)


def test_a_task_is_added_once() -> None:
    added = TaskAdded(person_id=CUSTOMER_ID, task_id="k1", title="Call them")
    given(opened()).when(AddTask(task_id="k1", title="Call\nthem")).then(added)
    given(opened(), added).when(AddTask(task_id="k1", title="Call them")).then()
    given(opened(), added).when(AddTask(task_id="k1", title="Mail them")).refuses(TaskIdIsTaken)
    given(opened()).when(AddTask(task_id="k1", title=" ")).refuses(EmptyTitle)


def test_a_task_is_done_once() -> None:
    added = TaskAdded(person_id=CUSTOMER_ID, task_id="k1", title="Call them")
    done = TaskCompleted(task_id="k1", agent_id="ada")
    complete = CompleteTask(task_id="k1", agent_id="ada")
    given(opened(), added).when(complete).then(done)
    given(opened(), added, done).when(complete).refuses(TaskAlreadyCompleted)
    given(opened()).when(complete).refuses(TaskUnknown)


def test_time_is_logged_even_after_closing_and_adds_up() -> None:
    given(opened(), CLOSED).when(LogTime(agent_id="ada", seconds=90, activity="call")).then(
        TimeLogged(agent_id="ada", seconds=90, activity="call")
    )
    spent = TimeLogged(agent_id="ada", seconds=90)
    assert a_ticket(spent, spent).seconds_logged == 180


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_time_is_logged_by_the_day_at_most(seconds: int) -> None:
    given(opened()).when(LogTime(agent_id="ada", seconds=seconds)).refuses(InvalidDuration)


@pytest.mark.parametrize("end", [SOLVED, CLOSED])
def test_what_is_over_can_be_rated(end: StatusChanged) -> None:
    given(opened(), end).when(RateTicket(score=5, comment="Quick!")).then(
        Rated(person_id=CUSTOMER_ID, score=5, comment="Quick!")
    )


def test_a_customer_may_think_again() -> None:
    rated = given(opened(), SOLVED, Rated(person_id=CUSTOMER_ID, score=5))
    rated.when(RateTicket(score=5)).then()
    rated.when(RateTicket(score=1)).then(Rated(person_id=CUSTOMER_ID, score=1))


def test_a_rating_waits_for_the_solution_and_has_a_scale() -> None:
    given(opened()).when(RateTicket(score=3)).refuses(RatingNotYet)
    given(opened(), SOLVED).when(RateTicket(score=0)).refuses(InvalidRating)
    given(opened(), SOLVED).when(RateTicket(score=6)).refuses(InvalidRating)
