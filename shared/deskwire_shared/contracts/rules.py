"""What the desk does by itself, and what agents do with one key."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from deskwire_shared.contracts.actions import Action
from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.document import Document, Name
from deskwire_shared.contracts.placeholders import require_known

Trigger = Literal[
    "opened", "customer_replied", "agent_replied", "note_added", "reply_bounced", "rated",
    "status_changed", "reopened", "snoozed", "woken",
    "priority_changed", "type_changed", "subject_changed", "tags_changed", "field_changed", "requester_changed",
    "routed", "assigned", "unassigned", "merge_received",
    "sla_warned", "sla_breached", "sla_met",
    "waited",
]  # fmt: skip
"""What sets a rule off."""


class Wait(Document):
    """How long a ticket has to stay in a status."""

    status: Literal["new", "open", "pending", "on_hold", "solved"]
    after_minutes: Annotated[int, Field(ge=1, le=366 * 1440)]
    business_hours: str | None = None
    """The calendar in whose hours the minutes are counted; None counts day and night."""


class Rule(Document):
    """A business rule: when something happens and the conditions hold, act."""

    kind: Literal["rule"] = "rule"
    name: Name
    order: int = 100
    active: bool = True
    trigger: Trigger = "opened"
    wait: Wait | None = None
    """For the trigger `waited`; the rule is asked once for each stay in the status."""
    conditions: Conditions = Conditions()
    actions: tuple[Action, ...] = Field(min_length=1, max_length=20)
    stop: bool = False
    """No later rule is asked when this one held."""

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        if (self.trigger == "waited") != (self.wait is not None):
            raise ValueError("a rule with the trigger `waited`, and no other, has `wait`")
        return self


class Macro(Document):
    """Several changes an agent makes with one key; the reply may hold placeholders."""

    kind: Literal["macro"] = "macro"
    name: Name
    reply: Annotated[str, StringConstraints(max_length=20_000), AfterValidator(require_known)] = ""
    actions: Annotated[tuple[Action, ...], Field(max_length=20)] = ()
