"""What the fields of forms choose from: the documents of the desk, time zones, countries."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from deskwire_query.web.admin.forms.controls import Offer
from deskwire_query.web.admin.forms.trees import Tree, branch, word
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Calendar, Organisation, Template
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.holiday_places import countries, regions
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.contracts.webhooks import Webhook
from deskwire_shared.directory.port import Directory

NAMED: Final[tuple[type[Document], ...]] = (Team, Agent, Calendar, Channel, Organisation, SlaPolicy, Webhook)


def document_sources(directory: Directory) -> dict[str, Offer]:
    """Offer the documents of the desk, by their kinds."""
    offered = {str(model.model_fields["kind"].default): _named(directory.all(model)) for model in NAMED}
    answers = {key: one for key, one in directory.all(Template).items() if one.purpose == "answer"}
    return {**offered, "template": _named(answers)}


async def sources_for(directory: Directory, model: type[Document], tree: Tree) -> Mapping[str, Offer]:
    """Offer what the form of a kind of document chooses from."""
    offered = document_sources(directory)
    if model is Calendar:
        known = await asyncio.to_thread(countries)  # the first time reads a large library
        country = word(branch(tree.get("holidays")).get("country"))
        offered |= {
            "time_zone": _time_zones(),
            "country": tuple(known.items()),
            "region": tuple(regions(country).items()) if country in known else (),
        }
    return offered


def _named(documents: Mapping[str, Document]) -> Offer:
    named = ((key, str(getattr(document, "name", "")) or key) for key, document in documents.items())
    return sorted(named, key=lambda each: each[1].lower())


@cache
def _time_zones() -> Offer:
    zones = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return tuple((name, name.replace("_", " ")) for name in ("UTC", *sorted(zones)))
