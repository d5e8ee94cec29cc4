"""What policies and rules note on a ticket."""

from datetime import timedelta

from deskwire_shared.contracts.facts import (
    Merged,
    RuleApplied,
    SlaApplied,
    SlaBreached,
    SlaClock,
    SlaMet,
    SlaWarned,
    StatusChanged,
)
from deskwire_shared.testing.ticket import NOON, a_ticket, given, opened
from deskwire_shared.ticket.commands import ApplyRule, ApplySla, BreachSla, MeetSla, WarnSla
from deskwire_shared.ticket.refusals import TicketIsClosed, TicketIsMerged

DUE = NOON + timedelta(hours=1)
CLOSED = StatusChanged(before="new", after="closed")
MERGED = Merged(into="t2", into_number=2)
RUNNING = SlaClock(metric="resolution", cycle=1, state="running", target=3600, used=0, due_at=DUE)
PAUSED = SlaClock(metric="resolution", cycle=1, state="paused", target=3600, used=60)
APPLIED = SlaApplied(policy_id="gold", clocks=(RUNNING,))
WARNED = SlaWarned(metric="resolution", cycle=1, policy_id="gold", used=2700, target=3600, due_at=DUE)
BREACHED = SlaBreached(metric="resolution", cycle=1, policy_id="gold", target=3600, due_at=DUE)
MET = SlaMet(metric="resolution", cycle=1, policy_id="gold", used=60, target=3600)
WARN = WarnSla(metric="resolution", cycle=1, policy_id="gold", used=2700, target=3600, due_at=DUE)
BREACH = BreachSla(metric="resolution", cycle=1, policy_id="gold", target=3600, due_at=DUE)
MEET = MeetSla(metric="resolution", cycle=1, policy_id="gold", used=60, target=3600)


def test_clocks_are_applied_once() -> None:
    apply = ApplySla(policy_id="gold", clocks=(RUNNING,))
    given(opened()).when(apply).then(APPLIED)
    given(opened(), APPLIED).when(apply).then()
    given(opened()).when(ApplySla(policy_id=None)).then()


def test_newer_clocks_replace_the_earlier_ones() -> None:
    paused = SlaApplied(policy_id="gold", clocks=(PAUSED,))
    assert a_ticket(APPLIED, paused).sla == paused


def test_no_clock_starts_on_a_closed_ticket() -> None:
    given(opened(), CLOSED).when(ApplySla(policy_id="gold", clocks=(RUNNING,))).refuses(TicketIsClosed)
    given(opened(), CLOSED, APPLIED).when(ApplySla(policy_id="gold")).then(SlaApplied(policy_id="gold"))


def test_a_merged_ticket_can_only_lose_its_clocks() -> None:
    merged = given(opened(), APPLIED, MERGED, CLOSED)
    merged.when(ApplySla(policy_id="gold", clocks=(PAUSED,))).refuses(TicketIsMerged)
    merged.when(MEET).refuses(TicketIsMerged)
    merged.when(ApplySla(policy_id=None)).then(SlaApplied(policy_id=None))


def test_a_warning_comes_once_and_never_too_late() -> None:
    given(opened()).when(WARN).then(WARNED)
    for outcome in (WARNED, BREACHED, MET):
        given(opened(), outcome).when(WARN).then()


def test_a_target_is_missed_once_and_never_after_it_was_reached() -> None:
    given(opened(), WARNED).when(BREACH).then(BREACHED)
    given(opened(), BREACHED).when(BREACH).then()
    given(opened(), MET).when(BREACH).then()


def test_a_target_is_reached_once_and_late_after_its_breach() -> None:
    given(opened()).when(MEET).then(MET)
    given(opened(), MET).when(MEET).then()
    given(opened(), BREACHED).when(MEET).then(MET.model_copy(update={"late": True}))


def test_every_run_of_a_clock_counts_for_itself() -> None:
    second = BreachSla(metric="resolution", cycle=2, policy_id="gold", target=3600, due_at=DUE)
    given(opened(), BREACHED).when(second).then(BREACHED.model_copy(update={"cycle": 2}))


def test_what_was_reached_is_noted_after_closing_too() -> None:
    given(opened(), CLOSED).when(MEET).then(MET)
    given(opened(), CLOSED).when(WARN).refuses(TicketIsClosed)


def test_a_rule_is_noted_once_per_occasion() -> None:
    applied = RuleApplied(
        rule_id="vip", rule_name="VIPs first", rule_revision=3, trigger="opened:m1", conditions=("x",)
    )
    apply = ApplyRule(rule_id="vip", rule_name="VIPs first", rule_revision=3, trigger="opened:m1", conditions=("x",))
    given(opened()).when(apply).then(applied)
    given(opened(), applied).when(apply).then()
    again = ApplyRule(rule_id="vip", rule_name="VIPs first", rule_revision=4, trigger="opened:m1")
    assert given(opened(), applied).when(again).leads_to().rules_applied == (
        ("vip", 3, "opened:m1"),
        ("vip", 4, "opened:m1"),
    )
