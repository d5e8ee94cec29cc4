"""The ticket list: one row a ticket, carried on by every commit."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as every
from hypothesis import settings
from hypothesis import strategies as st

from deskwire_query.projections import inbox
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    AnyFact,
    Assigned,
    CustomerReplied,
    FieldChanged,
    Merged,
    MergeReceived,
    NoteAdded,
    PriorityChanged,
    Redacted,
    Reopened,
    ReplyWithdrawn,
    RequesterChanged,
    Routed,
    SlaApplied,
    SlaBreached,
    SlaClock,
    SlaMet,
    SlaWarned,
    Snoozed,
    StatusChanged,
    TaskAdded,
    TaskCompleted,
    TimeLogged,
    Unassigned,
    UnknownFact,
    Woken,
)
from deskwire_shared.testing.ticket import NOON, TICKET_ID, a_commit, opened
from deskwire_shared.ticket.decider import decide, evolve_commit
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket
from unit.shared.test_ticket_properties import ANY_WISH

LATER = NOON + timedelta(hours=1)


def row_after(*facts: AnyFact) -> dict[str, Any]:
    """The row of a ticket that was opened at noon and has seen facts since, one a commit and a minute."""
    row: inbox.Row | None = None
    for version, fact in enumerate((opened(), *facts), 1):
        commit = a_commit(fact, after=version - 1, at=NOON + timedelta(minutes=version - 1))
        row = inbox.project(row, commit, sequence=version)
    assert row is not None
    return dict(row)


def clock(**changes: Any) -> SlaClock:
    usual = {"metric": "first_response", "cycle": 1, "state": "running", "target": 3600, "used": 0, "due_at": LATER}
    return SlaClock(**{**usual, **changes})


def reply(**changes: Any) -> AgentReplied:
    return AgentReplied(**{"person_id": "p", "message_id": "r1", "agent_id": "ada", "text": "Use water.", **changes})


def run(**changes: Any) -> dict[str, Any]:
    return {"metric": "first_response", "cycle": 1, "policy_id": "gold", "target": 3600, **changes}


def test_a_new_ticket_is_listed_as_its_first_message_opened_it() -> None:
    row = row_after()
    assert (row["number"], row["subject"], row["status"], row["priority"]) == (
        1,
        "The printer is on fire",
        "new",
        "normal",
    )
    assert (row["requester_name"], row["requester_address"]) == ("Cora Customer", "cora@example.org")
    assert (row["excerpt"], row["last_message_by"], row["message_count"]) == ("Please help.", "customer", 1)
    assert row["opened_at"] == row["updated_at"] == row["last_message_at"] == NOON
    assert (row["version"], row["sequence"], row["opening"]) == (1, 1, 1)


def test_a_ticket_whose_opening_was_never_seen_is_not_listed() -> None:
    assert inbox.project(None, a_commit(Routed(team_id="t"), after=1), sequence=2) is None


def test_a_row_knows_the_last_commit_it_shows() -> None:
    row = row_after(Routed(team_id="billing"), Assigned(agent_id="ada"))
    assert (row["version"], row["sequence"], row["opening"]) == (3, 3, 1)
    assert (row["team_id"], row["assignee_id"]) == ("billing", "ada")
    assert row["updated_at"] == NOON + timedelta(minutes=2)


def test_a_fact_from_the_future_counts_and_changes_nothing_else() -> None:
    known, unknown = row_after(), row_after(UnknownFact(type="ticket.teleported.v1"))
    assert unknown == {**known, "version": 2, "sequence": 2}


def test_an_unassigned_ticket_is_nobodys() -> None:
    assert row_after(Assigned(agent_id="ada"), Unassigned(before="ada"))["assignee_id"] is None


def test_the_excerpt_is_the_beginning_of_the_last_message_in_one_line() -> None:
    row = row_after(reply(text="Use\n\n  water. " + "x" * 500))
    assert row["excerpt"].startswith("Use water. xxx")
    assert len(row["excerpt"]) == inbox.EXCERPT
    assert row["last_message_by"] == "agent"


def test_a_note_counts_as_a_message_and_is_never_the_excerpt() -> None:
    row = row_after(NoteAdded(person_id="p", message_id="n1", agent_id="ada", text="He is angry."))
    assert (row["excerpt"], row["message_count"], row["last_message_by"]) == ("Please help.", 2, "customer")


def test_a_redacted_message_is_no_excerpt() -> None:
    assert row_after(Redacted(message_id="m1", agent_id="ada"))["excerpt"] == ""
    assert row_after(reply(), Redacted(message_id="m1", agent_id="ada"))["excerpt"] == "Use water."


def test_who_was_in_copy_of_the_customers_last_message_is_known() -> None:
    boss = Address(address="boss@example.org")
    said = CustomerReplied(
        person_id="p",
        author_id="p",
        message_id="m2",
        channel="email",
        author=Address(address="c@e.org"),
        text="?",
        cc=(boss,),
    )
    assert row_after(said)["cc"] == [{"address": "boss@example.org", "name": ""}]


def test_the_first_answer_of_a_human_is_the_first_response() -> None:
    row = row_after(reply(automated=True), reply(message_id="r2"), reply(message_id="r3"))
    assert row["first_response_at"] == NOON + timedelta(minutes=2)


def test_an_answer_that_was_taken_back_was_no_response() -> None:
    withdrawn = ReplyWithdrawn(message_id="r1")
    assert row_after(reply(), withdrawn)["first_response_at"] is None
    row = row_after(reply(), reply(message_id="r2"), withdrawn)
    assert row["first_response_at"] == NOON + timedelta(minutes=2)


def test_a_ticket_knows_when_it_was_solved_and_closed() -> None:
    row = row_after(StatusChanged(before="new", after="solved"), StatusChanged(before="solved", after="closed"))
    assert (row["solved_at"], row["closed_at"]) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=2))


def test_a_reopened_ticket_is_not_solved() -> None:
    row = row_after(
        StatusChanged(before="new", after="solved"),
        Reopened(before="solved", reason="customer_reply"),
        StatusChanged(before="solved", after="open"),
    )
    assert (row["status"], row["solved_at"]) == ("open", None)


def test_the_rank_of_a_priority_follows_it() -> None:
    assert row_after(PriorityChanged(before="normal", after="urgent"))["priority_rank"] == 3
    assert row_after()["priority_rank"] == 1


def test_a_snoozed_ticket_is_out_of_sight_until_it_wakes() -> None:
    assert row_after(Snoozed(until=LATER))["snoozed_until"] == LATER
    assert row_after(Snoozed(until=LATER), Woken(reason="due"))["snoozed_until"] is None


def test_an_emptied_field_is_gone() -> None:
    assert row_after(FieldChanged(name="region", after=("a", "b")))["fields"] == {"region": ["a", "b"]}
    assert row_after(FieldChanged(name="region", after="a"), FieldChanged(name="region"))["fields"] == {}


def test_the_requester_can_become_another() -> None:
    other = RequesterChanged(person_id="q", before="p", after="q", requester=Address(address="q@e.org", name="Q"))
    row = row_after(other)
    assert (row["requester_id"], row["requester_name"], row["requester_address"]) == ("q", "Q", "q@e.org")


def test_a_merged_ticket_leads_to_where_it_lives_on() -> None:
    row = row_after(Merged(into="t2", into_number=2))
    assert row["merged_into"] == "t2"
    assert row["links"] == [{"ticket_id": "t2", "number": 2, "kind": "merged_into"}]
    assert row_after(MergeReceived(source="t3", source_number=3))["links"][0]["kind"] == "merged_from"


def test_tasks_and_worked_time_add_up() -> None:
    row = row_after(
        TaskAdded(person_id="p", task_id="k1", title="Call", due_at=LATER),
        TaskCompleted(task_id="k1", agent_id="ada"),
        TimeLogged(agent_id="ada", seconds=60),
        TimeLogged(agent_id="ada", seconds=30),
    )
    assert (row["tasks"][0]["title"], row["tasks"][0]["completed_by"], row["seconds_logged"]) == ("Call", "ada", 90)


def test_a_ticket_is_due_when_its_first_running_clock_is() -> None:
    clocks = (
        clock(),
        clock(metric="resolution", due_at=NOON),
        clock(metric="next_response", state="paused", due_at=None),
    )
    assert row_after(SlaApplied(policy_id="gold", clocks=clocks))["due_at"] == NOON


def test_a_met_clock_is_due_no_more() -> None:
    row = row_after(SlaApplied(policy_id="gold", clocks=(clock(),)), SlaMet(**run(used=60)))
    assert (row["due_at"], row["breached"]) == (None, False)
    assert (row["clocks"][0]["state"], row["clocks"][0]["used"]) == ("met", 60)


def test_a_breached_clock_is_seen_and_due_no_more() -> None:
    row = row_after(
        SlaApplied(policy_id="gold", clocks=(clock(),)), SlaWarned(**run(used=1)), SlaBreached(**run(due_at=LATER))
    )
    assert (row["breached"], row["due_at"], row["clocks"][0]["warned"]) == (True, None, True)


def test_a_late_answer_leaves_the_breach_on_record() -> None:
    row = row_after(SlaApplied(policy_id="gold", clocks=(clock(),)), SlaMet(**run(used=9999, late=True)))
    assert row["breached"]
    assert row["clocks"][0]["breached"]


def test_what_became_of_a_run_outlives_a_new_reckoning_of_its_clock() -> None:
    applied = SlaApplied(policy_id="gold", clocks=(clock(),))
    row = row_after(applied, SlaBreached(**run(due_at=LATER)), SlaApplied(policy_id="gold", clocks=(clock(used=7),)))
    assert (row["breached"], row["clocks"][0]["used"]) == (True, 7)


def test_an_outcome_stays_when_its_clock_is_not_reckoned_any_more() -> None:
    row = row_after(
        SlaApplied(policy_id="gold", clocks=(clock(),)), SlaMet(**run(used=60)), SlaApplied(policy_id="gold", clocks=())
    )
    assert [one["state"] for one in row["clocks"]] == ["met"]
    running = row_after(SlaApplied(policy_id="gold", clocks=(clock(),)), SlaApplied(policy_id=None))
    assert (running["clocks"], running["due_at"]) == ([], None)


def test_a_new_run_takes_the_place_of_the_one_before() -> None:
    again = SlaApplied(policy_id="gold", clocks=(clock(cycle=2),))
    row = row_after(SlaApplied(policy_id="gold", clocks=(clock(),)), SlaBreached(**run(due_at=LATER)), again)
    assert [(one["cycle"], one["breached"]) for one in row["clocks"]] == [(2, False)]
    assert row["due_at"] == LATER


def test_an_outcome_of_a_run_that_was_never_reckoned_is_shown() -> None:
    row = row_after(SlaMet(**run(used=60)))
    assert [(one["metric"], one["state"]) for one in row["clocks"]] == [("first_response", "met")]


def test_projecting_changes_no_row_that_was_given() -> None:
    row = row_after()
    kept = {name: repr(value) for name, value in row.items()}
    inbox.project(row, a_commit(reply(), FieldChanged(name="a", after="b"), after=1), sequence=2)
    assert {name: repr(value) for name, value in row.items()} == kept


@settings(max_examples=200, deadline=None)
@every(st.lists(ANY_WISH, max_size=25))
def test_a_row_says_of_a_ticket_what_its_history_says(wishes: list[Any]) -> None:
    ticket, row = Ticket.unborn(TICKET_ID), None
    for hour, wish in enumerate(wishes):
        try:
            facts = decide(wish, ticket)
        except Refusal:
            continue
        if facts:
            commit = a_commit(*facts, after=ticket.version, at=NOON + timedelta(hours=hour))
            ticket = evolve_commit(ticket, commit)
            row = inbox.project(row, commit, sequence=hour)
    assert (row is not None) == ticket.exists
    if row is not None:
        _agree(ticket, row)


def _agree(ticket: Ticket, row: inbox.Row) -> None:
    for name in (
        "id", "number", "version", "subject", "status", "priority", "ticket_type", "channel", "channel_id",
        "requester_id", "team_id", "assignee_id", "opened_at", "updated_at", "first_response_at", "solved_at",
        "closed_at", "snoozed_until", "merged_into", "seconds_logged", "follow_up_of",
    ):  # fmt: skip
        assert row[name] == getattr(ticket, name), name
    assert row["tags"] == list(ticket.tags)
    assert row["followers"] == list(ticket.followers)
    assert row["message_count"] == len(ticket.messages)
    assert row["rating"] == (ticket.rating.score if ticket.rating else None)
    assert row["fields"] == {n: list(v) if isinstance(v, tuple) else v for n, v in ticket.fields.items()}
    assert [(task["id"], task["completed_by"]) for task in row["tasks"]] == [
        (t.id, t.completed_by) for t in ticket.tasks
    ]
    assert row["breached"] == any(clock["breached"] for clock in row["clocks"])


@pytest.mark.parametrize(
    "fact", [Routed(team_id=None), NoteAdded(person_id="p", message_id="n", agent_id="a", text="")]
)
def test_every_change_moves_a_ticket_up_the_list(fact: AnyFact) -> None:
    assert row_after(fact)["updated_at"] == NOON + timedelta(minutes=1)
