"""Promises to customers, and what is done when one is close or missed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from deskwire_shared.contracts.actions import EscalationAction
from deskwire_shared.contracts.conditions import Conditions
from deskwire_shared.contracts.document import Document, Name
from deskwire_shared.contracts.facts import Metric, Priority, Status

Share = Annotated[float, Field(gt=0, lt=1)]


class Escalation(Document):
    """What is done once when a promise is close or missed."""

    when: Literal["warned", "breached"]
    at: Share | None = None
    """Which of the policy's warnings, for `warned` alone; None is any."""
    metrics: Annotated[tuple[Metric, ...], Field(max_length=4)] = ()
    """Of which promises; none named is any."""
    actions: Annotated[tuple[EscalationAction, ...], Field(min_length=1, max_length=8)]


class SlaTarget(Document):
    """One promise, in seconds by priority; a priority left out is not promised."""

    metric: Metric
    seconds: dict[Priority, Annotated[int, Field(gt=0, le=366 * 86400)]]
    """Such as `{"urgent": 3600, "normal": 14400}`, counted in the policy's calendar."""


class SlaPolicy(Document):
    """Promises for the tickets whose conditions hold; the first policy in order wins."""

    kind: Literal["sla_policy"] = "sla_policy"
    name: Name
    order: int = 100
    active: bool = True
    conditions: Conditions = Conditions()
    targets: tuple[SlaTarget, ...] = Field(min_length=1, max_length=4)
    calendar_id: str | None = None
    """None counts calendar time, day and night."""
    pause_on: tuple[Status, ...] = ("pending", "on_hold")
    """In which statuses the time stands still; that for a response runs on until there is an answer."""
    warn_at: Share | Annotated[tuple[Share, ...], Field(max_length=5)] = 0.75
    """The shares of a target after which a warning is due."""
    automations_answer: bool = False
    """Whether a reply that no human wrote is an answer, too."""
    escalations: Annotated[tuple[Escalation, ...], Field(max_length=8)] = ()

    @property
    def warning_shares(self) -> tuple[float, ...]:
        """The shares after which warnings are due, in order."""
        return tuple(sorted({*self.warn_at})) if isinstance(self.warn_at, tuple) else (self.warn_at,)

    @model_validator(mode="after")
    def _promises_once(self) -> Self:
        if len({target.metric for target in self.targets}) < len(self.targets):
            raise ValueError("two targets have the same metric")
        return self

    @model_validator(mode="after")
    def _is_steady(self) -> Self:
        """Promises that depended on themselves, or on the time of day, could change with every look at them."""
        asked = {one.field for one in (*self.conditions.all, *self.conditions.any)}
        if unsteady := sorted(name for name in asked if name.startswith(("sla.", "calendar."))):
            raise ValueError(f"which policy holds cannot depend on {', '.join(unsteady)}")
        return self

    @model_validator(mode="after")
    def _escalates_what_it_notes(self) -> Self:
        promised = {target.metric for target in self.targets}
        for escalation in self.escalations:
            if escalation.at is not None and (
                escalation.when == "breached" or escalation.at not in self.warning_shares
            ):
                raise ValueError(f"an escalation names {escalation.at}, which is no warning of `warn_at`")
            if unpromised := set(escalation.metrics) - promised:
                raise ValueError(f"an escalation names {', '.join(sorted(unpromised))}, which is not promised")
        return self
