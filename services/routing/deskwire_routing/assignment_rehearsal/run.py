"""Rehearses assignment on the log of a desk: one pass reads it, then the span is lived through in memory."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deskwire_routing.assignment.strategies.strategy import Strategy
from deskwire_routing.assignment_rehearsal.drafts import AssignmentDraft, require_complete
from deskwire_routing.assignment_rehearsal.past_staff import Changed, PastStaff, changes_of
from deskwire_routing.assignment_rehearsal.recording import Recording
from deskwire_routing.assignment_rehearsal.report import AssignmentRehearsal, report
from deskwire_routing.assignment_rehearsal.simulation import Simulation
from deskwire_routing.assignment_rehearsal.tally import Tally
from deskwire_routing.rehearsal import Span
from deskwire_routing.rehearsal_run import Tell
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.desk import Desk

BREATH: Final = 10
"""Events between two breaths, so that a process that does other work is not held up."""


class RehearsalTooLong(ValueError):
    """A rehearsal took more time than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"this takes longer than {seconds:g} s: choose a shorter span, or use the command line")


@dataclass(frozen=True, slots=True)
class AskedAssignment:
    """A draft, and the span to try it on."""

    draft: AssignmentDraft
    span: Span


async def rehearse_assignment_on(
    desk: Desk,
    asked: AskedAssignment,
    *,
    strategies: Mapping[str, Strategy],
    most_tickets: int,
    most_seconds: float | None = None,
    tell: Tell | None = None,
) -> AssignmentRehearsal:
    """Rehearse a draft on the log of a desk.

    Raises DraftIncomplete, TooManyTickets, TooManyEvents, or RehearsalTooLong.
    """
    require_complete(asked.draft, desk.directory)
    span = _passed(asked.span, desk.clock.now())
    tell = tell or (lambda _, __, ___: None)
    try:
        async with asyncio.timeout(most_seconds):
            follower = Follower(desk.connection, TICKETS, subjects=["ticket.>"])
            recording = await _read(follower, Recording(span=span, most_tickets=most_tickets), tell)
            return await rehearse_recording(
                recording, asked.draft, directory=desk.directory, strategies=strategies, tell=tell
            )
    except TimeoutError as error:
        if most_seconds is None:
            raise
        raise RehearsalTooLong(most_seconds) from error


async def rehearse_recording(
    recording: Recording,
    draft: AssignmentDraft,
    *,
    directory: Directory,
    strategies: Mapping[str, Strategy],
    tell: Tell,
) -> AssignmentRehearsal:
    """Rehearse a draft on a past that was read."""
    changes, simulation = await simulated(recording, draft, directory=directory, strategies=strategies, tell=tell)
    return report(recording, draft, changes, simulation.tally)


async def simulated(
    recording: Recording,
    draft: AssignmentDraft,
    *,
    directory: Directory,
    strategies: Mapping[str, Strategy],
    tell: Tell,
) -> tuple[list[Changed], Simulation]:
    """Live a past through with a draft; how the staff changed meanwhile, and what came of it."""
    changes = await changes_of(directory, agent_ids=recording.agent_ids, team_ids=recording.team_ids)
    simulation = Simulation(
        span=recording.span,
        staff=PastStaff(draft, {one.entry.id for one in changes if one.entry.kind == "agent"}),
        strategies=strategies,
        tally=Tally(recording.span),
        workload=recording.start.copy(),
        placements=recording.placements.copy(),
        sequence=recording.sequence,
    )
    simulation.plan(recording, changes)
    total = sum(len(story.steps) for story in recording.stories.values()) + len(recording.marks) + len(changes)
    for number, _ in enumerate(simulation.run()):
        if number % BREATH == 0:
            tell("living it through", min(number, total), total)
            await asyncio.sleep(0)
    tell("living it through", total, total)
    return changes, simulation


def _passed(span: Span, now: datetime) -> Span:
    """Leave out what is still to come, in which nothing is recorded yet."""
    return Span(span.since, now) if span.since < now < span.until else span


async def _read(follower: Follower, recording: Recording, tell: Tell) -> Recording:
    read = 0
    try:
        waiting = await follower.open()
        while read < waiting:
            for delivery in await follower.batch():
                read += 1
                recording.take(delivery)
            tell("reading the log", read, waiting)
    finally:
        await follower.close()
    recording.finish()
    return recording
