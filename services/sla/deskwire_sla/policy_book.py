"""All policies of the directory, made ready once per revision."""

from datetime import datetime

from structlog import get_logger

from deskwire_shared.contracts.calendar import ALWAYS_OPEN
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.directory.port import Directory
from deskwire_sla.policies import Terms

log = get_logger(__name__)


class PolicyBook:
    """Keeps the terms of every policy up to date with the directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._terms: dict[str, Terms] = {}
        self._hours: dict[tuple[str, int], OpenHours] = {}
        self._always = OpenHours(ALWAYS_OPEN)

    async def terms(self) -> dict[str, Terms]:
        """Every policy by id, as the directory has it now."""
        policies = self._directory.all(SlaPolicy)
        terms = {policy_id: await self._terms_of(policy_id, policy) for policy_id, policy in policies.items()}
        self._terms = terms
        return terms

    async def _terms_of(self, policy_id: str, policy: SlaPolicy) -> Terms:
        revision = self._directory.revision(SlaPolicy, policy_id)
        calendar_revision = self._calendar_revision(policy)
        known = self._terms.get(policy_id)
        if known and (known.revision, known.calendar_revision) == (revision, calendar_revision):
            return known
        return Terms(
            policy_id=policy_id,
            revision=revision,
            policy=policy,
            hours=self._hours_of(policy_id, policy, calendar_revision),
            calendar_revision=calendar_revision,
            since=await self._written_at(policy_id, revision),
        )

    def _calendar_revision(self, policy: SlaPolicy) -> int:
        return self._directory.revision(Calendar, policy.calendar_id) if policy.calendar_id else 0

    def _hours_of(self, policy_id: str, policy: SlaPolicy, revision: int) -> OpenHours | None:
        if policy.calendar_id is None:
            return self._always
        calendar = self._directory.get(Calendar, policy.calendar_id)
        if calendar is None:
            log.warning("policy has no clocks: its calendar is missing", policy=policy_id, calendar=policy.calendar_id)
            return None
        key = (policy.calendar_id, revision)
        if key not in self._hours:
            self._hours = {known: hours for known, hours in self._hours.items() if known[0] != policy.calendar_id}
            self._hours[key] = OpenHours(calendar)
        return self._hours[key]

    async def _written_at(self, policy_id: str, revision: int) -> datetime:
        history = await self._directory.history(SlaPolicy, policy_id)
        return next(entry.at for entry, _ in history if entry.revision == revision)
