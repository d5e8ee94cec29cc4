"""What the actions of rules and macros come to."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from deskwire_shared.contracts.actions import Action
from deskwire_shared.contracts.directory import Template
from deskwire_shared.contracts.facts import AgentReplied
from deskwire_shared.contracts.placeholders import fill, require_known
from deskwire_shared.contracts.rules import Macro
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.testing.ticket import CUSTOMER, CUSTOMER_ID, TICKET_ID, a_ticket
from deskwire_shared.ticket.acting import Acting, Staff
from deskwire_shared.ticket.actions import NOTICE, Deeds, deeds, higher, opening
from deskwire_shared.ticket.commands import (
    AddNote,
    AssignTicket,
    ChangeField,
    ChangeFollowers,
    ChangePriority,
    ChangeStatus,
    ChangeSubject,
    ChangeTags,
    ChangeType,
    LinkTicket,
    OpenTicket,
    RouteTicket,
    SendReply,
    SingleCommand,
    UnassignTicket,
)
from deskwire_shared.ticket.hindrances import AUTOMATIC
from deskwire_shared.ticket.state import Ticket

STAFF = Staff(
    teams={"vip": Team(name="VIP")},
    agents={one: Agent(email=f"{one}@desk.example", name=one.title(), team_ids=("vip",)) for one in ("ada", "bob")},
    templates={
        "thanks": Template(name="Thanks", purpose="answer", subject="", body="Dear {{ customer.name }}, thank you."),
        "ack": Template(name="Ack", purpose="acknowledgement", subject="", body=""),
        "old": Template(name="Old", purpose="answer", subject="", body="Old.", active=False),
    },
)
ACTING = Acting(agent_id="routing", strategy="rule", key=("routing", "opened", "r1"), asked_by="rule", asker_id="r1")
ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def act(
    *actions: dict[str, Any],
    ticket: Ticket | None = None,
    acting: Acting = ACTING,
    numbers: dict[str, int] | None = None,
) -> Deeds:
    parsed = tuple(map(ACTION.validate_python, actions))
    return deeds(parsed, ticket or a_ticket(team_id="vip"), STAFF, acting, numbers)


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ({"do": "set_team", "team_id": "vip"}, RouteTicket(team_id="vip", rule_id="r1")),
        ({"do": "set_assignee", "agent_id": "ada"}, AssignTicket(agent_id="ada", strategy="rule")),
        ({"do": "unassign"}, UnassignTicket()),
        ({"do": "set_priority", "priority": "low"}, ChangePriority(priority="low")),
        ({"do": "raise_priority"}, ChangePriority(priority="high")),
        ({"do": "set_type", "ticket_type": None}, ChangeType(ticket_type=None)),
        ({"do": "set_status", "status": "on_hold"}, ChangeStatus(status="on_hold")),
        ({"do": "set_subject", "subject": " New "}, ChangeSubject(subject="New")),
        ({"do": "set_field", "name": "region", "value": True}, ChangeField(name="region", value=True)),
        ({"do": "set_field", "name": "region", "value": ["a", "b"]}, ChangeField(name="region", value=("a", "b"))),
        ({"do": "add_tags", "tags": ["a"]}, ChangeTags(add=("a",))),
        ({"do": "remove_tags", "tags": ["a"]}, ChangeTags(remove=("a",))),
        ({"do": "add_followers", "agent_ids": ["ada", "gone"]}, ChangeFollowers(add=("ada",))),
        ({"do": "remove_followers", "agent_ids": ["gone"]}, ChangeFollowers(remove=("gone",))),
    ],
)
def test_every_change_is_a_command(action: dict[str, Any], command: SingleCommand) -> None:
    assert act(action) == Deeds(commands=(command,))


def test_a_reply_names_the_customer_and_says_that_nobody_wrote_it() -> None:
    (reply,) = act(
        {"do": "write_reply", "text": "Hello {{ customer.name }}, #{{ ticket.number }} is with {{team.name}}."}
    ).commands
    assert isinstance(reply, SendReply)
    assert (reply.text, reply.agent_id, reply.automated) == ("Hello Cora Customer, #1 is with VIP.", "routing", True)


def test_a_reply_can_be_a_template_for_answers() -> None:
    (reply,) = act({"do": "write_reply", "template_id": "thanks"}).commands
    assert isinstance(reply, SendReply)
    assert reply.text == "Dear Cora Customer, thank you."


@pytest.mark.parametrize("template_id", ["gone", "ack", "old"])
def test_a_template_that_is_not_there_or_not_for_answers_answers_nobody(template_id: str) -> None:
    assert act({"do": "write_reply", "template_id": template_id}).troubles == (
        f"there is no template {template_id} for answers",
    )


def test_a_note_mentions_whom_it_is_for() -> None:
    (note,) = act({"do": "notify_agents", "team": True}, ticket=a_ticket(team_id="vip", assignee_id="bob")).commands
    assert isinstance(note, AddNote)
    assert (note.text, note.mentions) == (NOTICE, ("bob", "ada"))


def test_a_note_of_a_rule_has_the_same_id_however_often_it_is_asked_for() -> None:
    first, second = act(*[{"do": "write_note", "text": "x"}] * 2).commands
    assert isinstance(first, AddNote)
    assert isinstance(second, AddNote)
    assert first.message_id != second.message_id
    assert act({"do": "write_note", "text": "x"}).commands == (first,)


def test_the_assignee_comes_last_since_another_team_would_take_them_away() -> None:
    commands = act({"do": "set_assignee", "agent_id": "ada"}, {"do": "set_team", "team_id": "vip"}).commands
    assert [type(command) for command in commands] == [RouteTicket, AssignTicket]


def test_what_names_nobody_is_told_and_the_rest_is_done() -> None:
    done = act(
        {"do": "set_team", "team_id": "gone"},
        {"do": "set_assignee", "agent_id": "left"},
        {"do": "add_followers", "agent_ids": ["left"]},
        {"do": "open_follow_up", "subject": "s", "text": "t", "team_id": "gone"},
        {"do": "add_tags", "tags": ["a"]},
    )
    assert done.commands == (ChangeTags(add=("a",)),)
    assert sorted(done.troubles) == [
        "agent left does not exist or is not active",
        "no agent of left exists and is active",
        "there is no team gone",
        "there is no team gone",
    ]


def test_a_follow_up_is_a_ticket_of_the_same_customer_and_both_name_each_other() -> None:
    action = {"do": "open_follow_up", "subject": "Call {{ customer.name }}", "text": "As agreed.", "team_id": "vip"}
    (follow_up,) = act(action).follow_ups
    source = a_ticket(number=7)
    (link,) = act(action, ticket=source, numbers={follow_up.ticket_id: 8}).commands
    assert link == LinkTicket(ticket_id=follow_up.ticket_id, number=8, kind="follow_up")
    opened, back, routed = opening(follow_up, source, 8).commands
    assert isinstance(opened, OpenTicket)
    assert (opened.number, opened.subject, opened.follow_up_of) == (8, "Call Cora Customer", TICKET_ID)
    assert (opened.requester_id, opened.author) == (CUSTOMER_ID, CUSTOMER)
    assert back == LinkTicket(ticket_id=TICKET_ID, number=7, kind="follow_up")
    assert routed == RouteTicket(team_id="vip")


def test_a_ticket_that_nobody_wrote_has_no_follow_up() -> None:
    action = {"do": "open_follow_up", "subject": "s", "text": "t"}
    assert act(action, ticket=a_ticket(channel=AUTOMATIC)).troubles == ("a ticket that nobody wrote has no follow-up",)


def test_an_agent_may_go_on_talking_where_a_rule_may_not() -> None:
    talk = AgentReplied(person_id=CUSTOMER_ID, message_id="a", agent_id="routing", automated=True, text="x")
    talked = a_ticket(*(talk.model_copy(update={"message_id": f"a{number}"}) for number in range(5)))
    reply = {"do": "write_reply", "text": "Hello"}
    assert act(reply, ticket=talked).troubles == ("5 automatic replies were sent since a human answered",)
    by_hand = Acting(agent_id="ada", strategy="manual", key=("k",), asked_by="macro", asker_id="m", automated=False)
    assert act(reply, ticket=talked, acting=by_hand).troubles == ()


def test_the_highest_priority_has_none_above_it() -> None:
    assert [higher(one) for one in ("low", "normal", "high", "urgent")] == ["normal", "high", "urgent", "urgent"]


def test_what_a_customer_is_called_puts_nothing_in() -> None:
    assert fill("Dear {{ customer.name }}!", {"customer.name": "{{ agent.name }}", "agent.name": "Ada"}) == (
        "Dear {{ agent.name }}!"
    )


@pytest.mark.parametrize("text", ["{{ customer.password }}", "{{ customer.name", "}}", "{% for x in y %}", "{{ 7*7 }}"])
def test_a_placeholder_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="placeholder"):
        require_known(text)
    with pytest.raises(ValidationError):
        Macro(name="M", reply=text)
    with pytest.raises(ValidationError):
        Template(name="T", purpose="answer", subject="", body=text)


@pytest.mark.parametrize("action", [{"do": "write_reply"}, {"do": "write_reply", "text": "x", "template_id": "y"}])
def test_a_reply_says_one_thing(action: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either `text` or `template_id`"):
        ACTION.validate_python(action)
