"""What came of a rehearsal, in figures and in examples."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic_core import to_jsonable_python

from deskwire_routing.rehearsal.rules.reliving import Encounter
from deskwire_shared.ticket.state import Ticket

MOST_CHANGED: Final = 200


class Part(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True)


class RuleFigures(Part):
    """How often a rule acted, as it was recorded and as it was drafted, and how often the draft was stopped."""

    rule_id: str
    name: str
    recorded: int
    draft: int
    stopped: int


class Difference(Part):
    """Something of a ticket that would have become different."""

    what: str
    recorded: JsonValue
    draft: JsonValue


class ChangedTicket(Part):
    """An occasion on which the drafts would have done something else."""

    ticket_id: str
    number: int
    at: datetime
    occasion: str
    recorded_rules: tuple[str, ...]
    draft_rules: tuple[str, ...]
    differences: tuple[Difference, ...]


class Rehearsal(Part):
    """What drafts would have changed; of the changed tickets and the troubles only the first are told."""

    since: datetime
    until: datetime
    tickets: int
    occasions: int
    rules: tuple[RuleFigures, ...]
    changed: int
    changed_tickets: int
    first_changed: tuple[ChangedTicket, ...]
    troubles: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class Report:
    """A rehearsal that is still being written."""

    names: dict[str, str]
    """Of the rules, by their ids."""
    tickets: int = 0
    occasions: int = 0
    changed: int = 0
    changed_tickets: set[str] = field(default_factory=set)
    first_changed: list[ChangedTicket] = field(default_factory=list)
    recorded: Counter[str] = field(default_factory=Counter)
    drafted: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)
    troubles: dict[str, None] = field(default_factory=dict)

    def take(self, ticket: Ticket, encounters: Iterable[Encounter]) -> None:
        """Write down what came of a ticket."""
        self.tickets += 1
        for encounter in encounters:
            self.occasions += 1
            self.recorded.update(encounter.recorded.acted)
            self.drafted.update(encounter.draft.acted)
            self.stopped.update(encounter.draft.stopped)
            if len(self.troubles) < MOST_CHANGED:
                self.troubles |= dict.fromkeys(encounter.draft.troubles)
            if differences := encounter.differences:
                self._change(ticket, encounter, differences)

    def _change(self, ticket: Ticket, encounter: Encounter, differences: dict[str, tuple[object, object]]) -> None:
        self.changed += 1
        self.changed_tickets.add(ticket.id)
        if len(self.first_changed) < MOST_CHANGED:
            self.first_changed.append(
                ChangedTicket(
                    ticket_id=ticket.id,
                    number=ticket.number,
                    at=encounter.at,
                    occasion=encounter.occasion,
                    recorded_rules=encounter.recorded.acted,
                    draft_rules=encounter.draft.acted,
                    differences=tuple(_difference(name, *pair) for name, pair in differences.items()),
                )
            )

    def closed(self, since: datetime, until: datetime) -> Rehearsal:
        """Give the whole report."""
        known = sorted({*self.names, *self.recorded, *self.drafted, *self.stopped})
        return Rehearsal(
            since=since,
            until=until,
            tickets=self.tickets,
            occasions=self.occasions,
            rules=tuple(self._figures(rule_id) for rule_id in known),
            changed=self.changed,
            changed_tickets=len(self.changed_tickets),
            first_changed=tuple(self.first_changed),
            troubles=tuple(self.troubles),
        )

    def _figures(self, rule_id: str) -> RuleFigures:
        return RuleFigures(
            rule_id=rule_id,
            name=self.names.get(rule_id, ""),
            recorded=self.recorded[rule_id],
            draft=self.drafted[rule_id],
            stopped=self.stopped[rule_id],
        )


def _difference(what: str, recorded: object, draft: object) -> Difference:
    return Difference(what=what, recorded=to_jsonable_python(recorded), draft=to_jsonable_python(draft))
