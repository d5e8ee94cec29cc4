"""What is noted on a ticket, and when it is looked at again."""

from datetime import datetime

from deskwire_shared.contracts.facts import SlaApplied, SlaBreached, SlaMet, SlaWarned, StatusChanged, Woken
from deskwire_shared.ticket.commands import MergeTicket, SnoozeTicket
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.policies import Terms
from deskwire_sla.review import next_look, review
from sla_stories import (
    HOUR,
    after,
    agent_answers,
    at,
    becomes,
    customer_writes,
    go_on,
    opens,
    promising,
    some_terms,
    story,
)

FIRST = some_terms(**promising("first_response"))
RESOLUTION = some_terms(**promising("resolution", normal=4 * HOUR))


def looked_at(ticket: Ticket, terms: Terms | None, now: datetime) -> Ticket:
    return after(ticket, decide(review(ticket, terms, now), ticket), now)


def noted(ticket: Ticket, terms: Terms | None, now: datetime) -> list[type]:
    return [type(fact) for fact in decide(review(ticket, terms, now), ticket)]


def test_a_first_look_notes_the_clocks() -> None:
    ticket = looked_at(story(opens("09:00")), FIRST, at("09:00"))
    assert ticket.sla is not None
    assert (ticket.sla.policy_id, ticket.sla.policy_revision, len(ticket.sla.clocks)) == ("standard", 1, 1)


def test_a_second_look_notes_nothing_new_however_late() -> None:
    ticket = looked_at(story(opens("09:00")), FIRST, at("09:00"))
    assert noted(ticket, FIRST, at("09:44")) == []
    breached = looked_at(looked_at(ticket, FIRST, at("09:45")), FIRST, at("10:00"))
    assert noted(breached, FIRST, at("20:00")) == []


def test_a_late_first_look_notes_the_clock_and_its_breach_together() -> None:
    assert noted(story(opens("09:00")), FIRST, at("12:00")) == [SlaApplied, SlaBreached]


def test_warning_breach_and_late_answer_follow_on_each_other() -> None:
    ticket = looked_at(story(opens("09:00")), FIRST, at("09:00"))
    assert noted(ticket, FIRST, at("09:45")) == [SlaWarned]
    warned = looked_at(ticket, FIRST, at("09:45"))
    assert noted(warned, FIRST, at("10:00")) == [SlaBreached]
    answered = go_on(looked_at(warned, FIRST, at("10:00")), agent_answers("11:00", "a1"))
    assert noted(answered, FIRST, at("11:00")) == [SlaApplied, SlaMet]


def test_without_a_policy_nothing_is_noted_and_standing_clocks_end() -> None:
    assert noted(story(opens("09:00")), None, at("12:00")) == []
    watched = looked_at(story(opens("09:00")), FIRST, at("09:00"))
    assert looked_at(watched, None, at("09:10")).sla == SlaApplied(policy_id=None)


def test_a_solved_ticket_stays_under_its_policy_without_clocks() -> None:
    watched = looked_at(story(opens("09:00")), RESOLUTION, at("09:00"))
    solved = looked_at(go_on(watched, becomes("10:00", "solved")), RESOLUTION, at("10:00"))
    assert solved.sla is not None
    assert (solved.sla.policy_id, solved.sla.clocks) == ("standard", ())
    assert noted(go_on(solved, becomes("11:00", "closed")), RESOLUTION, at("20:00")) == []


def test_a_ticket_solved_before_the_first_look_is_judged_all_the_same() -> None:
    ticket = story(opens("09:00"), becomes("15:00", "closed"))
    assert noted(ticket, RESOLUTION, at("16:00")) == [SlaApplied, SlaBreached, SlaMet]


def test_a_merged_ticket_has_no_clocks_and_is_not_judged() -> None:
    watched = looked_at(story(opens("09:00")), RESOLUTION, at("09:00"))
    merged = go_on(watched, (at("20:00"), MergeTicket(into="t2", into_number=2)))
    assert noted(merged, RESOLUTION, at("20:00")) == [SlaApplied]
    assert noted(looked_at(merged, RESOLUTION, at("20:00")), RESOLUTION, at("21:00")) == []
    assert noted(story(opens(), (at("20:00"), MergeTicket(into="t2", into_number=2))), RESOLUTION, at("21:00")) == []


def test_a_snoozed_ticket_wakes_when_its_time_has_come() -> None:
    ticket = story(opens("09:00"), (at("09:10"), SnoozeTicket(until=at("12:00"), at=at("09:10"))))
    assert noted(ticket, None, at("11:59")) == []
    assert noted(ticket, None, at("12:00")) == [Woken]
    assert next_look(ticket, at("09:10")) == at("12:00")
    assert next_look(looked_at(ticket, None, at("12:00")), at("12:00")) is None


def test_the_next_look_is_for_the_warning_and_then_for_the_breach() -> None:
    ticket = looked_at(story(opens("09:00")), FIRST, at("09:00"))
    assert next_look(ticket, at("09:00")) == at("09:45")
    warned = looked_at(ticket, FIRST, at("09:45"))
    assert next_look(warned, at("09:45")) == at("10:00")
    breached = looked_at(warned, FIRST, at("10:00"))
    assert next_look(breached, at("10:00")) is None


def test_a_warning_that_was_given_is_not_awaited_again_when_there_is_more_time() -> None:
    ticket = looked_at(looked_at(story(opens("09:00")), FIRST, at("09:00")), FIRST, at("09:45"))
    longer = looked_at(ticket, some_terms(**promising("first_response", normal=3 * HOUR)), at("09:50"))
    assert next_look(longer, at("09:50")) == at("12:00")


def test_every_warning_is_awaited_in_turn() -> None:
    terms = some_terms(warn_at=[0.5, 0.75, 0.9], **promising("first_response"))
    ticket, looks = looked_at(story(opens("09:00")), terms, at("09:00")), []
    moment = at("09:00")
    while (due_at := next_look(ticket, moment)) is not None:
        moment = due_at
        looks.append((moment, noted(ticket, terms, moment)))
        ticket = looked_at(ticket, terms, moment)
    assert looks == [
        (at("09:30"), [SlaWarned]), (at("09:45"), [SlaWarned]), (at("09:54"), [SlaWarned]), (at("10:00"), [SlaBreached]),
    ]  # fmt: skip


def test_the_next_look_is_for_the_earliest_of_all_clocks() -> None:
    ticket = looked_at(story(opens("09:00")), some_terms(), at("09:00"))
    assert next_look(ticket, at("09:00")) == at("09:45")


def test_nobody_looks_again_at_a_ticket_that_waits_is_over_or_has_no_clocks() -> None:
    for step in (becomes("09:10", "pending"), becomes("09:10", "solved"), agent_answers("09:10", "a1")):
        ticket = looked_at(story(opens("09:00"), step), FIRST, at("09:10"))
        assert next_look(ticket, at("09:10")) is None
    assert next_look(story(opens("09:00")), at("09:10")) is None


def test_a_promise_that_cannot_be_broken_twice_needs_no_second_look() -> None:
    ticket = looked_at(story(opens("09:00")), RESOLUTION, at("13:00"))
    solved = looked_at(go_on(ticket, becomes("14:00", "solved")), RESOLUTION, at("14:00"))
    reopened = looked_at(go_on(solved, customer_writes("15:00", "m2")), RESOLUTION, at("15:00"))
    assert reopened.sla is not None
    assert reopened.sla.clocks[0].due_at == at("14:00") - (at("14:00") - at("13:00"))
    assert next_look(reopened, at("15:00")) is None


def test_a_look_never_wishes_for_more_than_a_ticket_takes_at_once() -> None:
    steps = [opens("00:00")]
    for number in range(120):
        clock = f"{1 + number // 10:02}:{5 * (number % 10):02}"
        steps += [agent_answers(clock, f"a{number}"), customer_writes(f"{clock}:30", f"m{number + 2}")]
    ticket = story(*steps)
    terms = some_terms(**promising("next_response"))
    first = looked_at(ticket, terms, at("23:00"))
    assert len(review(ticket, terms, at("23:00")).commands) == 100
    assert SlaMet in noted(first, terms, at("23:00"))
    assert noted(looked_at(first, terms, at("23:00")), terms, at("23:00")) == []


def test_merging_closes_the_ticket_that_is_merged() -> None:
    merged = decide(MergeTicket(into="t2", into_number=2), story(opens("09:00")))
    assert StatusChanged in {type(fact) for fact in merged}
