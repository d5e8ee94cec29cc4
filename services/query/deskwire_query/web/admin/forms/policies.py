"""The form of an SLA policy: what is promised to which tickets, and what is done when a promise is close or missed."""

from dataclasses import dataclass
from typing import Final, cast, get_args

from pydantic import JsonValue

from deskwire_query.web.admin.forms.amounts import Seconds, Share, Shares
from deskwire_query.web.admin.forms.condition_fields import offer, words
from deskwire_query.web.admin.forms.conditions import CONDITIONS
from deskwire_query.web.admin.forms.controls import Control, Drawing, Field, Loc, Problems, Read
from deskwire_query.web.admin.forms.derived import variants
from deskwire_query.web.admin.forms.fields import Choice, Choices, Line, Switch
from deskwire_query.web.admin.forms.form import Form, Part
from deskwire_query.web.admin.forms.groups import Group, Repeat, Table
from deskwire_query.web.admin.forms.trees import Node, branch, inside, word
from deskwire_shared.contracts.actions import EscalationAction
from deskwire_shared.contracts.facts import Metric, Priority, Status
from deskwire_shared.contracts.policies import SlaPolicy

HOUR: Final = 3600
METRICS: Final = tuple((metric, words(metric)) for metric in get_args(Metric))
PRIORITIES: Final = tuple((priority, words(priority)) for priority in reversed(get_args(Priority)))


TABLE: Final = Table(name="", keys=METRICS, cell=Table(name="", keys=PRIORITIES, cell=Seconds(name="", label="Time")))


@dataclass(frozen=True, kw_only=True)
class Promises(Field):
    """Amounts of time by promise and priority."""

    def fill(self, value: JsonValue) -> Node:
        """See `Field.fill`."""
        targets = cast("list[dict[str, JsonValue]]", value or [])
        return TABLE.fill({str(target["metric"]): target["seconds"] for target in targets})

    def read(self, node: Node, path: str, problems: Problems) -> Read:
        """See `Field.read`."""
        read = TABLE.read(node or {}, path, problems)
        targets = read.items() if isinstance(read, dict) else ()
        return [{"metric": metric, "seconds": seconds} for metric, seconds in targets]

    def control(self, node: Node, path: str, drawing: Drawing) -> Control:
        """See `Field.control`."""
        rows = TABLE.control(node, path, drawing).children
        return Control(
            widget="promises", path=path, label=self.label, hint=self.hint, children=rows, choices=PRIORITIES,
            problems=drawing.problems.at(path),
        )  # fmt: skip

    def place(self, loc: Loc, node: Node, path: str) -> str:
        """See `Field.place`."""
        promised = [metric for metric, _ in METRICS if any(map(word, branch(branch(node).get(metric)).values()))]
        if len(loc) < 3 or not isinstance(loc[0], int) or loc[0] >= len(promised):  # noqa: PLR2004  # place, `seconds`, priority
            return path
        return inside(inside(path, promised[loc[0]]), str(loc[2]))


ESCALATION: Final = Group(
    name="",
    start={"when": "breached", "actions": [{"do": "notify_agents", "assignee": True}]},
    fields=(
        Choice(name="when", label="When a promise", options=(("warned", "is close"), ("breached", "was missed"))),
        Share(name="at", label="At", hint="When it is close: which of the warnings; empty is any.", example="75 %"),
        Choices(name="metrics", label="Of these promises", options=METRICS, hint="None chosen is any."),
        Repeat(name="actions", label="Then", item=variants(EscalationAction, "do", label="Do"), noun="action", most=8),
    ),
)

POLICY_FORM: Final = Form(
    model=SlaPolicy,
    start={
        "targets": [
            {"metric": "first_response",
             "seconds": {"urgent": HOUR, "high": 2 * HOUR, "normal": 4 * HOUR, "low": 8 * HOUR}}
        ]
    },
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Switch(name="active", label="Active"),
        )),
        Part(title="For which tickets", fields=(CONDITIONS,)),
        Part(
            title="What is promised",
            hint="Write amounts such as 30m, 4h or 2d; a day is 24 hours of the calendar's time. Empty is no promise.",
            fields=(
                Promises(name="targets", label="Promises"),
                Choice(name="calendar_id", label="Counted in", source="calendar", none="Calendar time, day and night"),
                Choices(name="pause_on", label="Clocks pause while a ticket is", options=offer(Status),
                        hint="Time for a first or next response goes on until you have answered."),
                Switch(name="automations_answer", label="A reply that no human wrote counts as an answer"),
            ),
        ),
        Part(title="When it gets close", fields=(
            Shares(name="warn_at", label="Warn after", hint="Shares of the promised time."),
            Repeat(name="escalations", label="Escalations", item=ESCALATION, noun="escalation", most=8,
                   start=ESCALATION.start),
        )),
        Part(title="Order", folded=True, fields=(
            Line(name="order", label="Order", type="number", hint="The first policy whose conditions hold wins."),
        )),
    ),
)  # fmt: skip
