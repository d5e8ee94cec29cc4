"""A draft policy on a hundred thousand commits: how fast past tickets are lived through again."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from benchmarks.figures import Figure
from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.runtime.boot import migrate
from deskwire_shared.runtime.desk import Desk, open_desk
from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.ticket.commands import (
    AddNote,
    ChangePriority,
    ChangeStatus,
    OpenTicket,
    ReceiveReply,
    SendReply,
    TicketCommand,
)
from deskwire_shared.ticket.decider import decide, evolve_commit
from deskwire_shared.ticket.state import Ticket
from deskwire_sla.drafts import Draft
from deskwire_sla.rehearsal import rehearse_on

COMMITS = 100_000
AT_ONCE = 32
SINCE = datetime(2026, 9, 1, tzinfo=UTC)
ANN = Address(address="ann@example.com", name="Ann")
AGENT = Actor(kind="agent", id="agent")
TEXT = "It says PC LOAD LETTER. " * 8
METRICS = {"first_response": 2, "next_response": 4, "periodic_update": 8, "resolution": 24}


async def measure() -> list[Figure]:
    """Import tickets of ten commits each, then rehearse a policy with office hours on all of them."""
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        async with EmbeddedNats(Path(folder), port=0, sync_interval="2m") as server:
            settings = CommonSettings(nats_url=SecretStr(server.url), data_dir=Path(folder), durability="dev")
            await migrate(settings)
            async with open_desk(settings) as desk:
                tickets = COMMITS // len(_story(0))
                await _import(desk, tickets)
                return await _rehearse(desk, tickets)


async def _rehearse(desk: Desk, tickets: int) -> list[Figure]:
    started = time.perf_counter()
    found = await rehearse_on(
        desk, _draft(), since=SINCE, until=SINCE + timedelta(days=90), most_tickets=tickets
    )  # fmt: skip
    seconds = time.perf_counter() - started
    assert (found.tickets, found.commits) == (tickets, COMMITS)
    note = f"{tickets:,} tickets, 4 promises each, office hours"
    return [
        Figure("facts lived through again", found.facts / seconds, "facts/s", note=note),
        Figure(f"a rehearsal on {COMMITS:,} commits", seconds, "s", note=note),
    ]


def _draft() -> Draft:
    seconds = {metric: dict.fromkeys(("normal", "high"), hours * 3600) for metric, hours in METRICS.items()}
    targets = [{"metric": metric, "seconds": promised} for metric, promised in seconds.items()]
    policy = {"name": "Draft", "targets": targets, "calendar_id": "office"}
    hours = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    office = {"name": "Office", "time_zone": "Europe/Berlin", "hours": hours, "holidays": {"country": "DE"}}
    return Draft({"draft": SlaPolicy.model_validate(policy)}, {"office": Calendar.model_validate(office)})


async def _import(desk: Desk, tickets: int) -> None:
    numbers = iter(range(tickets))

    async def worker() -> None:
        for number in numbers:
            await desk.store.append_history(_history(number))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def _history(number: int) -> list[Commit]:
    ticket, at, commits = Ticket.unborn(new_id()), SINCE + timedelta(minutes=10 * number % 80_000), []
    for step, command in enumerate(_story(number)):
        facts = decide(command, ticket)
        commits.append(
            Commit(
                commit_id=new_id(), command_id=new_id(), ticket_id=ticket.id, version=ticket.version + len(facts),
                at=at + timedelta(hours=3 * step), actor=AGENT, correlation_id=new_id(), facts=tuple(facts),
            )
        )  # fmt: skip
        ticket = evolve_commit(ticket, commits[-1])
    return commits


def _story(number: int) -> list[TicketCommand]:
    said = {"channel": "email", "author": ANN, "text": TEXT}
    return [
        OpenTicket(message_id="m1", number=number + 1, requester_id="ann", subject="The printer", **said),  # type: ignore[arg-type]
        SendReply(message_id="a1", agent_id="agent", text=TEXT),
        ReceiveReply(message_id="m2", author_id="ann", **said),  # type: ignore[arg-type]
        ChangePriority(priority="high"),
        AddNote(message_id="n1", agent_id="agent", text=TEXT),
        SendReply(message_id="a2", agent_id="agent", text=TEXT, status="pending"),
        ReceiveReply(message_id="m3", author_id="ann", **said),  # type: ignore[arg-type]
        SendReply(message_id="a3", agent_id="agent", text=TEXT),
        ChangeStatus(status="solved"),
        ChangeStatus(status="closed"),
    ]
