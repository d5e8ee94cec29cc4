"""The forms of what the desk does by itself or by one key: rules, macros, templates, views."""

from typing import Final, get_args

from deskwire_query.web.admin.forms.amounts import Minutes
from deskwire_query.web.admin.forms.condition_fields import offer, words
from deskwire_query.web.admin.forms.conditions import CONDITIONS
from deskwire_query.web.admin.forms.derived import PLACEHOLDER_HINT, variants
from deskwire_query.web.admin.forms.fields import Choice, Line, Paragraph, Switch
from deskwire_query.web.admin.forms.form import Form, Part
from deskwire_query.web.admin.forms.groups import Group, Repeat
from deskwire_shared.contracts.actions import Action
from deskwire_shared.contracts.directory import Template, View
from deskwire_shared.contracts.rules import Macro, Rule, Trigger, Wait

TRIGGERS: Final = {
    "opened": "A ticket is opened",
    "customer_replied": "A customer replies",
    "agent_replied": "An agent replies",
    "note_added": "A note is left",
    "reply_bounced": "A reply does not arrive",
    "rated": "A customer gives a mark",
    "status_changed": "The status changes",
    "reopened": "A ticket is reopened",
    "snoozed": "A ticket is snoozed",
    "woken": "A ticket wakes up",
    "priority_changed": "The priority changes",
    "type_changed": "The type changes",
    "subject_changed": "The subject changes",
    "tags_changed": "The tags change",
    "field_changed": "A field of your own changes",
    "requester_changed": "The requester changes",
    "routed": "A ticket comes to a team",
    "assigned": "A ticket gets an assignee",
    "unassigned": "A ticket loses its assignee",
    "merge_received": "Another ticket is merged into it",
    "sla_warned": "A promise is close",
    "sla_breached": "A promise is missed",
    "sla_met": "A promise is kept",
    "waited": "A ticket has waited for some time",
}
TRIGGER_OFFER: Final = tuple((trigger, TRIGGERS.get(trigger, words(trigger))) for trigger in get_args(Trigger))
PURPOSES: Final = (
    ("acknowledgement", "Acknowledges a new ticket"),
    ("reply", "Goes around an agent's reply"),
    ("agent_notice", "Tells agents of something"),
    ("answer", "An answer for rules and macros"),
)
ACTIONS: Final = Repeat(
    name="actions", label="Actions", noun="action", most=20, item=variants(Action, "do", label="Do"),
    hint="They are done from top to bottom.",
)  # fmt: skip

RULE_FORM: Final = Form(
    model=Rule,
    start={"actions": [{"do": "set_team", "team_id": ""}]},
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Switch(name="active", label="Active"),
        )),
        Part(title="When", fields=(
            Choice(name="trigger", label="When", options=TRIGGER_OFFER, shapes=True),
            Group(
                name="wait", only=("trigger", "waited"), start={"status": "pending", "after_minutes": 3 * 1440},
                fields=(
                    Choice(name="status", label="In the status", options=offer(Wait.model_fields["status"].annotation)),
                    Minutes(name="after_minutes", label="For", example="3d", required=True,
                            hint="The rule is asked once for each stay."),
                ),
            ),
        )),
        Part(title="If", fields=(CONDITIONS,)),
        Part(title="Then", fields=(
            ACTIONS,
            Switch(name="stop", label="Ask no later rule when this one has acted"),
        )),
        Part(title="Order", folded=True, fields=(
            Line(name="order", label="Order", type="number", hint="Rules are asked from low to high."),
        )),
    ),
)  # fmt: skip

MACRO_FORM: Final = Form(
    model=Macro,
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True, hint="What agents look for."),
            Paragraph(name="reply", label="Reply", rows=6, hint=f"Goes into the composer. {PLACEHOLDER_HINT}"),
        )),
        Part(title="Changes", fields=(ACTIONS,)),
    ),
)  # fmt: skip

TEMPLATE_FORM: Final = Form(
    model=Template,
    start={"purpose": "acknowledgement", "subject": "{{ ticket.subject }}"},
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Choice(name="purpose", label="What it is for", options=PURPOSES, shapes=True),
            Line(name="locale", label="Language", example="en", required=True),
            Line(name="subject", label="Subject"),
            Paragraph(name="body", label="Words", rows=14, hint="Put values in with {{ customer.name }}; choose with "
                      "{% if customer.name %} … {% endif %}. Answers hold plain placeholders only."),
            Switch(name="active", label="Active"),
        )),
    ),
)  # fmt: skip

VIEW_FORM: Final = Form(
    model=View,
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Choice(name="agent_id", label="Who sees it", source="agent", none="Everybody"),
        )),
        Part(title="Which tickets", fields=(CONDITIONS,)),
        Part(title="Order", folded=True, fields=(
            Line(name="order", label="Order", type="number", hint="Views stand from low to high."),
        )),
    ),
)  # fmt: skip
