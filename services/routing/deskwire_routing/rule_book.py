"""The active rules of the directory, by what sets them off."""

from collections.abc import Mapping, Sequence

from deskwire_routing.occasions import WAITED
from deskwire_routing.rules import StandingRule
from deskwire_shared.contracts.directory import Entry
from deskwire_shared.contracts.rules import Rule, Trigger
from deskwire_shared.directory.port import Directory


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
                found.setdefault(rule.trigger, []).append(StandingRule(id=rule_id, revision=revision, rule=rule))
        return found

    def _forget(self, entry: Entry) -> None:
        if entry.kind == "rule":
            self._by_trigger = None
