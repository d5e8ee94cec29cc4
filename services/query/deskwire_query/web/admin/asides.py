"""What stands beside a form: previews, the place of a channel in the world, and what was rehearsed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from deskwire_query.web.admin.forms.calendars import DAYS, Holiday, next_holidays
from deskwire_query.web.admin.forms.channels import MAPPING_VALUES, MAPPINGS
from deskwire_query.web.admin.forms.trees import Tree, branch, word
from deskwire_query.web.admin.template_preview import Preview, preview
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Calendar, Template
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.webhooks import Webhook

MINUTES: Final = 1440
EXAMPLE: Final[Mapping[str, Mapping[str, object]]] = {
    "ticket": {"number": 1042, "subject": "The lamp does not light", "status": "open", "priority": "normal"},
    "customer": {"name": "Ann Lee"},
    "agent": {"name": "Mara Lind"},
    "team": {"name": "Support"},
    "desk": {"name": "Support"},
}
EXAMPLE_WORDS: Final = {
    "answer": "Please try another socket first. Does it light there?",
    "signature": "Mara Lind",
}
REHEARSED: Final[dict[type[Document], tuple[str, str]]] = {
    Rule: ("/routing/v1/rehearsals", "rules"),
    SlaPolicy: ("/sla/v1/rehearsals", "policies"),
    Calendar: ("/sla/v1/rehearsals", "calendars"),
}
"""Where drafts of a kind are rehearsed, and what they are called there."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The open minutes of a day: beginnings and lengths."""

    day: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a channel is found: what to copy, each under its words."""

    copies: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    """What its mapping asks for, by name."""
    checks: bool = False
    """Whether its connection can be tried."""
    signs: bool = False
    """Whether it has a secret that requests are signed with."""


@dataclass(frozen=True, kw_only=True)
class Aside:
    """All that stands beside a form."""

    strips: tuple[Strip, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    preview: Preview | None = None
    place: Place | None = None
    rehearsal: str = ""
    """The address that rehearses it."""

    @property
    def lives(self) -> bool:
        """Whether it changes with what is typed."""
        return bool(self.strips) or self.preview is not None


def aside_of(model: type[Document], tree: Tree, existing: tuple[str, Document] | None, url: str, today: date) -> Aside:
    """Say what stands beside a form as it is filled in."""
    rehearsal = REHEARSED.get(model, ("", ""))[0]
    if model is Calendar:
        return Aside(strips=_strips(tree), holidays=next_holidays(tree, today), rehearsal=rehearsal)
    if model is Template:
        return Aside(preview=_preview(tree))
    if model is Webhook:
        return Aside(place=Place(signs=existing is not None))
    if model is Channel and existing is not None and isinstance(existing[1], Channel):
        return Aside(place=place_of(existing[0], existing[1], url))
    return Aside(rehearsal=rehearsal)


def place_of(channel_id: str, channel: Channel, url: str) -> Place:
    """Say where a channel is found."""
    intake = f"{url.rstrip('/')}/intake/v1"
    match channel.medium:
        case "web":
            page = f"{intake}/forms/{channel_id}"
            return Place(copies=(("Embed it", _script(f"{intake}/forms/form.js", channel_id)), ("Its own page", page)))
        case "chat":
            return Place(copies=(("Embed it", _script(f"{intake}/chat/chat.js", channel_id)),))
        case "webhook":
            mapping = channel.webhook.mapping if channel.webhook else None
            return Place(
                copies=(("Address for the other side", f"{intake}/hooks/{channel_id}"),),
                values=tuple(MAPPING_VALUES.get(mapping or "", {}).items()),
            )
        case "email":
            return Place(checks=channel.imap is not None)
        case _:
            return Place()


def _script(address: str, channel_id: str) -> str:
    return f'<script type="module" src="{address}" data-channel="{channel_id}"></script>'


def mapping_name(channel: Channel) -> str:
    """Name who speaks on a webhook channel."""
    mapping = channel.webhook.mapping if channel.webhook else None
    return MAPPINGS.get(mapping or "", "A mapping of your own")


def _strips(tree: Tree) -> tuple[Strip, ...]:
    hours = branch(tree.get("hours"))
    return tuple(Strip(day=words, spans=_spans(branch(hours.get(day)))) for day, words in DAYS.items())


def _spans(intervals: Tree) -> tuple[tuple[int, int], ...]:
    ends = [
        (_minutes(word(branch(each).get("from"))), _minutes(word(branch(each).get("to"))))
        for each in intervals.values()
    ]
    return tuple(
        (opens, closes - opens) for opens, closes in ends if opens is not None and closes is not None and opens < closes
    )


def _minutes(text: str) -> int | None:
    hours, _, minutes = text.partition(":")
    if not hours.isdecimal() or not (minutes or "0").isdecimal() or len(text) > len("24:00"):
        return None
    return min(int(hours) * 60 + int(minutes or 0), MINUTES)


def _preview(tree: Tree) -> Preview:
    values: Mapping[str, object] = {**EXAMPLE, **EXAMPLE_WORDS} if word(tree.get("purpose")) == "reply" else EXAMPLE
    plain = word(tree.get("purpose")) == "answer"
    body = next(iter(tree.get("body") or ()), "")
    return preview(word(tree.get("subject")), body, values, plain=plain)
