"""A desk whose assignment is rehearsed: what happened on it, and what would have under drafts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from deskwire_routing.app import STRATEGIES
from deskwire_routing.rehearsal.assignment.drafts import AssignmentDraft, drafted_staff
from deskwire_routing.rehearsal.assignment.recording import Recording
from deskwire_routing.rehearsal.assignment.report import AssignmentRehearsal
from deskwire_routing.rehearsal.assignment.retelling import Retelling
from deskwire_routing.rehearsal.assignment.run import rehearse_recording, simulated, team_of_channel
from deskwire_routing.rehearsal.assignment.tally import Tally
from deskwire_routing.rehearsal.rules.reliving import Span
from deskwire_routing.rehearsal.rules.run import rehearse_tickets
from deskwire_routing.rules.applying import StandingRule
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.testing.ticket import NOON
from routing_desk import RoutingDesk

DAY = timedelta(days=1)
START = NOON + timedelta(seconds=30)
"""Documents are there before."""


def a_draft(**drafts: Mapping[str, Any]) -> AssignmentDraft:
    """A draft of teams, agents and calendars, as JSON has it."""
    return AssignmentDraft.model_validate(drafts)


def recorded(
    desk: RoutingDesk, span: Span, *, most_tickets: int = 1_000, retelling: Retelling | None = None
) -> Recording:
    """The past of a desk, told anew should somebody do that."""
    recording = Recording(span=span, most_tickets=most_tickets, retelling=retelling or Retelling())
    for sequence in range(1, desk.store.last + 1):
        recording.take(desk.store.delivery(sequence))
    recording.finish()
    return recording


def recorded_gifts(desk: RoutingDesk, *, until: datetime) -> dict[str, tuple[str, datetime]]:
    """Who first got each ticket when."""
    return _gifts(recorded(desk, Span(START, until)).tally)


async def rehearsed_gifts(
    desk: RoutingDesk, draft: AssignmentDraft, *, until: datetime
) -> dict[str, tuple[str, datetime]]:
    """Who would have got each ticket first, and when."""
    recording = recorded(desk, Span(START, until))
    _, simulation = await simulated(recording, draft, directory=desk.directory, strategies=STRATEGIES, tell=silent)
    return _gifts(simulation.tally)


def _gifts(tally: Tally) -> dict[str, tuple[str, datetime]]:
    return {ticket_id: (given.agent_id, given.at) for ticket_id, given in tally.first.items()}


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody how far a rehearsal is."""


async def rehearsed(
    desk: RoutingDesk, draft: AssignmentDraft | None = None, *, since: datetime = START, until: datetime = NOON + DAY
) -> AssignmentRehearsal:
    """What a draft would have made of the past; without one, of the same staff."""
    before = desk.store.last
    found = await rehearse_recording(
        recorded(desk, Span(since, until)),
        draft or AssignmentDraft(),
        directory=desk.directory,
        strategies=STRATEGIES,
        tell=silent,
    )
    assert desk.store.last == before
    return found


async def rehearsed_together(
    desk: RoutingDesk,
    draft: AssignmentDraft | None = None,
    *,
    since: datetime = START,
    until: datetime = NOON + DAY,
    **rules: Rule,
) -> AssignmentRehearsal:
    """What draft staff and draft rules, and no others, would have made of the past."""
    before, span, draft = desk.store.last, Span(since, until), draft or AssignmentDraft()
    retelling = Retelling()
    standing = [StandingRule(id=rule_id, revision=0, rule=rule) for rule_id, rule in rules.items()]
    tickets = {desk.store.delivery(sequence).subject.rpartition(".")[2]: None for sequence in range(1, before + 1)}
    ruled = await rehearse_tickets(
        tickets, standing, span, store=desk.store, directory=desk.directory, tell=silent,
        staff=drafted_staff(draft, desk.directory),
        hear=lambda tried: retelling.tell(
            tried.history, tried.drafts, span, partial(team_of_channel, desk.directory)
        ),
    )  # fmt: skip
    found = await rehearse_recording(
        recorded(desk, span, retelling=retelling), draft, directory=desk.directory, strategies=STRATEGIES, tell=silent
    )
    assert desk.store.last == before
    return found.model_copy(update={"rules": ruled})
