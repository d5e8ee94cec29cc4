"""Assignment on three routing processes, one of which is killed in the middle: how fast, how fair, and what went wrong."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from assignment_rush import STRATEGIES, Findings, routing_processes, rush
from benchmarks.figures import Figure, percentile

PROCESSES = 3
TICKETS = 10_000
AGENTS = 100
WITHIN = 1_200.0


async def measure() -> list[Figure]:
    """Let ten thousand tickets pour in on a hundred agents, and read the log in order."""
    with (
        tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder,
        routing_processes(Path(folder), PROCESSES) as processes,
    ):
        found = await rush(processes, tickets=TICKETS, agents=AGENTS, within=WITHIN, seed=1)
    return [*_faults(found), *_speed(found), *_fairness(found), *_rehearsal(found)]


def _faults(found: Findings) -> list[Figure]:
    missing = TICKETS - found.assignments.total()
    return [
        Figure("tickets without an agent at the end", missing, "", bar=0, better="less"),
        Figure("tickets assigned twice", len(found.doubled), "", bar=0, better="less"),
        Figure("moments beyond the capacity of an agent", len(found.beyond), "", bar=0, better="less"),
        Figure("tickets with somebody who lacks the skill", len(found.unskilled), "", bar=0, better="less"),
        Figure("assignments that do not explain themselves", len(found.unexplained), "", bar=0, better="less"),
    ]


def _speed(found: Findings) -> list[Figure]:
    return [
        Figure(f"assignments on {PROCESSES} processes", found.per_second, "tickets/s", note="one killed in the middle"),
        Figure("opened → assigned, p50", percentile(found.waits, 0.5), "s", note="agents were full at times"),
        Figure("opened → assigned, p99", percentile(found.waits, 0.99), "s"),
    ]


def _fairness(found: Findings) -> Iterator[Figure]:
    for strategy, overtaken in sorted(found.overtaken.items()):
        note = "of 25; the processes lag behind each other by moments"
        for share in (0.5, 0.99):
            name = f"{strategy}: colleagues more in turn than the chosen one, p{share * 100:.0f}"
            yield Figure(name, percentile(overtaken, share), "agents", note=note)
    for strategy in STRATEGIES:
        fewest, most = found.spread(strategy)
        note = f"{fewest} to {most}; by load and skill, who solves faster gets more"
        yield Figure(f"{strategy}: most / fewest tickets of an agent", most / max(1, fewest), "×", note=note)


def _rehearsal(found: Findings) -> Iterator[Figure]:
    elsewhere = f"{found.elsewhere:.1%} of the tickets are counted with other agents: live assignment takes its time"
    yield Figure("the rush rehearsed", TICKETS / found.rehearsal_seconds, "tickets/s", note=elsewhere)
    for share in (0.5, 0.99):
        name = f"the rush rehearsed: load of an agent beside what it was, p{share * 100:.0f}"
        yield Figure(name, percentile(found.other_loads, share), "tickets", note="on average over the rush")
    for team in found.rehearsed().teams:
        was, would = team.recorded.spread, team.draft.spread
        yield Figure(
            f"{team.team_id}: Gini coefficient of the tickets of its agents",
            was.gini,
            "",
            note=f"rehearsed {would.gini}",
        )
