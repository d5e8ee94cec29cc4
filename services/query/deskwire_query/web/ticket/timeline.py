"""Turns a ticket's history into what its page shows: messages in full, changes as short sentences in groups."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Literal

from deskwire_query.reading.read_models import TimelineEntry
from deskwire_query.web.clocks import PROMISES
from deskwire_query.web.mails.marks import (
    InvitationCard,
    Mark,
    invitation_cards,
    sender_mark,
    signature_mark,
    unreadable,
)
from deskwire_query.web.people import People
from deskwire_query.web.phrases import label, span

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


def words_of(fact: str, data: "Data", people: People, actor: str) -> str:
    """Tell a change in a sentence, by the short name of its fact and its plain values."""
    return SENTENCES.get(fact, _anything)(data, people, actor)


def _has_reasons(entry: TimelineEntry) -> bool:
    """Whether somebody may ask why: no human did it, or a promise came of it."""
    return entry.fact in DECIDED and (entry.actor.kind in MACHINES or entry.fact in NOTED)


Data = Mapping[str, Any]


def _anything(data: Data, people: People, actor: str) -> str:
    del data, people
    return f"{actor} changed the ticket"


def _status(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} set the status to {label(data.get('after'))}"


def _priority(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} set the priority to {label(data.get('after'))}"


def _type(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} set the type to {label(data.get('after')) or 'none'}"


def _routed(data: Data, people: People, actor: str) -> str:
    if not data.get("team_id"):
        return f"{actor} took the ticket out of its team"
    return f"{actor} moved the ticket to {people.team(data['team_id'])}"


def _assigned(data: Data, people: People, actor: str) -> str:
    by_turn = "" if data.get("strategy") in {None, "manual"} else f" ({label(data['strategy']).lower()})"
    agent = people.agent(data.get("agent_id"))
    return f"{agent} took the ticket" if agent == actor else f"{actor} assigned {agent}{by_turn}"


def _unassigned(data: Data, people: People, actor: str) -> str:
    return f"{actor} unassigned {people.agent(data.get('before'))}"


def _tags(data: Data, people: People, actor: str) -> str:
    del people
    added, removed = data.get("added") or (), data.get("removed") or ()
    parts = [f"added {', '.join(added)}"] if added else []
    parts += [f"removed {', '.join(removed)}"] if removed else []
    return f"{actor} {' and '.join(parts) or 'changed the tags'}"


def _subject(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} changed the subject to “{data.get('after') or ''}”"


def _field(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} set {label(data.get('name'))} to {_value(data.get('after'))}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _promise(data: Data) -> str:
    return PROMISES.get(data.get("metric", "resolution"), "Promise")


def _warned(data: Data, people: People, actor: str) -> str:
    del people, actor
    return f"{_promise(data)} is due soon"


def _breached(data: Data, people: People, actor: str) -> str:
    del people, actor
    return f"{_promise(data)} is late: {span(data.get('target', 0))} were promised"


def _met(data: Data, people: People, actor: str) -> str:
    del people, actor
    return f"{_promise(data)} {'came late,' if data.get('late') else 'in time,'} after {span(data.get('used', 0))}"


def _rule(data: Data, people: People, actor: str) -> str:
    del people, actor
    verb = "was stopped, lest it set itself off again" if data.get("stopped") else "applied"
    return f"Rule “{data.get('rule_name') or ''}” {verb}"


def _webhook_requested(data: Data, people: People, actor: str) -> str:
    del people
    by = actor if data.get("asked_by") == "macro" else f"{label(data.get('asked_by'))} “{data.get('asker_name') or ''}”"
    return f"{by} called the webhook “{data.get('webhook_name') or ''}”"


def _webhook_delivered(data: Data, people: People, actor: str) -> str:
    del people, actor
    return f"The webhook “{data.get('webhook_name') or ''}” took it"


def _webhook_failed(data: Data, people: People, actor: str) -> str:
    del people, actor
    return (
        f"The webhook “{data.get('webhook_name') or ''}” could not be told: {data.get('reason') or 'no reason given'}"
    )


def _bounced(data: Data, people: People, actor: str) -> str:
    del people, actor
    return f"A reply could not be delivered: {data.get('reason') or 'no reason given'}"


def _snoozed(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} snoozed the ticket until {str(data.get('until') or '')[:16].replace('T', ' ')}"


def _woken(data: Data, people: People, actor: str) -> str:
    del people, actor
    why = {"due": "its time came", "reply": "the customer wrote", "agent": "an agent woke it"}
    return f"The ticket woke: {why.get(data.get('reason', ''), 'somebody woke it')}"


def _reopened(data: Data, people: People, actor: str) -> str:
    del people
    return "Reopened by a reply" if data.get("reason") == "customer_reply" else f"{actor} reopened the ticket"


def _merged(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} merged this ticket into #{data.get('into_number')}"


def _merge_received(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} merged #{data.get('source_number')} into this ticket"


def _split(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} split messages off to #{data.get('into_number')}"


def _linked(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} linked #{data.get('number')} ({label(data.get('kind')).lower()})"


def _time(data: Data, people: People, actor: str) -> str:
    del people
    return f"{actor} logged {span(data.get('seconds', 0))}"


def _rated(data: Data, people: People, actor: str) -> str:
    del people, actor
    return f"The customer rated {data.get('score')} of 5"


SENTENCES: Final[dict[str, Callable[[Data, People, str], str]]] = {
    "status_changed": _status,
    "priority_changed": _priority,
    "type_changed": _type,
    "routed": _routed,
    "assigned": _assigned,
    "unassigned": _unassigned,
    "tags_changed": _tags,
    "subject_changed": _subject,
    "field_changed": _field,
    "sla_warned": _warned,
    "sla_breached": _breached,
    "sla_met": _met,
    "rule_applied": _rule,
    "reply_bounced": _bounced,
    "webhook_requested": _webhook_requested,
    "webhook_delivered": _webhook_delivered,
    "webhook_failed": _webhook_failed,
    "snoozed": _snoozed,
    "woken": _woken,
    "reopened": _reopened,
    "merged": _merged,
    "merge_received": _merge_received,
    "split": _split,
    "linked": _linked,
    "time_logged": _time,
    "rated": _rated,
}
"""How each change is told."""
