"""What routing does about a ticket, on real parts in memory."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from deskwire_routing.app import STRATEGIES
from deskwire_routing.handlers import HEARD, Routing
from deskwire_routing.roster import Roster
from deskwire_routing.workload import Workload
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.directory import Agent, Channel, Document, Rule, Team
from deskwire_shared.contracts.facts import (
    Assigned,
    Fact,
    Opened,
    PriorityChanged,
    Reopened,
    Routed,
    RuleApplied,
    StatusChanged,
    Unassigned,
)
from deskwire_shared.directory.memory import MemoryDirectory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.eventstore.follower import Delivery
from deskwire_shared.eventstore.memory import MemoryEventStore, MemoryKeyRing
from deskwire_shared.eventstore.port import History, Recorded
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import ManualClock
from deskwire_shared.runtime.process_manager import Heard, HeardMessage
from deskwire_shared.testing.ticket import AGENT, CUSTOMER, CUSTOMER_ID, NOON, TICKET_ID
from deskwire_shared.ticket.commands import (
    AssignTicket,
    ChangeStatus,
    OpenTicket,
    ReceiveReply,
    RouteTicket,
    TicketCommand,
    UnassignTicket,
)
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.state import Ticket

ADMIN = Actor(kind="agent", id="root")
OPEN = OpenTicket(
    number=1, requester_id=CUSTOMER_ID, message_id="m1", channel="email", channel_id="mail", author=CUSTOMER,
    subject="The printer is on fire", text="Please help.",
)  # fmt: skip
REPLY = ReceiveReply(author_id=CUSTOMER_ID, message_id="m2", channel="email", author=CUSTOMER, text="Hello?")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A desk in memory with one routing service."""

    routing: Routing
    recorder: Recorder
    store: MemoryEventStore
    codec: Codec

    async def after(self, command: TicketCommand, actor: Actor = AGENT, ticket_id: str = TICKET_ID) -> Ticket:
        """Record a command and let routing react to everything that follows from it."""
        known = len((await self.store.load(ticket_id)).recorded)
        await self.recorder.record(ticket_id, command, Cause(f"k{known}-{ticket_id}", actor, NOON))
        while len(news := (await self.store.load(ticket_id)).recorded[known:]):
            known += len(news)
            await self.routing.on_commits(await self.heard(*news))
        return await self.ticket(ticket_id)

    async def ticket(self, ticket_id: str = TICKET_ID) -> Ticket:
        return fold(ticket_id, (await self.store.load(ticket_id)).commits)

    async def commits(self) -> tuple[Commit, ...]:
        return (await self.store.load(TICKET_ID)).commits

    async def facts(self) -> list[type[Fact]]:
        return [type(fact) for commit in await self.commits() for fact in commit.facts]

    async def hear_all_again(self) -> None:
        for entry in (await self.store.load(TICKET_ID)).recorded:
            await self.routing.on_commits(await self.heard(entry))

    async def heard(self, *entries: Recorded) -> Heard:
        messages = [HeardMessage(entry.sequence, await self._raw(entry)) for entry in entries]
        ticket_id, last = entries[-1].commit.ticket_id, entries[-1].sequence
        return Heard(ticket_id, last, f"ticket.00.{ticket_id}", frozenset(), NOON, tuple(messages))

    async def _raw(self, entry: Recorded) -> bytes:
        history = await self.store.load(entry.commit.ticket_id)
        before = tuple(one for one in history.recorded if one.sequence < entry.sequence)
        return (await self.codec.encode(entry.commit, after=History(history.ticket_id, before).tip))[1]


async def a_desk(kind: type[MemoryEventStore] = MemoryEventStore, /, **documents: Document) -> Desk:
    keys = MemoryKeyRing()
    codec = Codec(keys)
    directory = MemoryDirectory(keys, lambda: NOON)
    for document_id, document in documents.items():
        await directory.put(document_id, document, actor=ADMIN)
    store = kind(codec)
    recorder = Recorder(store)
    roster = Roster(directory, Workload())
    roster.hear(Delivery(0, "", b"", {"Deskwire-Facts": "none"}, 0))
    routing = Routing(
        recorder=recorder, directory=directory, roster=roster, strategies=STRATEGIES, clock=ManualClock(NOON),
        patience_seconds=1,
    )  # fmt: skip
    return Desk(routing=routing, recorder=recorder, store=store, codec=codec)


def an_agent(*team_ids: str, **changes: Any) -> Agent:
    return Agent.model_validate({"email": "a@desk.example", "name": "A", "team_ids": team_ids, **changes})


def a_rule(*actions: dict[str, Any], **changes: Any) -> Rule:
    return Rule.model_validate({"name": "Rule", "actions": actions, **changes})


MAIL = Channel(name="Mail", medium="email", address="help@desk.example", team_id="support")
SUPPORT = Team(name="Support")
BILLING = Team(name="Billing", assignment="manual")
TO_BILLING = a_rule({"do": "set_team", "team_id": "billing"})
URGENT = {"do": "set_priority", "priority": "urgent"}


async def test_a_new_ticket_goes_to_its_channels_team_and_to_an_agent_of_it() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("support", "ada")
    assert await desk.facts() == [Opened, Routed, Assigned]


async def test_team_and_agent_are_found_in_one_commit_that_names_its_cause() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.after(OPEN)
    opened, placed = await desk.commits()
    assert placed.actor == Actor(kind="system", id="routing")
    assert (placed.causation_id, placed.correlation_id) == (opened.commit_id, opened.correlation_id)


async def test_a_rule_wins_over_the_channels_team() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, billing=BILLING, r1=TO_BILLING, ada=an_agent("support"))
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("billing", None)
    _, ruled = await desk.commits()
    assert [type(fact) for fact in ruled.facts] == [RuleApplied, Routed]
    assert ruled.actor == Actor(kind="rule", id="routing")


async def test_rules_only_see_tickets_of_their_trigger() -> None:
    desk = await a_desk(r1=a_rule(URGENT, trigger="customer_replied"))
    assert (await desk.after(OPEN)).priority == "normal"
    ticket = await desk.after(REPLY)
    assert ticket.priority == "urgent"
    assert ticket.rules_applied == (("r1", 1, "customer_replied:m2"),)


async def test_hearing_it_all_again_changes_nothing() -> None:
    desk = await a_desk(
        mail=MAIL, support=SUPPORT, ada=an_agent("support"),
        a=a_rule(URGENT, conditions={"all": [{"field": "ticket.tags", "op": "contains", "value": "vip"}]}),
        b=a_rule({"do": "add_tags", "tags": ["vip"]}),
    )  # fmt: skip
    before = await desk.after(OPEN)
    assert before.priority == "normal"
    await desk.hear_all_again()
    assert await desk.ticket() == before


async def test_what_a_rule_does_sets_no_rule_off() -> None:
    solve_and_open = ({"do": "set_status", "status": "solved"}, {"do": "set_status", "status": "open"})
    desk = await a_desk(r1=a_rule(*solve_and_open, trigger="reopened"))
    await desk.after(OPEN)
    await desk.after(ChangeStatus(status="solved"))
    ticket = await desk.after(ChangeStatus(status="open"))
    assert [rule_id for rule_id, _, _ in ticket.rules_applied] == ["r1"]
    assert (await desk.facts()).count(Reopened) == 2


async def test_a_team_that_assigns_by_hand_is_left_to_do_so() -> None:
    desk = await a_desk(mail=MAIL.model_copy(update={"team_id": "billing"}), billing=BILLING, ada=an_agent("billing"))
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("billing", None)


async def test_a_ticket_stays_in_the_queue_when_nobody_is_there() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support", availability="away"))
    ticket = await desk.after(OPEN)
    assert (ticket.team_id, ticket.assignee_id) == ("support", None)


async def test_a_ticket_that_an_agent_moves_to_another_team_finds_an_agent_there() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, vip=Team(name="VIP"), ada=an_agent("support"), bob=an_agent("vip"))
    assert (await desk.after(OPEN)).assignee_id == "ada"
    ticket = await desk.after(RouteTicket(team_id="vip"))
    assert (ticket.team_id, ticket.assignee_id) == ("vip", "bob")


async def test_a_ticket_that_an_agent_gives_back_goes_to_another_one() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"), bob=an_agent("support"))
    first = (await desk.after(OPEN)).assignee_id
    second = (await desk.after(UnassignTicket(reason="not mine"))).assignee_id
    assert {first, second} == {"ada", "bob"}


async def test_an_assignee_is_never_taken_away() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"), bob=an_agent("support"))
    await desk.after(OPEN)
    await desk.after(AssignTicket(agent_id="zoe"))
    assert (await desk.after(REPLY)).assignee_id == "zoe"


@pytest.mark.parametrize("status", ["solved", "closed"])
async def test_a_ticket_that_is_over_is_not_assigned(status: Any) -> None:
    desk = await a_desk(support=SUPPORT, ada=an_agent("support"))
    await desk.after(OPEN)
    await desk.recorder.record(TICKET_ID, RouteTicket(team_id="support"), Cause("k-route", AGENT, NOON))
    assert (await desk.after(ChangeStatus(status=status))).assignee_id is None


async def test_an_old_ticket_without_a_team_is_left_alone() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT)
    await desk.after(OPEN)
    await desk.after(RouteTicket(team_id=None))
    assert (await desk.after(REPLY)).team_id is None


async def test_a_channel_or_team_that_does_not_exist_leaves_the_ticket_unrouted() -> None:
    for documents in ({}, {"mail": MAIL}, {"mail": MAIL.model_copy(update={"team_id": None})}):
        assert (await (await a_desk(**documents)).after(OPEN)).team_id is None


async def test_a_rule_that_names_an_inactive_agent_acts_without_that() -> None:
    rule = a_rule({"do": "set_assignee", "agent_id": "left"}, URGENT)
    desk = await a_desk(r1=rule, left=an_agent("support", active=False))
    ticket = await desk.after(OPEN)
    assert (ticket.assignee_id, ticket.priority) == (None, "urgent")
    assert await desk.facts() == [Opened, RuleApplied, PriorityChanged]


async def test_a_rule_that_could_do_nothing_is_not_noted() -> None:
    desk = await a_desk(r1=a_rule({"do": "set_assignee", "agent_id": "gone"}))
    await desk.after(OPEN)
    assert await desk.facts() == [Opened]


async def test_occasions_heard_together_are_all_answered() -> None:
    desk = await a_desk(
        opening=a_rule(URGENT), replying=a_rule({"do": "add_tags", "tags": ["again"]}, trigger="customer_replied")
    )
    await desk.recorder.record(TICKET_ID, OPEN, Cause("k-open", AGENT, NOON))
    await desk.after(REPLY)
    await desk.routing.on_commits(await desk.heard(*(await desk.store.load(TICKET_ID)).recorded[:2]))
    ticket = await desk.ticket()
    assert (ticket.priority, ticket.tags) == ("urgent", ("again",))


class SlowStore(MemoryEventStore):
    """A store in which everybody decides before anybody has appended."""

    async def append_together(self, commits: Any) -> Any:
        """Let the others go first."""
        await asyncio.sleep(0.01)
        return await super().append_together(commits)


async def test_tickets_worked_on_at_the_same_time_go_to_different_agents() -> None:
    agents = {f"agent{number}": an_agent("support") for number in range(4)}
    desk = await a_desk(SlowStore, mail=MAIL, support=SUPPORT, **agents)
    tickets = await asyncio.gather(*(desk.after(OPEN, ticket_id=f"t{number:015}") for number in range(40)))
    counts = [sum(ticket.assignee_id == agent_id for ticket in tickets) for agent_id in agents]
    assert counts == [10, 10, 10, 10]


async def test_a_turn_whose_record_failed_is_given_back() -> None:
    desk = await a_desk(mail=MAIL, support=SUPPORT, ada=an_agent("support"))
    await desk.recorder.record(TICKET_ID, OPEN, Cause("k-open", AGENT, NOON))
    (entry,) = (await desk.store.load(TICKET_ID)).recorded
    closed = Routing(
        recorder=Recorder(FullStore(desk.codec, desk.store)), directory=desk.routing.directory,
        roster=desk.routing.roster, strategies=STRATEGIES, clock=ManualClock(NOON), patience_seconds=1,
    )  # fmt: skip
    with pytest.raises(OSError, match="no space"):
        await closed.on_commits(await desk.heard(entry))
    assert desk.routing.roster.workload.open_tickets("ada") == 0


class FullStore(MemoryEventStore):
    """A store whose disk is full."""

    def __init__(self, codec: Codec, filled: MemoryEventStore) -> None:
        super().__init__(codec)
        self._stored = filled._stored

    async def append_together(self, commits: Any) -> Any:
        raise OSError("no space left on device")


def test_routing_hears_what_can_change_where_a_ticket_belongs() -> None:
    assert {
        "ticket.opened.v1", "ticket.customer_replied.v1", "ticket.reopened.v1", "ticket.routed.v1",
        "ticket.unassigned.v1",
    } == HEARD  # fmt: skip
    assert StatusChanged.model_fields["type"].default not in HEARD
    assert Unassigned.model_fields["type"].default in HEARD
