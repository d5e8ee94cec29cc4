"""The lane of webhooks: what rules, macros and escalations have told, apart from mails, so that no mail waits for it.

Of one webhook only a few calls are under way in a process; further ones wait by timer and leave the lane to others.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from deskwire_notify.deliveries import Deliveries
from deskwire_notify.hearing import history_of, server_ahead
from deskwire_notify.retries import Patience, lot
from deskwire_notify.webhooks.calling import CallErrand, WebhookCaller
from deskwire_shared.contracts.facts import FACTS, WebhookRequested
from deskwire_shared.eventstore.port import EventStore
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.runtime.timers import Timers
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.state import WebhookCall

LANE: Final = "webhooks"
"""How the lane is called among consumers and timers."""
HEARD: Final = frozenset(name for name, fact in FACTS.items() if fact is WebhookRequested)
SOON: Final = timedelta(seconds=5)
SOON_SPREAD: Final = timedelta(seconds=25)
"""When a call is looked at again for which its webhook had no room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookLane:
    """Carries out the calls of webhooks."""

    store: EventStore
    deliveries: Deliveries
    caller: WebhookCaller
    timers: Timers
    clock: Clock
    patience: Patience
    at_once: int
    """Calls of one webhook under way in this process."""
    under_way: Counter[str] = field(default_factory=Counter)

    async def on_ticket(self, heard: Heard) -> None:
        """Carry out the calls that wait on a ticket."""
        history = await history_of(heard, self.store)
        ticket = fold(heard.ticket_id, history.commits)
        waiting = [call for call in ticket.webhook_calls if call.outcome == "waiting"]
        ahead = server_ahead(heard, self.clock.now())
        async with asyncio.TaskGroup() as tasks:
            for call in waiting:
                tasks.create_task(self._carry(ticket.id, call, ahead))

    async def _carry(self, ticket_id: str, call: WebhookCall, ahead: timedelta) -> None:
        """Attempt a call, and see that it is looked at again; `ahead` is by how much the server's clock is."""
        look = await self._attempt(ticket_id, call)
        if look is not None:
            await self.timers.set(ticket_id, call.request_id, look + ahead)

    async def _attempt(self, ticket_id: str, call: WebhookCall) -> datetime | None:
        if self.under_way[call.webhook_id] >= self.at_once:
            now = self.clock.now()
            return now + SOON + SOON_SPREAD * lot(call.request_id, int(now.timestamp()))
        errand = CallErrand(
            request_id=call.request_id,
            webhook_id=call.webhook_id,
            caller=self.caller,
            patience=self.patience,
        )
        self.under_way[call.webhook_id] += 1
        try:
            return await self.deliveries.carry(ticket_id, errand)
        finally:
            self.under_way[call.webhook_id] -= 1
