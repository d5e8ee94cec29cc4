"""Rules that time sets off: once for each stay in a status, whatever happens to the rule or the process."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.facts import RuleApplied
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.testing.ticket import NOON
from deskwire_shared.ticket.commands import ChangeStatus, ChangeTags
from routing_desk import REPLY, RoutingDesk, a_rule, another_replica, opening, routing_desk

OPEN = opening(message_id="m1")
PENDING = ChangeStatus(status="pending")
DAY = timedelta(days=1)
REMIND = {"do": "write_reply", "text": "Did that help, {{ customer.name }}?"}


def a_waiting_rule(*actions: dict[str, Any], status: str = "pending", days: int = 3, **changes: Any) -> Rule:
    wait = {"status": status, "after_minutes": days * 1440}
    return a_rule(*(actions or (REMIND,)), trigger="waited", wait=wait, **changes)


async def reminders(desk: RoutingDesk) -> int:
    return sum(message.automated for message in (await desk.ticket()).messages)


async def test_a_customer_is_reminded_after_three_days_of_silence() -> None:
    desk = await routing_desk(remind=a_waiting_rule())
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 3 * DAY - timedelta(seconds=1))
    assert await reminders(desk) == 0
    await desk.wait_until(NOON + 3 * DAY)
    ticket = await desk.ticket()
    assert ticket.messages[-1].text == "Did that help, Cora Customer?"
    assert ticket.rules_applied == (("remind", 1, "waited:pending:2"),)


async def test_a_rule_acts_once_in_a_stay_and_again_in_the_next() -> None:
    desk = await routing_desk(remind=a_waiting_rule())
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 30 * DAY)
    assert await reminders(desk) == 1
    await desk.after(REPLY)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 60 * DAY)
    assert await reminders(desk) == 2


async def test_a_ticket_that_left_the_status_in_time_is_left_alone() -> None:
    desk = await routing_desk(remind=a_waiting_rule())
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 2 * DAY)
    await desk.after(REPLY)
    await desk.wait_until(NOON + 9 * DAY)
    assert await reminders(desk) == 0


async def test_a_new_ticket_waits_from_its_opening() -> None:
    desk = await routing_desk(stale=a_waiting_rule({"do": "raise_priority"}, status="new", days=1))
    await desk.after(OPEN)
    await desk.wait_until(NOON + DAY)
    assert (await desk.ticket()).priority == "high"


async def test_the_conditions_are_asked_when_the_time_has_come() -> None:
    vip = {"all": [{"field": "ticket.tags", "op": "contains", "value": "vip"}]}
    desk = await routing_desk(remind=a_waiting_rule(conditions=vip))
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.after(ChangeTags(add=("vip",)))
    await desk.wait_until(NOON + 3 * DAY)
    assert await reminders(desk) == 1


async def test_a_rule_that_is_made_later_concerns_the_tickets_that_wait_already() -> None:
    desk = await routing_desk()
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + DAY)
    await desk.put("remind", a_waiting_rule())
    await desk.wait_until(NOON + 3 * DAY - timedelta(seconds=1))
    assert await reminders(desk) == 0
    await desk.wait_until(NOON + 3 * DAY)
    assert await reminders(desk) == 1


@pytest.mark.parametrize(("days", "at"), [(1, NOON + 2 * DAY + timedelta(seconds=1)), (5, NOON + 5 * DAY)])
async def test_a_rule_that_changes_moves_the_time_of_tickets_that_wait(days: int, at: Any) -> None:
    desk = await routing_desk(remind=a_waiting_rule())
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 2 * DAY)
    await desk.put("remind", a_waiting_rule(days=days))
    await desk.wait_until(at - timedelta(seconds=1))
    assert await reminders(desk) == 0
    await desk.wait_until(at)
    assert await reminders(desk) == 1


async def test_a_rule_that_acted_does_not_act_again_in_the_same_stay_because_it_was_edited() -> None:
    desk = await routing_desk(remind=a_waiting_rule())
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 3 * DAY)
    await desk.put("remind", a_waiting_rule(days=4))
    await desk.wait_until(NOON + 9 * DAY)
    assert await reminders(desk) == 1


@pytest.mark.parametrize("change", ["deleted", "switched off"])
async def test_a_rule_that_is_gone_when_its_time_comes_does_nothing(change: str) -> None:
    desk = await routing_desk(remind=a_waiting_rule())
    await desk.after(OPEN)
    await desk.after(PENDING)
    if change == "deleted":
        await desk.delete(Rule, "remind")
    else:
        await desk.put("remind", a_waiting_rule(active=False))
    await desk.wait_until(NOON + 9 * DAY)
    assert await reminders(desk) == 0


async def test_a_restart_loses_no_timer_and_doubles_none() -> None:
    desk = await routing_desk(remind=a_waiting_rule())
    await desk.after(OPEN)
    await desk.after(PENDING)
    restarted = another_replica(desk.store, desk.directory, desk.clock, desk.claims, desk.timers)
    await restarted.settle()
    await restarted.wait_until(NOON + 9 * DAY)
    assert await reminders(restarted) == 1


async def test_two_rules_that_wait_for_each_other_do_not_go_on_for_ever() -> None:
    hours = {"after_minutes": 60}
    desk = await routing_desk(
        a=a_rule({"do": "set_status", "status": "open"}, trigger="waited", wait={"status": "pending", **hours}),
        b=a_rule({"do": "set_status", "status": "pending"}, trigger="waited", wait={"status": "open", **hours}),
    )
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 9 * DAY)
    facts = [fact for commit in await desk.commits() for fact in commit.facts if isinstance(fact, RuleApplied)]
    assert [(fact.rule_id, bool(fact.stopped)) for fact in facts] == [("a", False), ("b", False), ("a", True)]


async def test_a_rule_can_ask_whether_a_calendar_is_open() -> None:
    office = Calendar.model_validate({"name": "Office", "time_zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}})
    closed = {"all": [{"field": "calendar.office.open", "op": "is_not", "value": True}]}
    desk = await routing_desk(office=office, night=a_rule({"do": "add_tags", "tags": ["night"]}, conditions=closed))
    assert (await desk.after(OPEN)).tags == ()
    desk.clock.set(NOON + timedelta(hours=6))
    assert (await desk.after(opening(), "t000000000000002")).tags == ("night",)


async def test_a_calendar_that_does_not_exist_is_neither_open_nor_closed() -> None:
    for op in ("is", "is_not"):
        asks = {"all": [{"field": "calendar.gone.open", "op": op, "value": True}]}
        desk = await routing_desk(r1=a_rule({"do": "add_tags", "tags": ["x"]}, conditions=asks))
        assert (await desk.after(OPEN)).tags == ()


@pytest.mark.parametrize("changes", [{"trigger": "waited"}, {"wait": {"status": "open", "after_minutes": 5}}])
def test_a_rule_that_waits_says_for_what_and_no_other_does(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="has `wait`"):
        a_rule(REMIND, **changes)


def test_nothing_is_waited_for_in_a_closed_ticket() -> None:
    with pytest.raises(ValidationError):
        a_waiting_rule(status="closed")


def hours(**intervals: tuple[tuple[str, str], ...]) -> Calendar:
    return Calendar.model_validate({"name": "Office", "time_zone": "UTC", "hours": intervals})


NINE_TO_FIVE = hours(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "17:00"),)))


BYGONE = Calendar.model_validate(
    {"name": "Office", "time_zone": "UTC", "hours": {}, "exceptions": {"2020-01-02": [["09:00", "17:00"]]}}
)


def a_rule_in_hours(minutes: int) -> Rule:
    wait = {"status": "pending", "after_minutes": minutes, "business_hours": "office"}
    return a_rule(REMIND, trigger="waited", wait=wait)


async def test_a_stay_can_be_counted_in_business_hours() -> None:
    desk = await routing_desk(remind=a_rule_in_hours(6 * 60), office=NINE_TO_FIVE)
    await desk.after(OPEN)
    await desk.after(PENDING)
    due = OpenHours(NINE_TO_FIVE).passed(NOON, timedelta(hours=6))
    assert due is not None
    assert due > NOON + timedelta(hours=20), "the night is not counted"
    await desk.wait_until(due - timedelta(seconds=1))
    assert await reminders(desk) == 0
    await desk.wait_until(due)
    assert await reminders(desk) == 1


async def test_hours_that_change_move_the_time_of_tickets_that_wait() -> None:
    desk = await routing_desk(remind=a_rule_in_hours(6 * 60), office=NINE_TO_FIVE)
    await desk.after(OPEN)
    await desk.after(PENDING)
    always = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), (("00:00", "24:00"),))
    await desk.put("office", hours(**always))
    await desk.wait_until(NOON + timedelta(hours=6))
    assert await reminders(desk) == 1


@pytest.mark.parametrize("office", [{}, {"office": BYGONE}], ids=["missing", "open in the past only"])
async def test_a_rule_whose_hours_never_come_waits_until_they_are_mended(office: dict[str, Calendar]) -> None:
    desk = await routing_desk(remind=a_rule_in_hours(60), **office)
    await desk.after(OPEN)
    await desk.after(PENDING)
    await desk.wait_until(NOON + 30 * DAY)
    assert await reminders(desk) == 0
    await desk.put("office", NINE_TO_FIVE)
    await desk.wait_until(NOON + 31 * DAY)
    assert await reminders(desk) == 1


async def test_an_operator_reads_of_a_rule_that_waits_in_hours_nobody_has_written_down() -> None:
    desk = await routing_desk(remind=a_rule_in_hours(60))
    with capture_logs() as logs:
        await desk.after(OPEN)
    assert {"rule waits in hours that do not exist"} <= {entry["event"] for entry in logs}
