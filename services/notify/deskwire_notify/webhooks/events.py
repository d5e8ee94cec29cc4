"""What a webhook is told: a CloudEvent 1.0 with the ticket as it is, what caused the call, and who asked for it.

Nothing of a private note leaves: neither its words, nor its files, nor whom it mentions.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from deskwire_shared.contracts.commit import Actor, Commit
from deskwire_shared.contracts.facts import (
    AgentReplied,
    AnyFact,
    CustomerReplied,
    Fact,
    FieldValue,
    Merged,
    MergeReceived,
    NoteAdded,
    Opened,
    Rated,
    RequesterChanged,
    RuleApplied,
    SlaClock,
    SubjectChanged,
    UnknownFact,
    WebhookRequested,
)
from deskwire_shared.contracts.personal import personal_fields
from deskwire_shared.contracts.staff import Agent, Team
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.port import History
from deskwire_shared.ticket.explaining import Explanation, explain
from deskwire_shared.ticket.state import Ticket

TYPE: Final = "deskwire.webhook.called.v1"
TEST: Final = "deskwire.webhook.tested.v1"
CONTENT_TYPE: Final = "application/cloudevents+json"
LONGEST_TEXT: Final = 20_000

Name = Callable[[str], str]
"""Gives the name of an agent or a team by its id, or the id itself."""

PUBLIC: Final[Mapping[type[Fact], frozenset[str]]] = {
    Opened: frozenset({"author", "subject", "text"}),
    CustomerReplied: frozenset({"author", "subject", "text"}),
    AgentReplied: frozenset({"text", "to", "cc"}),
    SubjectChanged: frozenset({"before", "after"}),
    RequesterChanged: frozenset({"requester"}),
    Rated: frozenset({"comment"}),
}
"""The personal fields that are told, by fact; all others stay on the desk."""
UNTOLD: Final = frozenset({"type", "person_id", "raw_key"})
OF_NOTES: Final = frozenset({"mentions"})


def name_of(directory: Directory, document_id: str) -> str:
    """Name an agent or a team, or give the id back."""
    found = directory.get(Agent, document_id) or directory.get(Team, document_id)
    return found.name if found else document_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Teller:
    """Tells of one desk."""

    public_url: str
    name: Name

    def event(self, request_id: str, ticket: Ticket, history: History) -> dict[str, JsonValue]:
        """Tell of a ticket because of a call that stands in its history."""
        commit, requested = call_of(history, request_id)
        explained = next(one for one in explain(history.commits) if one.fact is requested)
        return {
            "specversion": "1.0",
            "id": request_id,
            "source": self.public_url,
            "type": TYPE,
            "subject": ticket.id,
            "time": commit.at.isoformat(),
            "datacontenttype": "application/json",
            "actor": f"{commit.actor.kind}/{commit.actor.id}",
            "correlationid": commit.correlation_id,
            "causationid": commit.commit_id,
            "data": {
                "asked_by": {"kind": requested.asked_by, "id": requested.asker_id, "name": requested.asker_name},
                "rule": _rule(explained.rule),
                "cause": _cause(explained, commit, ticket),
                "ticket": self._ticket(ticket, history),
            },
        }

    def _ticket(self, ticket: Ticket, history: History) -> dict[str, JsonValue]:
        requester = ticket.requester
        merges = dict(_merges(history))
        return {
            "id": ticket.id,
            "number": ticket.number,
            "url": f"{self.public_url}/tickets/{ticket.number}",
            "subject": ticket.subject,
            "status": ticket.status,
            "priority": ticket.priority,
            "type": ticket.ticket_type,
            "tags": list(ticket.tags),
            "fields": {name: _plain(value) for name, value in ticket.fields.items()},
            "team": self._named(ticket.team_id),
            "assignee": self._named(ticket.assignee_id),
            "followers": [self._named(agent_id) for agent_id in ticket.followers],
            "requester": {
                "id": ticket.requester_id,
                "address": requester.address if requester else None,
                "name": requester.name if requester else "",
            },
            "channel": ticket.channel,
            "merged_into": _merged(ticket.merged_into, merges),
            "merged_from": [_merged(source, merges) for source in sorted(ticket.merged_sources)],
            "follow_up_of": ticket.follow_up_of,
            "links": [{"id": link.ticket_id, "number": link.number, "kind": link.kind} for link in ticket.links],
            "promises": [_promise(clock) for clock in (ticket.sla.clocks if ticket.sla else ())],
            "rating": ticket.rating.score if ticket.rating else None,
            "opened_at": _moment(ticket.opened_at),
            "first_response_at": _moment(ticket.first_response_at),
            "updated_at": _moment(ticket.updated_at),
            "snoozed_until": _moment(ticket.snoozed_until),
            "solved_at": _moment(ticket.solved_at),
            "closed_at": _moment(ticket.closed_at),
        }

    def _named(self, document_id: str | None) -> JsonValue:
        return {"id": document_id, "name": self.name(document_id)} if document_id else None


def call_of(history: History, request_id: str) -> tuple[Commit, WebhookRequested]:
    """Find the call of a webhook and the commit that asked for it."""
    return next(
        (commit, fact)
        for commit in history.commits
        for fact in commit.facts
        if isinstance(fact, WebhookRequested) and fact.request_id == request_id
    )


def _merges(history: History) -> Iterator[tuple[str, int]]:
    for commit in history.commits:
        for fact in commit.facts:
            if isinstance(fact, Merged):
                yield fact.into, fact.into_number
            elif isinstance(fact, MergeReceived):
                yield fact.source, fact.source_number


def _merged(ticket_id: str | None, numbers: Mapping[str, int]) -> JsonValue:
    return {"id": ticket_id, "number": numbers[ticket_id]} if ticket_id else None


def _promise(clock: SlaClock) -> JsonValue:
    return {"metric": clock.metric, "state": clock.state, "due_at": _moment(clock.due_at)}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _plain(value: FieldValue) -> JsonValue:
    return list(value) if isinstance(value, tuple) else value


def _rule(rule: RuleApplied | None) -> JsonValue:
    if rule is None:
        return None
    return {
        "id": rule.rule_id,
        "name": rule.rule_name,
        "revision": rule.rule_revision,
        "occasion": rule.trigger.partition(":")[0],
        "conditions": list(rule.conditions),
    }


def _cause(explained: Explanation, commit: Commit, ticket: Ticket) -> JsonValue:
    """What set the rule off: in its own commit for a promise, else the nearest thing before it."""
    occasion = explained.rule.trigger.partition(":")[0] if explained.rule else ""
    own = next((fact for fact in commit.facts if fact.type == f"ticket.{occasion}.v1"), None)
    if own is not None:
        return _told(own, commit.at.isoformat(), commit.actor, ticket)
    if not explained.causes:
        return None
    step = explained.causes[0]
    return _told(step.fact, step.at.isoformat(), step.actor, ticket)


def _told(fact: AnyFact, at: str, actor: Actor, ticket: Ticket) -> JsonValue:
    return {
        "type": fact.type,
        "at": at,
        "actor": f"{actor.kind}/{actor.id}",
        "data": public_part(fact, ticket),
    }


def public_part(fact: AnyFact, ticket: Ticket) -> dict[str, JsonValue]:
    """What others may know of a fact: no words that were taken back, and nothing of what this version does not know."""
    if isinstance(fact, UnknownFact):
        return {}
    message = ticket.message(getattr(fact, "message_id", ""))
    words = PUBLIC.get(type(fact), frozenset()) if message is None or not message.redacted else frozenset()
    hidden = {*UNTOLD, *(OF_NOTES if isinstance(fact, NoteAdded) else ()), *(set(personal_fields(type(fact))) - words)}
    told: dict[str, JsonValue] = fact.model_dump(mode="json", exclude=hidden)
    text = told.get("text")
    return told | {"text": text[:LONGEST_TEXT]} if isinstance(text, str) else told
