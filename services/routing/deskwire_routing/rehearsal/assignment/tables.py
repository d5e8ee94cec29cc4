"""A rehearsal of assignment on the terminal: what was above what would have been."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import typer

from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft
from deskwire_routing.rehearsal.assignment.report import (
    AgentTally,
    AssignmentRehearsal,
    FirstGiven,
    OtherHands,
    TeamTally,
    names_of,
)
from deskwire_routing.rehearsal.rules.commands import print_rules, print_sum
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.runtime.tables import print_table

MOST_SHOWN: Final = 20
BARS: Final = " ▁▂▃▄▅▆▇█"
TEAMS: Final = (
    "Team", "", "Assigned", "Waited p50", "p90", "Longest", "Waiting", "Overflowed", "Per agent", "Deviation", "Gini"
)  # fmt: skip
AGENTS: Final = ("Agent", "", "Assigned", "Open, mean", "Most", "Of capacity", "Load over time")
TICKETS: Final = ("Ticket", "Went to", "After", "As drafted", "After")


def print_rehearsal(found: AssignmentRehearsal, draft: AssignmentDraft, directory: Directory) -> None:
    """Print figures of teams and agents, and the first tickets that would have gone to others."""
    names = names_of(directory.all(Agent), draft)
    teams = {**{team_id: team.name for team_id, team in directory.all(Team).items()},
             **{team_id: team.name for team_id, team in draft.teams.items()}}  # fmt: skip
    if found.rules is not None:
        print_rules(found.rules)
    print_table(TEAMS, _team_rows(found, teams))
    typer.echo("")
    print_table(AGENTS, _agent_rows(found, names))
    typer.echo("")
    print_table(TICKETS, (_ticket_row(one, names) for one in found.first_changed[:MOST_SHOWN]))
    if found.rules is not None:
        print_sum(found.rules)
    typer.echo(
        f"{found.tickets} tickets; {found.changed} would have gone to somebody else first."
        " Work took as long as it was recorded to take, whoever did it."
    )
    if found.unreadable_commits:
        typer.echo(f"{found.unreadable_commits} commits of the log cannot be read; the figures are without them.")


def _team_rows(found: AssignmentRehearsal, names: dict[str, str]) -> Iterator[Sequence[str]]:
    for figures in found.teams:
        name = names.get(figures.team_id or "", figures.team_id or "no team")
        yield (name, "was", *_team_cells(figures.recorded))
        yield ("", "drafted", *_team_cells(figures.draft))


def _team_cells(tally: TeamTally) -> Iterable[str]:
    waits = (tally.waited_p50, tally.waited_p90, tally.waited_longest)
    spread = tally.spread
    return (
        str(tally.assigned), *map(duration, waits), str(tally.still_waiting), str(tally.overflowed),
        f"{spread.fewest}-{spread.most}", f"{spread.deviation:.1f}", f"{spread.gini:.2f}",
    )  # fmt: skip


def _agent_rows(found: AssignmentRehearsal, names: dict[str, str]) -> Iterator[Sequence[str]]:
    tallies = [tally for figures in found.agents for tally in (figures.recorded, figures.draft)]
    highest = max((load for tally in tallies for load in tally.load), default=0.0)
    for figures in found.agents:
        yield (names.get(figures.agent_id, figures.agent_id), "was", *_agent_cells(figures.recorded, highest))
        yield ("", "drafted", *_agent_cells(figures.draft, highest))


def _agent_cells(tally: AgentTally, highest: float) -> Iterable[str]:
    used = "" if tally.capacity_used is None else f"{tally.capacity_used:.0%}"
    bars = "".join(BARS[round(load / highest * (len(BARS) - 1)) if highest else 0] for load in tally.load)
    return str(tally.assigned), f"{tally.mean_open:.1f}", str(tally.most_open), used, bars


def _ticket_row(changed: OtherHands, names: dict[str, str]) -> Sequence[str]:
    return (f"#{changed.number}", *_given(changed.recorded, names), *_given(changed.draft, names))


def _given(given: FirstGiven | None, names: dict[str, str]) -> tuple[str, str]:
    return ("nobody", "") if given is None else (names.get(given.agent_id, given.agent_id), duration(given.waited))


def duration(seconds: float) -> str:
    """Say a time in its two largest units."""
    whole = round(seconds)
    for unit, size, part, of in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // of
            return f"{whole // size} {unit} {rest} {part}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"
