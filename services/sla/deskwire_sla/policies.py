"""Which policy holds for a ticket, and what it promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from deskwire_shared.contracts.facts import Metric, Priority
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.ticket.conditions import holding
from deskwire_shared.ticket.lifecycle import OVER
from deskwire_shared.ticket.state import Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """A policy made ready to reckon with. `hours` is None while the directory lacks its calendar.

    `since` is when this revision was written: what was over before it is not judged by it.
    """

    policy_id: str
    revision: int
    policy: SlaPolicy
    hours: OpenHours | None
    calendar_revision: int = 0
    since: datetime

    def target(self, metric: Metric, priority: Priority) -> int | None:
        """Tell the seconds that are promised; None when nothing is."""
        return next((one.seconds.get(priority) for one in self.policy.targets if one.metric == metric), None)


def terms_for(ticket: Ticket, terms: Mapping[str, Terms], context: Mapping[str, object]) -> Terms | None:
    """Give the terms that hold for a ticket; one that is over stays with those it had."""
    if ticket.status in OVER and ticket.sla is not None:
        return terms.get(ticket.sla.policy_id or "")
    return choose(terms, context)


def choose(terms: Mapping[str, Terms], context: Mapping[str, object]) -> Terms | None:
    """Choose the first active policy, by order and then by id, whose conditions hold."""
    in_order = sorted(terms.values(), key=lambda one: (one.policy.order, one.policy_id))
    holds = (one for one in in_order if one.policy.active and holding(one.policy.conditions, context) is not None)
    return next(holds, None)
