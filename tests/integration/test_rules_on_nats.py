"""Rules on a real NATS server: timers, restarts, loops, follow-ups, rehearsals over HTTP."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deskwire_routing.app import service
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import AgentReplied, Linked, Opened, PriorityChanged, RuleApplied, StatusChanged
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.subjects import DIRECTORY, TICKETS, TIMERS
from deskwire_shared.ticket.commands import ChangePriority, ChangeStatus
from ticket_desk import ADMIN, CORA, CORA_ID, CUSTOMER, TicketDesk, ticket_desk, until

EVERYTHING = ((TICKETS, "routing"), (TIMERS, "routing-timers"), (DIRECTORY, "routing-rules"))
REMIND = {"do": "write_reply", "text": "Did that help?"}
URGENT = {"do": "set_priority", "priority": "urgent"}
PENDING_FOR_A_DAY = {"trigger": "waited", "wait": {"status": "pending", "after_minutes": 1440}}


def a_rule(*actions: dict[str, Any], **changes: Any) -> Rule:
    return Rule.model_validate({"name": "Rule", "actions": actions, **changes})


async def import_pending(desk: TicketDesk, *, days: int) -> str:
    """Take in a ticket of the past that has been pending for so long."""
    ticket_id, at = new_id(), desk.runtime.clock.now() - timedelta(days=days)
    opened = Opened(
        person_id=CORA_ID, requester_id=CORA_ID, message_id="m1", number=7, channel="email", author=CORA,
        subject="Old", text="Please help.",
    )  # fmt: skip
    pending = StatusChanged(before="new", after="pending")
    commits = [
        Commit(
            commit_id=new_id(), command_id=new_id(), ticket_id=ticket_id, version=version, at=at, actor=CUSTOMER,
            correlation_id="r", facts=(fact,),
        )
        for version, fact in enumerate((opened, pending), 1)
    ]  # fmt: skip
    await desk.runtime.store.append_history(commits)
    return ticket_id


async def test_a_wait_that_ended_while_everything_was_down_ends_at_the_start(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("remind", a_rule(REMIND, **PENDING_FOR_A_DAY))
        late, early = await import_pending(desk, days=2), await import_pending(desk, days=0)
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await desk.commit_with(late, RuleApplied)
        await desk.settled(*EVERYTHING)
        assert len(await desk.facts(late, AgentReplied)) == 1
        assert await desk.facts(early, RuleApplied) == []
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await desk.settled(*EVERYTHING)
        assert len(await desk.facts(late, AgentReplied)) == 1


async def test_a_rule_that_is_made_or_moved_reaches_the_tickets_that_wait(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        ticket_id = await import_pending(desk, days=2)
        await desk.settled(*EVERYTHING)
        too_long = {"trigger": "waited", "wait": {"status": "pending", "after_minutes": 9 * 1440}}
        await desk.put("remind", a_rule(REMIND, **too_long))
        await desk.settled((DIRECTORY, "routing-rules"))
        assert await desk.facts(ticket_id, RuleApplied) == []
        await desk.put("remind", a_rule(REMIND, **PENDING_FOR_A_DAY))
        (note,) = [
            fact for fact in (await desk.commit_with(ticket_id, RuleApplied)).facts if isinstance(fact, RuleApplied)
        ]
        assert (note.rule_revision, note.trigger) == (2, "waited:pending:2")


async def test_rules_that_would_go_in_circles_come_to_rest_and_say_so(fresh_nats: str, tmp_path: Path) -> None:
    when = {"trigger": "priority_changed"}
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        for rule_id, before, after in (("up", "low", "urgent"), ("down", "urgent", "low")):
            holds = {"all": [{"field": "ticket.priority", "op": "is", "value": before}]}
            await desk.put(rule_id, a_rule({"do": "set_priority", "priority": after}, conditions=holds, **when))
        ticket_id = await desk.open()
        await desk.do(ticket_id, ChangePriority(priority="low"), ADMIN)
        await desk.commit_with(ticket_id, RuleApplied, count=3)
        await desk.settled(*EVERYTHING)
        notes = await desk.facts(ticket_id, RuleApplied)
        assert [note.rule_id for note in notes if not note.stopped] == ["up", "down"]
        assert {note.rule_id for note in notes if note.stopped} == {"up"}
        assert (await desk.ticket(ticket_id)).priority == "low"


async def test_two_replicas_open_a_follow_up_once(fresh_nats: str, tmp_path: Path) -> None:
    mail_only = {"all": [{"field": "ticket.channel", "op": "is", "value": "email"}]}
    action = {"do": "open_follow_up", "subject": "Call {{ customer.name }}", "text": "As agreed."}
    async with ticket_desk(fresh_nats, tmp_path, service) as desk, ticket_desk(fresh_nats, tmp_path, service):
        await desk.put("call", a_rule(action, conditions=mail_only))
        tickets = [await desk.open() for _ in range(20)]
        for ticket_id in tickets:
            await desk.commit_with(ticket_id, Linked)
        await desk.settled(*EVERYTHING)
        links = [link for ticket_id in tickets for link in (await desk.ticket(ticket_id)).links]
        assert len({link.ticket_id for link in links}) == len({link.number for link in links}) == 20
        assert (await desk.ticket(links[0].ticket_id)).subject == "Call Cora Customer"


async def client(desk: TicketDesk, *scopes: Permission) -> httpx2.AsyncClient:
    token = await desk.runtime.identity.create_token("t", scopes, actor=ADMIN)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=desk.runtime.http),
        base_url="http://desk.example/routing/v1",
        headers={"Authorization": f"Bearer {token}"},
    )


def a_draft(desk: TicketDesk, **changes: Any) -> dict[str, Any]:
    now = desk.runtime.clock.now()
    span = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    return {"rules": {"r1": {"name": "Draft", "actions": [URGENT]}}, **span, **changes}


async def test_a_draft_is_rehearsed_over_http_without_touching_anything(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await desk.put("r1", a_rule({"do": "set_priority", "priority": "low"}))
        ticket_id = await desk.open()
        await desk.commit_with(ticket_id, PriorityChanged)
        before = (await desk.runtime.js.stream_info(TICKETS)).state.last_seq
        async with await client(desk, "reports:read") as asking:
            answer = await asking.post("/rehearsals", json=a_draft(desk))
        assert answer.status_code == 200, answer.text
        found = answer.json()
        (changed,) = found["first_changed"]
        assert (changed["ticket_id"], changed["occasion"]) == (ticket_id, "opened")
        assert changed["differences"] == [{"what": "priority", "recorded": "low", "draft": "urgent"}]
        assert found["rules"] == [{"rule_id": "r1", "name": "Draft", "recorded": 1, "draft": 1, "stopped": 0}]
        assert (await desk.runtime.js.stream_info(TICKETS)).state.last_seq == before


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"rules": {}}, 422),
        ({"rules": {"r1": {"name": "x", "actions": [{"do": "explode"}]}}}, 422),
        ({"rules": {"a b": {"name": "x", "actions": [URGENT]}}}, 422),
        ({"since": "2026-01-01T00:00:00"}, 422),
        ({"since": "2020-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, 422),
        ({"until": "2001-01-01T00:00:00Z"}, 422),
        ({"more": 1}, 422),
    ],
)
async def test_a_draft_that_cannot_be_is_refused(
    changes: dict[str, Any], status: int, fresh_nats: str, tmp_path: Path
) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk, await client(desk, "reports:read") as asking:
        answer = await asking.post("/rehearsals", json=a_draft(desk, **changes))
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_span_with_too_many_tickets_is_refused_and_so_is_who_may_not_read_reports(
    fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKWIRE_ROUTING_REHEARSAL_TICKETS", "1")
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        for _ in range(2):
            await desk.open()
        async with await client(desk, "reports:read") as asking:
            answer = await asking.post("/rehearsals", json=a_draft(desk))
            assert (answer.status_code, answer.json()["type"]) == (422, "urn:deskwire:problem:too-many-tickets")
        async with await client(desk, "tickets:read") as asking:
            assert (await asking.post("/rehearsals", json=a_draft(desk))).status_code == 403


async def test_a_rule_on_a_closed_ticket_parks_nothing(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await desk.put("r1", a_rule(URGENT, trigger="status_changed"))
        ticket_id = await desk.open()
        await desk.do(ticket_id, ChangeStatus(status="closed"), ADMIN)
        await desk.settled(*EVERYTHING)
        assert await desk.facts(ticket_id, RuleApplied) == []

        async def nothing_parked() -> bool:
            return (await desk.runtime.js.stream_info("PARKED")).state.messages == 0

        assert await until(nothing_parked)
