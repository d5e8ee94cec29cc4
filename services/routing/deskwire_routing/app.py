"""Wires the routing service: the one place that reads its settings and builds its parts."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from fastapi import FastAPI

from deskwire_routing.actors import ROUTING
from deskwire_routing.assignment.absences import Absences
from deskwire_routing.assignment.alarms import Alarms
from deskwire_routing.assignment.choosing import Choosing
from deskwire_routing.assignment.claims import Claims, ClaimStore
from deskwire_routing.assignment.matching import Matching
from deskwire_routing.assignment.overflow import Overflowing
from deskwire_routing.assignment.placing import Placing
from deskwire_routing.assignment.reactions import Assignment
from deskwire_routing.assignment.roster import Roster
from deskwire_routing.assignment.strategies import least_loaded, longest_idle, round_robin, skills, sticky
from deskwire_routing.assignment.strategies.strategy import Strategy
from deskwire_routing.handlers import HEARD, Routing
from deskwire_routing.news import DirectoryNews
from deskwire_routing.rehearsal.api import rehearsal_api
from deskwire_routing.rehearsal.assignment.run import rehearse_assignment_on
from deskwire_routing.rehearsal.rules.run import rehearse_on
from deskwire_routing.rules.rule_book import RuleBook
from deskwire_routing.rules.ruling import Ruling
from deskwire_routing.rules.waiting import Waiting
from deskwire_routing.settings import RoutingSettings
from deskwire_routing.timers import TimerStore
from deskwire_routing.workload.live import LiveWorkload
from deskwire_routing.workload.snapshots import ObjectSnapshots
from deskwire_shared.contracts.subjects import DIRECTORY, ROSTER, TICKETS
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.eventstore.numbers import JetStreamNumbers, Numbers
from deskwire_shared.eventstore.port import EventStore
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.buckets import Bucket
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.health import Unhealthy
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.timers import Timers

STRATEGIES: Final[Mapping[str, Strategy]] = {
    "round_robin": round_robin.pick,
    "least_loaded": least_loaded.pick,
    "skills": skills.pick,
    "sticky": sticky.pick,
    "longest_idle": longest_idle.pick,
}
"""By the name that a team's document gives; `manual` needs none."""


def wired(
    *,
    store: EventStore,
    recorder: Recorder,
    directory: Directory,
    workload: LiveWorkload,
    claims: ClaimStore,
    timers: TimerStore,
    numbers: Numbers,
    log_end: Callable[[], Awaitable[int]],
    clock: Clock,
    patience_seconds: float,
) -> Routing:
    """Build what reacts to tickets, documents and timers."""
    news = DirectoryNews(directory, patience_seconds=patience_seconds)
    ruling = Ruling(
        store=store, recorder=recorder, directory=directory, book=RuleBook(directory), numbers=numbers, clock=clock
    )
    waiting = Waiting(ruling=ruling, timers=timers, workload=workload, news=news, log_end=log_end)
    alarms = Alarms(timers, clock)
    roster = Roster(directory, workload, clock)
    overflowing = Overflowing(recorder=recorder, directory=directory, alarms=alarms, clock=clock)
    placing = Placing(
        recorder=recorder,
        directory=directory,
        workload=workload,
        roster=roster,
        matching=Matching(workload, roster, Choosing(roster, STRATEGIES)),
        claims=Claims(claims, workload, log_end),
        overflowing=overflowing,
        alarms=alarms,
        clock=clock,
    )
    assignment = Assignment(
        recorder=recorder,
        directory=directory,
        workload=workload,
        placing=placing,
        absences=Absences(recorder=recorder, directory=directory, workload=workload, alarms=alarms, clock=clock),
        overflowing=overflowing,
        news=news,
    )
    return Routing(ruling=ruling, waiting=waiting, assignment=assignment, clock=clock)


async def start(runtime: Runtime, role: str | None) -> None:  # noqa: ARG001 - routing has one role
    """React to tickets, documents and timers in a runtime."""
    settings = RoutingSettings()
    patience_seconds = settings.patience_seconds
    workload = LiveWorkload(patience_seconds=patience_seconds)
    timers = Timers(runtime.js, ROUTING)
    routing = wired(
        store=runtime.store,
        recorder=runtime.recorder,
        directory=runtime.directory,
        workload=workload,
        claims=Bucket(runtime.js, ROSTER),
        timers=timers,
        numbers=JetStreamNumbers(runtime.js),
        log_end=partial(_log_end, runtime),
        clock=runtime.clock,
        patience_seconds=patience_seconds,
    )
    _keep_live(runtime, workload)
    runtime.mount("/routing", _rehearsals(runtime, settings))
    runtime.react("routing", TICKETS, "ticket.>", routing.on_commits, facts=HEARD)
    runtime.react_to_timers(timers, routing.on_timers)
    runtime.react("routing-rules", DIRECTORY, "directory.rule.*", routing.waiting.on_rule)
    runtime.react("routing-agents", DIRECTORY, "directory.agent.*", routing.assignment.on_agent)
    runtime.react("routing-teams", DIRECTORY, "directory.team.*", routing.assignment.on_team)
    runtime.react("routing-calendars", DIRECTORY, "directory.calendar.*", routing.on_calendar)


def _rehearsals(runtime: Runtime, settings: RoutingSettings) -> FastAPI:
    most = settings.rehearsal_tickets
    return rehearsal_api(
        partial(rehearse_on, runtime, most_tickets=most),
        partial(
            rehearse_assignment_on,
            runtime,
            strategies=STRATEGIES,
            most_tickets=most,
            most_seconds=settings.rehearsal_seconds,
        ),
    )


async def _log_end(runtime: Runtime) -> int:
    return (await runtime.js.stream_info(TICKETS)).state.last_seq


def _keep_live(runtime: Runtime, workload: LiveWorkload) -> None:
    snapshots = ObjectSnapshots(runtime.objects, runtime.js)

    def follower(start: int) -> Follower:
        return Follower(runtime.connection, TICKETS, subjects=["ticket.>"], start=start)

    async def check() -> None:
        if not workload.is_caught_up:
            raise Unhealthy("the log is still being read for who has which tickets")

    async def save() -> None:
        await workload.save(snapshots)

    runtime.health.add("roster", check)
    runtime.on_stop(save)
    runtime.spawn("follow assignments", workload.follow(follower, snapshots))


service = Service(name="routing", start=start)
