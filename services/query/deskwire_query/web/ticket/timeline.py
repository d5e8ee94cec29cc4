"""Turns a ticket's history into what its page shows: messages in full, changes as short sentences in groups."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, Literal

from deskwire_query.reading.read_models import TimelineEntry
from deskwire_query.web.mails.marks import (
    InvitationCard,
    Mark,
    invitation_cards,
    sender_mark,
    signature_mark,
    unreadable,
)
from deskwire_query.web.people import People
from deskwire_query.web.ticket.sentences import words_of

FEW: Final = 2
"""So many changes stand there in full; more of them are folded."""
LONG_TEXT: Final = 6_000
QUIET: Final = frozenset({"sla_applied", "acknowledged", "reply_delivered", "reply_withdrawn"})
"""What the page says elsewhere, or what nobody has to read."""

MACHINES: Final = frozenset({"rule", "system"})
NOTED: Final = frozenset({"rule_applied", "sla_warned", "sla_breached", "sla_met"})
DECIDED: Final = NOTED | {
    "routed", "assigned", "unassigned", "status_changed", "priority_changed", "type_changed", "subject_changed",
    "tags_changed", "field_changed", "followers_changed", "webhook_requested",
}  # fmt: skip
"""Changes that the page can give reasons for."""

ICONS: Final = {
    "status_changed": "circle-dot", "priority_changed": "flag", "routed": "route", "assigned": "user",
    "unassigned": "user-x", "tags_changed": "tag", "sla_warned": "alarm-clock", "sla_breached": "siren",
    "sla_met": "check", "rule_applied": "wand-sparkles", "merged": "git-merge", "merge_received": "git-merge",
    "reply_bounced": "mail-x", "snoozed": "moon", "woken": "sun", "reopened": "undo-2", "linked": "link",
    "rated": "star", "time_logged": "clock", "subject_changed": "pencil", "acknowledged": "mail-check",
    "webhook_requested": "send", "webhook_delivered": "check-check", "webhook_failed": "circle-alert",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change in a sentence."""

    version: int
    at: datetime
    icon: str
    words: str
    has_reasons: bool = False
    """Whether the page can say why."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Changes with no message between them."""

    kind: Literal["changes"] = "changes"
    changes: tuple[Change, ...]

    @property
    def key(self) -> str:
        """The id of the group on the page; it stays while the group grows."""
        return f"c{self.changes[0].version}"

    @property
    def folded(self) -> bool:
        """Whether there are too many to show in full."""
        return len(self.changes) > FEW


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something that was said."""

    entry: TimelineEntry
    author: str

    @property
    def kind(self) -> str:
        """Who said it, to whom: `customer`, `reply` or `note`."""
        return self.entry.kind

    @property
    def key(self) -> str:
        """The id of the message on the page."""
        return f"m{self.entry.version}"

    @property
    def framed(self) -> bool:
        """Whether it is shown as the sender laid it out; an answer reads better as the words above its quotes."""
        return self.entry.html is not None and not self.entry.quoted and not self.entry.redacted

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What stands beside the sender's name."""
        found = (sender_mark(self.entry.authentication), signature_mark(self.entry.protection))
        return tuple(mark for mark in found if mark is not None)

    @property
    def unreadable(self) -> str:
        """Why its words cannot be read; nothing when they can."""
        return unreadable(self.entry.protection)

    @property
    def invitations(self) -> tuple[InvitationCard, ...]:
        """The invitations that came with it."""
        return invitation_cards(self.entry.attachments)

    @property
    def long(self) -> bool:
        """Whether its text is folded at first."""
        return len(self.entry.text) > LONG_TEXT


def lay_out(entries: Iterable[TimelineEntry], people: People) -> tuple[Message | Changes, ...]:
    """Lay a history out."""
    laid_out: list[Message | Changes] = []
    for is_change, run in groupby(entries, key=_is_change):
        if is_change:
            changes = tuple(_change(entry, people) for entry in run if entry.fact not in QUIET)
            laid_out += [Changes(changes=changes)] if changes else []
        else:
            laid_out += [Message(entry=entry, author=_author(entry, people)) for entry in run]
    return tuple(laid_out)


def _is_change(entry: TimelineEntry) -> bool:
    return entry.kind == "change"


def _author(entry: TimelineEntry, people: People) -> str:
    if entry.kind == "customer":
        return entry.author_name or entry.author_address or "Customer"
    return people.actor(entry.actor) if entry.automated or not entry.author_id else people.agent(entry.author_id)


def _change(entry: TimelineEntry, people: People) -> Change:
    words = words_of(entry.fact, entry.data, people, people.actor(entry.actor))
    icon = ICONS.get(entry.fact, "info")
    return Change(version=entry.version, at=entry.at, icon=icon, words=words, has_reasons=_has_reasons(entry))


def _has_reasons(entry: TimelineEntry) -> bool:
    """Whether somebody may ask why: no human did it, or a promise came of it."""
    return entry.fact in DECIDED and (entry.actor.kind in MACHINES or entry.fact in NOTED)
