"""Rehearses assignment on the log of a desk: one pass reads it, then the span is lived through in memory."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from deskwire_routing.assignment.strategies.strategy import Strategy
from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft, drafted_staff, require_complete
from deskwire_routing.rehearsal.assignment.past_staff import Changed, PastStaff, changes_of
from deskwire_routing.rehearsal.assignment.recording import Recording
from deskwire_routing.rehearsal.assignment.report import AssignmentRehearsal, report
from deskwire_routing.rehearsal.assignment.retelling import Retelling
from deskwire_routing.rehearsal.assignment.simulation import Simulation
from deskwire_routing.rehearsal.assignment.tally import Tally
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.report import Rehearsal
from deskwire_routing.rehearsal.rules.run import Asked, Tell, Tried, rehearse_on
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.subjects import TICKETS
from deskwire_shared.directory.port import Directory, Documents
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.ticket.state import Ticket

BREATH: Final = 10
"""Events between two breaths, so that a process that does other work is not held up."""


class RehearsalTooLong(ValueError):
    """A rehearsal took more time than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"this takes longer than {seconds:g} s: choose a shorter span, or use the command line")


@dataclass(frozen=True, slots=True)
class AskedAssignment:
    """Drafts, and the span to try them on; draft rules, if there are any, stand in for rules as `Asked` says."""

    draft: AssignmentDraft
    span: Span
    rules: Mapping[str, Rule] = field(default_factory=dict)
    alone: bool = False

    def up_to(self, now: datetime) -> "AskedAssignment":
        """Leave out what is still to come, in which nothing is recorded yet."""
        span = self.span
        return replace(self, span=Span(span.since, now)) if span.since < now < span.until else self


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
    asked = asked.up_to(desk.clock.now())
    tell = tell or (lambda _, __, ___: None)
    try:
        async with asyncio.timeout(most_seconds):
            ruled, retelling = await _ruled(desk, asked, most_tickets, tell)
            recording = Recording(span=asked.span, most_tickets=most_tickets, retelling=retelling)
            found = await rehearse_recording(
                await _read(Follower(desk.connection, TICKETS, subjects=["ticket.>"]), recording, tell),
                asked.draft, directory=desk.directory, strategies=strategies, tell=tell,
            )  # fmt: skip
            return found.model_copy(update={"rules": ruled})
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


async def _ruled(
    desk: Desk, asked: AskedAssignment, most_tickets: int, tell: Tell
) -> tuple[Rehearsal | None, Retelling]:
    """Rehearse the rules; the past as they would have had it, for assignment to be rehearsed on."""
    retelling = Retelling()
    if not asked.rules and not asked.alone:
        return None, retelling
    staff = drafted_staff(asked.draft, desk.directory)
    rules = Asked(rules=asked.rules, span=asked.span, alone=asked.alone, staff=staff)

    def hear(tried: Tried) -> None:
        retelling.tell(tried.history, tried.drafts, asked.span, partial(team_of_channel, desk.directory))

    return await rehearse_on(desk, rules, most_tickets=most_tickets, tell=tell, hear=hear), retelling


def team_of_channel(directory: Documents, ticket: Ticket) -> str | None:
    """The team of the channel by which a ticket came, as it is today."""
    channel = directory.get(Channel, ticket.channel_id) if ticket.channel_id else None
    return channel.team_id if channel is not None else None


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
