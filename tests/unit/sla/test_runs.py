"""When promises begin and end."""

from datetime import datetime, timedelta

from deskwire_shared.contracts.facts import Metric, Split, Status
from deskwire_shared.ticket.commands import ChangePriority, RedactMessage
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.runs import over_since, pauses_of, priority_at, runs_of
from sla_stories import after, agent_answers, agent_takes_back, at, becomes, customer_writes, opens, story

Told = tuple[int, datetime, datetime | None]


def told(ticket: Ticket, metric: Metric) -> list[Told]:
    return [(run.cycle, run.start, run.stop) for run in runs_of(ticket) if run.metric == metric]


def test_a_first_response_is_owed_from_the_opening() -> None:
    assert told(story(opens("09:00")), "first_response") == [(1, at("09:00"), None)]


def test_the_first_answer_of_a_human_is_the_first_response() -> None:
    ticket = story(opens("09:00"), agent_answers("09:30", "a1"), agent_answers("10:00", "a2"))
    assert told(ticket, "first_response") == [(1, at("09:00"), at("09:30"))]


def test_an_automated_answer_is_no_response() -> None:
    ticket = story(opens("09:00"), agent_answers("09:30", "a1", automated=True))
    assert told(ticket, "first_response") == [(1, at("09:00"), None)]


def test_what_the_customer_adds_before_the_first_response_starts_nothing_new() -> None:
    ticket = story(opens("09:00"), customer_writes("09:10", "m2"))
    assert told(ticket, "first_response") == [(1, at("09:00"), None)]
    assert told(ticket, "next_response") == []


def test_a_customer_who_writes_after_the_first_response_is_owed_the_next() -> None:
    ticket = story(opens("09:00"), agent_answers("09:30", "a1"), customer_writes("10:00", "m2"))
    assert told(ticket, "next_response") == [(1, at("10:00"), None)]


def test_a_customer_who_writes_twice_is_owed_one_answer_since_the_first_time() -> None:
    ticket = story(
        opens("09:00"), agent_answers("09:30", "a1"), customer_writes("10:00", "m2"), customer_writes("10:30", "m3"),
        agent_answers("11:00", "a2"),
    )  # fmt: skip
    assert told(ticket, "next_response") == [(1, at("10:00"), at("11:00"))]


def test_every_time_a_customer_waits_is_a_run_of_its_own() -> None:
    ticket = story(
        opens("09:00"), agent_answers("09:30", "a1"), customer_writes("10:00", "m2"), agent_answers("10:20", "a2"),
        customer_writes("11:00", "m3"),
    )  # fmt: skip
    assert told(ticket, "next_response") == [(1, at("10:00"), at("10:20")), (2, at("11:00"), None)]


def test_a_mail_of_a_machine_is_owed_no_answer() -> None:
    ticket = story(opens("09:00"), agent_answers("09:30", "a1"), customer_writes("10:00", "m2", machine="auto_reply"))
    assert told(ticket, "next_response") == []


def test_a_message_that_moved_to_another_ticket_is_owed_no_answer_here() -> None:
    ticket = story(opens("09:00"), agent_answers("09:30", "a1"), customer_writes("10:00", "m2"))
    moved = after(ticket, [Split(into="t2", into_number=2, message_ids=("m2",))], at("10:10"))
    assert told(moved, "next_response") == []


def test_an_answer_that_was_taken_back_was_none_and_the_run_goes_on_under_the_next_number() -> None:
    ticket = story(
        opens("09:00"), agent_answers("09:30", "a1", deliver_after=at("09:31")), agent_takes_back("09:30:30", "a1")
    )
    assert told(ticket, "first_response") == [(2, at("09:00"), None)]
    answered = story(
        opens("09:00"), agent_answers("09:30", "a1", deliver_after=at("09:31")), agent_takes_back("09:30:30", "a1"),
        agent_answers("09:40", "a2"), customer_writes("10:00", "m2"),
    )  # fmt: skip
    assert told(answered, "first_response") == [(2, at("09:00"), at("09:40"))]
    assert told(answered, "next_response") == [(1, at("10:00"), None)]


def test_a_second_answer_that_was_taken_back_changes_nothing() -> None:
    ticket = story(
        opens("09:00"), agent_answers("09:10", "a1"), agent_answers("09:30", "a2", deliver_after=at("09:31")),
        agent_takes_back("09:30:30", "a2"),
    )  # fmt: skip
    assert told(ticket, "first_response") == [(1, at("09:00"), at("09:10"))]


def test_redacting_words_takes_no_answer_back() -> None:
    ticket = story(
        opens("09:00"), customer_writes("09:10", "m2"), (at("09:15"), RedactMessage(message_id="m2", agent_id="ada"))
    )
    assert told(ticket, "first_response") == [(1, at("09:00"), None)]


def test_an_automated_answer_can_be_made_to_count() -> None:
    ticket = story(opens("09:00"), agent_answers("09:30", "a1", automated=True))
    found = [run.stop for run in runs_of(ticket, automations_answer=True) if run.metric == "first_response"]
    assert found == [at("09:30")]


def test_an_update_is_owed_again_after_every_answer() -> None:
    ticket = story(
        opens("09:00"), agent_answers("09:30", "a1"), customer_writes("10:00", "m2"), agent_answers("11:00", "a2")
    )
    assert told(ticket, "periodic_update") == [
        (1, at("09:00"), at("09:30")),
        (2, at("09:30"), at("11:00")),
        (3, at("11:00"), None),
    ]


def test_an_update_that_was_taken_back_was_none_and_the_run_goes_on_under_the_next_number() -> None:
    ticket = story(
        opens("09:00"), agent_answers("09:30", "a1"), agent_answers("10:30", "a2", deliver_after=at("10:31")),
        agent_takes_back("10:30:30", "a2"),
    )  # fmt: skip
    assert told(ticket, "periodic_update") == [(1, at("09:00"), at("09:30")), (3, at("09:30"), None)]
    assert [run.first_cycle for run in runs_of(ticket) if run.metric == "periodic_update"] == [1, 2]


def test_a_resolution_is_owed_from_the_opening_to_the_solution() -> None:
    ticket = story(opens("09:00"), becomes("11:00", "solved"), becomes("12:00", "closed"))
    assert told(ticket, "resolution") == [(1, at("09:00"), at("11:00"))]


def test_a_reopened_ticket_owes_a_second_resolution_that_counts_from_the_opening() -> None:
    ticket = story(opens("09:00"), becomes("11:00", "solved"), customer_writes("12:00", "m2"))
    assert told(ticket, "resolution") == [(1, at("09:00"), at("11:00")), (2, at("09:00"), None)]
    assert runs_of(ticket)[-1].began == at("12:00")


def test_a_ticket_that_was_never_opened_owes_nothing() -> None:
    assert runs_of(Ticket.unborn("t1")) == ()


def test_nothing_is_owed_while_the_ticket_waits_or_is_solved() -> None:
    ticket = story(
        opens("09:00"), becomes("10:00", "pending"), becomes("11:00", "open"), becomes("12:00", "solved"),
        becomes("13:00", "open"), becomes("14:00", "on_hold"),
    )  # fmt: skip
    waiting: tuple[Status, ...] = ("pending",)
    held: tuple[Status, ...] = ("on_hold",)
    assert pauses_of(ticket, waiting) == ((at("10:00"), at("11:00")), (at("12:00"), at("13:00")))
    assert pauses_of(ticket, held) == ((at("12:00"), at("13:00")), (at("14:00"), None))


def test_a_ticket_is_over_since_it_was_solved_not_since_it_was_closed() -> None:
    assert over_since(story(opens("09:00"), becomes("11:00", "solved"), becomes("12:00", "closed"))) == at("11:00")
    assert over_since(story(opens("09:00"), becomes("11:00", "solved"), becomes("12:00", "open"))) is None


def test_the_priority_of_a_moment_is_what_was_set_last_before_it() -> None:
    ticket = story(opens("09:00"), (at("10:00"), ChangePriority(priority="urgent")))
    assert priority_at(ticket, at("09:59")) == "normal"
    assert priority_at(ticket, at("10:00")) == "urgent"
    assert priority_at(ticket, at("09:00") - timedelta(days=1)) == "urgent"
