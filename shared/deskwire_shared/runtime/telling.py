"""Facts in words, for people who read the log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import ApiToken, Calendar
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.facts import Address, AnyFact, UnknownFact
from deskwire_shared.contracts.policies import SlaPolicy
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory

EXCERPT: Final = 100
ID_LENGTH: Final = 16
IDS: Final = frozenset({"followers"})
"""Fields that hold ids, beside those whose names end so."""
NAMED: Final[tuple[type[Document], ...]] = (Agent, Team, SlaPolicy, Calendar, Rule, ApiToken)

PHRASES: Final[Mapping[str, str]] = {
    "ticket.opened.v1": "{author} opened it: {subject}",
    "ticket.customer_replied.v1": "{author} wrote: {text}",
    "ticket.agent_replied.v1": "{agent_id} answered: {text}",
    "ticket.reply_withdrawn.v1": "reply {message_id} taken back",
    "ticket.note_added.v1": "{agent_id} noted: {text}",
    "ticket.subject_changed.v1": "subject is now: {after}",
    "ticket.priority_changed.v1": "priority {before} → {after}",
    "ticket.type_changed.v1": "type {before} → {after}",
    "ticket.tags_changed.v1": "tags are now: {tags}",
    "ticket.field_changed.v1": "{name}: {before} → {after}",
    "ticket.requester_changed.v1": "requester is now {requester}",
    "ticket.followers_changed.v1": "followed by {followers}",
    "ticket.routed.v1": "in the queue of {team_id}",
    "ticket.assigned.v1": "assigned to {agent_id} ({strategy})",
    "ticket.unassigned.v1": "assigned to nobody {reason}",
    "ticket.status_changed.v1": "status {before} → {after}",
    "ticket.snoozed.v1": "asleep until {until}",
    "ticket.woken.v1": "awake ({reason})",
    "ticket.reopened.v1": "reopened ({reason})",
    "ticket.merged.v1": "lives on as #{into_number}",
    "ticket.merge_received.v1": "took in #{source_number}",
    "ticket.split.v1": "messages became #{into_number}",
    "ticket.linked.v1": "linked to #{number} ({kind})",
    "ticket.task_added.v1": "task: {title}",
    "ticket.task_completed.v1": "task {task_id} done by {agent_id}",
    "ticket.time_logged.v1": "{agent_id} worked {seconds} s {activity}",
    "ticket.rated.v1": "rated {score} of 5 {comment}",
    "ticket.sla_applied.v1": "clocks of {policy_id}: {clocks}",
    "ticket.sla_warned.v1": "{metric} is due {due_at}",
    "ticket.sla_breached.v1": "{metric} was due {due_at}",
    "ticket.sla_met.v1": "{metric} met after {used} s of {target} s",
    "ticket.rule_applied.v1": "rule held: {rule_name} {stopped}",
    "ticket.reply_delivered.v1": "reply {message_id} delivered by {channel}",
    "ticket.reply_bounced.v1": "reply {message_id} bounced: {reason}",
    "ticket.acknowledged.v1": "acknowledgement {outcome} {reason}",
    "ticket.webhook_requested.v1": "webhook {webhook_name} is to be told, by {asked_by} {asker_name}",
    "ticket.webhook_delivered.v1": "webhook {webhook_name} told (HTTP {status}, attempt {attempts})",
    "ticket.webhook_failed.v1": "webhook {webhook_name} not told (attempt {attempts}): {reason}",
    "ticket.redacted.v1": "{agent_id} hid the words of {message_id}",
}


class Teller:
    """Tells what happened, with names instead of ids."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def tell(self, fact: AnyFact) -> str:
        """Put a fact in one line, without anything that could steer a terminal."""
        if isinstance(fact, UnknownFact):
            return f"{fact.type} (from a newer version)"
        fields = {
            name: self._named(value) if name in IDS or name.endswith("_id") else _readable(value)
            for name, value in fact
        }
        return harmless(PHRASES[fact.type].format_map(fields).rstrip())

    def actor(self, actor: Actor) -> str:
        """Name who caused a commit."""
        if actor.kind == "customer":
            return "customer"
        return harmless(self._name(actor.id) or f"{actor.kind} {actor.id}")

    def name(self, document_id: str) -> str:
        """Name somebody or something, or give the id back."""
        return self._name(document_id) or document_id

    def _named(self, value: object) -> str:
        match value:
            case tuple():
                return ", ".join(map(self._named, value)) or "none"
            case str():
                return self.name(value)
            case _:
                return _readable(value)

    def _name(self, document_id: str) -> str | None:
        if len(document_id) > ID_LENGTH:
            return None
        found = (self._directory.get(kind, document_id) for kind in NAMED)
        return next((str(getattr(document, "name", "")) for document in found if document is not None), None)


def harmless(text: str) -> str:
    """Replace control characters, which could steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _readable(value: object) -> str:
    match value:
        case None:
            return "none"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M %Z}"
        case Address():
            return value.name or value.address
        case tuple():
            return ", ".join(map(_readable, value)) or "none"
        case str():
            return _excerpt(value)
        case _:
            return str(getattr(value, "metric", value))


def _excerpt(text: str) -> str:
    line = " ".join(text[: 4 * EXCERPT].split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"
