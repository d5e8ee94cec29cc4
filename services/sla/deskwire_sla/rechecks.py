"""What sla does when a policy or a calendar changes: it has every open ticket looked at again.

One pass over the log finds the tickets; they are told of by messages on `TIMERS`, so that the work is shared by all
replicas, paced like any other, and not lost when one of them dies.
"""

import asyncio
from collections.abc import Callable, Collection

from structlog import get_logger

from deskwire_shared.contracts.directory import DOCUMENTS
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.follower import Follower
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.runtime.timers import DueTimer, Timers
from deskwire_sla.hints import RECHECK, SERVICE, Hint, Revision
from deskwire_sla.open_tickets import open_tickets

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
        body = Hint(revisions=tuple(revisions)).stored()
        once = derived_id(SERVICE, *sorted(revision.model_dump_json() for revision in revisions))
        due = [DueTimer(ticket_id, RECHECK) for ticket_id in tickets]
        await self._timers.fire_all(due, body, once=once)
        log.info("open tickets will be looked at again", tickets=len(tickets), changed=sorted(r.id for r in revisions))
