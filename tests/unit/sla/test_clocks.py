"""The clocks that hold on a ticket, and what becomes of them."""

from datetime import datetime, timedelta

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar
from deskwire_shared.contracts.facts import Metric, SlaApplied, SlaBreached, SlaClock, SlaMet, SlaWarned
from deskwire_shared.ticket.commands import BreachSla, ChangePriority, MeetSla, Several, SingleCommand, WarnSla
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.clocks import clocks, outcomes
from deskwire_sla.policies import Terms
from sla_stories import (
    HOUR,
    Step,
    after,
    agent_answers,
    agent_takes_back,
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
NEXT = some_terms(**promising("next_response"))
RESOLUTION = some_terms(**promising("resolution", normal=4 * HOUR, urgent=HOUR, low=8 * HOUR))
OFFICE = Calendar.model_validate(
    {"name": "Office", "time_zone": "UTC", "hours": dict.fromkeys(WEEKDAYS[:5], (("09:00", "17:00"),))}
)


def clock(ticket: Ticket, terms: Terms) -> SlaClock:
    (only,) = clocks(ticket, terms)
    return only


def run(metric: Metric, cycle: int, wishes: tuple[SingleCommand, ...]) -> list[type[SingleCommand]]:
    judging = [wish for wish in wishes if isinstance(wish, WarnSla | BreachSla | MeetSla)]
    return [type(wish) for wish in judging if (wish.metric, wish.cycle) == (metric, cycle)]


def breached(metric: Metric, cycle: int, due_at: datetime) -> SlaBreached:
    return SlaBreached(metric=metric, cycle=cycle, policy_id="standard", target=HOUR, due_at=due_at)


def met(metric: Metric, cycle: int) -> SlaMet:
    return SlaMet(metric=metric, cycle=cycle, policy_id="standard", used=1, target=HOUR)


def test_a_new_ticket_has_a_clock_for_every_promise_that_is_owed() -> None:
    ticket = story(opens("09:00"))
    assert [one.metric for one in clocks(ticket, some_terms())] == ["first_response", "resolution"]
    assert clock(ticket, FIRST) == SlaClock(
        metric="first_response", cycle=1, state="running", target=HOUR, used=0, warn_at=at("09:45"), due_at=at("10:00")
    )


def test_time_counts_by_the_hours_of_the_calendar() -> None:
    terms = some_terms(calendar=OFFICE, **promising("resolution", normal=4 * HOUR))
    assert clock(story(opens("15:00")), terms).due_at == at("11:00", day=1)
    assert clock(story(opens("15:00", day=4)), terms).due_at == at("11:00", day=7)


def test_the_moment_of_looking_changes_no_clock() -> None:
    ticket = story(opens("09:00"), becomes("09:30", "pending"))
    assert clocks(ticket, FIRST) == clocks(ticket, FIRST)
    assert clock(ticket, FIRST).used == HOUR // 2


def test_a_paused_clock_keeps_the_time_used_and_is_due_at_no_time() -> None:
    paused = clock(story(opens("09:00"), becomes("10:00", "pending")), RESOLUTION)
    assert (paused.state, paused.used, paused.due_at) == ("paused", HOUR, None)


def test_a_resumed_clock_is_due_later_by_the_pause() -> None:
    resumed = clock(story(opens("09:00"), becomes("10:00", "pending"), becomes("12:30", "open")), RESOLUTION)
    assert (resumed.state, resumed.used, resumed.due_at) == ("running", HOUR, at("15:30"))


def test_going_from_one_waiting_status_to_another_is_one_pause() -> None:
    waiting = story(opens("09:00"), becomes("10:00", "pending"), becomes("11:00", "on_hold"))
    assert clock(waiting, RESOLUTION).used == HOUR
    assert clock(go_on(waiting, becomes("12:00", "open")), RESOLUTION).due_at == at("15:00")


def test_a_policy_chooses_which_statuses_pause() -> None:
    ticket = story(opens("09:00"), becomes("10:00", "on_hold"))
    terms = some_terms(pause_on=["pending"], **promising("resolution", normal=4 * HOUR))
    assert clock(ticket, terms) == clock(story(opens("09:00")), terms)


def test_a_changed_priority_keeps_the_time_used_and_moves_the_due_time() -> None:
    ticket = story(opens("09:00"), becomes("10:00", "pending"), becomes("11:00", "open"))
    lower = go_on(ticket, (at("11:30"), ChangePriority(priority="low")))
    assert clock(lower, RESOLUTION).used == clock(ticket, RESOLUTION).used == HOUR
    assert clock(lower, RESOLUTION).due_at == at("18:00")


def test_a_raised_priority_can_make_it_due_in_the_past() -> None:
    ticket = story(opens("09:00"), (at("11:00"), ChangePriority(priority="urgent")))
    assert clock(ticket, RESOLUTION).due_at == at("10:00")
    assert run("resolution", 1, outcomes(ticket, RESOLUTION, at("11:00"))) == [BreachSla]


def test_a_changed_policy_keeps_the_time_used() -> None:
    ticket = story(opens("09:00"), becomes("10:00", "pending"), becomes("11:00", "open"))
    longer = some_terms(**promising("resolution", normal=10 * HOUR))
    assert (clock(ticket, longer).used, clock(ticket, longer).due_at) == (HOUR, at("20:00"))


def test_a_ticket_that_is_over_has_no_clocks() -> None:
    assert clocks(story(opens(), becomes("10:00", "solved")), some_terms()) == ()
    assert clocks(story(opens(), becomes("10:00", "closed")), some_terms()) == ()


def test_a_reopened_ticket_goes_on_with_the_time_used() -> None:
    ticket = story(opens("09:00"), becomes("10:00", "solved"), customer_writes("15:00", "m2"))
    assert clock(ticket, RESOLUTION) == SlaClock(
        metric="resolution", cycle=2, state="running", target=4 * HOUR, used=HOUR, warn_at=at("17:00"),
        due_at=at("18:00"),
    )  # fmt: skip


def test_without_its_calendar_a_policy_has_neither_clocks_nor_outcomes() -> None:
    terms = some_terms(calendar=None)
    assert clocks(story(opens("09:00")), terms) == ()
    assert outcomes(story(opens("09:00")), terms, at("23:00")) == ()


def test_a_calendar_that_hardly_ever_opens_gives_no_due_time() -> None:
    once = Calendar.model_validate(
        {"name": "Once", "time_zone": "UTC", "exceptions": {"2026-03-03": [["09:00", "09:10"]]}}
    )
    rarely = clock(story(opens("09:00")), some_terms(calendar=once, **promising("first_response")))
    assert (rarely.state, rarely.due_at) == ("running", None)
    assert (
        outcomes(story(opens("09:00")), some_terms(calendar=once, **promising("first_response")), at("09:00", 99)) == ()
    )


def test_nothing_is_noted_before_its_time() -> None:
    assert outcomes(story(opens("09:00")), FIRST, at("09:44:59")) == ()


def test_a_warning_is_due_when_its_share_of_the_time_is_used() -> None:
    assert outcomes(story(opens("09:00")), FIRST, at("09:45")) == (
        WarnSla(
            metric="first_response", cycle=1, policy_id="standard", used=45 * 60, target=HOUR, due_at=at("10:00")
        ),
    )  # fmt: skip


def test_a_breach_is_due_when_the_time_is_up() -> None:
    assert outcomes(story(opens("09:00")), FIRST, at("10:00")) == (
        BreachSla(metric="first_response", cycle=1, policy_id="standard", target=HOUR, due_at=at("10:00")),
    )


def test_a_warning_is_given_once() -> None:
    warned = SlaWarned(metric="first_response", cycle=1, policy_id="standard", used=1, target=HOUR)
    assert outcomes(after(story(opens("09:00")), [warned], at("09:45")), FIRST, at("09:50")) == ()


def test_a_breach_is_noted_once_and_its_clock_runs_on() -> None:
    ticket = after(story(opens("09:00")), [breached("first_response", 1, at("10:00"))], at("10:00"))
    assert outcomes(ticket, FIRST, at("11:00")) == ()
    assert clock(ticket, FIRST).state == "running"


def test_an_answer_in_time_meets_the_promise() -> None:
    ticket = story(opens("09:00"), agent_answers("09:20", "a1"))
    assert outcomes(ticket, FIRST, at("09:20")) == (
        MeetSla(metric="first_response", cycle=1, policy_id="standard", used=20 * 60, target=HOUR),
    )


def test_an_answer_at_the_very_moment_is_in_time() -> None:
    (wish,) = outcomes(story(opens("09:00"), agent_answers("10:00", "a1")), FIRST, at("10:00"))
    assert isinstance(wish, MeetSla)
    assert not wish.late


def test_an_answer_after_the_time_was_up_is_late_and_the_breach_is_not_forgotten() -> None:
    ticket = story(opens("09:00"), agent_answers("10:00:01", "a1"))
    breach, meet = outcomes(ticket, FIRST, at("12:00"))
    assert breach == BreachSla(metric="first_response", cycle=1, policy_id="standard", target=HOUR, due_at=at("10:00"))
    assert meet == MeetSla(
        metric="first_response", cycle=1, policy_id="standard", used=HOUR + 1, target=HOUR, late=True
    )  # fmt: skip


def test_a_met_promise_is_noted_once() -> None:
    ticket = after(story(opens("09:00"), agent_answers("09:20", "a1")), [met("first_response", 1)], at("09:20"))
    assert outcomes(ticket, FIRST, at("12:00")) == ()


def test_several_warnings_are_given_one_after_the_other() -> None:
    terms = some_terms(warn_at=[0.9, 0.5], **promising("first_response"))
    ticket = story(opens("09:00"))
    assert (clock(ticket, terms).warn_at, clock(ticket, terms).later_warnings) == (at("09:30"), (at("09:54"),))
    (first,) = outcomes(ticket, terms, at("09:30"))
    warned = after(ticket, decide(first, ticket), at("09:30"))
    assert outcomes(warned, terms, at("09:53:59")) == ()
    (second,) = outcomes(warned, terms, at("09:54"))
    assert [(wish.stage, wish.used) for wish in (first, second) if isinstance(wish, WarnSla)] == [(1, 1800), (2, 3240)]
    assert outcomes(after(warned, decide(second, warned), at("09:54")), terms, at("09:59")) == ()


def test_of_several_warnings_that_are_due_only_the_last_is_given() -> None:
    terms = some_terms(warn_at=[0.5, 0.9], **promising("first_response"))
    (wish,) = outcomes(story(opens("09:00")), terms, at("09:55"))
    assert isinstance(wish, WarnSla)
    assert wish.stage == 2


def test_a_warning_is_not_given_again_by_a_policy_with_other_shares() -> None:
    ticket = story(opens("09:00"))
    (wish,) = outcomes(ticket, some_terms(warn_at=[0.5], **promising("first_response")), at("09:30"))
    warned = after(ticket, decide(wish, ticket), at("09:30"))
    other = some_terms(warn_at=[0.4, 0.8], **promising("first_response"))
    assert outcomes(warned, other, at("09:40")) == ()
    (second,) = outcomes(warned, other, at("09:48"))
    assert isinstance(second, WarnSla)
    assert second.stage == 2


def test_a_policy_need_not_warn() -> None:
    terms = some_terms(warn_at=[], **promising("first_response"))
    assert clock(story(opens("09:00")), terms).warn_at is None
    assert outcomes(story(opens("09:00")), terms, at("09:59:59")) == ()


def test_an_automated_answer_meets_the_promise_only_where_the_policy_says_so() -> None:
    ticket = story(opens("09:00"), agent_answers("09:20", "a1", automated=True))
    assert outcomes(ticket, FIRST, at("09:20")) == ()
    counting = some_terms(automations_answer=True, **promising("first_response"))
    assert run("first_response", 1, outcomes(ticket, counting, at("09:20"))) == [MeetSla]


UPDATES = some_terms(**promising("periodic_update"))


def test_the_customer_is_owed_an_update_so_often() -> None:
    ticket = story(opens("09:00"), agent_answers("09:30", "a1"))
    assert clock(ticket, UPDATES).due_at == at("10:30")
    assert run("periodic_update", 1, outcomes(ticket, UPDATES, at("10:00"))) == [MeetSla]
    late = go_on(ticket, agent_answers("10:45", "a2"))
    assert run("periodic_update", 2, outcomes(late, UPDATES, at("10:45"))) == [BreachSla, MeetSla]
    assert clock(late, UPDATES).due_at == at("11:45")


def test_no_update_is_owed_while_the_ticket_waits_or_is_solved() -> None:
    answered = story(opens("09:00"), agent_answers("09:30", "a1"))
    waiting = go_on(answered, becomes("10:00", "pending"))
    assert (clock(waiting, UPDATES).state, clock(waiting, UPDATES).due_at) == ("paused", None)
    assert clock(go_on(waiting, becomes("12:00", "open")), UPDATES).due_at == at("12:30")
    assert run("periodic_update", 2, outcomes(go_on(answered, becomes("10:00", "solved")), UPDATES, at("20:00"))) == []


def test_without_a_promised_first_response_the_first_update_counts_from_the_opening() -> None:
    assert clock(story(opens("09:00")), UPDATES).due_at == at("10:00")


def test_each_next_response_is_judged_by_itself() -> None:
    steps: list[Step] = [
        opens("08:00"), agent_answers("08:10", "a1"), customer_writes("09:00", "m2"), agent_answers("09:30", "a2"),
        customer_writes("10:00", "m3"), agent_answers("11:30", "a3"), customer_writes("12:00", "m4"),
    ]  # fmt: skip
    wishes = outcomes(story(*steps), NEXT, at("12:50"))
    assert run("next_response", 1, wishes) == [MeetSla]
    assert run("next_response", 2, wishes) == [BreachSla, MeetSla]
    assert run("next_response", 3, wishes) == [WarnSla]


def test_solving_without_an_answer_ends_the_first_response_without_an_outcome() -> None:
    ticket = story(opens("09:00"), becomes("09:30", "solved"))
    assert outcomes(ticket, FIRST, at("20:00")) == ()
    reopened = go_on(ticket, becomes("12:00", "open"))
    assert clock(reopened, FIRST).due_at == at("12:30")


def test_a_breach_before_the_solution_is_noted_even_afterwards() -> None:
    ticket = story(opens("09:00"), becomes("11:00", "solved"))
    assert run("first_response", 1, outcomes(ticket, FIRST, at("20:00"))) == [BreachSla]


def test_a_breach_before_a_pause_is_noted_even_during_it() -> None:
    ticket = story(opens("09:00"), becomes("11:00", "pending"))
    assert run("first_response", 1, outcomes(ticket, FIRST, at("20:00"))) == [BreachSla]


def test_a_reopened_ticket_whose_resolution_was_missed_is_not_missed_again() -> None:
    late = story(opens("09:00"), becomes("14:00", "solved"))
    noted = after(late, [breached("resolution", 1, at("13:00")), met("resolution", 1)], at("14:00"))
    reopened = go_on(noted, customer_writes("15:00", "m2"))
    assert outcomes(reopened, RESOLUTION, at("23:00")) == ()
    solved = go_on(reopened, becomes("16:00", "solved"))
    (wish,) = outcomes(solved, RESOLUTION, at("23:00"))
    assert isinstance(wish, MeetSla)
    assert (wish.cycle, wish.late, wish.used) == (2, True, 6 * HOUR)


def test_a_reopened_ticket_whose_resolution_was_met_can_be_missed() -> None:
    ticket = after(story(opens("09:00"), becomes("10:00", "solved")), [met("resolution", 1)], at("10:00"))
    reopened = go_on(ticket, customer_writes("15:00", "m2"))
    assert run("resolution", 2, outcomes(reopened, RESOLUTION, at("18:00"))) == [BreachSla]


def test_a_missed_resolution_can_be_missed_again_once_a_longer_target_gave_it_new_time() -> None:
    late = story(opens("09:00"), becomes("14:00", "solved"))
    noted = after(late, [breached("resolution", 1, at("13:00")), met("resolution", 1)], at("14:00"))
    reopened = go_on(noted, customer_writes("15:00", "m2"))
    longer = some_terms(**promising("resolution", normal=6 * HOUR))
    assert clock(reopened, longer).due_at == at("16:00")
    assert run("resolution", 2, outcomes(reopened, longer, at("16:00"))) == [BreachSla]


def test_an_answer_that_was_taken_back_after_it_met_the_promise_leaves_it_owed() -> None:
    sent = story(opens("09:00"), agent_answers("09:30", "a1", deliver_after=at("09:31")))
    taken_back = go_on(after(sent, [met("first_response", 1)], at("09:30")), agent_takes_back("09:30:30", "a1"))
    assert clock(taken_back, FIRST).cycle == 2
    assert run("first_response", 2, outcomes(taken_back, FIRST, at("10:00"))) == [BreachSla]


def test_an_update_whose_answer_was_taken_back_can_be_missed_though_one_before_it_was_missed_too() -> None:
    """The priority is raised after the answer was taken back, to one that promises updates at all."""
    raised = story(
        opens("08:00"), agent_answers("08:10", "a1"), agent_answers("12:00", "a2"),
        agent_answers("14:00", "a3", deliver_after=at("14:01")), agent_takes_back("14:00:20", "a3"),
        (at("15:00"), ChangePriority(priority="urgent")),
    )  # fmt: skip
    updates = some_terms(**promising("periodic_update", normal=2 * HOUR, urgent=HOUR))
    wishes = outcomes(raised, updates, at("15:00"))
    assert run("periodic_update", 2, wishes) == [BreachSla, MeetSla]
    assert run("periodic_update", 4, wishes) == [BreachSla]
    again = after(raised, decide(Several(commands=wishes), raised), at("15:00"))
    assert outcomes(again, updates, at("20:00")) == ()


def test_a_missed_promise_is_not_missed_again_when_the_late_answer_is_taken_back() -> None:
    late = story(opens("09:00"), agent_answers("10:30", "a1", deliver_after=at("10:31")))
    noted = after(late, [breached("first_response", 1, at("10:00")), met("first_response", 1)], at("10:30"))
    assert outcomes(go_on(noted, agent_takes_back("10:30:20", "a1")), FIRST, at("20:00")) == ()


def test_a_next_response_whose_answer_was_taken_back_goes_on_apart_from_the_waits_before() -> None:
    waits = story(
        opens("08:00"), agent_answers("08:10", "a1"), customer_writes("09:00", "m2"), agent_answers("10:30", "a2"),
        customer_writes("11:00", "m3"), agent_answers("12:30", "a3", deliver_after=at("12:31")),
        agent_takes_back("12:30:20", "a3"),
    )  # fmt: skip
    noted = after(waits, [breached("next_response", 1, at("10:00")), met("next_response", 1)], at("10:30"))
    (wish,) = outcomes(noted, NEXT, at("12:30:20"))
    assert isinstance(wish, BreachSla)
    assert (wish.cycle, wish.due_at) == (3, at("12:00"))


def test_a_resolution_that_a_first_look_finds_missed_before_and_after_a_reopening_is_missed_once() -> None:
    reopened = story(opens("09:00"), becomes("14:00", "solved"), customer_writes("15:00", "m2"))
    wishes = outcomes(reopened, RESOLUTION, at("16:00"))
    assert run("resolution", 1, wishes) == [BreachSla, MeetSla]
    assert run("resolution", 2, wishes) == []


def test_what_was_over_before_the_policy_was_written_is_not_judged_by_it() -> None:
    answered = story(opens("09:00"), agent_answers("10:30", "a1"))
    later = some_terms(since=at("12:00"), **promising("first_response"))
    assert outcomes(answered, later, at("13:00")) == ()
    solved = story(opens("09:00"), becomes("11:00", "solved"))
    assert outcomes(solved, later, at("13:00")) == ()
    waiting = story(opens("09:00"))
    assert run("first_response", 1, outcomes(waiting, later, at("13:00"))) == [BreachSla]


def test_a_clock_that_stood_is_judged_even_when_its_policy_was_edited_since() -> None:
    standing = after(
        story(opens("09:00")),
        [SlaApplied(policy_id="standard", clocks=clocks(story(opens("09:00")), FIRST))],
        at("09:00"),
    )
    answered = go_on(standing, agent_answers("09:30", "a1"))
    edited = some_terms(since=at("12:00"), **promising("first_response"))
    assert run("first_response", 1, outcomes(answered, edited, at("13:00"))) == [MeetSla]


def test_the_target_is_the_one_of_the_priority_when_the_run_ended() -> None:
    ticket = story(opens("09:00"), becomes("12:00", "solved"), (at("12:30"), ChangePriority(priority="urgent")))
    (wish,) = outcomes(ticket, RESOLUTION, at("13:00"))
    assert isinstance(wish, MeetSla)
    assert (wish.target, wish.late) == (4 * HOUR, False)


def test_fractions_of_a_second_are_not_lost() -> None:
    moment, opening = timedelta(microseconds=250_000), opens("09:00")
    ticket = story((opening[0] + moment, opening[1]))
    assert clock(ticket, FIRST).due_at == at("10:00") + moment
    assert run("first_response", 1, outcomes(ticket, FIRST, at("10:00"))) == [WarnSla]
