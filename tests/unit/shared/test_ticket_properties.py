"""No sequence of wishes leads a ticket astray."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, get_args

from hypothesis import given as every
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from deskwire_shared.contracts.facts import Address, FieldValue, Opened, SlaClock, StatusChanged, TicketFact
from deskwire_shared.testing.ticket import NOON, TICKET_ID, a_commit, opened
from deskwire_shared.ticket import commands, limits
from deskwire_shared.ticket.commands import Several, SingleCommand, TicketCommand
from deskwire_shared.ticket.decider import decide, evolve_commit, fold
from deskwire_shared.ticket.refusals import Refusal
from deskwire_shared.ticket.state import Ticket

FEW = st.sampled_from
AGENTS = FEW(["ada", "bob"])
PEOPLE = FEW(["p1", "p2"])
TICKETS = FEW([TICKET_ID, "t2", "t3"])
MESSAGES = FEW(["m1", "m2", "m3", "r1", "r2", "n1"])
TEXTS = FEW(["", "Help", "Thanks", "\0", "x" * 2000])
MOMENTS: st.SearchStrategy[datetime] = st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours))
STATUSES = FEW(["new", "open", "pending", "on_hold", "solved", "closed"])
METRICS = FEW(["first_response", "resolution"])
TAGS = st.lists(FEW(["vip", " VIP ", "fire", "", "billing"]), max_size=3).map(tuple)
ADDRESSES = FEW([Address(address="cora@example.org"), Address(address="boss@example.org", name="Bo")])
RECIPIENTS = st.lists(ADDRESSES, max_size=2).map(tuple)
VALUES: st.SearchStrategy[FieldValue] = FEW([None, "north", 1, True, ("a", "b"), 2**60])
CLOCKS = st.lists(
    st.builds(
        SlaClock,
        metric=METRICS,
        cycle=st.integers(1, 2),
        state=FEW(["running", "paused"]),
        target=st.just(3600),
        used=st.integers(0, 60),
    ),
    max_size=2,
).map(tuple)
RUN: dict[str, st.SearchStrategy[Any]] = {
    "metric": METRICS,
    "cycle": st.integers(1, 2),
    "policy_id": st.just("gold"),
    "target": st.just(3600),
}
WORDS: dict[str, st.SearchStrategy[Any]] = {
    "message_id": MESSAGES,
    "channel": st.just("email"),
    "author": ADDRESSES,
    "text": TEXTS,
    "machine": FEW([None, None, None, "auto_reply", "bounce", "list"]),
    "cc": RECIPIENTS,
}

CALLS = FEW(["c1", "c2"])

Wishes = st.SearchStrategy[SingleCommand]


def wish(kind: type[SingleCommand], /, **parts: st.SearchStrategy[Any]) -> tuple[type[SingleCommand], Wishes]:
    return kind, st.builds(kind, **parts)


WISHES: dict[type[SingleCommand], Wishes] = dict(
    (
        wish(commands.OpenTicket, **WORDS, number=st.just(1), requester_id=PEOPLE, tags=TAGS),
        wish(commands.ReceiveReply, **WORDS, author_id=PEOPLE),
        wish(
            commands.SendReply,
            message_id=MESSAGES,
            agent_id=AGENTS,
            text=TEXTS,
            to=RECIPIENTS,
            automated=st.booleans(),
            deliver_after=st.none() | MOMENTS,
            status=st.none() | STATUSES,
        ),
        wish(commands.WithdrawReply, message_id=MESSAGES, at=MOMENTS),
        wish(commands.AddNote, message_id=MESSAGES, agent_id=AGENTS, text=TEXTS),
        wish(commands.RedactMessage, message_id=MESSAGES, agent_id=AGENTS),
        wish(commands.RecordDelivery, message_id=MESSAGES),
        wish(commands.RecordBounce, message_id=MESSAGES, permanent=st.booleans()),
        wish(commands.RecordAcknowledgement, message_id=MESSAGES, template_id=st.just("hello")),
        wish(commands.ChangeSubject, subject=TEXTS),
        wish(commands.ChangePriority, priority=FEW(["low", "normal", "urgent"])),
        wish(commands.ChangeType, ticket_type=FEW([None, "question", "incident"])),
        wish(commands.ChangeTags, add=TAGS, remove=TAGS),
        wish(commands.ChangeField, name=FEW(["region", "Bad", "count"]), value=VALUES),
        wish(commands.ChangeRequester, requester_id=PEOPLE, requester=ADDRESSES),
        wish(commands.ChangeFollowers, add=st.tuples(AGENTS), remove=st.tuples(AGENTS)),
        wish(commands.LinkTicket, ticket_id=TICKETS, number=st.just(2), kind=FEW(["related", "parent"])),
        wish(commands.AddTask, task_id=FEW(["k1", "k2"]), title=TEXTS),
        wish(commands.CompleteTask, task_id=FEW(["k1", "k2"]), agent_id=AGENTS),
        wish(commands.LogTime, agent_id=AGENTS, seconds=st.integers(-1, 90)),
        wish(commands.RateTicket, score=st.integers(0, 6)),
        wish(commands.RouteTicket, team_id=FEW([None, "support", "billing"]), keep_assignee=st.booleans()),
        wish(commands.AssignTicket, agent_id=AGENTS),
        wish(commands.UnassignTicket),
        wish(commands.ChangeStatus, status=STATUSES),
        wish(commands.SnoozeTicket, until=MOMENTS, at=MOMENTS),
        wish(commands.WakeTicket, reason=FEW(["due", "agent"]), at=st.none() | MOMENTS),
        wish(commands.MergeTicket, into=TICKETS, into_number=st.just(2)),
        wish(commands.ReceiveMerge, source=TICKETS, source_number=st.just(3), participants=st.tuples(PEOPLE)),
        wish(commands.SplitTicket, message_ids=st.tuples(MESSAGES), into=TICKETS, into_number=st.just(2)),
        wish(
            commands.RequestWebhook,
            request_id=CALLS,
            webhook_id=st.just("w"),
            webhook_name=st.just("W"),
            asked_by=FEW(["rule", "macro"]),
            asker_id=st.just("r"),
            asker_name=st.just("R"),
        ),
        wish(commands.RecordWebhookDelivery, request_id=CALLS, status=st.just(204)),
        wish(commands.RecordWebhookFailure, request_id=CALLS, status=FEW([None, 410])),
        wish(commands.ApplySla, policy_id=FEW([None, "gold"]), clocks=CLOCKS),
        wish(commands.WarnSla, **RUN, used=st.just(1)),
        wish(commands.BreachSla, **RUN, due_at=MOMENTS),
        wish(commands.MeetSla, **RUN, used=st.just(1)),
        wish(
            commands.ApplyRule,
            rule_id=FEW(["vip", "spam"]),
            rule_name=st.just("x"),
            rule_revision=st.integers(1, 2),
            trigger=FEW(["opened:m1", "customer_replied:m2"]),
        ),
    )
)
ANY_WISH = st.one_of(*WISHES.values())
LIVELY_WISH = ANY_WISH.filter(
    lambda wish: not isinstance(wish, commands.MergeTicket) and getattr(wish, "status", None) != "closed"
)
"""Nearly all of them: a life that ends early shows little."""

CLOSING_IS_FINAL = ("status", "priority", "subject", "tags", "fields", "assignee_id", "team_id", "requester_id")
AFTERMATH = {
    "ticket.reply_delivered.v1",
    "ticket.reply_bounced.v1",
    "ticket.reply_withdrawn.v1",
    "ticket.redacted.v1",
    "ticket.acknowledged.v1",
    "ticket.sla_applied.v1",
    "ticket.webhook_delivered.v1",
    "ticket.webhook_failed.v1",
}


class TicketLife(RuleBasedStateMachine):
    """A ticket under all wishes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = [a_commit(*a_history())]
        self.ticket = fold(TICKET_ID, self.commits)

    @rule(wish=ANY_WISH)
    def wish_once(self, wish: SingleCommand) -> None:
        self.put(wish)

    @rule(wishes=st.lists(LIVELY_WISH, min_size=1, max_size=4).map(tuple))
    def wish_several(self, wishes: tuple[SingleCommand, ...]) -> None:
        self.put(Several(commands=wishes))

    @rule(wish=LIVELY_WISH)
    def wish_twice(self, wish: SingleCommand) -> None:
        """What was granted once changes nothing the second time, or is refused."""
        self.put(wish)
        repeated = facts_of(wish, self.ticket)
        assert not repeated or isinstance(wish, REPEATABLE)

    def put(self, command: TicketCommand) -> None:
        before = replace(self.ticket, fields=dict(self.ticket.fields))
        facts = facts_of(command, self.ticket)
        assert self.ticket == before, "deciding changed the ticket"
        if facts:
            self.append(facts)

    def append(self, facts: list[TicketFact]) -> None:
        before = self.ticket
        commit = a_commit(*facts, after=before.version, at=NOON + timedelta(seconds=before.version))
        self.ticket = evolve_commit(before, commit)
        self.commits.append(commit)
        require_legal_step(before, facts, self.ticket)

    @invariant()
    def the_state_is_legal(self) -> None:
        require_legal_state(self.ticket)

    def teardown(self) -> None:
        assert self.ticket.version == sum(len(commit.facts) for commit in self.commits)
        assert self.ticket.command_ids == {commit.command_id for commit in self.commits}
        assert self.ticket == fold(TICKET_ID, self.commits), "folding all is not folding one by one"


REPEATABLE = (commands.LogTime, commands.RecordBounce)
"""Time adds up, and a reply may be late more than once."""


def a_history() -> tuple[Opened, ...]:
    return (opened(person_id="p1", requester_id="p1"),)


def facts_of(command: TicketCommand, ticket: Ticket) -> list[TicketFact]:
    try:
        return decide(command, ticket)
    except Refusal:
        return []


def require_legal_step(before: Ticket, facts: list[TicketFact], after: Ticket) -> None:
    if before.is_merged:
        assert {fact.type for fact in facts} <= AFTERMATH
    if before.is_closed:
        assert all(getattr(before, name) == getattr(after, name) for name in CLOSING_IS_FINAL)
        assert running_clocks(after) <= running_clocks(before)
    for fact in facts:
        assert not isinstance(fact, StatusChanged) or fact.before != fact.after


def running_clocks(ticket: Ticket) -> set[tuple[str, int]]:
    clocks = ticket.sla.clocks if ticket.sla else ()
    return {(clock.metric, clock.cycle) for clock in clocks if clock.state == "running"}


def require_legal_state(ticket: Ticket) -> None:
    statuses = [status for _, status in ticket.status_history]
    assert statuses[-1] == ticket.status
    assert statuses[0] == "new"
    assert all(before not in {"closed", after} and after != "new" for before, after in pairwise(statuses))
    assert ticket.priority_history[-1][1] == ticket.priority
    assert ticket.tags == tuple(sorted({tag.strip().lower() for tag in ticket.tags}))
    assert len(ticket.tags) <= limits.TAGS
    assert ticket.followers == tuple(sorted(set(ticket.followers)))
    assert ticket.assignee_id in {None, "ada", "bob"}
    assert not (ticket.is_snoozed and ticket.status in {"solved", "closed"})
    assert not ticket.is_merged or ticket.is_closed
    assert ticket.merged_into != ticket.id
    assert ticket.id not in ticket.merged_sources
    assert (ticket.closed_at is not None) == ticket.is_closed
    assert ticket.status != "solved" or ticket.solved_at is not None
    assert ticket.status in {"solved", "closed"} or ticket.solved_at is None
    assert ticket.requester_id in ticket.participants
    require_legal_messages(ticket)


def require_legal_messages(ticket: Ticket) -> None:
    ids = [message.id for message in ticket.messages]
    assert len(ids) == len(set(ids))
    for message in ticket.messages:
        assert (message.delivery == "none") == (message.kind != "agent")
        assert not message.redacted or (message.text, message.delivery == "waiting") == ("", False)
    answers = [message.at for message in ticket.messages if message.answers_the_customer]
    assert ticket.first_response_at == next(iter(answers), None)


TestTicketLife = TicketLife.TestCase
TestTicketLife.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


@every(wishes=st.lists(ANY_WISH, max_size=25))
@settings(max_examples=60, deadline=None)
def test_the_same_wishes_lead_to_the_same_ticket(wishes: list[SingleCommand]) -> None:
    assert life(wishes) == life(wishes)


def life(wishes: list[SingleCommand]) -> Ticket:
    ticket = fold(TICKET_ID, [a_commit(*a_history())])
    for wish in wishes:
        if facts := facts_of(wish, ticket):
            ticket = evolve_commit(ticket, a_commit(*facts, after=ticket.version))
    return ticket


@every(wish=ANY_WISH)
def test_only_opening_brings_a_ticket_to_life(wish: SingleCommand) -> None:
    assert isinstance(wish, commands.OpenTicket) or not facts_of(wish, Ticket.unborn(TICKET_ID))


def test_the_properties_are_about_every_wish() -> None:
    assert set(WISHES) == set(get_args(SingleCommand))
