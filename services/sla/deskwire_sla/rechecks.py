"""What sla does when a policy or a calendar changes: it has every open ticket looked at again.

One pass over the log finds the tickets; each gets a message on `TIMERS`, so that the work is shared by all
replicas, paced like any other, and not lost when one of them dies.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from structlog import get_logger

from deskwire_shared.contracts.directory import DOCUMENTS
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.process_manager import Heard
from deskwire_sla.hints import Hint, Revision
from deskwire_sla.open_tickets import open_tickets
from deskwire_sla.timers import SERVICE, Timers

AT_ONCE: Final = 64

log = get_logger(__name__)


class DirectoryLags(Exception):
    """A change that this process was told of has not reached it yet; it is asked again later."""


class Rechecks:
    """Announces that open tickets have to be looked at again."""

    def __init__(self, directory: Directory, timers: Timers, new_follower: Callable[[], Follower]) -> None:
        self._directory = directory
        self._timers = timers
        self._new_follower = new_follower
        self._waiting: set[Revision] = set()
        self._turn = asyncio.Lock()

    async def on_change(self, heard: Heard) -> None:
        """Have the open tickets looked at; changes that come together share one pass over the log."""
        revision = await self._revision(heard)
        self._waiting.add(revision)
        async with self._turn:
            if revision not in self._waiting:
                return
            revisions = frozenset(self._waiting)
            tickets = await open_tickets(self._new_follower())
            await self._announce(tickets, revisions)
            self._waiting -= revisions

    async def _revision(self, heard: Heard) -> Revision:
        _, kind, document_id = heard.subject.split(".")
        history = await self._directory.history(DOCUMENTS[kind], document_id)
        if not history or history[-1][0].sequence < heard.sequence:
            raise DirectoryLags(f"{kind} {document_id} is not read up to sequence {heard.sequence}")
        return Revision(kind=kind, id=document_id, revision=history[-1][0].revision)

    async def _announce(self, tickets: Collection[str], revisions: frozenset[Revision]) -> None:
        hint = Hint(revisions=tuple(revisions))
        once = derived_id(SERVICE, *sorted(revision.model_dump_json() for revision in revisions))
        rest = iter(tickets)

        async def fire_some() -> None:
            for ticket_id in rest:
                await self._timers.fire(ticket_id, hint, once=once)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(AT_ONCE, len(tickets))):
                tasks.create_task(fire_some())
        log.info("open tickets will be looked at again", tickets=len(tickets), changed=sorted(r.id for r in revisions))
