"""Rehearsals of assignment on a real NATS server, over HTTP and on the command line."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deskwire_routing.app import service
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Assigned
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.subjects import DIRECTORY, TICKETS
from deskwire_shared.ticket.commands import ChangeStatus
from rehearsals import Rehearsals, rehearsals_on
from ticket_desk import ADMIN, ticket_desk

TICKETS_OPENED = 6


def an_agent(name: str) -> Agent:
    return Agent(email=f"{name.lower()}@acme.example", name=name, team_ids=("support",))


@pytest_asyncio.fixture
async def rehearsals(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Rehearsals]:
    async with ticket_desk(fresh_nats, tmp_path, service) as desk:
        await desk.put("support", Team(name="Support"))
        await desk.put("mail", Channel(name="Mail", medium="email", address="help@acme.example", team_id="support"))
        for agent_id in ("ada", "bob"):
            await desk.put(agent_id, an_agent(agent_id.title()))
        await desk.settled((DIRECTORY, "routing-agents"))
        for number in range(TICKETS_OPENED):
            ticket_id = await desk.open(number=number + 1)
            await desk.commit_with(ticket_id, Assigned)
            await desk.do(ticket_id, ChangeStatus(status="solved"), ADMIN)
        async with rehearsals_on(desk, tmp_path, "routing") as rehearsing:
            yield rehearsing


async def test_a_draft_is_rehearsed_over_http_and_changes_nothing(rehearsals: Rehearsals) -> None:
    await rehearsals.allow("reports:read")
    before = (await rehearsals.desk.runtime.js.stream_info(TICKETS)).state.last_seq
    answer = await rehearsals.post(assignment={"agents": {"bob": {"team_ids": []}}})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["kind"], found["tickets"], found["changed"]) == ("assignment", 6, 3)
    (team,) = found["teams"]
    assert (team["recorded"]["spread"]["fewest"], team["recorded"]["spread"]["most"]) == (3, 3)
    assert team["draft"]["spread"] == {"fewest": 6, "most": 6, "deviation": 0.0, "gini": 0.0}
    assert {one["agent_id"]: one["draft"]["assigned"] for one in found["agents"]} == {"ada": 6, "bob": 0}
    assert {one["draft"]["agent_id"] for one in found["first_changed"]} == {"ada"}
    assert (await rehearsals.desk.runtime.js.stream_info(TICKETS)).state.last_seq == before


async def test_without_drafts_the_past_comes_out_again(rehearsals: Rehearsals) -> None:
    await rehearsals.allow("reports:read")
    found = (await rehearsals.post(assignment={})).json()
    assert (found["tickets"], found["changed"]) == (6, 0)


GOLD = {"teams": {"gold": {"name": "Gold"}}, "agents": {"eve": {"name": "Eve", "team_ids": ["gold"]}}}
TO_GOLD = {"name": "To gold", "trigger": "opened", "actions": [{"do": "set_team", "team_id": "gold"}]}


async def test_draft_rules_and_staff_are_rehearsed_together_over_http(rehearsals: Rehearsals) -> None:
    await rehearsals.allow("reports:read")
    before = (await rehearsals.desk.runtime.js.stream_info(TICKETS)).state.last_seq
    found = (await rehearsals.post(assignment=GOLD, rules={"gold": TO_GOLD})).json()
    assert (found["kind"], found["changed"]) == ("assignment", 6)
    assert {one["agent_id"]: one["draft"]["assigned"] for one in found["agents"]} == {"ada": 0, "bob": 0, "eve": 6}
    assert [(one["rule_id"], one["recorded"], one["draft"]) for one in found["rules"]["rules"]] == [("gold", 0, 6)]
    assert (await rehearsals.desk.runtime.js.stream_info(TICKETS)).state.last_seq == before
    alone = (await rehearsals.post(assignment={}, alone=True)).json()
    assert (alone["changed"], alone["rules"]["changed"]) == (0, 0)


async def test_the_command_rehearses_draft_rules_and_staff_together(rehearsals: Rehearsals) -> None:
    rules = rehearsals.file("rules.json", {"rule": {"gold": TO_GOLD}})
    teams = rehearsals.file("teams.json", {"team": GOLD["teams"]})
    agents = rehearsals.file("agents.json", GOLD["agents"])
    found = await rehearsals.command("--rules", rules, "--teams", teams, "--agents", agents)
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0].split("\t") == ["gold", "To gold", "0", "6", "0"]
    assert ["Eve", "was", "0"] in [line.split("\t")[:3] for line in lines]
    assert lines[-2] == "6 tickets, 6 occasions; 6 would have ended otherwise, on 6 tickets"
    assert "6 tickets; 6 would have gone to somebody else first." in lines[-1]
    wrong = await rehearsals.command("--rules", teams)
    assert (wrong.returncode, "--rules" in wrong.stderr) == (2, True)


async def test_only_who_may_read_reports_may_rehearse(rehearsals: Rehearsals) -> None:
    await rehearsals.allow("tickets:read")
    assert (await rehearsals.post(assignment={})).status_code == 403


async def test_a_rehearsal_that_takes_too_long_ends_and_says_so(
    fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKWIRE_ROUTING_REHEARSAL_SECONDS", "0.0001")
    async with (
        ticket_desk(fresh_nats, tmp_path, service) as desk,
        rehearsals_on(desk, tmp_path, "routing") as hasty,
    ):
        await hasty.allow("reports:read")
        answer = await hasty.post(assignment={})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:deskwire:problem:rehearsal-too-long")


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        ({}, "invalid", "give one of them"),
        ({"assignment": {}, "rules": {"r": {"name": "R", "actions": []}}}, "invalid", ""),
        ({"assignment": {"teams": {"support": {"name": "S", "assignment": "lottery"}}}}, "invalid", ""),
        ({"assignment": {"agents": {"ada": {"availability": "online"}}}}, "invalid", ""),
        ({"assignment": {"agents": {"ada": {"team_ids": ["gone"]}}}}, "draft-incomplete", "agent ada names the team"),
        ({"assignment": {"agents": {"ada": {"calendar_id": "x"}}}}, "draft-incomplete", "calendar x"),
    ],
)
async def test_a_draft_that_makes_no_sense_is_refused_with_the_reason(
    asked: dict[str, Any], kind: str, words: str, rehearsals: Rehearsals
) -> None:
    await rehearsals.allow("reports:read")
    answer = await rehearsals.post(**asked)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert kind in answer.json()["type"] or kind == "invalid"
    assert words in answer.text


async def test_the_command_shows_teams_agents_and_tickets(rehearsals: Rehearsals) -> None:
    draft = rehearsals.file("support.json", {"name": "Support", "assignment": "manual"})
    found = await rehearsals.command("--teams", draft)
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0].split("\t")[:3] == ["Support", "was", "6"]
    assert lines[1].split("\t")[1:3] == ["drafted", "0"]
    assert ["Ada", "was", "3"] in [line.split("\t")[:3] for line in lines]
    assert "6 tickets; 6 would have gone to somebody else first." in lines[-1]


async def test_the_command_reads_what_is_different_about_agents_and_writes_json(rehearsals: Rehearsals) -> None:
    agents = rehearsals.file("agents.json", {"cid": {"name": "Cid", "team_ids": ["support"]}})
    found = await rehearsals.command("--agents", agents, "--json")
    assert {one["agent_id"]: one["draft"]["assigned"] for one in json.loads(found.stdout)["agents"]} == {
        "ada": 2, "bob": 2, "cid": 2
    }  # fmt: skip


async def test_the_command_says_what_is_wrong_with_a_draft(rehearsals: Rehearsals) -> None:
    rule = rehearsals.file("rules.json", {"rule": {"r": {"name": "R", "actions": [{"do": "raise_priority"}]}}})
    wrong = await rehearsals.command("--teams", rule)
    assert (wrong.returncode, "this is a rule" in wrong.stderr) == (2, True)
    agents = rehearsals.file("agents.json", {"ada": {"capacity": {"default": -1}}})
    wrong = await rehearsals.command("--agents", agents)
    assert (wrong.returncode, "ada.capacity" in wrong.stderr) == (2, True)
    agents = rehearsals.file("agents.json", {"ada": {"team_ids": ["gone"]}})
    wrong = await rehearsals.command("--agents", agents)
    assert (wrong.returncode, "team gone, which is not there" in wrong.stderr) == (1, True)
