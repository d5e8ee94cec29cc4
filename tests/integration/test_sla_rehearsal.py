"""Rehearsals over HTTP and on the command line, on a real log."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import SlaMet
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.staff import Team
from deskwire_shared.ticket.commands import RouteTicket, SendReply
from deskwire_sla.app import service as sla
from rehearsals import Rehearsals, rehearsals_on
from ticket_desk import ticket_desk

ADA = Actor(kind="agent", id="ada")
ANSWERED = 3


def promising(seconds: int) -> dict[str, Any]:
    return {
        "name": "Standard",
        "targets": [{"metric": "first_response", "seconds": {"normal": seconds}}],
        "warn_at": [],
    }


@pytest_asyncio.fixture
async def rehearsals(fresh_nats: str, tmp_path: Path) -> AsyncIterator[Rehearsals]:
    async with ticket_desk(fresh_nats, tmp_path, sla) as desk:
        await desk.put("standard", SlaPolicy.model_validate(promising(3600)))
        await desk.put("frontline", Team(name="Front [line]"))
        for _ in range(ANSWERED):
            ticket_id = await desk.open()
            await desk.do(ticket_id, RouteTicket(team_id="frontline"), ADA)
            await desk.do(ticket_id, SendReply(message_id=f"{ticket_id}a", agent_id="ada", text="Water."), ADA)
            await desk.commit_with(ticket_id, SlaMet)
        async with rehearsals_on(desk, tmp_path, "sla") as rehearsing:
            yield rehearsing


async def test_a_draft_is_rehearsed_over_http_and_changes_nothing(rehearsals: Rehearsals) -> None:
    await rehearsals.allow("reports:read")
    before = (await rehearsals.desk.runtime.js.stream_info("TICKETS")).state.last_seq
    same = await rehearsals.post(policies={"standard": promising(3600)})
    assert same.status_code == 200, same.text
    assert (same.json()["tickets"], same.json()["changed"]) == (ANSWERED, 0)
    other = (await rehearsals.post(policies={"standard": {**promising(3600), "active": False}})).json()
    assert other["figures"] == [
        {
            "team_id": "frontline", "priority": "normal", "metric": "first_response",
            "kept": ANSWERED, "missed": 0, "draft_kept": 0, "draft_missed": 0,
        }
    ]  # fmt: skip
    assert other["changed"] == len(other["first_changed"]) == ANSWERED
    assert (await rehearsals.desk.runtime.js.stream_info("TICKETS")).state.last_seq == before


async def test_only_who_may_read_reports_may_rehearse(rehearsals: Rehearsals) -> None:
    assert (await rehearsals.post(policies={"standard": promising(1)})).status_code == 401
    await rehearsals.allow("tickets:read")
    assert (await rehearsals.post(policies={"standard": promising(1)})).status_code == 403


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "give a policy or a calendar"),
        ({"policies": {"standard": {"name": "x", "targets": []}}}, "at least 1 item"),
        ({"policies": {"../x": promising(1)}}, "pattern"),
        ({"calendars": {"office": {"name": "x", "time_zone": "Mars/Olympus", "hours": {}}}}, "unknown time zone"),
        ({"calendars": {"office": {"name": "x", "time_zone": "UTC", "hours": {}}}}, "never open"),
        (
            {"calendars": {"office": {"name": "x", "time_zone": "UTC", "hours": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}}},
            "overlap",
        ),
        ({"policies": {"standard": {**promising(1), "calendar_id": "moon"}}}, "needs the calendar moon"),
        ({"policies": {"standard": promising(1)}, "since": "2020-01-01T00:00:00Z"}, "366 days at the most"),
        ({"policies": {"standard": promising(1)}, "until": "2020-01-01T00:00:00Z"}, "behind `since`"),
        ({"policies": {"standard": promising(1)}, "since": "2026-01-01T00:00:00"}, "timezone"),
        ({"policies": {"standard": promising(1)}, "more": 1}, "not permitted"),
    ],
)  # fmt: skip
async def test_a_draft_that_makes_no_sense_is_refused_with_the_reason(
    rehearsals: Rehearsals, asked: dict[str, Any], why: str
) -> None:
    await rehearsals.allow("reports:read")
    answer = await rehearsals.post(**asked)
    assert answer.status_code == 422
    assert why in answer.text


async def test_a_body_without_bounds_is_refused(rehearsals: Rehearsals) -> None:
    await rehearsals.allow("reports:read")
    assert (await rehearsals.post(more="x" * 2_000_000)).status_code == 413
    answer = await rehearsals.http.post("/sla/v1/rehearsals", content=b"a=1", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


async def test_one_draft_is_rehearsed_at_a_time(rehearsals: Rehearsals) -> None:
    await rehearsals.allow("reports:read")
    answers = await asyncio.gather(*(rehearsals.post(policies={"standard": promising(1)}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["Retry-After"]


async def test_the_command_shows_a_table_by_team_and_priority(rehearsals: Rehearsals) -> None:
    draft = rehearsals.file("standard.json", {**promising(3600), "active": False})
    done = await rehearsals.command("--policy", draft)
    assert done.returncode == 0, done.stderr
    (row,) = [line for line in done.stdout.splitlines() if "first response" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "Front [line]", "normal", "first response", str(ANSWERED), "0", "0", "0", "+0",
    ]  # fmt: skip
    assert f"{ANSWERED} tickets; {ANSWERED} promises would have ended in another way." in done.stdout


async def test_the_command_writes_json(rehearsals: Rehearsals) -> None:
    draft = rehearsals.file("draft.json", promising(3600))
    done = await rehearsals.command("--policy", f"standard={draft}", "--json")
    assert json.loads(done.stdout)["changed"] == 0, done.stderr


async def test_the_command_says_what_is_wrong_with_a_draft(rehearsals: Rehearsals) -> None:
    broken = rehearsals.file("broken.json", {"name": "x", "targets": [{"metric": "happiness", "seconds": {}}]})
    for words, why in (
        (("--policy", broken), "targets.0.metric"),
        (("--policy", str(rehearsals.folder / "missing.json")), "No such file"),
        ((), "give a --policy or a --calendar"),
        (
            ("--policy", rehearsals.file("moon.json", {**promising(1), "calendar_id": "moon"})),
            "needs the calendar moon",
        ),
        (("--policy", rehearsals.file("good.json", promising(1)), "--from", "yesterday"), "not an ISO 8601 time"),
    ):
        done = await rehearsals.command(*words)
        assert done.returncode != 0
        assert why in " ".join(done.stderr.replace("│", " ").split()), done.stderr
        assert "Traceback" not in done.stderr
