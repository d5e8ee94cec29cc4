"""What people complain of in other help desks, told as what holds in this one."""

import pytest

from deskwire_shared.contracts.calendar import WEEKDAYS, Calendar
from deskwire_shared.contracts.facts import SlaApplied, SlaBreached, SlaWarned, Status
from deskwire_shared.ticket.commands import BreachSla, ChangePriority, MeetSla
from deskwire_shared.ticket.decider import decide
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.clocks import clocks, outcomes
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

EVERY_HOUR = [
    {"metric": "first_response", "seconds": {"normal": 4 * HOUR}},
    {"metric": "periodic_update", "seconds": {"normal": HOUR}},
]
WITH_LUNCH = Calendar.model_validate(
    {
        "name": "Office", "time_zone": "Europe/Berlin",
        "hours": dict.fromkeys(WEEKDAYS[:5], (("09:00", "12:00"), ("13:00", "17:00"))),
    }
)  # fmt: skip


def due(ticket: Ticket, terms: Terms) -> dict[str, object]:
    return {clock.metric: clock.due_at for clock in clocks(ticket, terms)}


def test_an_update_target_never_overrules_the_first_response() -> None:
    terms = some_terms(targets=EVERY_HOUR)
    ticket = story(opens("09:00"), customer_writes("09:10", "m2"))
    assert due(ticket, terms) == {"first_response": at("13:00")}
    assert not [wish for wish in outcomes(ticket, terms, at("12:59")) if isinstance(wish, BreachSla)]


def test_nothing_is_escalated_once_the_agent_has_answered() -> None:
    terms = some_terms(targets=EVERY_HOUR, escalations=[{"when": "breached", "actions": [{"do": "raise_priority"}]}])
    ticket = story(opens("09:00"), agent_answers("12:59", "a1"))
    facts = decide(review(ticket, terms, at("12:59")), ticket)
    noted = after(ticket, facts, at("12:59"))
    assert not [fact for fact in facts if isinstance(fact, SlaBreached | SlaWarned)]
    assert due(noted, terms) == {"periodic_update": at("13:59")}
    assert next_look(noted, at("12:59")) == at("13:44")
    assert noted.priority == "normal"


def test_an_answer_starts_the_next_update_anew_instead_of_leaving_the_old_one_due() -> None:
    terms = some_terms(targets=EVERY_HOUR)
    ticket = story(opens("09:00"), agent_answers("09:30", "a1"), agent_answers("10:20", "a2"))
    assert due(ticket, terms) == {"periodic_update": at("11:20")}


@pytest.mark.parametrize("status", ["pending", "on_hold"])
def test_pause_time_survives_a_changed_priority_and_policy(status: Status) -> None:
    terms = some_terms(**promising("resolution", normal=4 * HOUR, urgent=2 * HOUR))
    longer = some_terms(**promising("resolution", normal=10 * HOUR, urgent=3 * HOUR))
    ticket = story(opens("09:00"), becomes("10:00", status), becomes("14:00", "open"))
    assert due(ticket, terms) == {"resolution": at("17:00")}
    urgent = go_on(ticket, (at("14:10"), ChangePriority(priority="urgent")))
    assert due(urgent, terms) == {"resolution": at("15:00")}
    assert due(urgent, longer) == {"resolution": at("16:00")}
    normal_again = go_on(urgent, (at("14:20"), ChangePriority(priority="normal")))
    assert due(normal_again, longer) == {"resolution": at("23:00")}


def test_pause_time_survives_a_priority_that_changes_during_the_pause() -> None:
    terms = some_terms(**promising("resolution", normal=4 * HOUR, urgent=2 * HOUR))
    ticket = story(opens("09:00"), becomes("10:00", "pending"), (at("11:00"), ChangePriority(priority="urgent")))
    (clock,) = clocks(ticket, terms)
    assert (clock.state, clock.used, clock.due_at) == ("paused", HOUR, None)
    assert due(go_on(ticket, becomes("20:00", "open")), terms) == {"resolution": at("21:00")}


def test_pause_time_survives_the_move_to_another_calendar() -> None:
    terms = some_terms(**promising("resolution", normal=4 * HOUR))
    office = some_terms(calendar=WITH_LUNCH, **promising("resolution", normal=4 * HOUR))
    ticket = story(opens("09:00"), becomes("10:00", "pending"), becomes("15:00", "open"))
    assert due(ticket, terms) == {"resolution": at("18:00")}
    # 10:00 to 11:00 in Berlin before the pause, 16:00 to 17:00 after it, 09:00 to 11:00 on the next day.
    assert due(ticket, office) == {"resolution": at("10:00", day=1)}


def test_no_time_counts_at_night_or_over_lunch() -> None:
    terms = some_terms(calendar=WITH_LUNCH, **promising("resolution", normal=8 * HOUR))
    ticket = story(opens("10:30"))  # 11:30 in Berlin: half an hour until lunch, four hours until the evening
    assert due(ticket, terms) == {"resolution": at("12:30", day=1)}
    assert [wish for wish in outcomes(ticket, terms, at("12:29:59", day=1)) if isinstance(wish, BreachSla)] == []
    assert [type(wish) for wish in outcomes(ticket, terms, at("12:30", day=1))] == [BreachSla]


def test_an_answer_in_the_morning_to_a_mail_of_the_night_used_only_the_morning() -> None:
    terms = some_terms(calendar=WITH_LUNCH, **promising("first_response"))
    ticket = story(opens("22:00"), agent_answers("08:30", "a1", day=1))
    (wish,) = outcomes(ticket, terms, at("08:30", day=1))
    assert isinstance(wish, MeetSla)
    assert (wish.used, wish.late) == (HOUR // 2, False)


@pytest.mark.parametrize("status", ["new", "open", "pending", "on_hold"])
def test_any_status_can_stop_the_clock(status: Status) -> None:
    terms = some_terms(pause_on=[status], **promising("resolution"))
    ticket = story(opens("09:00"))
    ticket = ticket if status == "new" else go_on(ticket, becomes("09:00", status))
    (clock,) = clocks(ticket, terms)
    assert (clock.state, clock.due_at) == ("paused", None)
    assert outcomes(ticket, terms, at("23:00")) == ()


def test_a_stopped_clock_is_said_to_stand_still() -> None:
    terms = some_terms(**promising("resolution"))
    ticket = story(opens("09:00"), becomes("09:20", "pending"))
    (applied,) = [fact for fact in decide(review(ticket, terms, at("09:20")), ticket) if isinstance(fact, SlaApplied)]
    assert [(clock.state, clock.target - clock.used) for clock in applied.clocks] == [("paused", 40 * 60)]
