"""Policies and calendars that nobody has put into the directory yet, made ready to try out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deskwire_shared.contracts.calendar import ALWAYS_OPEN
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.open_hours import EPOCH, OpenHours
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.directory.port import Directory
from deskwire_sla.policies import Terms

DRAFT: Final = 0
"""The revision of what was never stored."""


class DraftIncomplete(ValueError):
    """A draft names what neither it nor the directory holds."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Documents by id; each takes the place of the one that the directory has under that id."""

    policies: Mapping[str, SlaPolicy] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


def draft_terms(draft: Draft, directory: Directory) -> dict[str, Terms]:
    """Give the terms of every policy as if they had always held, without escalations. Raises DraftIncomplete."""
    policies = {**directory.all(SlaPolicy), **draft.policies}
    calendars = {**directory.all(Calendar), **draft.calendars}
    unused = draft.calendars.keys() - {policy.calendar_id for policy in policies.values()}
    if unused:
        raise DraftIncomplete(f"no policy uses the calendar {', '.join(sorted(unused))}")
    hours: dict[str | None, OpenHours] = {None: OpenHours(ALWAYS_OPEN)}
    hours |= {calendar_id: OpenHours(calendar) for calendar_id, calendar in calendars.items()}
    for policy_id, policy in draft.policies.items():
        if policy.calendar_id not in hours:
            raise DraftIncomplete(
                f"the policy {policy_id} needs the calendar {policy.calendar_id}, which does not exist"
            )
    return {
        policy_id: Terms(
            policy_id=policy_id,
            revision=DRAFT,
            policy=policy.model_copy(update={"escalations": ()}),
            hours=hours.get(policy.calendar_id),
            since=EPOCH,
        )
        for policy_id, policy in policies.items()
    }
