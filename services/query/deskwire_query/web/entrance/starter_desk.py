"""What a new desk starts with, so that its first mail becomes a ticket with a promise and an answer."""

from typing import Final
from urllib.parse import urlsplit

from deskwire_shared.contracts.calendar import Interval, Weekday
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import Calendar, Template
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.policies import SlaPolicy, SlaTarget
from deskwire_shared.contracts.staff import Team
from deskwire_shared.directory.port import Directory

SETUP: Final = Actor(kind="system", id="setup")
HOUR: Final = 3600
OFFICE_HOURS: Final[tuple[Interval, ...]] = (("09:00", "17:00"),)
WORKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri")

TEAM: Final = derived_id("starter", "team")
CALENDAR: Final = derived_id("starter", "calendar")
POLICY: Final = derived_id("starter", "sla_policy")
CHANNEL: Final = derived_id("starter", "channel")
TEMPLATE: Final = derived_id("starter", "template")

PROMISES: Final = (
    SlaTarget(
        metric="first_response",
        seconds={"urgent": HOUR, "high": 2 * HOUR, "normal": 4 * HOUR, "low": 8 * HOUR},
    ),
    SlaTarget(
        metric="next_response",
        seconds={"urgent": HOUR, "high": 4 * HOUR, "normal": 8 * HOUR, "low": 16 * HOUR},
    ),
    SlaTarget(
        metric="resolution",
        seconds={"urgent": 8 * HOUR, "high": 16 * HOUR, "normal": 24 * HOUR, "low": 40 * HOUR},
    ),
)

ACKNOWLEDGEMENT: Final = Template(
    name="We got your message",
    purpose="acknowledgement",
    subject="{{ ticket.subject }}",
    body="""\
Hello{% if customer.name %} {{ customer.name }}{% endif %},

thank you for writing to us. We have received your request; its number is {{ ticket.number }}.
To add something, just answer this mail.

{{ desk.name }}
""",
)


async def furnish(directory: Directory, *, public_url: str, time_zone: str) -> str:
    """Create the starter desk where there is none yet, and give the id of its team."""
    documents = {
        TEAM: Team(name="Support", calendar_id=CALENDAR),
        CALENDAR: Calendar(name="Office hours", time_zone=time_zone, hours=dict.fromkeys(WORKDAYS, OFFICE_HOURS)),
        POLICY: SlaPolicy(name="Standard", targets=PROMISES, calendar_id=CALENDAR),
        CHANNEL: Channel(name="Support mailbox", medium="email", address=mailbox_for(public_url),
                         sender_name="Support", team_id=TEAM),
        TEMPLATE: ACKNOWLEDGEMENT,
    }  # fmt: skip
    for document_id, document in documents.items():
        if not directory.revision(type(document), document_id):
            await directory.put(document_id, document, actor=SETUP)
    return TEAM


def mailbox_for(public_url: str) -> str:
    """Guess the desk's mailbox from its address: a desk without a name of its own is tried out on this machine."""
    host = urlsplit(public_url).hostname or "localhost"
    named = not host.replace(".", "").isdigit() and ":" not in host
    return f"support@{host if named else 'localhost'}"
