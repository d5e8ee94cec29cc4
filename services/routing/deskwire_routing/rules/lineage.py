"""What rules did on the way to an occasion, so that they do not set each other off for ever.

Every commit that a machine made names the commit that caused it, and people's commits name none. So the way back
from an occasion ends at what somebody outside did, and passes all rules that had a part in it. A program that a webhook
tells, and that sends the correlation id back along with its changes, goes on from the call; one that does not begins
anew, and is stopped by the number of calls (`deskwire_shared.ticket.hindrances`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from deskwire_routing.rules.occasions import topic_of
from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import RuleApplied, WebhookRequested

MOST_DEEP: Final = 10
"""How many times rules may set off rules in a row."""
MOST_CONSEQUENCES: Final = 50
"""How many times rules may act on a ticket in consequence of one thing that happened."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The rules on the way to an occasion, each with the topic it acted on, and how often rules acted at all."""

    acted: frozenset[tuple[str, str]] = frozenset()
    depth: int = 0
    consequences: int = 0

    def objection(self, rule_id: str, topic: str) -> str:
        """Say why a rule must not act; empty when it may."""
        if (rule_id, topic) in self.acted:
            return "the rule has set itself off"
        if self.depth >= MOST_DEEP:
            return f"{MOST_DEEP} rules in a row have set each other off"
        if self.consequences >= MOST_CONSEQUENCES:
            return f"rules have acted {MOST_CONSEQUENCES} times on one thing that happened"
        return ""


FIRST: Final = Lineage()
"""What nobody's rule had a part in."""


def lineage_of(history: Iterable[Commit], commit_id: str) -> Lineage:
    """Find the rules that led to a commit of a ticket; the commit itself counts."""
    lineages: dict[str, Lineage] = {}
    roots: dict[str, str] = {}
    acts: dict[str, int] = {}
    calls: dict[str, str] = {}
    for commit in history:
        cause = commit.causation_id or _call(commit, calls)
        before, root = lineages.get(cause, FIRST), roots.get(cause, commit.commit_id)
        acted = frozenset(
            (fact.rule_id, topic_of(fact.trigger))
            for fact in commit.facts
            if isinstance(fact, RuleApplied) and not fact.stopped
        )
        lineages[commit.commit_id] = Lineage(before.acted | acted, before.depth + bool(acted))
        roots[commit.commit_id] = root
        acts[root] = acts.get(root, 0) + bool(acted)
        if any(isinstance(fact, WebhookRequested) for fact in commit.facts):
            calls[commit.correlation_id] = commit.commit_id
    found = lineages.get(commit_id, FIRST)
    return Lineage(found.acted, found.depth, acts.get(roots.get(commit_id, ""), 0))


def _call(commit: Commit, calls: Mapping[str, str]) -> str:
    """The call of a webhook that a program's change goes back to, by the correlation id that it sent back."""
    return calls.get(commit.correlation_id, "") if commit.actor.kind == "integration" else ""
