"""What a webhook is told: the ticket as it is, why it is called, and nothing private."""

from typing import Any

import pytest

from deskwire_notify.webhooks.calling import judge_call
from deskwire_notify.webhooks.events import Teller, public_part
from deskwire_shared.contracts.commit import Commit
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
    Redacted,
    Routed,
    RuleApplied,
    SlaBreached,
    TagsChanged,
    TaskAdded,
    UnknownFact,
    WebhookRequested,
)
from deskwire_shared.eventstore.port import History, Recorded
from deskwire_shared.testing.ticket import NOON, TICKET_ID, a_commit, opened
from deskwire_shared.ticket.decider import fold

TELLER = Teller(public_url="https://desk.example", name={"ada": "Ada Agent", "vip": "VIP"}.get)  # type: ignore[arg-type]  # all ids are known
CALL = WebhookRequested(
    request_id="c1", webhook_id="shop", webhook_name="Shop", asked_by="rule", asker_id="r1", asker_name="VIP first"
)
APPLIED = RuleApplied(
    rule_id="r1",
    rule_name="VIP first",
    rule_revision=3,
    trigger="tags_changed:x",
    conditions=("ticket.tags contains vip",),
)


def history(*commits: Commit) -> History:
    return History(TICKET_ID, tuple(Recorded(number, commit) for number, commit in enumerate(commits, 1)))


def told(*before: tuple[AnyFact, ...], call: tuple[AnyFact, ...] = (APPLIED, CALL)) -> Any:
    """What is told of a ticket that was opened, went through `before`, and of which a webhook is told then."""
    commits: list[Commit] = []
    for facts in ((opened(),), *before, call):
        causes = {"causation_id": commits[-1].commit_id} if commits else {}
        commit = a_commit(*facts, after=commits[-1].version if commits else 0)
        commits.append(
            commit.model_copy(update={"commit_id": f"k{len(commits)}", "command_id": f"k{len(commits)}", **causes})
        )
    return TELLER.event("c1", fold(TICKET_ID, commits), history(*commits))


def test_the_ticket_is_told_with_its_tags_team_agent_and_fields() -> None:
    event = told(
        (TagsChanged(added=("vip",), tags=("vip",)), FieldChanged(name="region", after=("eu", "us"))),
        (Routed(team_id="vip"), Assigned(agent_id="ada")),
    )
    ticket = event["data"]["ticket"]
    assert (event["type"], event["id"], event["subject"]) == ("deskwire.webhook.called.v1", "c1", TICKET_ID)
    assert (ticket["tags"], ticket["fields"]) == (["vip"], {"region": ["eu", "us"]})
    assert (ticket["team"], ticket["assignee"]) == ({"id": "vip", "name": "VIP"}, {"id": "ada", "name": "Ada Agent"})
    assert ticket["url"] == f"https://desk.example/tickets/{ticket['number']}"


def test_a_webhook_is_told_into_which_ticket_this_one_was_merged() -> None:
    event = told(call=(CALL, Merged(into="other", into_number=7)))
    assert event["data"]["ticket"]["merged_into"] == {"id": "other", "number": 7}


def test_a_webhook_is_told_which_tickets_were_merged_into_this_one() -> None:
    event = told((MergeReceived(source="other", source_number=8),))
    assert event["data"]["ticket"]["merged_from"] == [{"id": "other", "number": 8}]
    assert event["data"]["ticket"]["merged_into"] is None


def test_a_webhook_is_told_which_rule_asked_and_what_set_it_off() -> None:
    data = told((TagsChanged(added=("vip",), tags=("vip",)),))["data"]
    assert data["asked_by"] == {"kind": "rule", "id": "r1", "name": "VIP first"}
    assert data["rule"] == {
        "id": "r1", "name": "VIP first", "revision": 3, "occasion": "tags_changed",
        "conditions": ["ticket.tags contains vip"],
    }  # fmt: skip
    assert data["cause"]["type"] == "ticket.tags_changed.v1"
    assert data["cause"]["data"] == {"added": ["vip"], "removed": [], "tags": ["vip"]}


def test_a_webhook_of_an_escalation_is_told_of_the_promise() -> None:
    breached = SlaBreached(metric="resolution", cycle=1, policy_id="gold", target=60, due_at=NOON)
    applied = RuleApplied(rule_id="gold", rule_name="Gold", rule_revision=1, trigger="sla_breached:resolution:1")
    cause = told(call=(breached, applied, CALL))["data"]["cause"]
    assert (cause["type"], cause["data"]["metric"]) == ("ticket.sla_breached.v1", "resolution")


def test_a_macro_has_no_rule() -> None:
    data = told(call=(CALL,))["data"]
    assert data["rule"] is None


def test_what_a_customer_wrote_is_told_and_what_agents_note_is_not() -> None:
    ticket = fold(TICKET_ID, [a_commit(opened())])
    address = Address(address="cora@example.org")
    said = CustomerReplied(person_id="p", message_id="m2", channel="email", author_id="p", author=address, text="Hello")
    note = NoteAdded(person_id="p", message_id="m3", agent_id="ada", mentions=("bob",), text="A crook.")
    assert public_part(said, ticket)["text"] == "Hello"
    assert public_part(note, ticket) == {"message_id": "m3", "agent_id": "ada"}


def test_words_that_were_hidden_since_are_not_told() -> None:
    ticket = fold(TICKET_ID, [a_commit(opened(message_id="m1"), Redacted(message_id="m1", agent_id="ada"))])
    assert "text" not in public_part(opened(message_id="m1"), ticket)


@pytest.mark.parametrize(
    "fact",
    [
        NoteAdded(person_id="p", message_id="m3", agent_id="ada", text="secret"),
        TaskAdded(person_id="p", task_id="t1", title="secret"),
    ],
)
def test_nothing_that_only_agents_see_is_among_what_is_public(fact: NoteAdded | TaskAdded) -> None:
    assert "secret" not in str(public_part(fact, fold(TICKET_ID, [a_commit(opened())])))


def test_a_long_text_is_cut() -> None:
    reply = AgentReplied(person_id="p", message_id="m2", agent_id="ada", text="x" * 100_000)
    text = public_part(reply, fold(TICKET_ID, [a_commit(opened())]))["text"]
    assert isinstance(text, str)
    assert len(text) == 20_000


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "accepted"), (204, "accepted"), (302, "not_now"), (400, "not_now"), (404, "not_now"), (410, "refused"),
     (429, "not_now"), (503, "not_now"), (599, "not_now")],
)  # fmt: skip
def test_all_but_a_webhook_that_is_gone_is_called_again(status: int, verdict: str) -> None:
    assert judge_call(status, None).verdict == verdict


def test_a_call_names_who_made_it_and_what_it_belongs_to() -> None:
    event = told()
    assert event["actor"] == "agent/ada"
    assert event["correlationid"]
    assert event["causationid"] == "k1"


def test_a_fact_of_a_newer_version_may_be_private_and_is_told_by_its_name_alone() -> None:
    event = told((UnknownFact(type="ticket.whispered.v1", data={"secret": "hush"}),))
    assert event["data"]["cause"]["type"] == "ticket.whispered.v1"
    assert event["data"]["cause"]["data"] == {}
