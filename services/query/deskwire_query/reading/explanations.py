"""Explains a ticket out of the ledger: for each change what spoke for it and what caused it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deskwire_query.reading.history import commits_of
from deskwire_query.reading.reader import Reader
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Calendar
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.summaries import summary
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.codec import Codec
from deskwire_shared.ticket.explaining import Explanation, Name, Step, explain, reasons

NAMED: Final[tuple[type[Document], ...]] = (Agent, Team, SlaPolicy, Calendar, Rule)


@dataclass(frozen=True, slots=True)
class Cause:
    """Something on the way back to where a change began."""

    version: int
    at: datetime
    actor: Actor
    fact: str
    summary: str


@dataclass(frozen=True, slots=True)
class RuleBehind:
    """The rule that made a change, at the revision it had."""

    id: str
    name: str
    revision: int
    occasion: str
    conditions: tuple[str, ...]
    stopped: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A change, what spoke for it in sentences, and what caused it, nearest first."""

    version: int
    at: datetime
    actor: Actor
    fact: str
    summary: str
    reasons: tuple[str, ...]
    rule: RuleBehind | None
    causes: tuple[Cause, ...]


async def explanations(reader: Reader, codec: Codec, ticket_id: str) -> tuple[Explanation, ...]:
    """Explain all that can be asked about on a ticket. Raises HistoryTooLong."""
    return explain(await commits_of(reader, codec, ticket_id))


def told(explanation: Explanation, name: Name) -> Explained:
    """Put an explanation in words."""
    rule, fact = explanation.rule, explanation.fact
    return Explained(
        version=explanation.version,
        at=explanation.at,
        actor=explanation.actor,
        fact=fact.type,
        summary=summary(fact),
        reasons=reasons(explanation, name),
        rule=RuleBehind(
            rule.rule_id, rule.rule_name, rule.rule_revision, rule.trigger, rule.conditions, rule.stopped
        ) if rule else None,
        causes=tuple(map(_cause, explanation.causes)),
    )  # fmt: skip


def names_in(directory: Directory) -> Name:
    """Name people, teams and settings as the directory does."""

    def name(document_id: str) -> str:
        found = (directory.get(kind, document_id) for kind in NAMED)
        return next((str(getattr(document, "name", "")) for document in found if document is not None), document_id)

    return name


def _cause(step: Step) -> Cause:
    return Cause(step.version, step.at, step.actor, step.fact.type, summary(step.fact))
