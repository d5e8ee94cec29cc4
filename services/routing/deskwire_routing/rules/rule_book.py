"""The active rules of the directory, by what sets them off."""

from collections.abc import Mapping, Sequence

from structlog import get_logger

from deskwire_routing.rules.applying import StandingRule
from deskwire_routing.rules.occasions import WAITED
from deskwire_shared.contracts.directory import Calendar, Entry
from deskwire_shared.contracts.open_hours import OpenHours
from deskwire_shared.contracts.rules import Rule, Trigger
from deskwire_shared.directory.port import Directory

log = get_logger(__name__)


class RuleBook:
    """Keeps the rules at hand; most of what happens sets none off."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._by_trigger: Mapping[Trigger, Sequence[StandingRule]] | None = None
        directory.on_change(self._forget)

    def on(self, trigger: Trigger) -> Sequence[StandingRule]:
        """The active rules that a trigger sets off."""
        if self._by_trigger is None:
            self._by_trigger = self._sorted()
        return self._by_trigger.get(trigger, ())

    def waiting(self) -> Sequence[StandingRule]:
        """The active rules that time sets off."""
        return self.on(WAITED)

    def _sorted(self) -> Mapping[Trigger, Sequence[StandingRule]]:
        found: dict[Trigger, list[StandingRule]] = {}
        for rule_id, rule in self._directory.all(Rule).items():
            if rule.active:
                revision = self._directory.revision(Rule, rule_id)
                hours = hours_of(rule, self._directory)
                if hours is None and rule.wait is not None and rule.wait.business_hours is not None:
                    log.warning(
                        "rule waits in hours that do not exist", rule=rule_id, calendar=rule.wait.business_hours
                    )
                standing = StandingRule(id=rule_id, revision=revision, rule=rule, hours=hours)
                found.setdefault(rule.trigger, []).append(standing)
        return found

    def _forget(self, entry: Entry) -> None:
        if entry.kind in {"rule", "calendar"}:
            self._by_trigger = None


def hours_of(rule: Rule, directory: Directory) -> OpenHours | None:
    """The business hours that a rule waits in; None when it counts day and night, or its calendar is not there."""
    asked = rule.wait.business_hours if rule.wait else None
    calendar = directory.get(Calendar, asked) if asked else None
    return OpenHours(calendar) if calendar else None
