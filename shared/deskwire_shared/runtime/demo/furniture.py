"""What the demo desk is furnished with: teams, agents, hours, promises, rules, templates, views."""

from collections.abc import Iterator
from typing import Final

from deskwire_shared.contracts.actions import AddTags, SetPriority, SetStatus, SetTeam
from deskwire_shared.contracts.calendar import WEEKDAYS, Holidays
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.conditions import Condition, Conditions
from deskwire_shared.contracts.directory import Calendar, Organisation, Template, View
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Metric
from deskwire_shared.contracts.ids import derived_id
from deskwire_shared.contracts.policies import SlaPolicy, SlaTarget
from deskwire_shared.contracts.rules import Macro, Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.runtime.demo.stories import MAIL_DOMAIN, staff

HOUR: Final = 3600
OPEN: Final = (("08:00", "18:00"),)
TIME_ZONE: Final = "Europe/Berlin"

TEAMS: Final = {
    "technical": "Technical support",
    "billing": "Billing",
    "orders": "Orders & returns",
    "business": "Business customers",
}
WORDS: Final = {
    "business": ("meeting room", "offer for", "kasse", "filiale"),
    "billing": (
        "invoice", "charged", "discount", "gift card", "subscription", "rechnung", "abo", "remboursement", "factura",
    ),
    "orders": (
        "order", "return", "parcel", "spare", "bestellung", "rücksendung", "livraison", "commande", "encomenda",
        "retour",
    ),
}  # fmt: skip
"""By which words of the subject the rules find the team."""


def demo_id(kind: str, name: str) -> str:
    """The id that something of the demo desk always has."""
    return derived_id("demo", kind, name)


CALENDAR: Final = demo_id("calendar", "office")
CHANNEL: Final = demo_id("channel", "mail")
WELCOME: Final = demo_id("template", "acknowledgement.en")


def furniture() -> Iterator[tuple[str, Document]]:
    """Every document of the desk with its id, what others refer to first."""
    yield (
        CALENDAR,
        Calendar(
            name="Office hours, Germany",
            time_zone=TIME_ZONE,
            hours=dict.fromkeys(WEEKDAYS[:5], OPEN),
            holidays=Holidays(country="DE"),
        ),
    )
    for key, name in TEAMS.items():
        yield demo_id("team", key), Team(name=name, calendar_id=CALENDAR)
    yield (
        CHANNEL,
        Channel(name="Fernweh support", medium="email", address=f"support@{MAIL_DOMAIN}", sender_name="Fernweh Audio"),
    )
    yield from _organisations()
    yield from _agents()
    yield from _policies()
    yield from _rules()
    yield from _templates()
    yield from _views()


def _organisations() -> Iterator[tuple[str, Document]]:
    for name in ("Harbour & Sons", "Nordbank", "Atelier Lumière"):
        domain = f"{name.split()[0].lower()}.example"
        yield demo_id("organisation", domain), Organisation(name=name, domains=(domain,))


def _agents() -> Iterator[tuple[str, Document]]:
    for member in staff():
        yield (
            demo_id("agent", member.person.address),
            Agent(
                email=member.person.address,
                name=member.person.name,
                role=member.role,
                team_ids=tuple(demo_id("team", team) for team in member.teams),
                signature=f"{member.person.name}\nFernweh Audio",
            ),
        )


def _policies() -> Iterator[tuple[str, Document]]:
    business = Conditions(all=(Condition(field="ticket.team", op="is", value=demo_id("team", "business")),))
    yield (
        demo_id("sla_policy", "business"),
        SlaPolicy(
            name="Business customers", order=10, conditions=business, calendar_id=CALENDAR, targets=_targets(1, 2, 8)
        ),
    )
    yield (
        demo_id("sla_policy", "standard"),
        SlaPolicy(name="Everybody", order=50, calendar_id=CALENDAR, targets=_targets(4, 8, 24)),
    )


def _targets(first: int, following: int, resolution: int) -> tuple[SlaTarget, ...]:
    promised: dict[Metric, int] = {"first_response": first, "next_response": following, "resolution": resolution}
    return tuple(
        SlaTarget(
            metric=metric,
            seconds={
                "urgent": hours * HOUR // 2,
                "high": hours * HOUR,
                "normal": hours * HOUR,
                "low": 2 * hours * HOUR,
            },
        )
        for metric, hours in promised.items()
    )


def _rules() -> Iterator[tuple[str, Document]]:
    yield (
        demo_id("rule", "urgent"),
        Rule(
            name="Urgent words in the subject",
            order=10,
            conditions=_subject_has(("urgent", "dringend")),
            actions=(SetPriority(priority="urgent"), AddTags(tags=("urgent",))),
        ),
    )
    for order, (team, words) in enumerate(WORDS.items(), 2):
        yield (
            demo_id("rule", team),
            Rule(
                name=f"To {TEAMS[team]}",
                order=10 * order,
                conditions=_subject_has(words),
                actions=(SetTeam(team_id=demo_id("team", team)), AddTags(tags=(team,))),
                stop=True,
            ),
        )
    yield (
        demo_id("rule", "technical"),
        Rule(
            name="Everything else to Technical support",
            order=90,
            conditions=Conditions(all=(Condition(field="ticket.team", op="is_not_set"),)),
            actions=(SetTeam(team_id=demo_id("team", "technical")),),
        ),
    )


def _subject_has(words: tuple[str, ...]) -> Conditions:
    return Conditions(all=(Condition(field="ticket.subject", op="matches_any_word", value=words),))


def _templates() -> Iterator[tuple[str, Document]]:
    yield (
        WELCOME,
        Template(
            name="We got your message",
            purpose="acknowledgement",
            subject="{{ ticket.subject }}",
            body="Hello{% if customer.name %} {{ customer.name }}{% endif %},\n\nthank you for writing to us."
            " Your request has the number {{ ticket.number }}.\n\n{{ desk.name }}\n",
        ),
    )
    yield (
        demo_id("template", "acknowledgement.de"),
        Template(
            name="Wir haben Ihre Nachricht",
            purpose="acknowledgement",
            locale="de",
            subject="{{ ticket.subject }}",
            body="Guten Tag{% if customer.name %} {{ customer.name }}{% endif %},\n\nvielen Dank für Ihre Nachricht."
            " Ihre Anfrage hat die Nummer {{ ticket.number }}.\n\n{{ desk.name }}\n",
        ),
    )
    yield (
        demo_id("macro", "warranty"),
        Macro(
            name="Warranty replacement",
            reply="I am sending you a replacement today. Please put the old one in the box with the return label.",
            actions=(AddTags(tags=("warranty",)), SetStatus(status="pending")),
        ),
    )


def _views() -> Iterator[tuple[str, Document]]:
    yield (
        demo_id("view", "urgent"),
        View(
            name="Urgent and open",
            order=10,
            conditions=Conditions(
                all=(
                    Condition(field="ticket.priority", op="in", value=("urgent", "high")),
                    Condition(field="ticket.status", op="in", value=("new", "open")),
                )
            ),
        ),
    )
    yield (
        demo_id("view", "waiting"),
        View(
            name="Waiting for the customer",
            order=20,
            conditions=Conditions(all=(Condition(field="ticket.status", op="is", value="pending"),)),
        ),
    )
