"""What may set business rules off, found in commits as they are stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from deskwire_shared.contracts.facts import CustomerReplied, Opened, Reopened
from deskwire_shared.eventstore.plain_facts import PlainCommit

Trigger = Literal["opened", "customer_replied", "reopened"]

ROUTING: Final = "routing"
"""The id of this service among actors."""

TRIGGERS: Final[dict[str, Trigger]] = {
    Opened.model_fields["type"].default: "opened",
    CustomerReplied.model_fields["type"].default: "customer_replied",
    Reopened.model_fields["type"].default: "reopened",
}
"""The trigger of a fact, by its stored name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """One time that something happened; `name` stays the same however often it is told."""

    trigger: Trigger
    name: str
    message_id: str | None = None


def occasions_in(commit: PlainCommit) -> tuple[Occasion, ...]:
    """Find the occasions in a commit; what routing itself did is none, lest rules set each other off for ever."""
    if commit.actor.id == ROUTING and commit.actor.kind in {"rule", "system"}:
        return ()
    return tuple(_occasions(commit))


def _occasions(commit: PlainCommit) -> Iterator[Occasion]:
    said = next((fact["message_id"] for fact in commit.facts if _is_said(fact["type"])), None)
    for fact in commit.facts:
        trigger = TRIGGERS.get(fact["type"])
        if trigger == "opened":
            yield Occasion(trigger=trigger, name=trigger, message_id=said)
        elif trigger is not None:
            yield Occasion(trigger=trigger, name=f"{trigger}:{said or commit.commit_id}", message_id=said)


def _is_said(stored_name: str) -> bool:
    return TRIGGERS.get(stored_name) in {"opened", "customer_replied"}
