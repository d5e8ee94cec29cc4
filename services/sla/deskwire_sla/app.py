"""Wires the sla service: the one place that reads its settings and builds its parts."""

from datetime import datetime, timedelta

from deskwire_shared.contracts.subjects import DIRECTORY, TICKETS
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.desk import Desk
from deskwire_shared.runtime.service import Runtime, Service
from deskwire_shared.runtime.timers import Timers
from deskwire_sla.api import Rehearse, rehearsal_api
from deskwire_sla.drafts import Draft
from deskwire_sla.handlers import HEARD, ServiceLevels
from deskwire_sla.hints import SERVICE
from deskwire_sla.policy_book import PolicyBook
from deskwire_sla.rechecks import Rechecks
from deskwire_sla.rehearsal import Rehearsal, rehearse_on
from deskwire_sla.settings import SlaSettings


def wired(runtime: Runtime, timers: Timers) -> ServiceLevels:
    """Build what reacts to tickets."""
    return ServiceLevels(
        recorder=runtime.recorder,
        store=runtime.store,
        directory=runtime.directory,
        book=PolicyBook(runtime.directory),
        timers=timers,
        clock=runtime.clock,
    )


def rehearsing(desk: Desk, settings: SlaSettings) -> Rehearse:
    """Build what tries drafts out on the log."""

    async def rehearse(draft: Draft, since: datetime, until: datetime) -> Rehearsal:
        most = settings.rehearsal_tickets
        return await rehearse_on(desk, draft, since=since, until=until, most_tickets=most)

    return rehearse


async def start(runtime: Runtime, role: str | None) -> None:  # noqa: ARG001 - sla has one role
    """React to tickets, timers and changed policies in a runtime."""
    settings = SlaSettings()
    timers = Timers(runtime.js, SERVICE, keep=timedelta(days=settings.keep_fired_timers_days))
    levels = wired(runtime, timers)
    rechecks = Rechecks(
        runtime.directory, timers, lambda: Follower(runtime.connection, TICKETS, subjects=["ticket.>"])
    )  # fmt: skip
    runtime.mount("/sla", rehearsal_api(rehearsing(runtime, settings)))
    runtime.react("sla", TICKETS, "ticket.>", levels.on_commits, facts=HEARD)
    runtime.react_to_timers(timers, levels.on_timers)
    runtime.react("sla-policies", DIRECTORY, "directory.sla_policy.*", rechecks.on_change)
    runtime.react("sla-calendars", DIRECTORY, "directory.calendar.*", rechecks.on_change)


service = Service(name="sla", start=start)
