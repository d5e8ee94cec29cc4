"""Routing on a real NATS server: rules, teams, turns, and two replicas."""

import asyncio
from collections import Counter
from pathlib import Path

from deskwire_routing.app import service
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.contracts.facts import Assigned, Opened, PriorityChanged, Routed, RuleApplied
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.ticket.commands import ChangeStatus, ReceiveReply
from ticket_desk import ADMIN, CORA, CORA_ID, TicketDesk, ticket_desk, until

ROUTING = (TICKETS, "routing")


async def furnish(desk: TicketDesk, *agents: str) -> None:
    """A mailbox, its team and the agents of it."""
    await desk.put("support", Team(name="Support"))
    await desk.put("mail", Channel(name="Mail", medium="email", address="help@acme.example", team_id="support"))
    for agent_id in agents:
        await desk.put(agent_id, Agent(email=f"{agent_id}@acme.example", name=agent_id, team_ids=("support",)))


async def test_a_mail_finds_its_team_and_its_agent(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk, "ada")
        ticket_id = await desk.open()
        assigned = await desk.commit_with(ticket_id, Assigned)
        opened = (await desk.commits(ticket_id))[0]
        assert [fact.type for fact in assigned.facts] == ["ticket.routed.v1", "ticket.assigned.v1"]
        assert (assigned.causation_id, assigned.correlation_id) == (opened.commit_id, opened.correlation_id)


async def test_a_rule_about_the_customers_organisation_acts_and_can_be_explained(
    fresh_nats: str, tmp_path: Path
) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await desk.put("acme", Organisation(name="Acme", tags=("gold",)))
        await desk.put(CORA_ID, Customer(address=CORA.address, organisation_id="acme"))
        gold = {"all": [{"field": "organisation.tags", "op": "contains", "value": "gold"}]}
        actions = [{"do": "set_priority", "priority": "urgent"}]
        await desk.put("r1", Rule.model_validate({"name": "Gold", "conditions": gold, "actions": actions}))
        ticket_id = await desk.open()
        commit = await desk.commit_with(ticket_id, RuleApplied)
        assert [type(fact) for fact in commit.facts] == [RuleApplied, PriorityChanged]
        (applied,) = await desk.facts(ticket_id, RuleApplied)
        assert applied.conditions == ("organisation.tags contains gold",)
        assert (applied.rule_id, applied.rule_revision, applied.trigger) == ("r1", 1, "opened")


async def test_a_reply_that_reopens_sets_both_rules_off_once(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        for trigger in ("customer_replied", "reopened"):
            actions = [{"do": "add_tags", "tags": [trigger]}]
            await desk.put(trigger, Rule.model_validate({"name": trigger, "trigger": trigger, "actions": actions}))
        ticket_id = await desk.open()
        await desk.do(ticket_id, ChangeStatus(status="solved"), ADMIN)
        await desk.do(
            ticket_id, ReceiveReply(author_id=CORA_ID, message_id="m2", channel="email", author=CORA, text="?")
        )
        await desk.commit_with(ticket_id, RuleApplied, count=2)
        await desk.settled(ROUTING)
        ticket = await desk.ticket(ticket_id)
        assert ticket.tags == ("customer_replied", "reopened")
        assert len(ticket.rules_applied) == 2


async def test_two_replicas_assign_each_of_200_tickets_once_and_spread_them_fairly(
    fresh_nats: str, tmp_path: Path
) -> None:
    agents = [f"agent{number}" for number in range(5)]
    async with ticket_desk(fresh_nats, tmp_path, service) as one, ticket_desk(fresh_nats, tmp_path, service):
        await furnish(one, *agents)
        tickets = await asyncio.gather(*(one.open() for _ in range(200)))

        async def all_assigned() -> list[Assigned] | None:
            found = [await one.facts(ticket_id, Assigned) for ticket_id in tickets]
            return [fact for facts in found for fact in facts] if all(found) else None

        await until(all_assigned)
        await one.settled(ROUTING)
        assigned = await all_assigned()
        assert assigned is not None
        assert len(assigned) == 200
        counts = Counter(fact.agent_id for fact in assigned)
        assert sorted(counts) == agents
        assert max(counts.values()) - min(counts.values()) <= 6


async def test_a_restarted_replica_knows_who_has_which_tickets(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await furnish(desk, "ada")
        await desk.put("support", Team(name="Support", assignment="least_loaded"))
        for _ in range(3):
            await desk.commit_with(await desk.open(), Assigned)
        await desk.put("bob", Agent(email="bob@acme.example", name="Bob", team_ids=("support",)))
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        for _ in range(3):
            commit = await desk.commit_with(await desk.open(), Assigned)
            assert [fact.agent_id for fact in commit.facts if isinstance(fact, Assigned)] == ["bob"]


async def test_what_happened_while_routing_was_down_is_caught_up_with(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await furnish(desk, "ada")
        tickets = [await desk.open() for _ in range(5)]
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        for ticket_id in tickets:
            await desk.commit_with(ticket_id, Assigned)
            assert len(await desk.facts(ticket_id, Opened, Routed, Assigned)) == 3
