"""The forms of the people who answer and their teams, and of customers and organisations."""

from typing import Final, get_args

from deskwire_query.web.admin.forms.amounts import Minutes
from deskwire_query.web.admin.forms.condition_fields import offer
from deskwire_query.web.admin.forms.fields import Choice, Choices, Line, Paragraph, Several, Switch
from deskwire_query.web.admin.forms.form import Form, Part
from deskwire_query.web.admin.forms.groups import Dictionary, Group, Table
from deskwire_shared.contracts.access import Role
from deskwire_shared.contracts.channels import Medium
from deskwire_shared.contracts.directory import Customer, Organisation
from deskwire_shared.contracts.staff import Agent, Availability, RankingStrategy, Team
from deskwire_shared.runtime.secrets import MIN_PASSWORD

ROLES: Final[dict[Role, str]] = {
    "admin": "Administrator: everything, settings too",
    "lead": "Lead: an agent who sees reports",
    "agent": "Agent: answers and changes tickets",
    "light_agent": "Light agent: reads and leaves notes",
}
assert set(ROLES) == set(get_args(Role))

ASSIGNMENTS: Final[dict[str, str]] = {
    "round_robin": "Go to its members in turn",
    "least_loaded": "Go to the member with the least open work",
    "skills": "Go to the member whose skills fit best",
    "longest_idle": "Go to the member who has waited longest",
    "sticky": "Go to the customer's last agent",
    "manual": "Wait until somebody takes them",
}
CAPACITIES: Final[dict[str, str]] = {
    "default": "All together",
    "email": "Of mails",
    "web": "Of web forms",
    "chat": "Of chats",
    "api": "Of the API",
    "webhook": "Of webhooks",
    "phone": "Of phone calls",
}
assert set(CAPACITIES) == {"default", *get_args(Medium)}
PROFICIENCIES: Final = (("1", "1: beginner"), ("2", "2"), ("3", "3: good"), ("4", "4"), ("5", "5: expert"))
PASSWORD: Final = Line(
    name="password", label="Password", type="password",
    hint=f"At least {MIN_PASSWORD} characters. Leave it empty to keep the one they have.",
)  # fmt: skip

AGENT_FORM: Final = Form(
    model=Agent,
    secrets=lambda _: (PASSWORD,),
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Line(name="email", label="E-mail", type="email", required=True),
            Choice(name="role", label="Role", options=tuple(ROLES.items())),
            Choices(name="team_ids", label="Teams", source="team",
                    hint="New tickets of these teams can be given to them."),
            Paragraph(name="signature", label="Signature", hint="Stands below their replies."),
            Switch(name="active", label="May sign in"),
        )),
        Part(title="Working", folded=True, fields=(
            Choice(name="availability", label="Availability", options=offer(Availability)),
            Line(name="out_until", label="Out of office until", optional=True, example="2026-01-31T09:00Z"),
            Choice(name="calendar_id", label="Working hours", source="calendar",
                   none="Whenever their availability says so"),
            Table(name="capacity", label="The most open tickets at once", widget="list",
                  keys=tuple(CAPACITIES.items()),
                  cell=Line(name="", type="number", label="Tickets"), hint="Empty is no limit."),
            Dictionary(name="skills", label="Skills", noun="skill",
                       key=Line(name="", label="Skill", example="french"),
                       value=Choice(name="", label="Proficiency", options=PROFICIENCIES)),
        )),
    ),
)  # fmt: skip

TEAM_FORM: Final = Form(
    model=Team,
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Choice(name="assignment", label="New tickets", options=tuple(ASSIGNMENTS.items())),
            Choice(name="calendar_id", label="Calendar", source="calendar", none="None: open day and night"),
        )),
        Part(title="More about assigning", folded=True, fields=(
            Choice(name="fallback", label="If the customer's last agent cannot take it",
                   options=tuple((key, ASSIGNMENTS[key]) for key in get_args(RankingStrategy))),
            Switch(name="within_hours", label="Tickets wait for the calendar to open"),
            Minutes(name="reassign_after_minutes", label="Tickets of an agent who is away go to others after",
                    hint="Empty lets agents keep their tickets."),
            Group(name="overflow", label="Overflow", optional="Tickets that find nobody go to another team",
                  start={"team_id": "", "after_minutes": 60},
                  fields=(
                      Choice(name="team_id", label="Team", source="team", none="Choose …"),
                      Minutes(name="after_minutes", label="After", required=True),
                  )),
        )),
    ),
)  # fmt: skip

CUSTOMER_FORM: Final = Form(
    model=Customer,
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name"),
            Choice(name="organisation_id", label="Organisation", source="organisation",
                   none="By the domain of their address"),
            Line(name="locale", label="Language", optional=True, example="en"),
            Paragraph(name="notes", label="Notes", hint="Agents see them; customers never do."),
            Switch(name="blocked", label="Blocked: what they write opens no tickets"),
        )),
    ),
)  # fmt: skip

ORGANISATION_FORM: Final = Form(
    model=Organisation,
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True),
            Several(name="domains", label="Domains", separator="\n", example="example.org",
                    hint="Customers with an address there belong to it. One a line."),
            Several(name="tags", label="Tags", hint="Separated by commas."),
            Switch(name="blocked", label="Blocked: what its customers write opens no tickets"),
        )),
    ),
)  # fmt: skip
